import { describe, expect, test } from "vitest";
import {
  classify,
  isExpired,
  isKeyTaken,
  isUnclassified,
  matchesIn,
  partsOf,
  reasonOf,
} from "../../src/destinations/salesforce/classify.ts";
import type { Failure } from "../../src/model/outcome.ts";
import type { WireResponse } from "../../src/model/wire.ts";

const answer = (status: number, json: unknown, headers: Record<string, string> = {}): WireResponse => ({
  status,
  headers,
  json,
  text: json === undefined ? "<html>" : JSON.stringify(json),
});
const trouble = (errorCode: string, message = "words", fields?: string[]) => [
  { errorCode, message, ...(fields === undefined ? {} : { fields }) },
];
const now = 1_000_000;
const kindOf = (given: WireResponse, write = true): Failure["kind"] | undefined => classify(given, write, now)?.kind;

describe("what Salesforce's answers mean", () => {
  test("a 429 that is not Salesforce's own is waited out as long as it says, and not an hour", () => {
    expect(classify(answer(429, undefined, { "retry-after": "30" }), true, now)).toMatchObject({
      kind: "rate_limited",
      until: now + 30_000,
    });
    expect(classify(answer(429, undefined), true, now)).toMatchObject({ until: now + 10_000 });
  });

  test.each<[number, unknown, Failure["kind"] | undefined, Failure["kind"] | undefined]>([
    [200, { records: [] }, undefined, undefined],
    [201, { id: "003" }, undefined, undefined],
    [204, undefined, undefined, undefined],
    [200, undefined, "ambiguous", "retryable"],
    [500, trouble("UNKNOWN_EXCEPTION"), "ambiguous", "retryable"],
    [502, undefined, "ambiguous", "retryable"],
    [503, trouble("SERVER_UNAVAILABLE"), "ambiguous", "retryable"],
    [302, undefined, "blocked", "blocked"],
    [300, ["/services/data/v67.0/sobjects/Contact/003"], "permanent", "permanent"],
    [400, undefined, "rate_limited", "rate_limited"],
    [401, trouble("INVALID_SESSION_ID", "Session expired or invalid"), "blocked", "blocked"],
    [400, { error: "invalid_grant", error_description: "user hasn't approved this consumer" }, "blocked", "blocked"],
    [403, trouble("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), "rate_limited", "rate_limited"],
    [403, trouble("API_DISABLED_FOR_ORG"), "blocked", "blocked"],
    [403, trouble("FORBIDDEN"), "blocked", "blocked"],
    [404, trouble("NOT_FOUND"), "permanent", undefined],
    [412, trouble("PRECONDITION_FAILED"), "retryable", "retryable"],
    [429, trouble("TOO_MANY"), "rate_limited", "rate_limited"],
    [400, trouble("UNABLE_TO_LOCK_ROW"), "retryable", "retryable"],
    [
      400,
      trouble("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "T: execution of AfterInsert caused by UNABLE_TO_LOCK_ROW"),
      "retryable",
      "retryable",
    ],
    [400, trouble("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"), "permanent", "permanent"],
    [400, trouble("STORAGE_LIMIT_EXCEEDED"), "blocked", "blocked"],
    [400, trouble("INVALID_TYPE", "sObject type 'Lead' is not supported."), "blocked", "blocked"],
    [400, trouble("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"), "permanent", "permanent"],
    [403, trouble("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"), "permanent", "permanent"],
    [400, trouble("INVALID_FIELD", "No such column 'Mailwright_Key__c' on sobject of type Lead"), "blocked", "blocked"],
    [
      400,
      trouble("INVALID_FIELD", "No such column 'Mailwright_Flags__c' on sobject of type Lead"),
      "retryable",
      "retryable",
    ],
    [
      400,
      trouble("INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update fields", ["Mailwright_Key__c"]),
      "blocked",
      "blocked",
    ],
    [400, trouble("INVALID_FIELD", "No such column 'Colour__c' on sobject of type Lead"), "permanent", "permanent"],
    [
      400,
      trouble("DUPLICATE_VALUE", "duplicate value found: Mailwright_Key__c duplicates value on record with id: 003"),
      undefined,
      undefined,
    ],
    [
      400,
      trouble("DUPLICATE_VALUE", "duplicate value found: Customer_No__c duplicates value on record with id: 003"),
      "permanent",
      "permanent",
    ],
    [400, trouble("DUPLICATES_DETECTED"), "permanent", "permanent"],
    [400, trouble("STRING_TOO_LONG"), "permanent", "permanent"],
    [400, trouble("ENTITY_IS_DELETED"), "permanent", "permanent"],
    [400, trouble("FIELD_CUSTOM_VALIDATION_EXCEPTION"), "permanent", "permanent"],
    [418, trouble("TEAPOT"), "permanent", "permanent"],
  ])("%i %j: %s on a write, %s on a read", (status, json, write, read) => {
    expect(kindOf(answer(status, json))).toBe(write);
    expect(kindOf(answer(status, json), false)).toBe(read);
  });

  test("a day's limit waits a quarter of an hour, too many long calls at once some seconds", () => {
    const total = answer(403, trouble("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."));
    const crowd = answer(
      403,
      trouble("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."),
    );
    expect(classify(total, true, now)).toMatchObject({ until: now + 900_000 });
    expect(classify(crowd, true, now)).toMatchObject({ until: now + 10_000 });
  });

  test("of a composite the part that failed by itself decides", () => {
    const halted = { body: trouble("PROCESSING_HALTED"), httpStatusCode: 400, httpHeaders: {}, referenceId: "a" };
    const failed = { ...halted, body: trouble("UNABLE_TO_LOCK_ROW"), referenceId: "b" };
    const done = { ...halted, body: { id: "003" }, httpStatusCode: 201 };
    const of = (...compositeResponse: object[]) => answer(200, { compositeResponse });
    expect(kindOf(of(done, done))).toBeUndefined();
    expect(kindOf(of(halted, failed))).toBe("retryable");
    expect(kindOf(of(halted, { ...failed, body: trouble("UNKNOWN"), httpStatusCode: 500 }))).toBe("ambiguous");
    const taken = {
      ...failed,
      body: trouble(
        "DUPLICATE_VALUE",
        "duplicate value found: <unknown> duplicates value on record with id: <unknown>",
      ),
    };
    expect(isKeyTaken(of(taken, halted))).toBe(true);
    expect(kindOf(of(taken, halted))).toBeUndefined();
    expect(partsOf(answer(200, { records: [] }))).toBeUndefined();
  });

  const isTaken = (message: string): boolean => isKeyTaken(answer(400, trouble("DUPLICATE_VALUE", message)));

  test.each([
    ["duplicate value found: ", " duplicates value on record with id: 0038a00000000001AA", "<unknown>"],
    ["valor duplicado encontrado: ", " duplica el valor del registro con el Id.: 0038a00000000001AA", "<desconocido>"],
    ["Doppelter Wert gefunden: ", " dupliziert Wert auf Datensatz mit ID: 0038a00000000001AA", "<unbekannt>"],
  ])("our key is taken in the user's language: %sour field%s", (before, after, unknown) => {
    for (const field of ["Mailwright_Key__c", "acme__Mailwright_Key__c", unknown])
      expect(isTaken(`${before}${field}${after}`), field).toBe(true);
    for (const field of ["Customer_No__c", "Not_Mailwright_Key__c", "Mailwright_Key__c2", ""])
      expect(isTaken(`${before}${field}${after}`), field).toBe(false);
  });

  test("a sender who calls himself like our key takes no key", () => {
    for (const said of ["Mailwright_Key__c duplicates value", "<unknown> duplicates value"])
      expect(isTaken(`duplicate value found: Nick__c duplicates value on record with id: ${said}`)).toBe(false);
    expect(isTaken(`${"x".repeat(81)}: Mailwright_Key__c duplicates value`)).toBe(false);
  });

  test("two of Salesforce's 401s are not worth a new session", () => {
    const of = (message: string) => isExpired(answer(401, trouble("INVALID_SESSION_ID", message)));
    expect(of("Session expired or invalid")).toBe(true);
    expect(of("This session is not valid for use with the REST API")).toBe(false);
    expect(of("Connected app is not attached to Agent")).toBe(false);
    expect(isExpired(answer(401, undefined))).toBe(false);
  });

  test("a reason is one line in Salesforce's words, without sessions, addresses and controls", () => {
    const said = "Subject: bad\r\nforged line 00D8a0000004Cfq!AQEAQ.x_y of ada@example.test \u202e";
    const reason = reasonOf(answer(400, trouble("X", said, ["Subject", "Other__c"])));
    expect(reason).toBe(
      "Salesforce answered 400 X: Subject: bad forged line (session) of (address)   (Subject, Other__c)",
    );
    expect(reasonOf(answer(502, undefined))).toBe("Salesforce answered 502");
    expect(reasonOf(answer(400, trouble("X".repeat(999), "y".repeat(9_999)))).length).toBeLessThan(700);
  });

  test("matches are read under either spelling, and anything else is none", () => {
    const record = { attributes: { type: "Contact" }, Id: "0038a00000000001AA" };
    const result = { matchResults: [{ matchRecords: [{ record }] }] };
    for (const key of ["duplicateResut", "duplicateResult"])
      expect(matchesIn(answer(400, [{ errorCode: "DUPLICATES_DETECTED", [key]: result }]))).toEqual([
        { object: "Contact", id: record.Id },
      ]);
    for (const odd of [
      undefined,
      5,
      { matchResults: [{}] },
      { matchResults: [{ matchRecords: [{ record: { Id: "' OR", attributes: { type: "x" } } }] }] },
    ])
      expect(matchesIn(answer(400, [{ errorCode: "DUPLICATES_DETECTED", duplicateResult: odd }]))).toEqual([]);
  });

  test("statuses that the table does not know are counted", () => {
    expect([400, 403, 412, 418, 451, 500].map(isUnclassified)).toEqual([false, false, false, true, true, false]);
  });
});
