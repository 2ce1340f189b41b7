/** HubSpot in a world: contacts are single by their address, and emails by our key in some accounts. */
import { createHubspotSandbox, sandboxToken } from "../../../src/sandbox/hubspot.ts";
import { blockedSender } from "../mails.ts";
import type { Account, AccountPorts } from "./account.ts";

export function openHubspot({ weather, time, chance }: AccountPorts): Account {
  const options = { ...weather.account, prepared: true, blocklist: [blockedSender], searchLagMs: 30_000 };
  const sandbox = createHubspotSandbox({ clock: time.trueClock("vendor"), random: chance.split("sandbox"), options });
  const { actors } = sandbox;
  return {
    type: "hubspot",
    settings: { token: sandboxToken },
    sandbox,
    tooMany: { kind: "status", status: 429, headers: {} },
    locked: { kind: "status", status: 423 },
    mayStayUnknown: weather.account.emailsUnique !== "yes",
    keepsPeopleSingle: true,
    refusesSender: true,
    activities: () =>
      sandbox.state().emails.map(({ id, properties, associations }) => {
        const headers = JSON.parse(properties.hs_email_headers ?? "{}") as { from?: { email?: string } };
        return {
          id,
          subject: properties.hs_email_subject ?? "",
          text: properties.hs_email_text ?? "",
          from: headers.from?.email ?? null,
          people: associations.contacts ?? [],
        };
      }),
    people: () =>
      sandbox.state().contacts.map(({ id, properties, archived }) => ({
        id,
        email: properties.email ?? "",
        name: properties.firstname ?? null,
        gone: archived,
        all: JSON.stringify(properties),
      })),
    hands: {
      add: (email, firstname) => actors.personAddsContact({ email, firstname }),
      rename: (id, firstname) => actors.personEdits("contacts", id, { firstname }),
      remove: (id) => actors.personArchives("contacts", id),
      merge: (survivor, loser) => actors.personMergesContacts(survivor, loser),
    },
  };
}
