/** Every answer that was seen at a real server (6.0.29), and what it means. */
import { describe, expect, test } from "vitest";
import { classify, isUnclassified, loginRefusal } from "../../src/destinations/tryton/classify.ts";
import type { WireResponse } from "../../src/model/wire.ts";

const now = Date.UTC(2026, 10, 24, 12);
const answer = (status: number, json?: unknown, headers = {}): WireResponse => ({
  status,
  headers,
  text: json === undefined ? "" : JSON.stringify(json),
  json,
});
const failed = (...error: unknown[]): WireResponse => answer(200, { id: 1, error });
const userError = (message: string): WireResponse => failed("UserError", [message, "", null]);

const page = (status: number, written: (status: number) => string): WireResponse => ({
  ...answer(status),
  text: written(status),
});
/** Seen at 6.0.29. */
const ownPage = (status: number): string =>
  `<!doctype html>\n<html lang=en>\n<title>${status} Forbidden</title>\n<h1>Forbidden</h1>\n<p>No.</p>\n`;
const nginxPage = (status: number): string =>
  `<html>\r\n<head><title>${status} Not Found</title></head>\r\n<body>\r\n<center><h1>${status} Not Found</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`;
const apachePage = (status: number): string =>
  `<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n<title>${status} Not Found</title>\n</head><body>\n</body></html>\n`;

describe("what goes wrong inside comes with 200", () => {
  test.each([
    ["a rule of the database's", userError("The code on party must be unique."), "permanent"],
    [
      "a field that is required",
      userError('A value is required for field "Employee" in "Sale Opportunity".'),
      "permanent",
    ],
    [
      "a record that is gone",
      userError('You are trying to read records "999" of "Party" that don\'t exist anymore.'),
      "permanent",
    ],
    [
      "a record that is gone and has rules",
      userError(
        'You are not allowed to read records "4" of "Sale Opportunity" because of at least one of these rules:\nUser in companies',
      ),
      "permanent",
    ],
    ["a right that the user lacks", userError('You are not allowed to access "Relation Type".'), "blocked"],
    [
      "a change by somebody else",
      failed("ConcurrencyException", "Records were modified in the meanwhile"),
      "retryable",
    ],
    ["a warning", failed("UserWarning", ["name", "Are you sure?", ""]), "permanent"],
    ["a field that is not there", failed("'nme'", ""), "permanent"],
    ["a model that is not there", failed("'sale.opportunity'", ""), "blocked"],
    ["a text that cannot be kept", failed("A string literal cannot contain NUL (0x00) characters.", ""), "permanent"],
    ["two calls at once", failed("could not serialize access due to concurrent update", ""), "retryable"],
    [
      "a full disk",
      failed('could not extend file "base/16384/16999": No space left on device\nHINT:  Check free disk space.\n', ""),
      "rate_limited",
    ],
    [
      "a disk that is full while it sorts",
      failed('could not write to file "base/pgsql_tmp/pgsql_tmp9.0": No space left on device', ""),
      "rate_limited",
    ],
    ["a full disk under SQLite", failed("database or disk is full", ""), "rate_limited"],
    ["a full disk under Tryton itself", failed("[Errno 28] No space left on device: '/tmp/x'", ""), "rate_limited"],
    ["no memory", failed("out of memory\nDETAIL:  Failed on request of size 8192.", ""), "rate_limited"],
    ["a replica", failed("cannot execute INSERT in a read-only transaction", ""), "rate_limited"],
    ["a lost database", failed("server closed the connection unexpectedly", ""), "ambiguous"],
    ["a database lost under TLS", failed("SSL SYSCALL error: EOF detected\n", ""), "ambiguous"],
    [
      "a database that is not answered",
      failed("could not receive data from server: Connection timed out", ""),
      "ambiguous",
    ],
    ["a cursor of a lost database", failed("cursor already closed", ""), "ambiguous"],
    [
      "a disk that only the mail speaks of",
      failed(
        'null value in column "message" of relation "ir_note" violates not-null constraint\nDETAIL:  Failing row contains (7, party.party,4, there is no space left on our disk).\n',
        "",
      ),
      "permanent",
    ],
    [
      "a lock that only the mail speaks of",
      failed(
        'new row for relation "party_party" violates check constraint "c"\nDETAIL:  Failing row contains (9, deadlock detected, our connection is slow).\n',
        "",
      ),
      "permanent",
    ],
    ["half a JSON", answer(200), "ambiguous"],
    ["neither result nor error", answer(200, { id: 1 }), "ambiguous"],
  ] as const)("%s", (_what, reply, kind) => {
    expect(classify(reply, true, now)?.kind).toBe(kind);
  });

  test("a result is no failure, whatever it is", () => {
    for (const result of [[1], null, false, {}])
      expect(classify(answer(200, { id: 1, result }), true, now)).toBeUndefined();
  });

  test("the row of the mail that the database refuses is not in the reason", () => {
    const refused = failed('violates check constraint "c"\nDETAIL:  Failing row contains (9, My secret words).\n', "");
    expect(classify(refused, true, now)).toEqual({
      kind: "permanent",
      reason: 'Tryton: violates check constraint "c"',
    });
  });

  test("of a read nothing is ambiguous", () => {
    for (const reply of [answer(200), answer(502), failed("server closed the connection unexpectedly", "")])
      expect(classify(reply, false, now)?.kind).toBe("retryable");
  });

  test("the reason is Tryton's own words on one line, without addresses", () => {
    expect(classify(userError("No mail for ada@example.test.\nAsk again"), true, now)?.reason).toBe(
      "Tryton: No mail for (address) Ask again",
    );
  });
});

