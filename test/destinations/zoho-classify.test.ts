import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  classify,
  duplicateOf,
  errorsOf,
  isNoRecord,
  isStaleToken,
  isTooLong,
  reasonOf,
  tokenRefusal,
} from "../../src/destinations/zoho/classify.ts";
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
const error = (code: string, message = "words", details: object = {}) => ({ code, message, details, status: "error" });
const row = (code: string, message?: string, details?: object) => ({ data: [error(code, message, details)] });
const mail = (code: string, message?: string, details?: object) => ({ Emails: [error(code, message, details)] });

/** [what, answer, kind for a write, kind for a read] */
const table: [string, WireResponse, string, string][] = [
  ["200 with records", reply(200, { data: [{ id: "1" }] }), "fine", "fine"],
  ["201 with a row that was written", reply(201, { data: [{ code: "SUCCESS", status: "success" }] }), "fine", "fine"],
  ["a record with a field called code", reply(200, { data: [{ id: "1", code: "ERROR" }] }), "fine", "fine"],
  ["204", reply(204, ""), "fine", "fine"],
  ["200 with half a JSON", reply(200, '{"data":[{"id"'), "ambiguous", "retryable"],
  ["201 without a body", reply(201, ""), "ambiguous", "retryable"],
  ["500 INTERNAL_ERROR", reply(500, error("INTERNAL_ERROR")), "ambiguous", "retryable"],
  ["a row with INTERNAL_ERROR under 200", reply(200, row("INTERNAL_ERROR")), "ambiguous", "retryable"],
  ["502 from the edge", reply(502, page), "ambiguous", "retryable"],
  ["504", reply(504, page), "ambiguous", "retryable"],
  ["302", reply(302, ""), "blocked", "blocked"],
  ["200 Access Denied", reply(200, "Access Denied"), "rate_limited", "rate_limited"],
  ["401 INVALID_TOKEN", reply(401, error("INVALID_TOKEN")), "blocked", "blocked"],
  ["401 AUTHENTICATION_FAILURE", reply(401, error("AUTHENTICATION_FAILURE")), "blocked", "blocked"],
  ["401 OAUTH_SCOPE_MISMATCH", reply(401, error("OAUTH_SCOPE_MISMATCH")), "blocked", "blocked"],
  ["403 NO_PERMISSION", reply(403, error("NO_PERMISSION")), "blocked", "blocked"],
  ["403 page of an edge", reply(403, page), "rate_limited", "rate_limited"],
  ["400 FEATURE_NOT_SUPPORTED", reply(400, error("FEATURE_NOT_SUPPORTED")), "blocked", "blocked"],
  ["429 TOO_MANY_REQUESTS", reply(429, error("TOO_MANY_REQUESTS")), "rate_limited", "rate_limited"],
  ["429 page", reply(429, page), "rate_limited", "rate_limited"],
  ["credits used up under 200", reply(200, error("LIMIT_EXCEEDED", "API credits")), "rate_limited", "rate_limited"],
  ["a list that is too long", reply(400, error("LIMIT_EXCEEDED", "more fields than 50")), "permanent", "permanent"],
  ["DUPLICATE_DATA in a row under 202", reply(202, row("DUPLICATE_DATA")), "fine", "fine"],
  ["DUPLICATE_DATA of a mail", reply(400, mail("DUPLICATE_DATA")), "fine", "fine"],
  ["RECORD_LOCKED", reply(400, row("RECORD_LOCKED")), "retryable", "retryable"],
  ["RECORD_IN_BLUEPRINT", reply(200, row("RECORD_IN_BLUEPRINT")), "retryable", "retryable"],
  ["MANDATORY_NOT_FOUND in a row under 200", reply(200, row("MANDATORY_NOT_FOUND")), "permanent", "permanent"],
  ["INVALID_DATA of a mail", reply(400, mail("INVALID_DATA")), "permanent", "permanent"],
  ["MAPPING_MISMATCH", reply(202, row("MAPPING_MISMATCH")), "permanent", "permanent"],
  ["CONVERTED_RECORD", reply(400, error("CONVERTED_RECORD")), "permanent", "permanent"],
  ["404 INVALID_URL_PATTERN", reply(404, error("INVALID_URL_PATTERN")), "permanent", "fine"],
  ["a code nobody knows", reply(400, error("BRAND_NEW")), "permanent", "permanent"],
];

