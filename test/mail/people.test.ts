import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { asciiDomain, isFreemail, registrable } from "../../src/mail/domains.ts";
import { bareName, roleNames } from "../../src/mail/people/roles.ts";
import { addressKey, compilePeople, noLists } from "../../src/mail/people.ts";
import type { PeopleLists } from "../../src/model/people.ts";

const compiled = (lists: Partial<PeopleLists> = {}) =>
  compilePeople({ ...noLists, ...lists }, (email) => email.endsWith("@inbound.example.com"));

describe("whose a domain is", () => {
  test.each([
    ["client.example", "client.example"],
    ["deep.mail.client.example", "client.example"],
    ["Client.Example", "client.example"],
    ["client.example.", "client.example"],
    ["shop.acme.co.uk", "acme.co.uk"],
    ["co.uk", null],
    ["com", null],
    ["localhost", null],
    ["", null],
    ["a..b.com", null],
    ["[192.0.2.1]", null],
    ["[ipv6:2001:db8::1]", null],
    ["192.0.2.1", null],
    // Users of a private suffix have nothing to do with each other; who runs it is somebody too.
    ["ada.github.io", "ada.github.io"],
    ["github.io", "github.io"],
    ["acme.uk.com", "acme.uk.com"],
    ["a.b.s3.amazonaws.com", "b.s3.amazonaws.com"],
    // Customers of Microsoft are no neighbours either, though the list does not say so.
    ["mail.contoso.onmicrosoft.com", "contoso.onmicrosoft.com"],
    ["onmicrosoft.com", "onmicrosoft.com"],
    // Nor are those who keep a server of their own beside it: they send by names below mail.onmicrosoft.com.
    ["contoso.mail.onmicrosoft.com", "contoso.onmicrosoft.com"],
    ["a.contoso.mail.onmicrosoft.com", "contoso.onmicrosoft.com"],
    ["mail.onmicrosoft.com", "mail.onmicrosoft.com"],
    // International: under an IDN top level, and under a suffix of two labels.
    ["mail.xn--bcher-kva.example", "xn--bcher-kva.example"],
    ["mail.bücher.example", "xn--bcher-kva.example"],
    ["mail.xn--e1afmkfd.xn--p1ai", "xn--e1afmkfd.xn--p1ai"],
    ["a.acme.xn--55qx5d.cn", "acme.xn--55qx5d.cn"],
    ["xn--55qx5d.cn", null],
    // The wildcard of Kawasaki and its like.
    ["city.foo.kawasaki.jp", "city.foo.kawasaki.jp"],
    ["foo.kawasaki.jp", null],
    ["mx_1.client.example", "client.example"],
  ])("%s is registered as %s", (domain, expected) => {
    expect(registrable(domain)).toBe(expected);
  });

  test("never throws, and gives a part of what it was given", () => {
    fc.assert(
      fc.property(fc.oneof(fc.domain(), fc.string(), fc.webAuthority()), (domain) => {
        const found = registrable(domain);
        if (found === null) return;
        expect(`.${asciiDomain(domain)}`.endsWith(`.${found}`)).toBe(true);
        expect(registrable(found)).toBe(found);
      }),
    );
  });
});

describe("free mail and addresses for an hour", () => {
  test.each([
    "gmail.com",
    "gmx.de",
    "web.de",
    "qq.com",
    "outlook.com",
    "yahoo.co.jp",
    "mailbox.org",
    "proton.me",
    "a.onmicrosoft.com",
  ])("anybody can have an address at %s", (domain) => {
    expect(compiled().isFreemail(domain)).toBe(true);
    expect(compiled().isFreemail(`eu.${domain}`)).toBe(true);
  });
  test.each([
    "siemens.com",
    "acme.example",
    "example.com",
    "columbia.edu",
    "justice.gov.za",
    "soton.ac.uk",
    "[192.0.2.1]",
  ])("not everybody at %s", (domain) => {
    expect(compiled().isFreemail(domain)).toBe(false);
  });
  test("international domains are found in their ASCII form", () => {
    expect(isFreemail("xn--mllmail-n2a.com")).toBe(true);
  });
  test("the configuration adds to the lists, takes off them, and speaks for what is below a domain", () => {
    const people = compiled({
      freemail: ["isp.example", "!gmail.com", "!corner.isp.example"],
      disposable: ["!yopmail.com", "Gone.Example"],
    });
    expect(people.isFreemail("isp.example")).toBe(true);
    expect(people.isFreemail("home.isp.example")).toBe(true);
    expect(people.isFreemail("corner.isp.example")).toBe(false);
    expect(people.isFreemail("gmail.com")).toBe(false);
    expect(people.isFreemail("gmx.de")).toBe(true);
    expect(people.isDisposable("yopmail.com")).toBe(false);
    expect(people.isDisposable("gone.example")).toBe(true);
    expect(people.isDisposable("mailinator.com")).toBe(true);
    expect(people.isDisposable("acme.example")).toBe(false);
  });
});

