/** Zoho in a world: mails are single on a record, people where the edition has unique fields, and an index lags. */
import { createZohoSandbox, sandboxClient } from "../../../src/sandbox/zoho.ts";
import type { Account, AccountPorts } from "./account.ts";

const nobody = "unknown@mailwright.invalid";

export function openZoho({ time, chance }: AccountPorts): Account {
  const draw = chance.split("account");
  const uniqueFields = draw.flip(0.6);
  const sandbox = createZohoSandbox({
    clock: time.trueClock("vendor"),
    random: chance.split("sandbox"),
    options: {
      prepared: true,
      searchLagMs: 30_000,
      uniqueFields,
      coqlLags: draw.flip(0.5),
      duplicateNamesId: draw.flip(0.5),
      refusedStatus: draw.pick([200, 202, 400]),
      linkedRecord: draw.pick(["optional", "unknown"]),
      mailKey: draw.pick(["record", "record", "org"]),
      limits: draw.flip(0.2) ? { credits: 50_000, concurrent: 10 } : "off",
    },
  });
  const { actors } = sandbox;
  return {
    type: "zoho",
    settings: sandboxClient,
    sandbox,
    tooMany: {
      kind: "status",
      status: 429,
      headers: {},
      body: { code: "TOO_MANY_REQUESTS", message: "Rate limit exceeded.", status: "error", details: {} },
    },
    mayStayUnknown: !uniqueFields,
    keepsPeopleSingle: uniqueFields,
    refusesSender: false,
    // A mail that is twice on a record counts as two.
    activities: () =>
      sandbox.state().Emails.flatMap(({ ids, subject, content, from, on, times }) => {
        const people = on.flatMap((place) => /^(?:Contacts|Leads)\/(.*)$/.exec(place)?.[1] ?? []);
        const logged = { subject, text: content, from: from === nobody ? null : from, people };
        return Array.from({ length: Math.max(...times) }, (_, time) => ({ id: ids[time] ?? "", ...logged }));
      }),
    people: () =>
      [...sandbox.state().Contacts, ...sandbox.state().Leads].map(({ id, values, archived }) => ({
        id,
        email: String(values.Email ?? ""),
        name: values.First_Name == null ? null : String(values.First_Name),
        gone: archived,
        all: JSON.stringify(values),
      })),
    hands: {
      add: (Email, First_Name) => actors.personAdds("Contacts", { Email, First_Name, Last_Name: "Person" }),
      rename: (id, First_Name) => actors.personEdits("Contacts", id, { First_Name }),
      remove: (id) => actors.personDeletes("Contacts", id),
    },
  };
}
