/** Close in a world: nothing is single there, search lags, a contact stands on a lead, and leads are merged. */
import { createCloseSandbox, sandboxKey } from "../../../src/sandbox/close.ts";
import type { Account, AccountPorts } from "./account.ts";

export function openClose({ time, chance }: AccountPorts): Account {
  const draw = chance.split("account");
  const sandbox = createCloseSandbox({
    clock: time.trueClock("vendor"),
    random: chance.split("sandbox"),
    options: {
      prepared: true,
      searchLagMs: 60_000,
      limits: draw.flip(0.2) ? { calls: 60, perMs: 5_000, early: draw.between(0, 3) } : "off",
      dates: draw.pick(["ms", "ms", "seconds", "ignored"]),
      dateFilters: draw.flip(0.8),
      mergedLead: draw.pick(["gone", "survivor"]),
    },
  });
  const { actors } = sandbox;
  const leadOf = (contact: string): string =>
    String(sandbox.state().contacts.find(({ id }) => id === contact)?.lead_id ?? "");
  return {
    type: "close",
    settings: { api_key: sandboxKey },
    sandbox,
    tooMany: { kind: "status", status: 429, headers: { "retry-after": "5" }, body: "" },
    mayStayUnknown: true,
    keepsPeopleSingle: false,
    refusesSender: false,
    activities() {
      const { emails, realMail } = sandbox.state();
      if (realMail > 0) throw new Error("mail would have been sent to people");
      return emails.toReversed().map(({ id, subject, body_text, sender, contact_id }) => ({
        id,
        subject: String(subject),
        text: String(body_text),
        from: /([\w.+-]+@[\w.-]+)>?$/.exec(String(sender ?? ""))?.[1] ?? null,
        people: contact_id === undefined ? [] : [String(contact_id)],
      }));
    },
    people: () =>
      sandbox.state().contacts.map(({ id, name, emails }) => ({
        id,
        email: (emails as readonly { email: string }[])[0]?.email ?? "",
        name: String(name),
        gone: false,
        all: JSON.stringify(emails),
      })),
    hands: {
      add: (email, name) => actors.personAddsContact({ email, name }),
      rename: (id, name) => actors.personEdits("contact", id, { name }),
      remove: (id) => actors.personDeletes("contact", id),
      merge(survivor, loser) {
        const [one, other] = [leadOf(survivor), leadOf(loser)];
        if (one !== other) actors.personMergesLeads(one, other);
      },
    },
  };
}