describe("addresses that are a task", () => {
  test.each([
    "info",
    "Sales",
    "sales.team",
    "support+de",
    "buchhaltung",
    "Büro",
    "compras",
    "comptabilité",
    "ventas",
    "zakupki",
    "продажи",
  ])("%s@ is read by several people", (local) => {
    expect(compiled().isRole(`${local}@client.example`)).toBe(true);
  });
  test.each(["ada", "ada.lovelace", "mark.sales-lopez", "informatik.meier"])("%s@ is a person", (local) => {
    expect(compiled().isRole(`${local}@client.example`)).toBe(false);
  });
  test("the configuration adds and takes off", () => {
    const people = compiled({ role_names: ["Disposition", "!post"] });
    expect(people.isRole("disposition@client.example")).toBe(true);
    expect(people.isRole("post@client.example")).toBe(false);
  });
  test("every entry of the list stands in the form in which it is compared", () => {
    expect([...roleNames].filter((name) => bareName(name) !== name)).toEqual([]);
  });
  test.each(["noreply", "no-reply", "do_not_reply", "nicht-antworten", "bounces+x"])("nobody reads %s@", (local) => {
    expect(compiled().isNoReply(`${local}@client.example`)).toBe(true);
  });
});

describe("who is ours", () => {
  const people = compiled({
    own_domains: ["Acme.Example", "bücher.example"],
    own_addresses: ["Kim+Work@gmail.com"],
    excluded: ["Tax.Example", "boss@client.example", "sub.partner.example"],
  });
  test.each([
    "ada@acme.example",
    "ADA@ACME.EXAMPLE",
    "ada@eu.acme.example",
    "ada@xn--bcher-kva.example",
    "kim+work@gmail.com",
    "KIM+WORK@GMAIL.COM",
  ])("%s is a colleague", (email) => {
    expect(people.isOwn(email)).toBe(true);
  });
  test.each([
    "ada@notacme.example",
    "ada@acme.example.evil.example",
    "kim@gmail.com",
    "acme.example@client.example",
    "deals@inbound.example.com",
  ])("%s is none", (email) => {
    expect(people.isOwn(email)).toBe(false);
  });
  test.each([
    ["anna@tax.example", "Tax.Example"],
    ["anna@office.tax.example", "Tax.Example"],
    ["Boss@Client.example", "boss@client.example"],
    ["other@client.example", undefined],
    ["ana@partner.example", undefined],
    ["ana@x.sub.partner.example", "sub.partner.example"],
  ])("%s is left out by %s", (email, entry) => {
    expect(people.excludedBy(email)).toBe(entry);
  });
  test("nobody is, where no list says so", () => {
    expect(compiled().isOwn("ada@acme.example")).toBe(false);
    expect(compiled().excludedBy("ada@acme.example")).toBeUndefined();
    expect(compiled().ownDomains).toEqual([]);
  });
  test("case never decides, and tags do", () => {
    fc.assert(
      fc.property(fc.emailAddress(), (email) => {
        expect(addressKey(email.toUpperCase())).toBe(addressKey(email));
        const listed = compiled({ own_addresses: [email], excluded: [email.toUpperCase()] });
        expect(listed.isOwn(email.toUpperCase())).toBe(true);
        expect(listed.excludedBy(email.toLowerCase())).toBe(email.toUpperCase());
        expect(listed.isOwn(email.replace("@", "+tag@"))).toBe(false);
      }),
    );
  });
});
