/** What Close's answers mean. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { classify, rateOf, reasonOf } from "../../src/destinations/close/classify.ts";
import type { WireResponse } from "../../src/model/wire.ts";

const now = Date.UTC(2026, 10, 24, 12);
const reply = (status: number, body: unknown = {}, headers: Record<string, string> = {}): WireResponse => {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status, headers, text, json };
};
const page = "<html><body>Bad gateway</body></html>";

const table: [string, WireResponse, string, string][] = [
  ["200 with a record", reply(200, { id: "lead_1" }), "fine", "fine"],
  ["200 with half a JSON", reply(200, '{"id":"lead'), "ambiguous", "retryable"],
  ["204", reply(204, ""), "fine", "fine"],
  ["500", reply(500, { error: "x" }), "ambiguous", "retryable"],
  ["502 of an edge", reply(502, page), "ambiguous", "retryable"],
  ["504", reply(504, page), "ambiguous", "retryable"],
  ["a redirect, for a slash that is missing", reply(301, ""), "blocked", "blocked"],
  ["400 with field errors", reply(400, { "field-errors": { sender: "Not valid." } }), "permanent", "permanent"],
  ["400 page", reply(400, page), "rate_limited", "rate_limited"],
  ["401", reply(401, { error: "no" }), "blocked", "blocked"],
  ["402, the plan is full", reply(402, { error: "limit" }), "blocked", "blocked"],
  ["403", reply(403, { error: "no" }), "blocked", "blocked"],
  ["403 page", reply(403, page), "rate_limited", "rate_limited"],
  ["404", reply(404, { error: "gone" }), "permanent", "fine"],
  ["404 page", reply(404, page), "rate_limited", "rate_limited"],
  ["405", reply(405, { error: "no" }), "permanent", "permanent"],
  ["415", reply(415, { error: "no" }), "permanent", "permanent"],
  ["423", reply(423, {}), "retryable", "retryable"],
  ["429 without a body", reply(429, ""), "rate_limited", "rate_limited"],
  ["a status nobody knows", reply(418, {}), "permanent", "permanent"],
];

describe("what an answer of Close's means", () => {
  for (const [what, answer, write, read] of table) {
    test(`${what}: ${write} on a write, ${read} on a read`, () => {
      expect(classify(answer, true, now)?.kind ?? "fine").toBe(write);
      expect(classify(answer, false, now)?.kind ?? "fine").toBe(read);
    });
  }

  test.each([
    ["what Retry-After says", { "retry-after": "7", ratelimit: "limit=1, remaining=0, reset=3" }, 7_000],
    ["the header's reset", { ratelimit: "limit=100, remaining=0, reset=3.2" }, 3_200],
    ["ten seconds where nothing is said", {}, 10_000],
    ["ten seconds where the reset is none of a window", { ratelimit: "limit=1, remaining=0, reset=999999999" }, 10_000],
  ])("a 429 lasts %s", (_, headers, expected) => {
    const failure = classify(reply(429, "", headers), true, now);
    expect(failure?.kind === "rate_limited" ? failure.until - now : undefined).toBe(expected);
  });

  test("the rate header is read in any order, and nothing else is taken for one", () => {
    expect(rateOf("reset=5; remaining = 50; limit=100")).toEqual({ remaining: 50, resetMs: 5_000 });
    fc.assert(fc.property(fc.string(), (text) => void rateOf(text)));
    const none = [undefined, "", "remaining=x, reset=5", "remaining=5", "limit=1, remaining=0, reset=86400"];
    expect(none.map(rateOf)).toEqual([undefined, undefined, undefined, undefined, undefined]);
  });

  test("a reason has Close's own words, wherever they stand, on one line, without addresses and keys", () => {
    const said = reasonOf(
      reply(400, { errors: ["One"], "field-errors": { to: "ada@example.test is\r\nno good, api_abcdef1234.x" } }),
    );
    expect(said).toBe("Close answered 400: One; to: (address) is no good, (token)");
    expect(classify(reply(400, { error: 7, errors: "x", "field-errors": [] }), true, now)?.kind).toBe("permanent");
  });
});
