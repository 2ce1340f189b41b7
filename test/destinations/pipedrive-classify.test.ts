import { describe, expect, test } from "vitest";
import { classify, fieldsNamed, isTooLong, isUnclassified } from "../../src/destinations/pipedrive/classify.ts";
import { movedDescription, noteOf, ownOf } from "../../src/destinations/pipedrive/note.ts";
import type { WireResponse } from "../../src/model/wire.ts";
import { activity, filed } from "./fixtures.ts";

const now = Date.UTC(2026, 10, 24, 12);
const reply = (status: number, body?: unknown, headers: Record<string, string> = {}): WireResponse => {
  const text = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
  return { status, headers, text, json: typeof body === "string" ? undefined : body };
};
const said = (error: string, code?: string | number) => ({ success: false, error, code, data: null });
const page = "<!DOCTYPE html><html><body>blocked</body></html>";

describe("what an answer means", () => {
  test.each([
    ["a success", reply(200, { success: true, data: { id: 1 } }), undefined, undefined],
    ["a created lead", reply(201, { success: true, data: { id: "x" } }), undefined, undefined],
    ["half of a JSON", reply(200, '{"success":true,"da'), "ambiguous", "retryable"],
    ["a success that says it is none", reply(200, said("no")), "permanent", "permanent"],
    ["500 ERR_UNKNOWN", reply(500, said("Internal server error", "ERR_UNKNOWN")), "ambiguous", "retryable"],
    ["502 of an edge", reply(502, page), "ambiguous", "retryable"],
    ["a redirect", reply(302), "blocked", "blocked"],
    ["401", reply(401, { success: false, error: "unauthorized access", errorCode: 401 }), "blocked", "blocked"],
    ["402", reply(402, said("payment required")), "blocked", "blocked"],
    ["403 of a scope", reply(403, said("Scope and URL mismatch")), "blocked", "blocked"],
    ["403 of the plan", reply(403, said("limit reached", "feature_capping_deals_limit")), "blocked", "blocked"],
    ["403 of the proxy", reply(403, page), "rate_limited", "rate_limited"],
    ["404 of a record", reply(404, said("Deal not found", "ERR_NOT_FOUND")), "permanent", undefined],
    ["404 of a path", reply(404, said("Unknown method .", 404)), "blocked", "blocked"],
    ["404 of somebody else's server", reply(404, page), "rate_limited", "rate_limited"],
    ["410", reply(410, said("gone")), "blocked", "blocked"],
    ["400", reply(400, said("Validation failed", "ERR_INVALID_INPUT")), "permanent", "permanent"],
    ["422", reply(422, said("no")), "permanent", "permanent"],
    ["415", reply(415, said("no")), "permanent", "permanent"],
    ["423", reply(423, said("no")), "retryable", "retryable"],
    ["418", reply(418, said("no")), "permanent", "permanent"],
    ["429", reply(429, said("request over limit")), "rate_limited", "rate_limited"],
  ])("%s", (_what, answer, write, read) => {
    expect(classify(answer, true, now)?.kind).toBe(write);
    expect(classify(answer, false, now)?.kind).toBe(read);
  });

  test("says which statuses it knows nothing of", () => {
    expect([400, 404, 418, 429, 451, 500].filter(isUnclassified)).toEqual([418, 451]);
  });
});

describe("the pause", () => {
  const day = { "x-daily-ratelimit-token-remaining": "0" };
  test.each([
    ["of the burst is the window's rest", reply(429, said("x"), { "x-ratelimit-reset": "2" }), 2_000],
    ["of the burst without a word is the window", reply(429, said("x")), 2_000],
    [
      "of the burst with a time of another kind is the window",
      reply(429, said("x"), { "x-ratelimit-reset": "1796990000" }),
      2_000,
    ],
    ["of the burst is no longer than a burst can be", reply(429, said("x"), { "x-ratelimit-reset": "9999" }), 2_000],
    ["is what Retry-After says", reply(429, said("x"), { "retry-after": "9", "x-ratelimit-reset": "2" }), 9_000],
    ["of the day is what Retry-After says", reply(429, said("x"), { ...day, "retry-after": "43200" }), 43_200_000],
    [
      "of the day is asked anew each hour otherwise",
      reply(429, said("x"), { ...day, "x-ratelimit-reset": "1" }),
      3_600_000,
    ],
    ["of the day told in words", reply(429, said("Daily API token limit exceeded")), 3_600_000],
    ["never ends after tomorrow", reply(429, said("x"), { "retry-after": "99999999" }), 86_400_000],
    ["after the proxy's page is ten minutes", reply(403, page), 600_000],
  ])("%s", (_what, answer, ms) => {
    expect(classify(answer, true, now)).toMatchObject({ kind: "rate_limited", until: now + ms });
  });
  test("of the day ends at midnight", () => {
    const late = Date.UTC(2026, 10, 24, 23, 50);
    expect(classify(reply(429, said("x"), day), true, late)).toMatchObject({ until: Date.UTC(2026, 10, 25, 0, 0, 1) });
  });
});

