import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { messageId, messageIds } from "../../src/mail/message-id.ts";

describe("message identifiers", () => {
  test.each([
    ["<r1@b>,<r2@b>", ["<r1@b>", "<r2@b>"], "separated by a comma"],
    ["<r1@b><r2@b>", ["<r1@b>", "<r2@b>"], "not separated at all"],
    ["see <r1@b> above", ["<r1@b>"], "within prose"],
    ["<lo\r\n ng@b> <r2@b>", ["<long@b>", "<r2@b>"], "folded in the middle of an id"],
    ["<r1@b>\r\n\t<r2@b>\r\n <r1@b>", ["<r1@b>", "<r2@b>"], "named twice"],
    ['Message from Jane of "Mon <x@y>" <p1@b>', ["<p1@b>"], "with an id in quotes, which is none"],
    ["(was <x@y> (nested)) <p1@b>", ["<p1@b>"], "with an id in a comment, which is none"],
    ["<p1@b> <p2@b>", ["<p1@b>", "<p2@b>"], "two of them"],
    ["q1@b", ["<q1@b>"], "without brackets"],
    ["q1@b, q2@b", ["<q1@b>", "<q2@b>"], "several without brackets"],
    ["<q1@b> (added by relay)", ["<q1@b>"], "with a remark of a relay"],
    ["<a@b> stray@token", ["<a@b>"], "bracketed ones make bare ones prose"],
    ["<<q1@b>>", ["<q1@b>"], "in double brackets"],
    ["<local-only>", ["<local-only>"], "without a domain"],
    ["nothing here", [], "none"],
    ["<>", [], "empty"],
    ["", [], "no value"],
    ['"unclosed <p1@b>', ["<p1@b>"], "after a quote that never closes"],
    ["(unclosed <p1@b>", ["<p1@b>"], "after a comment that never closes"],
    ["<\xc3\xa4@b>", ["<ä@b>"], "in raw UTF-8"],
    ["<\xc3\xa0>", ["<à>"], "ending in a byte that looks like a blank"],
  ])("of %j are %j: %s", (raw, ids) => {
    expect(messageIds(raw).ids).toEqual(ids);
  });

  test.each([
    ["< q 1@b >", "<q 1@b>", ["bad_message_id"]],
    ["<a\0b@c>", "<ab@c>", ["bad_message_id"]],
    ["=?utf-8?Q?=3Cenc=40b=3E?=", "<enc@b>", ["encoded_message_id"]],
    [`<${"a".repeat(1000)}@b>`, null, ["overlong_message_id"]],
  ])("%j is read as %j and marked", (raw, id, anomalies) => {
    expect(messageId(raw)).toEqual({ id, anomalies });
  });

  test("of a References header with thousands are the first and the last two hundred", () => {
    const { ids, anomalies } = messageIds(Array.from({ length: 3000 }, (_, i) => `<${i}@b>`).join(" "));
    expect(ids).toHaveLength(201);
    expect(ids[0]).toBe("<0@b>");
    expect(ids.at(-1)).toBe("<2999@b>");
    expect(anomalies).toEqual(["references_cut"]);
  });

  test.each(["<", "(", '"', "<(", "=?a?q?", "\\(", "<a@b"])("of a megabyte of %j cost linear time", (piece) => {
    expect(messageIds(piece.repeat(1_000_000 / piece.length)).ids.length).toBeLessThan(1100);
  });

  test("that were composed in any of the ways that are sent are read back", () => {
    const part = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,30}$/).filter((text) => !text.includes("=?"));
    const id = fc.tuple(part, part).map(([left, right]) => `<${left}@${right}>`);
    const between = fc.constantFrom(" ", "\r\n ", ",", "", "\r\n\t", " (a remark) ", ' "a phrase" ');
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(id, between), { selector: ([text]) => text, maxLength: 20 }), (list) => {
        expect(messageIds(list.flat().join(""))).toEqual({ ids: list.map(([text]) => text), anomalies: [] });
      }),
    );
  });

  test("are well formed whatever the value", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (raw) => {
        const latin1 = Buffer.from(raw, "utf8").toString("latin1");
        for (const id of messageIds(latin1).ids) expect(id).toMatch(/^<[^<>\p{Cc}]+>$/u);
      }),
      { numRuns: 1000 },
    );
  });
});
