import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addressList } from "../../src/mail/address.ts";

/** As raw header bytes: one character is one byte. */
const read = (value: string) => addressList([Buffer.from(value, "utf8").toString("latin1")]);
const brief = (value: string) => read(value).addresses.map(({ name, email }) => [name, email]);

describe("address headers", () => {
  test.each([
    ["a@b.example", [["", "a@b.example"]]],
    ["Ana <a@b.example>", [["Ana", "a@b.example"]]],
    ["a@b.example (Ana)", [["Ana", "a@b.example"]]],
    ["Ana a@b.example", [["Ana", "a@b.example"]]],
    [
      '"Smith, John" <j@b.example>, c@d.example',
      [
        ["Smith, John", "j@b.example"],
        ["", "c@d.example"],
      ],
    ],
    ["Smith, John <j@b.example>", [["Smith, John", "j@b.example"]]],
    [
      "Acme, Inc., Sales <s@b.example>, Smith, John, Dr. <j@b.example>",
      [
        ["Acme, Inc., Sales", "s@b.example"],
        ["Smith, John, Dr.", "j@b.example"],
      ],
    ],
    [
      "a@b.example; c@d.example",
      [
        ["", "a@b.example"],
        ["", "c@d.example"],
      ],
    ],
    ["Sales: a@b.example;", [["", "a@b.example"]]],
    [
      "Sales: a@b.example, Ed <e@b.example>;, c@d.example",
      [
        ["", "a@b.example"],
        ["Ed", "e@b.example"],
        ["", "c@d.example"],
      ],
    ],
    ["undisclosed-recipients:;", []],
    ["(Empty list) Hidden recipients :(nobody (that I know)) ; (the end)", []],
    ["Ana <<a@b.example>>", [["Ana", "a@b.example"]]],
    ["Ana a@b.example>", [["Ana", "a@b.example"]]],
    ["=?utf-8?Q?Lopes,_Ana?= <a@b.example>", [["Lopes, Ana", "a@b.example"]]],
    [
      "=?utf-8?Q?a:b;(c?= <a@b.example>, c@d.example",
      [
        ["a:b;(c", "a@b.example"],
        ["", "c@d.example"],
      ],
    ],
    ["Local.Part@EXAMPLE.Com", [["", "Local.Part@example.com"]]],
    ['"john smith"@b.example', [["", '"john smith"@b.example']]],
    ['"J \\"Q\\" S" <j@b.example>', [['J "Q" S', "j@b.example"]]],
    ["<@relay.example,@other.example:a@b.example>", [["", "a@b.example"]]],
    ["a@b.example.", [["", "a@b.example"]]],
    ["a@[192.0.2.1]", [["", "a@[192.0.2.1]"]]],
    ["'a@b.example'", [["", "a@b.example"]]],
    ["<mailto:a@b.example>", [["", "a@b.example"]]],
    ["Ana <a@b.example", [["Ana", "a@b.example"]]],
    ["=?utf-8?q?J=C3=BCrgen?= <j@b.example>", [["Jürgen", "j@b.example"]]],
    ["Jürgen <j@b.example>", [["Jürgen", "j@b.example"]]],
    ["=?utf-8?q?Eve_=3Cceo=40bank.example=3E=2C?= <x@evil.example>", [["Eve <ceo@bank.example>,", "x@evil.example"]]],
    ["root", [["root", null]]],
    ["Billing Desk", [["Billing Desk", null]]],
    ["MAILER-DAEMON (Mail Delivery System)", [["MAILER-DAEMON", null]]],
    ["<>", [["", null]]],
    ["", []],
    [", ,", []],
    ["=?utf-8?q?a=40b.example?=@evil.example", [["a@b.example@evil.example", null]]],
    ["заказ@сахар.испытание", [["", "заказ@xn--80aa2cbv.xn--80akhbyknj4f"]]],
    ["a@b@c.example", [["a@b@c.example", null]]],
    ["a\0@b.example", [["a @b.example", null]]],
    ["a@-b.example", [["a@-b.example", null]]],
  ])("%j is read as %j", (value, expected) => {
    expect(brief(value)).toEqual(expected);
  });

  test.each([
    ["a@good.example(x).evil.example"],
    ["A <a@good.example(x).evil.example>"],
    ["a@good.example .evil.example"],
    ["A <a@good.example .evil.example>"],
    ["a@good.example. evil.example"],
    ["a@good.example(x(y)).evil.example"],
    ["a@good.example evil.example"],
    ["a@good.example (x) evil.example"],
    ["<a@good.example><b@evil.example>"],
    ["A <a@good.example> b@evil.example"],
    ["A <a@good.example evil.example>"],
    ["A <a@good.example (x) evil.example>"],
    ["A <a b@good.example>"],
  ])("%j never gives the shorter domain, and is marked", (value) => {
    const [address] = read(value).addresses;
    expect([null, "a@good.example.evil.example"]).toContain(address?.email);
    expect(address?.anomalies).toContain("ambiguous_address");
  });

  test.each([
    ['"cfo@corp.example" <x@evil.example>'],
    ["cfo@corp.example <x@evil.example>"],
    ["=?utf-8?q?cfo=40corp.example?= <x@evil.example>"],
  ])("%j is marked: its name is another address", (value) => {
    expect(read(value).addresses[0]).toMatchObject({ email: "x@evil.example", anomalies: ["name_contains_address"] });
    expect(read('"a@b.example" <A@b.example>').addresses[0]?.anomalies).toEqual([]);
  });

  test("a domain is kept in ASCII and shown in Unicode, and marked where it mixes scripts", () => {
    expect(read("ana@xn--mnchen-3ya.example").addresses[0]).toMatchObject({
      email: "ana@xn--mnchen-3ya.example",
      email_unicode: "ana@münchen.example",
      anomalies: [],
    });
    expect(read("ana@München.example").addresses[0]?.email).toBe("ana@xn--mnchen-3ya.example");
    expect(read("pay@xn--pple-43d.example").addresses[0]?.anomalies).toEqual(["mixed_script_domain"]);
  });

  test.each([
    ["info@аррӏе.example", ["lookalike_domain"]],
    ["info@xn--80ak6aa92e.example", ["lookalike_domain"]],
    ["info@сахар.испытание", []],
    ["info@москва.example", []],
    ["info@münchen.example", []],
    ["info@日本.example", []],
    ["info@lop\u200bes.example", ["hidden_characters"]],
    ["in\u00adfo@lopes.example", ["hidden_characters", "unicode_local_part"]],
    ["zoë@lopes.example", ["unicode_local_part"]],
    ["ceo＠corp.example <x@evil.example>", ["name_contains_address"]],
    ["info@münchen.example <info@xn--mnchen-3ya.example>", []],
    ["in\u202efo@lopes.example", ["unusable_address"]],
    ["<=?utf-8?q?a?=@lopes.example>", ["unusable_address", "encoded_address"]],
  ])("%j: where the eye and the machine part is said: %j", (value, anomalies) => {
    expect(read(value).addresses[0]?.anomalies).toEqual(anomalies);
  });

  test("raw names and domains are read by the charset of the body, where they are no UTF-8", () => {
    const { addresses, anomalies } = addressList(["\xf0\xcf\xde\xd4\xc1 <a@b.example>"], "koi8-r");
    expect(addresses[0]?.name).toBe("Почта");
    expect(anomalies).toEqual(["charset_guess"]);
    expect(addressList(["ana@m\xfcnchen.example"])).toMatchObject({
      addresses: [{ email: "ana@xn--mnchen-3ya.example" }],
      anomalies: ["charset_guess"],
    });
  });

  test("what is composed of names and addresses is read back", () => {
    const atom = fc.stringMatching(/^[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,12}$/).filter((text) => !/^=\?|^'.*'$/.test(text));
    const label = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,8}[a-z0-9])?$/).filter((text) => !text.startsWith("xn--"));
    const email = fc
      .tuple(fc.array(atom, { minLength: 1, maxLength: 3 }), fc.array(label, { minLength: 1, maxLength: 3 }))
      .map(([local, domain]) => `${local.join(".")}@${domain.join(".")}`);
    const name = fc
      .string({ unit: "grapheme", maxLength: 20 })
      .map((text) =>
        text
          .normalize("NFC")
          .replace(/[\p{C}\p{Z}\s]+/gu, " ")
          .trim(),
      )
      .filter((text) => text.isWellFormed() && !text.includes("@"));
    const quoted = (text: string) => `"${text.replace(/["\\]/g, "\\$&")}"`;
    const encoded = (text: string) => `=?UTF-8?B?${Buffer.from(text).toString("base64")}?=`;
    const written = fc.tuple(name, email, fc.nat({ max: 3 })).map(([shown, address, way]) => {
      const phrase = shown === "" ? "" : way === 0 || shown.includes("=?") ? encoded(shown) : quoted(shown);
      if (shown !== "" && way === 2 && /^[\w ]+$/.test(shown)) return { text: `${shown} <${address}>`, shown, address };
      return { text: phrase === "" && way > 1 ? address : `${phrase} <${address}>`, shown, address };
    });
    const separator = fc.constantFrom(", ", ",", " , ", "; ", ",\t");
    fc.assert(
      fc.property(fc.array(written, { minLength: 1, maxLength: 6 }), separator, (list, between) => {
        const found = brief(list.map(({ text }) => text).join(between));
        expect(found).toEqual(list.map(({ shown, address }) => [shown, address]));
      }),
      { numRuns: 500 },
    );
  });

  test("names in raw latin1 are read as such, and the guess is said", () => {
    const { addresses, anomalies } = addressList(["M\xfcller <m@b.example>"]);
    expect(addresses[0]?.name).toBe("Müller");
    expect(anomalies).toEqual(["charset_guess"]);
  });

  test("of a header with a hundred thousand, two thousand are read", () => {
    const { addresses, anomalies } = read("a@b.example, ".repeat(100_000));
    expect(addresses).toHaveLength(2000);
    expect(anomalies).toEqual(["addresses_cut"]);
  });

  test.each(["(", '"', "<", "a(b)", "g:a@b;", "\\", ",", ":", '<"', '<""@', "@"])(
    "a megabyte of %j is read in one pass",
    (piece) => {
      expect(read(piece.repeat(1_000_000 / piece.length)).addresses.length).toBeLessThanOrEqual(2000);
    },
  );

  test("whatever the value, an address has one @ before its domain, no control character, and a bounded length", () => {
    const piece = fc.constantFrom(
      "a",
      "@",
      ".",
      " ",
      "<",
      ">",
      '"',
      "(",
      ")",
      ",",
      ";",
      ":",
      "\\",
      "=?utf-8?q?=40?=",
      "b.example",
      "\x01",
      "é",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        for (const { email, name } of read(pieces.join("")).addresses) {
          if (email !== null) expect(email).toMatch(/^.+@(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-z.:]+\])$/su);
          expect(`${email}${name}`).not.toMatch(/\p{Cc}/u);
          expect(name.length).toBeLessThanOrEqual(500);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
