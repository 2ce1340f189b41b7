/** Tryton at the end of a year. */
import { createTrytonSandbox, type RecordDump, sandboxLogin, type TrytonState } from "../../src/sandbox/tryton.ts";
import type { There } from "./there.ts";
import type { YearVendor, YearWords } from "./vendors.ts";

const text = (dump: RecordDump | undefined, name: string): string => {
  const value = dump?.values[name];
  return typeof value === "string" ? value : "";
};

function trytonThere(
  { parties, mechanisms, relations, opportunities, notes }: TrytonState,
  { eventOf }: YearWords,
): There {
  // The first party is the company whose database it is.
  const live = parties.filter(({ id, values }) => id !== "1" && values.active !== false);
  const domainOf = (dump: RecordDump | undefined): string => text(dump, "website").replace(/^https:\/\//, "");
  const byId = new Map(parties.map((party) => [party.id, party]));
  const companies = live.filter((party) => domainOf(party) !== "");
  const people = live.filter((party) => domainOf(party) === "");
  const addressOf = (id: unknown): string => text(byId.get(String(id)), "email").toLowerCase();
  const contactOf = (deal: RecordDump | undefined): unknown =>
    mechanisms.find(({ id }) => id === String(deal?.values.contact))?.values.party;

  function standsOn(note: RecordDump) {
    const [model, id] = text(note, "resource").split(",");
    if (model === "party.party") {
      const address = addressOf(id);
      return { contacts: address === "" ? [] : [address], deals: [] };
    }
    const deal = opportunities.find((one) => one.id === id);
    const person = contactOf(deal) ?? deal?.values.party;
    return { contacts: [addressOf(person)], deals: deal === undefined ? [] : [deal.id], onDeal: true as const };
  }

  return {
    stays: true,
    contacts: people.map((party) => {
      const [address, name] = [text(party, "email").toLowerCase(), text(party, "name")];
      const flags = text(party, "comment")
        .replace(/^Mailwright: /, "")
        .split("; ")
        .filter((flag) => flag !== "");
      const firms = relations
        .filter(({ values }) => String(values.from_) === party.id)
        .map(({ values }) => domainOf(byId.get(String(values.to))));
      // A party without a name is shown by its code: of somebody without one it is the address.
      return { address, name: name === address ? "" : name, flags, companies: firms };
    }),
    companies: companies.map(domainOf),
    deals: opportunities.map((deal) => ({
      id: deal.id,
      name: text(deal, "description"),
      stage: text(deal, "state") === "lead" ? "qualification" : text(deal, "state"),
      owner: null,
    })),
    activities: notes.map((note) => ({
      event: eventOf(/\[mw:([0-9a-f]{16})\]\s*$/.exec(text(note, "message"))?.[1] ?? ""),
      direction: /^Sent: /m.test(text(note, "message").split("\n\n")[0] ?? "") ? "outbound" : "inbound",
      ...standsOn(note),
      onOne: true as const,
      companies: null,
    })),
  };
}

export const trytonYear: YearVendor = {
  name: "tryton",
  open: (clock) => createTrytonSandbox({ clock, options: { prepared: true, employees: [] } }),
  settings: (url) => ({ base_url: url, ...sandboxLogin, calls_per_second: 1_000 }),
  // This vendor opens no other sandbox.
  there: (sandbox, words) => trytonThere(sandbox.state() as TrytonState, words),
};
