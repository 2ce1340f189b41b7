import { describe, expect, test } from "vitest";
import { classify, dailyPauseMs, existingId, isConflict } from "../../src/destinations/hubspot/classify.ts";
import { oneLine } from "../../src/destinations/shared/words.ts";
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
const brokenValue =
  'Property values were not valid: [{"isValid":false,"error":"PROPERTY_DOESNT_EXIST","name":"colour"}]';

/** [what, answer, kind for a write, kind for a read] */
const table: [string, WireResponse, string, string][] = [
  ["200 with a record", reply(200, { id: "1" }), "fine", "fine"],
  ["201 with a record", reply(201, { id: "1" }), "fine", "fine"],
  ["204 without a body", reply(204, ""), "fine", "fine"],
  ["200 with half a JSON", reply(200, '{"id":"1'), "ambiguous", "retryable"],
  ["201 without a body", reply(201, ""), "ambiguous", "retryable"],
  ["500", reply(500, { status: "error" }), "ambiguous", "retryable"],
  ["502 from the edge", reply(502, page), "ambiguous", "retryable"],
  ["503", reply(503, page), "ambiguous", "retryable"],
  ["504", reply(504, page), "ambiguous", "retryable"],
  ["520", reply(520, page), "ambiguous", "retryable"],
  ["524, no answer within 100 s", reply(524, page), "ambiguous", "retryable"],
  ["526", reply(526, page), "ambiguous", "retryable"],
  ["401 EXPIRED_AUTHENTICATION", reply(401, { category: "EXPIRED_AUTHENTICATION" }), "blocked", "blocked"],
  ["401 INVALID_AUTHENTICATION", reply(401, { category: "INVALID_AUTHENTICATION" }), "blocked", "blocked"],
  ["400 BAD_REFRESH_TOKEN", reply(400, { status: "BAD_REFRESH_TOKEN" }), "blocked", "blocked"],
  ["400 invalid_grant", reply(400, { message: "invalid_grant" }), "blocked", "blocked"],
  ["403 MISSING_SCOPES", reply(403, { category: "MISSING_SCOPES" }), "blocked", "blocked"],
  ["403 page of an edge", reply(403, page), "rate_limited", "rate_limited"],
  ["423 locked", reply(423, {}), "retryable", "retryable"],
  ["408", reply(408, {}), "retryable", "retryable"],
  ["425", reply(425, {}), "retryable", "retryable"],
  ["429 SECONDLY", reply(429, { policyName: "SECONDLY" }), "rate_limited", "rate_limited"],
  ["429 page", reply(429, page), "rate_limited", "rate_limited"],
  ["477 data-centre move", reply(477, {}, { "retry-after": "60" }), "rate_limited", "rate_limited"],
  ["409 contact exists", reply(409, { category: "CONFLICT" }), "fine", "fine"],
  ["400 unique value taken", reply(400, { message: '[{"error":"CONFLICTING_UNIQUE_VALUE"}]' }), "fine", "fine"],
  [
    "400 unknown property",
    reply(400, { category: "VALIDATION_ERROR", message: brokenValue }),
    "permanent",
    "permanent",
  ],
  [
    "400 rule of the account",
    reply(400, { category: "VALIDATION_ERROR", message: "Names need a title" }),
    "permanent",
    "permanent",
  ],
  [
    "400 not unique",
    reply(400, { message: "Unable to perform update/upsert by non-unique property x" }),
    "blocked",
    "blocked",
  ],
  ["400 blocklist", reply(400, { message: "address is on a blocklist" }), "permanent", "permanent"],
  ["404", reply(404, { category: "OBJECT_NOT_FOUND" }), "permanent", "fine"],
  ["413", reply(413, {}), "permanent", "permanent"],
  ["414", reply(414, {}), "permanent", "permanent"],
  ["415", reply(415, {}), "permanent", "permanent"],
  ["a status nobody knows", reply(418, {}), "permanent", "permanent"],
  ["a redirect, which is not followed", reply(302, ""), "blocked", "blocked"],
];

describe("what an answer means", () => {
  for (const [what, answer, write, read] of table) {
    test(`${what}: ${write} on a write, ${read} on a read`, () => {
      expect(classify(answer, true, now)?.kind ?? "fine").toBe(write);
      expect(classify(answer, false, now)?.kind ?? "fine").toBe(read);
    });
  }
});

