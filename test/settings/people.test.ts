/** The people of a tenant in the configuration: defaults, and lists that are refused where they stand. */
import { describe, expect, test } from "vitest";
import { tenantPlans } from "../../src/main.ts";
import { load, refusal } from "./sample.ts";

const tenant = (people: string): string =>
  `tenants:\n  - id: acme\n    recipients: ["*@inbound.example.com"]\n    people: ${people}\n`;

describe("people", () => {
  test("are nobody in particular by default: the domain of the recipients makes no colleagues", () => {
    expect(load(tenant("{}")).tenants[0]?.people).toEqual({
      own_domains: [],
      own_addresses: [],
      colleagues: [],
      excluded: [],
      role_names: [],
      freemail: [],
      disposable: [],
      disposable_contacts: "hold",
      internal: "skip",
    });
    const [plan] = tenantPlans(load(tenant("{}")));
    expect(plan?.people.isOwn("ada@example.com")).toBe(false);
    expect(plan?.people.isOwn("ada@inbound.example.com")).toBe(false);
  });

  test("are compiled for the tenant: own, inbound with tags, excluded, and what its rules do", () => {
    const [plan, other] = tenantPlans(
      load(
        `tenants:
  - id: acme
    recipients: ["deals@in.acme.example"]
    people: { own_domains: [acme.example], excluded: [tax.example], internal: log, disposable_contacts: create }
  - id: globex
    recipients: ["*@in.globex.example"]
`,
      ),
    );
    expect(plan?.mapping).toEqual({ createContact: "unverified", internal: "log", disposableContacts: "create" });
    expect(plan?.people.isOwn("ada@eu.acme.example")).toBe(true);
    expect(plan?.people.isInbound("Deals+t.x@in.acme.example")).toBe(true);
    expect(plan?.people.isInbound("other@in.acme.example")).toBe(false);
    expect(plan?.people.isInbound("deals@in.globex.example")).toBe(false);
    expect(plan?.people.excludedBy("x@tax.example")).toBe("tax.example");
    expect(other?.people.isInbound("anything@in.globex.example")).toBe(true);
    expect(other?.people.isOwn("ada@acme.example")).toBe(false);
  });

  test.each([
    ["{ own_domains: [gmail.com] }", 'people.own_domains[0]: found "gmail.com", where anybody can have an address'],
    ["{ own_domains: [acme.example, eu.web.de] }", 'people.own_domains[1]: found "eu.web.de", where anybody'],
    ["{ own_domains: [mailinator.com] }", "where anybody can have an address"],
    ["{ own_domains: [co.uk] }", 'found "co.uk", under which anybody can register'],
    ["{ own_domains: ['@acme.example'] }", "expected a domain (acme.example)"],
    ["{ own_addresses: [acme.example] }", "expected an address (ana@freemail.example)"],
    ["{ excluded: ['not an address'] }", "expected an address (ana@client.example) or a domain (client.example)"],
    ["{ freemail: ['!!x.example'] }", "or one with ! in front"],
    ["{ role_names: ['a@b'] }", "the part of an address before the @"],
    ["{ internal: drop }", "expected one of skip, log"],
    ["{ own_domain: [acme.example] }", 'the unknown key "own_domain"'],
  ])("%s is refused, with its line", (people, words) => {
    const { message } = refusal(tenant(people));
    expect(message).toContain(words);
    expect(message).toMatch(/mailwright\.yaml:4:\d+/);
  });

  test("a domain that the built-in list has by mistake can be taken off it", () => {
    const { message } = refusal(tenant("{ own_domains: [gmail.com] }"));
    expect(message).toContain('people.freemail: ["!gmail.com"]');
    expect(() => load(tenant('{ own_domains: [gmail.com], freemail: ["!gmail.com"] }'))).not.toThrow();
  });
});