describe("what a Zoho answer means", () => {
  test.each(table)("%s", (_what, answer, write, read) => {
    expect(classify(answer, true, now)?.kind ?? "fine").toBe(write);
    expect(classify(answer, false, now)?.kind ?? "fine").toBe(read);
  });

  test("a pause is what Zoho says, in a header or in the details, else by what is used up", () => {
    const until = (answer: WireResponse) => {
      const failure = classify(answer, true, now);
      return failure?.kind === "rate_limited" ? failure.until - now : undefined;
    };
    expect(until(reply(429, error("TOO_MANY_REQUESTS"), { "retry-after": "7" }))).toBe(7_000);
    expect(until(reply(429, error("TOO_MANY_REQUESTS", "", { retry_after: 60 })))).toBe(60_000);
    expect(until(reply(429, error("TOO_MANY_REQUESTS")))).toBe(10_000);
    expect(until(reply(429, error("LIMIT_EXCEEDED")))).toBe(1_800_000);
    expect(until(reply(429, error("X", "", { retry_after: 1e12 })))).toBe(86_400_000);
  });

  test("errors gathered in one row are each seen, and the id in the way is found wherever it stands", () => {
    const inner = error("DUPLICATE_DATA", "duplicate data", {
      api_name: "Email",
      duplicate_record: { id: "4881139000000428295", module: { api_name: "Leads" } },
    });
    const gathered = reply(
      400,
      row("MULTIPLE_OR_MULTI_ERRORS", "Multiple errors", { errors: [error("OTHER"), inner] }),
    );
    expect(errorsOf(gathered).map(({ code }) => code)).toEqual(["OTHER", "DUPLICATE_DATA"]);
    expect(duplicateOf(gathered)).toEqual({ id: "4881139000000428295", module: "Leads" });
    expect(duplicateOf(reply(200, row("DUPLICATE_DATA", "", { id: "17" })))).toEqual({ id: "17", module: undefined });
    expect(duplicateOf(reply(200, row("DUPLICATE_DATA", "", { id: "../17" })))).toBeUndefined();
  });

  test("only a token that is refused makes the call go out once more", () => {
    expect(isStaleToken(reply(401, error("INVALID_TOKEN")))).toBe(true);
    expect(isStaleToken(reply(401, error("OAUTH_SCOPE_MISMATCH")))).toBe(false);
    expect(isStaleToken(reply(400, error("INVALID_TOKEN")))).toBe(false);
  });

  test("no record is said in several ways, and a wrong field is none of them", () => {
    for (const answer of [
      reply(204, ""),
      reply(404, {}),
      reply(400, error("INVALID_DATA", "the id given seems to be invalid")),
    ])
      expect(isNoRecord(answer)).toBe(true);
    expect(isNoRecord(reply(400, error("INVALID_DATA", "invalid data")))).toBe(false);
    expect(isTooLong(reply(400, mail("INVALID_DATA", "invalid data", { api_name: "content" })))).toBe(true);
    expect(isTooLong(reply(400, mail("INVALID_DATA", "invalid data", { api_name: "subject" })))).toBe(false);
  });

  test("the accounts server says no under 200", () => {
    expect(tokenRefusal(reply(200, { access_token: "1000.a" }), now)).toBeUndefined();
    expect(tokenRefusal(reply(200, { error: "invalid_code" }), now)?.kind).toBe("blocked");
    expect(tokenRefusal(reply(200, { error: "invalid_client" }), now)?.kind).toBe("blocked");
    for (const body of [{ error: "Access Denied" }, "Access Denied"])
      expect(tokenRefusal(reply(200, body), now)).toMatchObject({ kind: "rate_limited", until: now + 600_000 });
    expect(tokenRefusal(reply(500, page), now)).toBeUndefined();
  });

  test("words are one line without tokens and addresses", () => {
    const words = reasonOf(reply(400, error("X", "1000.abcdef.123456 of ada@example.test\nZoho-oauthtoken abcdefgh")));
    expect(words).toBe("Zoho answered 400 X: (token) of (address) (token)");
  });

  test("whatever comes as an answer is read without an exception", () => {
    fc.assert(
      fc.property(fc.integer({ min: 200, max: 599 }), fc.json(), fc.boolean(), (status, body, write) => {
        const answer = reply(status, body);
        classify(answer, write, now);
        duplicateOf(answer);
        tokenRefusal(answer, now);
        expect(reasonOf(answer)).not.toMatch(/[\r\n]/);
      }),
      { numRuns: 300 },
    );
  });
});
