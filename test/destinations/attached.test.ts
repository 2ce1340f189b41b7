/** The list of files in an email's bodies: found again and changed alone, whatever the names, the mail around it, and what HubSpot made of it. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { attachmentBlock, brought, type Form } from "../../src/destinations/shared/attached.ts";
import { bodyOf } from "../../src/destinations/shared/body.ts";
import { endsWithMarker, markerOf, maxBodyChars } from "../../src/destinations/shared/text.ts";
import { fileStatuses } from "../../src/model/files.ts";
import type { Filed } from "../../src/model/step.ts";
import { respelled } from "../../src/sandbox/hubspot/html.ts";
import { activity, filed, keyOf } from "./fixtures.ts";

const marker = markerOf(keyOf("x"));
const forms = ["text", "html"] as const;
const nasty = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({
    unit: fc.constantFrom("<", ">", "&", "'", '"', "a", " ", "\n", "$", "\\", "(", "[", "Attachments:"),
    maxLength: 12,
  }),
);
const anyFile: fc.Arbitrary<Filed> = fc.record({
  filename: fc.option(nasty),
  content_type: nasty,
  size: fc.nat(),
  id: fc.stringMatching(/^[0-9a-f]{32}$/),
  status: fc.constantFrom(...fileStatuses),
  reason: fc.option(nasty),
  url: fc.option(fc.stringMatching(/^[\w=-]{1,30}$/).map((tail) => `https://m.example/a/1?e=2&k=1&s=${tail}`)),
});
const lists = fc.array(anyFile, { minLength: 1, maxLength: 25 });
const bodyWith = (files: readonly Filed[], form: Form, text = "Hello.", html: string | null = "<p>Hello.</p>") => {
  const body = bodyOf(activity([], { text, html, attachments: [...files] }), maxBodyChars, marker, true);
  return form === "text" ? body.text : (body.html ?? "");
};

describe("a list that was written", () => {
  test.each(forms)("is found again in the %s and becomes the other, and nothing else changes", (form) => {
    fc.assert(
      fc.property(lists, lists, nasty, nasty, (was, files, before, after) => {
        const [had, has] = [bodyWith(was, form, before), bodyWith(files, form, before)];
        const around = (body: string): string => `${after.replaceAll("<", "")}\n${body}\n${after.replaceAll("<", "")}`;
        const found = brought(around(had), { files, was: [[filed("checking")], was] }, form, maxBodyChars);
        if (had === has) expect(found).toEqual({ kind: "there" });
        else if (found.kind !== "there") expect(found).toEqual({ kind: "changed", body: around(has) });
        expect(brought(around(has), { files, was: [was] }, form, maxBodyChars)).toEqual({ kind: "there" });
      }),
    );
  });

  test("is found in HTML that came back spelled another way", () => {
    fc.assert(
      fc.property(lists, lists, (was, files) => {
        const had = respelled(bodyWith(was, "html"));
        const found = brought(had, { files, was: [was] }, "html", maxBodyChars);
        expect(found.kind).not.toBe("foreign");
        const then = found.kind === "changed" ? respelled(found.body) : had;
        expect(brought(then, { files, was: [was] }, "html", maxBodyChars)).toEqual({ kind: "there" });
        expect(endsWithMarker(then, marker)).toBe(true);
      }),
    );
  });

  test("is found where the line ends came back as CRLF", () => {
    const was = [filed("checking"), filed("checking", { filename: "b.png" })];
    const had = bodyWith(was, "text").replaceAll("\n", "\r\n");
    const found = brought(had, { files: [filed("stored"), filed("removed")], was: [was] }, "text", maxBodyChars);
    expect(found).toMatchObject({
      kind: "changed",
      body: expect.stringMatching(/^Hello\.\r\n\r\nAttachments:\noffer.*\r\n\[mw:/s),
    });
  });

  test("of a mail from before files had states is found too, as the one line that it was", () => {
    const was = [filed("checking", { id: undefined, status: undefined, url: undefined })];
    const had = `Hello.\n\nAttachments: offer.pdf (application/pdf, 12,345 bytes)\n${marker}`;
    const found = brought(had, { files: [filed("stored")], was: [was] }, "text", maxBodyChars);
    expect(found).toMatchObject({
      kind: "changed",
      body: expect.stringMatching(/^Hello\.\n\nAttachments:\n.*: https:.*\n\[mw/),
    });
  });

  test("stays as it is where one character of it is another's", () => {
    for (const form of forms) {
      const was = [filed("checking")];
      const had = bodyWith(was, form);
      const at = had.indexOf("offer.pdf");
      const edited = `${had.slice(0, at)}O${had.slice(at + 1)}`;
      expect(brought(edited, { files: [filed("stored")], was: [was] }, form, maxBodyChars)).toEqual({
        kind: "foreign",
      });
      const longer = had.replace("Attachments:", "All Attachments:");
      expect(brought(longer, { files: [filed("stored")], was: [was] }, form, maxBodyChars)).toEqual({
        kind: "foreign",
      });
    }
  });

  test("is the last of two: above it a sender wrote the same words", () => {
    const was = [filed("checking")];
    const block = attachmentBlock(was, "text") ?? "";
    const had = bodyWith(was, "text", `${block}\n`);
    const found = brought(had, { files: [filed("stored")], was: [was] }, "text", maxBodyChars);
    expect(found).toEqual({ kind: "changed", body: bodyWith([filed("stored")], "text", `${block}\n`) });
  });
});

describe("the list in the mail", () => {
  const many = (count: number, more: Partial<Filed> = {}): Filed[] =>
    Array.from({ length: count }, (_, n) => filed("stored", { filename: `${n}.pdf`, ...more }));

  test("names twenty files and then their number", () => {
    const lines = attachmentBlock(many(1_203), "text")?.split("\n");
    expect(lines).toHaveLength(22);
    expect(lines?.at(-1)).toBe("and 1,183 more");
    expect(attachmentBlock([], "text")).toBeUndefined();
  });

  test("stays within its room, and both bodies within theirs with the marker last, however long the names and reasons", () => {
    const long = many(30, { filename: "<&>'".repeat(100), reason: "'".repeat(5_000), status: "quarantined" });
    for (const limit of [maxBodyChars, maxBodyChars / 2]) {
      const step = activity([], { text: "x".repeat(90_000), html: `<p>${"y".repeat(90_000)}</p>`, attachments: long });
      const { text, html } = bodyOf(step, limit, marker, true);
      for (const body of [text, html ?? ""]) {
        expect(body.length).toBeLessThanOrEqual(limit);
        expect(body).toContain("more");
        expect(endsWithMarker(body, marker)).toBe(true);
      }
    }
  });

  test("grows no body over its limit: it names fewer files then, and is found again like that", () => {
    const was = many(20, { status: "checking", url: null });
    const files = many(20, { url: `https://m.example/${"u".repeat(300)}` });
    const had = bodyWith(was, "text", "x".repeat(58_500));
    const found = brought(had, { files, was: [was] }, "text", maxBodyChars);
    if (found.kind !== "changed") throw new Error("it was expected to change");
    expect(found.body.length).toBeLessThanOrEqual(maxBodyChars);
    expect(found.body).toMatch(/\nand \d+ more\n\[mw:/);
    expect(brought(found.body, { files, was: [was] }, "text", maxBodyChars)).toEqual({ kind: "there" });
    const back = brought(found.body, { files: was, was: [files] }, "text", maxBodyChars);
    expect(back).toEqual({ kind: "changed", body: had });
  });

  test.each([
    ["stored", null, ": https://m.example/1"],
    ["checking", null, ": being checked: https://m.example/1"],
    ["quarantined", "It holds macros (word/vbaProject.bin).", ": quarantined: it holds macros (word/vbaProject.bin)"],
    ["quarantined", null, ": quarantined"],
    ["stripped", "a program", ": taken out: a program"],
    ["refused", "its bytes are gone", ": not kept: its bytes are gone"],
    ["dropped", null, ": dropped by a person"],
    ["removed", null, ": removed after its time"],
  ] as const)("says of a file that is %s what a person needs", (status, reason, words) => {
    const line = (url: string | null) => attachmentBlock([filed(status, { reason, url })], "text")?.split("\n")[1];
    expect(line("https://m.example/1")).toBe(`offer.pdf (application/pdf, 12,345 bytes)${words}`);
    expect(line(null), "without links").not.toMatch(/https|: $|:$/);
  });

  test("cannot be forged by a name, a type or a reason", () => {
    const forged = filed("quarantined", {
      filename: "a.pdf (application/pdf, 1 bytes): https://m.example/1\r\nb.pdf\u2028c",
      content_type: "x/y\nz",
      reason: 'in it\n<a href="https://evil.example">offer</a>',
    });
    expect(attachmentBlock([forged], "text")?.split(/[\n\u2028]/)).toHaveLength(2);
    const html = attachmentBlock([forged], "html") ?? "";
    expect(html).not.toContain('<a href="https://evil');
    expect(html.match(/<[^<>]+>/g)).toEqual(["<p>", "<br>", "</p>"]);
  });
});
