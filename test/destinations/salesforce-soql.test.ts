import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { likePattern, oneOf, quoted, select } from "../../src/destinations/salesforce/soql.ts";
import { type Condition, holds, parseSoql } from "../../src/sandbox/salesforce/soql.ts";

/** What a field can hold: no controls but line ends and tabs, and no half of a pair. */
const storable = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what is taken out
  text.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/g, "").toWellFormed();
/** Text that tries: quotes, escapes, wildcards, words of the language, controls. */
const hostile = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom(
        "'",
        "\\",
        "\\'",
        "%",
        "_",
        "\\%",
        "\n",
        "\r",
        "\t",
        "\0",
        '"',
        " OR ",
        "' OR Id != '",
        "--",
        "/*",
        ")",
        "\\u0027",
        "\ud800",
      ),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(""));

const whereOf = (soql: string): Condition => {
  const { where } = parseSoql(soql);
  if (where === undefined) throw new Error("no WHERE");
  return where;
};

describe("values in SOQL", () => {
  test("whatever a mail holds stays inside its own literal, and is what is compared with", () => {
    fc.assert(
      fc.property(hostile, hostile, (one, other) => {
        const soql = select({
          fields: ["Id"],
          from: "Contact",
          where: `Email = ${quoted(one)} AND LastName IN ${oneOf([one, other])}`,
          limit: 1,
        });
        expect(whereOf(soql)).toEqual({
          kind: "and",
          parts: [
            { kind: "compare", field: "Email", operator: "=", value: storable(one) },
            { kind: "in", field: "LastName", values: [storable(one), storable(other)] },
          ],
        });
        expect(parseSoql(soql).limit).toBe(1);
      }),
      { numRuns: 500 },
    );
  });

  test("a pattern has no wildcard but those that are meant", () => {
    fc.assert(
      fc.property(hostile, hostile, (value, around) => {
        const where = whereOf(`SELECT Id FROM Account WHERE Website LIKE ${likePattern(value, { before: "%" })}`);
        const bare = storable(value);
        expect(holds(where, () => storable(around) + bare)).toBe(true);
        const other = `${bare.slice(0, -1)}\u{1f600}`;
        if (bare !== "" && !other.toLowerCase().endsWith(bare.toLowerCase()))
          expect(holds(where, () => other)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  test("a name of a field that is none is left out", () => {
    expect(
      select({ fields: ["Id", "Mailwright_Key__c", "x FROM User--", "Opportunity.IsClosed", "a b"], from: "Contact" }),
    ).toBe("SELECT Id,Mailwright_Key__c,Opportunity.IsClosed FROM Contact");
  });
});

describe("the sandbox's reading of SOQL", () => {
  test.each([
    "SELECT Id FROM Contact WHERE Email = 'a' OR Email = 'b' AND LastName = 'c'",
    "SELECT Id FROM Contact WHERE Email = 'O'Brien'",
    "SELECT Id FROM Contact WHERE Email = 'a",
    "SELECT Id FROM Contact WHERE Email = 'a\\x'",
    'SELECT Id FROM Contact WHERE Email = "a"',
    "SELECT Id FROM Contact; DELETE",
    "SELECT Id FROM Contact LIMIT -1",
    "SELECT COUNT() FROM Contact",
    "SELECT Id, (SELECT Id FROM Contacts) FROM Account",
    "SELECT Id FROM Contact WHERE Email LIKE 5",
    "SELECT FROM Contact",
    "",
  ])("refuses %s", (soql) => {
    expect(() => parseSoql(soql)).toThrow(
      expect.objectContaining({ troubles: [expect.objectContaining({ errorCode: "MALFORMED_QUERY" })] }),
    );
  });
});