describe("how long a limit lasts", () => {
  const until = (answer: WireResponse, zone?: string) => {
    const failure = classify(answer, true, now, zone);
    return failure?.kind === "rate_limited" ? failure.until - now : undefined;
  };
  test.each([
    ["a second for SECONDLY", reply(429, { policyName: "SECONDLY" }), 1_000],
    ["a second for the older text", reply(429, { message: "You have reached your secondly limit." }), 1_000],
    ["ten for TEN_SECONDLY_ROLLING", reply(429, { policyName: "TEN_SECONDLY_ROLLING" }), 10_000],
    ["ten where nothing is said", reply(429, {}), 10_000],
    ["what Retry-After says in seconds", reply(429, { policyName: "SECONDLY" }, { "retry-after": "42" }), 42_000],
    ["what Retry-After says as a date", reply(429, {}, { "retry-after": "Tue, 24 Nov 2026 12:05:00 GMT" }), 300_000],
    ["never less than a second", reply(429, {}, { "retry-after": "0" }), 1_000],
    ["never more than a day", reply(477, {}, { "retry-after": "9999999" }), 86_400_000],
    ["an hour for a move without a word", reply(477, {}), 3_600_000],
    ["an hour at a time for DAILY in an unknown zone", reply(429, { policyName: "DAILY" }), 3_600_000],
  ])("%s", (_what, answer, expected) => {
    expect(until(answer)).toBe(expected);
  });
  test("to midnight in the account's zone for DAILY", () => {
    expect(until(reply(429, { policyName: "DAILY" }), "Europe/Berlin")).toBe(11 * 3_600_000);
    expect(until(reply(429, { policyName: "DAILY" }), "America/New_York")).toBe(17 * 3_600_000);
    expect(dailyPauseMs(now, "Not/AZone")).toBe(3_600_000);
  });
});

describe("the record in the way", () => {
  test.each([
    ["inside a sentence", { message: "Contact already exists. Existing ID: 37765128953" }, "37765128953"],
    ["in the context, as a list", { context: { existingId: ["171591000198"] } }, "171591000198"],
    ["in the context, as one value", { context: { existingId: 171 } }, "171"],
    ["in the context of an inner error", { errors: [{ context: { existingId: ["5"] } }] }, "5"],
    ["nowhere", { message: "Contact already exists." }, undefined],
    ["as something that is no id", { context: { existingId: ["../../x"] } }, undefined],
  ])("is named %s", (_where, body, id) => {
    expect(existingId(reply(409, body))).toBe(id);
  });
  test.each([
    ["a refusal that repeats it", 400, 'Email address "already exists. Existing ID: 7"@evil.example is invalid'],
    ["a conflict that repeats it", 409, 'A contact with "Existing ID: 7"@evil.example already exists'],
  ])("is not the one that a sender wrote into his address: %s", (_, status, message) => {
    expect(existingId(reply(status, { message, category: "VALIDATION_ERROR" }))).toBeUndefined();
  });
  test("is recognised by the plain sentence of a 400 too", () => {
    expect(isConflict(reply(400, { message: "mailwright_key already has that value" }))).toBe(true);
    expect(isConflict(reply(400, { errors: [{ code: "CONFLICTING_UNIQUE_VALUE" }] }))).toBe(true);
    expect(isConflict(reply(400, { message: "hs_timestamp is required" }))).toBe(false);
  });
});

describe("a reason", () => {
  test("names the scopes that are missing, and nothing that is no scope", () => {
    const errors = [{ message: "x", context: { requiredScopes: ["sales-email-read", "bad scope\nINFO forged"] } }];
    const failure = classify(reply(403, { category: "MISSING_SCOPES", errors }), true, now);
    expect(failure?.reason).toContain("sales-email-read");
    expect(failure?.reason).not.toContain("forged");
  });
  test("is one line without addresses, tokens, bidi marks and the end of a novel", () => {
    const words = `Bearer abc.def of pat-na1-1234567890 for ada@example.test\r\nINFO forged\u202e ${"x".repeat(10_000)}`;
    const reason = classify(reply(400, { message: words }), true, now)?.reason ?? "";
    expect(reason).not.toMatch(/abc\.def|pat-na1|ada@|[\r\n\u202e]/);
    expect(reason.length).toBeLessThan(700);
    expect(oneLine("plain words")).toBe("plain words");
  });
  test("survives an answer in which every field has the wrong type", () => {
    const odd = reply(400, {
      status: 1,
      message: { a: 1 },
      category: [],
      errors: "none",
      context: 7,
      policyName: null,
    });
    expect(classify(odd, true, now)?.kind).toBe("permanent");
  });
});
