/** What other hosts say they verified, as RFC 8601 writes it and as the hosts of this world do. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { claimOf, claimsOf } from "../../../src/mail/trust/claimed.ts";

const field = (raw: string, name = "Authentication-Results") => ({ name, key: name.toLowerCase(), raw });
const said = (raw: string) =>
  claimOf(raw).results.map(({ method, result, properties }) => [method, result, ...properties.flat()]);

describe("the examples of RFC 8601", () => {
  test("nothing was verified (B.2)", () => {
    expect(claimOf(" example.org 1; none")).toEqual({ authserv_id: "example.org", results: [] });
  });

  test("one method (B.3)", () => {
    expect(claimOf(" example.com;\r\n  spf=pass smtp.mailfrom=example.net")).toEqual({
      authserv_id: "example.com",
      results: [{ method: "spf", result: "pass", properties: [["smtp.mailfrom", "example.net"]] }],
    });
  });

  test("several methods, with comments (B.5)", () => {
    const raw =
      " example.com;\r\n  dkim=pass (good signature) header.d=example.com;\r\n  auth=pass (cram-md5) smtp.auth=sender@example.com;\r\n  spf=fail smtp.mailfrom=example.com";
    expect(said(raw)).toEqual([
      ["dkim", "pass", "header.d", "example.com"],
      ["auth", "pass", "smtp.auth", "sender@example.com"],
      ["spf", "fail", "smtp.mailfrom", "example.com"],
    ]);
  });

  test("comments anywhere, a version, a reason (B.7)", () => {
    const raw =
      " foo.example.net (foobar) 1 (baz);\r\n dkim (Because I like it) / 1 (One yay) = (wait for it) fail\r\n policy (A dot can go here) . (like that) expired\r\n (this surprised me) = (as I wasn't expecting it) 1362471462";
    expect(claimOf(raw)).toEqual({
      authserv_id: "foo.example.net",
      results: [{ method: "dkim", result: "fail", properties: [["policy.expired", "1362471462"]] }],
    });
  });
});

describe("as hosts write it", () => {
  test("with quotes, in which nothing counts", () => {
    const raw = ' mx.test; dkim=pass reason="good; dmarc=pass (really)" header.i="@a b.example" header.b=ab/c+d==';
    expect(said(raw)).toEqual([
      ["dkim", "pass", "reason", "good; dmarc=pass (really)", "header.i", "@a b.example", "header.b", "ab/c+d=="],
    ]);
  });

  test("a local part in quotes says no more than its address", () => {
    const raw = ' mx.test; spf=pass smtp.mailfrom="x; dmarc=pass header.from=bank.example"@evil.example';
    expect(said(raw)).toEqual([
      ["spf", "pass", "smtp.mailfrom", "x; dmarc=pass header.from=bank.example@evil.example"],
    ]);
  });

  test("encoded words are bytes like others", () => {
    const raw = " mx.test; spf=pass smtp.mailfrom==?utf-8?q?x=3B_dmarc=3Dpass?=@evil.example";
    expect(said(raw)).toHaveLength(1);
  });

  test("without an authserv-id", () => {
    const raw =
      " spf=pass (sender IP is 192.0.2.1)\r\n smtp.mailfrom=a.example; dkim=none;dmarc=bestguesspass action=none header.from=a.example;compauth=pass reason=109";
    expect(claimOf(raw).authserv_id).toBeNull();
    expect(said(raw)).toEqual([
      ["spf", "pass", "smtp.mailfrom", "a.example"],
      ["dkim", "none"],
      ["dmarc", "bestguesspass", "action", "none", "header.from", "a.example"],
      ["compauth", "pass", "reason", "109"],
    ]);
  });

  test("an address of IPv6, a trailing semicolon, letters of every case", () => {
    expect(claimOf(" MX.Test ; IPREV=PASS policy.iprev=2001:db8::1 ;")).toEqual({
      authserv_id: "MX.Test",
      results: [{ method: "iprev", result: "pass", properties: [["policy.iprev", "2001:db8::1"]] }],
    });
  });

  test("names in UTF-8", () => {
    const raw = Buffer.from(" mx.test; spf=pass smtp.mailfrom=jörg@größe.example").toString("latin1");
    expect(said(raw)).toEqual([["spf", "pass", "smtp.mailfrom", "jörg@größe.example"]]);
  });

  test("what is never closed says nothing", () => {
    expect(said(' mx.test; spf=pass; dmarc=pass "never closed')).toEqual([["spf", "pass"]]);
    expect(said(" mx.test; spf=pass; dmarc=pass (never closed")).toEqual([["spf", "pass"]]);
    expect(said(" mx.test; spf=pass (closed; dmarc=pass")).toEqual([]);
  });

  test("nothing there", () => {
    for (const raw of ["", " ", ";", "(comment)", "=", ";;;", '"'])
      expect(claimOf(raw)).toMatchObject({ authserv_id: null, results: [] });
  });
});

describe("whose word counts", () => {
  const mine = field(" mx.Mine.test; dmarc=pass");
  const forged = field(" mx.mine.test.; dmarc=pass");
  const other = field(" mx.other.test; dmarc=fail");

  test.each([
    ["the topmost of a host that is named", [mine, other], ["MX.mine.test"], [true, false]],
    ["not the second one of the same host", [mine, forged], ["mx.mine.test"], [true, false]],
    ["not below another's", [other, mine], ["mx.mine.test"], [false, false]],
    ["nobody's where nobody is named", [mine], [], [false]],
    ["a dot at the end makes no other host", [forged], ["mx.mine.test"], [true]],
    ["not an unnamed host's", [field(" dmarc=pass")], ["", "dmarc=pass"], [false]],
  ])("%s", (_, fields, ids, trusted) => {
    const others = [field(" x", "Received"), ...fields, field(" mx.mine.test; dmarc=pass", "X-Authentication-Results")];
    expect(claimsOf(others, ids).map((claim) => claim.trusted)).toEqual(trusted);
  });
});

const hostile = fc.string({
  unit: fc.constantFrom(
    " ",
    ";",
    "=",
    "(",
    ")",
    '"',
    "\\",
    ".",
    "/",
    "\r\n ",
    "a",
    "pass",
    "dmarc",
    "mx.test",
    "\xff",
    "\x00",
  ),
  maxLength: 200,
});

describe("whatever the bytes", () => {
  test("it ends, within bounds", () => {
    fc.assert(
      fc.property(hostile, (raw) => {
        const { authserv_id, results } = claimOf(raw);
        expect((authserv_id ?? "").length).toBeLessThanOrEqual(255);
        expect(results.length).toBeLessThanOrEqual(50);
        for (const { method, result, properties } of results) {
          expect(method).not.toBe("");
          expect(result).not.toBe("");
          for (const text of [method, result, ...properties.flat()]) expect(text).toMatch(/^[^\p{C}]{0,255}$/u);
        }
      }),
    );
  });

  test("what is put in quotes or in a comment adds no result", () => {
    const inert = hostile.map((text) => text.replace(/["\\()\r\n]/g, ""));
    fc.assert(
      fc.property(inert, inert, (quoted, comment) => {
        const raw = ` mx.test; spf=fail (${comment}) smtp.mailfrom="${quoted}"; dmarc=fail "${quoted}"`;
        expect(claimOf(raw).results.map(({ method, result }) => [method, result])).toEqual([
          ["spf", "fail"],
          ["dmarc", "fail"],
        ]);
      }),
    );
  });

  test("what is written by the rules is read back", () => {
    const token = fc.string({ unit: fc.constantFrom("a", "b", "1", "-", "_"), minLength: 1, maxLength: 12 });
    const value = fc.string({
      unit: fc.constantFrom("a", " ", ";", "=", "(", ")", ".", "@"),
      minLength: 1,
      maxLength: 20,
    });
    const blank = fc.constantFrom("", " ", "\r\n\t", " (a (nested) \\) comment) ");
    const result = fc.record({
      method: token,
      result: token,
      properties: fc.array(fc.tuple(token, token, value), { maxLength: 4 }),
    });
    fc.assert(
      fc.property(token, fc.array(result, { maxLength: 5 }), blank, (id, results, b) => {
        const written = results.map(({ method, result: word, properties }) => {
          const more = properties.map(
            ([ptype, property, text]) => ` ${b}${ptype}${b}.${b}${property}${b}=${b}"${text}"`,
          );
          return `;${b}${method}${b}=${b}${word}${more.join("")}`;
        });
        const read = claimOf(` ${b}${id}${b}${written.join("")}${results.length === 0 ? "; none" : ""}`);
        const plain = (text: string) => text.replace(/ +/g, " ").trim();
        expect(read).toEqual({
          authserv_id: id,
          results: results.map(({ method, result: word, properties }) => ({
            method,
            result: word,
            properties: properties.map(([ptype, property, text]) => [`${ptype}.${property}`, plain(text)]),
          })),
        });
      }),
    );
  });

  test("long ones cost what they weigh", () => {
    const shapes = ["(", '"', "a=b ", "a.", "; ", "()", '\\"', "=", "a/"];
    for (const shape of shapes) expect(claimOf(shape.repeat(2_000_000)).results.length).toBeLessThanOrEqual(50);
    expect(
      claimsOf(
        Array.from({ length: 10_000 }, () => field(" mx.test; spf=pass")),
        [],
      ),
    ).toHaveLength(20);
  });

  test("of one that is cut the last result is left out", () => {
    const raw = ` mx.test; spf=pass; x=${"y".repeat(16_000)} z="${"q".repeat(500)}" a=b`;
    expect(claimOf(`${raw}; dmarc=pass`).results.map(({ method }) => method)).toEqual(["spf"]);
  });
});
