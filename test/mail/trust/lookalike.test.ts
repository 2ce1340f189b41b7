/** What can be taken for the tenant's own domain, and what only happens to resemble it. */
import { domainToASCII } from "node:url";
import { describe, expect, test } from "vitest";
import { likeness } from "../../../src/mail/trust/lookalike.ts";
import { impostorsOf, nameKey } from "../../../src/mail/trust/names.ts";
import { skeleton, slip } from "../../../src/mail/trust/skeleton.ts";
import { people } from "./acme.ts";

const like = (host: string, own: string) => likeness(host, people.registrable(host) ?? host, own);

describe("likeness", () => {
  test.each([
    ["gl0bex.com", "globex.com", "letters"],
    ["g1obex.com", "globex.com", "letters"],
    ["giobex.com", "globex.com", "letters"],
    ["glo-bex.com", "globex.com", "letters"],
    ["gllobex.com", "globex.com", "letters"],
    ["rnodern.com", "modern.com", "letters"],
    ["modem.com", "modern.com", "letters"],
    ["vvidget.com", "widget.com", "letters"],
    [domainToASCII("gl\u043ebex.com"), "globex.com", "letters"],
    ["xn--80ak6aa92e.com", "apple.com", "letters"],
    ["globéx.com", "globex.com", "letters"],
    ["gl0bex.net", "globex.com", "letters"],
    ["golbex.com", "globex.com", "swapped"],
    ["globexs.com", "globex.com", "slip"],
    ["globx.com", "globex.com", "slip"],
    ["initrode.com", "initrade.com", "slip"],
    ["globex.net", "globex.com", "ending"],
    ["globex.com.co", "globex.com", "inside"],
    ["globex.com.evil.test", "globex.com", "inside"],
    ["mail.globex.com.evil.test", "globex.com", "inside"],
    ["globex.com-login.test", "globex.com", "inside"],
    ["globex-com.evil.test", "globex.com", "inside"],
    ["globex-billing.com", "globex.com", "combined"],
    ["secure-globex.com", "globex.com", "combined"],
    ["gl0bex-support.net", "globex.com", "combined"],
    ["globexpay.com", "globex.com", "combined"],
  ])("%s for %s: %s", (host, own, how) => {
    expect(like(host, own)).toBe(how);
  });

  test.each([
    ["globex.com", "globex.com"],
    ["mail.globex.com", "globex.com"],
    ["acne.com", "acme.com"],
    ["globex.zendesk.com", "globex.com"],
    ["globex-robotics.com", "globex.com"],
    ["initech.com", "globex.com"],
    ["ab.com", "ba.com"],
    ["globes.com", "globex.com"],
  ])("%s is not taken for %s", (host, own) => {
    expect(like(host, own)).toBeNull();
  });

  test("no word is a slip away from itself, and a slip is the same from both sides", () => {
    expect(slip("abc", "abc")).toBeNull();
    expect([slip("abc", "abxc"), slip("abxc", "abc")]).toEqual(["less", "more"]);
    expect([slip("abcd", "abdc"), slip("abcd", "badc")]).toEqual(["swapped", null]);
    expect(skeleton("")).toBe("");
  });
});

describe("names", () => {
  test.each([
    ["Jane Roe", "Jane Roe", true],
    ["ROE, Jane", "Jane Roe", true],
    ["Jane Roe (Globex)", "Jane Roe", true],
    ["Jаne Rое", "Jane Roe", true],
    ["Ｊａｎｅ Ｒｏｅ", "Jane Roe", true],
    ["Jane Miller", "Jane Roe", false],
    ["Jane", "Jane Roe", false],
    ["", "Jane Roe", false],
    ["a very long name of a club that Jane Roe is in", "Jane Roe", false],
  ])("%s is %s: %s", (name, colleague, is) => {
    expect(impostorsOf([colleague], []).colleague(name)).toBe(is ? colleague : undefined);
  });

  test.each([
    ["Globex", true],
    ["GLOBEX Support", true],
    ["Gl0bex Billing", true],
    ["globex.com", true],
    ["Accounts (globex.com)", true],
    ["Globex Robotics", false],
    ["Support", false],
    ["", false],
  ])("%s is the brand of globex.com: %s", (name, is) => {
    expect(impostorsOf([], ["globex.com"]).brand(name)).toBe(is ? "globex.com" : undefined);
  });

  test("only a full name is remembered", () => {
    expect(nameKey("Ada Lovelace")).toBe(nameKey("Lovelace, Ada"));
    expect(nameKey("Ada")).toBeNull();
    expect(nameKey("")).toBeNull();
  });
});