describe("a reason", () => {
  test("is one line without addresses, tokens and the end of a novel", () => {
    const words = `x-api-token: abc1 Bearer abc.def key ${"a1".repeat(20)} for ada@example.test\r\nINFO forged ${"x".repeat(9_000)}`;
    const reason = classify(reply(400, said(words)), true, now)?.reason ?? "";
    expect(reason).not.toMatch(/abc1|abc\.def|a1a1|ada@|[\r\n]/);
    expect(reason.length).toBeLessThan(700);
  });
  test("survives an answer in which every field has the wrong type", () => {
    expect(classify(reply(400, { success: "no", error: { a: 1 }, code: [] }), true, now)?.kind).toBe("rate_limited");
    expect(classify(reply(400, { success: false, error: { a: 1 }, code: [] }), true, now)?.kind).toBe("permanent");
  });
  test("tells what is too long, and which field is gone", () => {
    expect(isTooLong(reply(400, said("note: the value is too long")))).toBe(true);
    expect(isTooLong(reply(400, said("title is required")))).toBe(false);
    const code = "0123456789".repeat(4);
    expect(fieldsNamed(reply(400, said(`custom_fields.${code}: unknown, and ${code}`)))).toEqual([code]);
    expect(fieldsNamed(reply(400, said("custom_fields.abc: unknown")))).toEqual([]);
    expect(fieldsNamed(reply(429, said(code)))).toEqual([]);
  });
});

describe("a note", () => {
  test.each(["<&>\"'", "ab\n", "é<"])("made of %j is cut between characters, never within a name or a tag", (piece) => {
    const step = activity([], { text: piece.repeat(9_000), attachments: [filed("stored")] });
    for (let limit = 900; limit < 930; limit++) {
      const { html, cut } = noteOf(step, limit);
      expect(html.length).toBeLessThanOrEqual(limit);
      expect(cut).toContain("cut to");
      expect(html.replace(/<(?:br \/|\/?p|br|a [^<>]*|\/a)>|&(?:amp|lt|gt|quot|#39);/g, "")).not.toMatch(/[<>&]/);
      expect(html).toContain("offer.pdf");
    }
  });
  test("of a mail to a whole address book names some of it", () => {
    const to = Array.from({ length: 50 }, (_, n) => ({ email: `p${n}@example.test`, name: null }));
    expect(noteOf(activity([], { to }), 60_000).html).toContain("p19@example.test, and 30 more");
  });
});

describe("the line that says whose a mail is", () => {
  const line = "Mailwright: mail received; event e; deal 5; organization 7; flags a; [mw:0123456789abcdef]";
  test("tells the deal and the organization that we chose", () => {
    expect(ownOf(line)).toEqual({ deal: "5", organization: "7" });
    expect(ownOf("call her; deal five")).toEqual({});
    expect(ownOf(null)).toEqual({});
  });
  test("follows a move, and is left alone where it is not ours any more", () => {
    const moved = movedDescription(line, "deal", "6");
    expect(ownOf(moved)).toEqual({ deal: "6", organization: "7" });
    expect(ownOf(movedDescription(moved, "deal", undefined))).toEqual({ organization: "7" });
    expect(moved.endsWith("; [mw:0123456789abcdef]")).toBe(true);
    expect(movedDescription("a person's words", "deal", "6")).toBe("a person's words");
  });
});
