import { describe, expect, test } from "vitest";
import { listFacts } from "../../src/mail/list.ts";

const none = { id: undefined, unsubscribe: undefined, unsubscribePost: undefined, post: undefined };

describe("what a mailing list says of itself", () => {
  test.each([
    [" Shop Talk <Shop-Talk.Lists.Example>", "shop-talk.lists.example"],
    [" =?utf-8?q?Gespr=C3=A4che?= <talk.example>", "talk.example"],
    [' "a <b> c" <talk.example>', "talk.example"],
    [" <talk.example>", "talk.example"],
    [" talk.example", "talk.example"],
    [" Shop Talk", null],
    [" <>", null],
    ["", null],
  ])("its id: %j is %j", (id, expected) => {
    expect(listFacts({ ...none, id })).toEqual({ id: expected, unsubscribe: [], post: null, one_click: false });
  });

  test.each([
    [
      " <https://l.example/u?a=1>, <mailto:u@l.example?subject=x>",
      ["https://l.example/u?a=1", "mailto:u@l.example?subject=x"],
    ],
    [" <https://l.example/\r\n long/path> (web)", ["https://l.example/long/path"]],
    [" https://l.example/u, mailto:u@l.example", ["https://l.example/u", "mailto:u@l.example"]],
    [" by a word to us", []],
    [" <javascript alert(1)>", []],
    [" <<https://l.example/>>", ["https://l.example/"]],
    [" <https://l.example", []],
  ])("how to leave it: %j is %j", (unsubscribe, expected) => {
    expect(listFacts({ ...none, unsubscribe })?.unsubscribe).toEqual(expected);
  });

  test("one click needs both the field and an address of the web", () => {
    const oneClick = (unsubscribe: string, unsubscribePost: string) =>
      listFacts({ ...none, unsubscribe, unsubscribePost })?.one_click;
    expect(oneClick("<https://l.example/u>", " List-Unsubscribe=One-Click")).toBe(true);
    expect(oneClick("<mailto:u@l.example>", " List-Unsubscribe=One-Click")).toBe(false);
    expect(oneClick("<https://l.example/u>", " no")).toBe(false);
  });

  test("where to post; NO is nowhere", () => {
    expect(listFacts({ ...none, post: " <mailto:talk@l.example> (moderated)" })?.post).toBe("mailto:talk@l.example");
    expect(listFacts({ ...none, post: " NO (archive)" })).toMatchObject({ post: null });
  });

  test("nothing, where no field does", () => {
    expect(listFacts(none)).toBeNull();
    expect(listFacts({ ...none, unsubscribePost: "List-Unsubscribe=One-Click" })).toBeNull();
  });

  test("at most ten ways to leave", () => {
    const unsubscribe = Array.from({ length: 100_000 }, (_, i) => `<https://l.example/${i}>`).join(",");
    expect(listFacts({ ...none, unsubscribe })?.unsubscribe).toHaveLength(10);
  });
});
