import { expect, test } from "vitest";
import { examinePeople } from "../../src/cli/doctor/people.ts";
import { load } from "../settings/sample.ts";

test("doctor warns about a tenant whose colleagues nobody can tell from customers, and says which key helps", () => {
  const found = examinePeople(
    load(
      `tenants:
  - { id: acme, recipients: ["*@in.acme.example"], people: { own_domains: [acme.example], own_addresses: [kim@x.example] } }
  - { id: globex, recipients: ["*@in.globex.example"], people: { excluded: [tax.example] } }
`,
    ),
  );
  expect(found).toMatchObject([
    { level: "ok", about: "people", mend: null },
    {
      level: "warning",
      about: "people",
      what: expect.stringContaining("globex"),
      mend: expect.stringContaining("own_domains"),
    },
  ]);
});
