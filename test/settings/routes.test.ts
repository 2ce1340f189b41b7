/** The recipient table: who takes an address, and that nobody takes what no pattern covers. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileRoutes } from "../../src/settings/index.ts";

const route = compileRoutes([
  { id: "acme", recipients: ["*@inbound.example.com", "deals@mixed.example"] },
  {
    id: "beta",
    recipients: ["deals@sales.example.com", "deals+vip@mixed.example", "*@bücher.example", "büro@umlaut.example"],
  },
  { id: "gamma", recipients: ["*@mixed.example"] },
]);
const accepted = (tenant: string): object => ({ kind: "accepted", tenant });
const unknown = { kind: "unknown_recipient" };
const notOurs = { kind: "not_ours" };

describe("an address", () => {
  test.each([
    ["anyone@inbound.example.com", accepted("acme"), "a whole domain takes everyone"],
    ["Anyone@Inbound.EXAMPLE.com", accepted("acme"), "domains know no case (RFC 5321 §2.4)"],
    ["deals@sales.example.com", accepted("beta"), "the very address"],
    ["DEALS@sales.example.com", accepted("beta"), "nor do our mailboxes"],
    ["deals+us-east@sales.example.com", accepted("beta"), "a tag is implied"],
    ["deals+a+b@sales.example.com", accepted("beta"), "the tag begins at the first plus"],
    ["deals+@sales.example.com", accepted("beta"), "an empty tag"],
    ["+deals@sales.example.com", unknown, "a tag alone is no mailbox"],
    ["dealsx@sales.example.com", unknown, "no prefix match"],
    ["deals@mixed.example", accepted("acme"), "an address before the whole domain"],
    ["deals+vip@mixed.example", accepted("beta"), "an address with its tag before one that implies it"],
    ["deals+other@mixed.example", accepted("acme"), "any other tag"],
    ["others@mixed.example", accepted("gamma"), "the whole domain for the rest"],
    ["x@bücher.example", accepted("beta"), "a Unicode domain (RFC 6531)"],
    ["x@xn--bcher-kva.example", accepted("beta"), "and its ASCII form"],
    ["bu\u0308ro@umlaut.example", accepted("beta"), "composed and decomposed letters are the same"],
    ['"deals"@sales.example.com', accepted("beta"), "needless quotes mean nothing (RFC 5321 §4.1.2)"],
    ['"de als"@inbound.example.com', unknown, "needed quotes do"],
    ["a..b@inbound.example.com", unknown, "no dot-string"],
    [`${"x".repeat(65)}@inbound.example.com`, unknown, "65 octets"],
    ["a@sub.inbound.example.com", notOurs, "a subdomain is another domain"],
    ["a@example.com", notOurs, "and so is the parent"],
    ["a@inbound.example.com.", notOurs, "a trailing dot is not in the grammar"],
    ["a@evil.example", notOurs, "a foreign domain"],
    ["a%evil.example@inbound.example.com", notOurs, "percent form"],
    ["evil.example!a@inbound.example.com", notOurs, "bang form"],
    ["@evil.example:a@inbound.example.com", notOurs, "source route"],
    ['"a@evil.example"@inbound.example.com', notOurs, "a quoted address as local part"],
    ["a@[127.0.0.1]", notOurs, "an address literal"],
    ["a@127.0.0.1", notOurs, "an address"],
    ["a@inbound%2eexample.com", notOurs, "a percent-encoded dot"],
    ["postmaster", notOurs, "no domain"],
    ["@inbound.example.com", notOurs, "no local part"],
    ["", notOurs, "nothing"],
    [`${"x".repeat(60)}@${"y".repeat(250)}.inbound.example.com`, notOurs, "far too long"],
    ["a@inbound.example.com\r\nRCPT TO:<b@evil.example>", notOurs, "a line break in the domain"],
    ["a\r\n@inbound.example.com", unknown, "a line break in the local part"],
    ["a\u0000@inbound.example.com", unknown, "NUL"],
  ])("%j: %j (%s)", (address, answer) => {
    expect(route(address)).toEqual(answer);
  });

  test("the Kelvin sign and other look-alikes do not become ASCII letters of a mailbox by case folding", () => {
    const table = compileRoutes([{ id: "a", recipients: ["i@sales.example.com"] }]);
    expect(table("\u0130@sales.example.com")).toEqual(unknown);
    expect(table("\u0131@sales.example.com")).toEqual(unknown);
  });
});

describe("whatever the peer sends", () => {
  const word = fc.stringMatching(/^[a-z0-9]{1,8}$/);
  const domain = fc.tuple(word, word).map(([a, b]) => `${a}.${b}x`);
  const pattern = fc.tuple(fc.oneof(word, fc.constant("*")), domain).map(([local, name]) => `${local}@${name}`);
  const tenants = fc.array(fc.array(pattern, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 });
  const named = (lists: string[][]): { id: string; recipients: string[] }[] =>
    lists.map((recipients, index) => ({ id: `t${index}`, recipients }));

  test("an address that is accepted is covered by a pattern of the tenant that takes it", () => {
    const noise = fc.oneof(
      fc.string({ maxLength: 40 }),
      fc.string({ unit: "binary", maxLength: 20 }),
      fc.constantFrom("%", "!", "@", "+", ".", '"', "[", "]", ":", "*"),
    );
    fc.assert(
      fc.property(tenants, fc.array(noise, { maxLength: 3 }), fc.nat(), fc.nat(), (lists, noises, which, cut) => {
        const all = named(lists);
        const base = lists.flat()[which % lists.flat().length] ?? "";
        const at = cut % (base.length + 1);
        const address = base.slice(0, at) + noises.join("") + base.slice(at);
        const answer = compileRoutes(all)(address);
        if (answer.kind !== "accepted") return;
        expect(address.split("@")).toHaveLength(2);
        const [local = "", host = ""] = address
          .replace(/^"([^"]*)"@/, "$1@")
          .toLowerCase()
          .split("@");
        const own = all.find(({ id }) => id === answer.tenant)?.recipients ?? [];
        expect(own).toSatisfy(
          (list: string[]) =>
            list.includes(`*@${host}`) ||
            list.includes(`${local}@${host}`) ||
            list.includes(`${local.split("+")[0]}@${host}`),
        );
      }),
      { numRuns: 500 },
    );
  });

  test("every address that a pattern names is accepted, with any tag and in any case", () => {
    fc.assert(
      fc.property(tenants, word, fc.boolean(), (lists, tag, isUpper) => {
        const table = compileRoutes(named(lists));
        for (const text of lists.flat()) {
          const [local = "", host = ""] = text.replace("*", "anyone").split("@");
          const address = `${local}+${tag}@${host}`;
          expect(table(isUpper ? address.toUpperCase() : address).kind).toBe("accepted");
        }
      }),
      { numRuns: 200 },
    );
  });
});

test("a pattern that is none is a defect of the caller, and thrown", () => {
  expect(() => compileRoutes([{ id: "a", recipients: ["not a pattern"] }])).toThrow(RangeError);
});