describe("what its web server answers", () => {
  test.each([
    [301, "blocked"],
    [401, "blocked"],
    [403, "blocked"],
    [404, "blocked"],
    [408, "retryable"],
    [500, "ambiguous"],
    [502, "ambiguous"],
  ] as const)("%i on a write is %s", (status, kind) => {
    expect(classify(page(status, ownPage), true, now)?.kind).toBe(kind);
  });

  describe.each([400, 403, 404, 405, 406, 407, 411, 413, 415, 418, 451])(
    "%i of a proxy's is no word of Tryton's",
    (status) => {
      const gateway = { message: "no Route matched with those values" };
      const pages = [page(status, nginxPage), page(status, apachePage), answer(status), answer(status, gateway)];
      test("on a read the lane waits: no call comes through", () => {
        for (const reply of pages)
          expect(classify(reply, false, now)).toMatchObject({
            kind: "rate_limited",
            reason: expect.stringMatching(/not Tryton's own answer/),
          });
      });
      test("on a write it may be about this mail's words alone, which pause no other mail", () => {
        for (const reply of pages)
          expect(classify(reply, true, now)).toMatchObject({
            kind: "retryable",
            reason: expect.stringMatching(/not Tryton's own answer/),
          });
      });
    },
  );

  test("a status of Tryton's own about a request as such makes no dead letter either", () => {
    for (const status of [400, 405, 411, 413, 415])
      expect(classify(page(status, ownPage), true, now)?.kind).toBe("blocked");
  });

  test("429 waits as long as it says, or for the five minutes over which logins are counted", () => {
    expect(classify(answer(429), true, now)).toMatchObject({ kind: "rate_limited", until: now + 300_000 });
    const said = answer(429, undefined, { "retry-after": "7" });
    expect(classify(said, true, now)).toMatchObject({ kind: "rate_limited", until: now + 7_000 });
  });

  test("a status that nobody knows is counted", () => {
    expect([418, 401, 500].map(isUnclassified)).toEqual([true, false, false]);
  });

  test("a login that is refused names the user and the password", () => {
    expect(loginRefusal(answer(401), now)).toMatchObject({
      kind: "blocked",
      reason: expect.stringMatching(/password/),
    });
    expect(loginRefusal(answer(200, { id: 1, result: [1, "key"] }), now)).toBeUndefined();
    expect(loginRefusal(answer(503), now)?.kind).toBe("retryable");
  });
});
