/** Close at the end of a year. */
import { companyKey } from "../../src/mapping/keys.ts";
import { type CloseState, createCloseSandbox, type RecordDump, sandboxKey } from "../../src/sandbox/close.ts";
import type { There } from "./there.ts";
import type { YearVendor, YearWords } from "./vendors.ts";

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const addressOf = ({ emails }: RecordDump): string => (emails as { email: string }[])[0]?.email.toLowerCase() ?? "";
const keyed = (lead: RecordDump | undefined): string => text(lead?.["custom.cf_lead000001"]);

/** Owners are users of the organization, which has others: they are not compared there. */
function closeThere(
  { leads, contacts, opportunities, emails, realMail }: CloseState,
  { eventOf, domains }: YearWords,
): There {
  if (realMail > 0) throw new Error("mail would have been sent to people");
  const byId = new Map([...leads, ...contacts].map((one) => [one.id, one]));
  // A lead carries the key of the company that it is, which cannot be read backwards.
  const companies = new Map(domains.map((domain) => [companyKey("acme", domain), domain]));
  const company = (lead: unknown): string[] => {
    const key = keyed(byId.get(text(lead)));
    return key === "" ? [] : [companies.get(key) ?? key];
  };
  return {
    contacts: contacts.map((one) => ({
      address: addressOf(one),
      name: text(one.name),
      flags: text(one["custom.cf_contact000001"])
        .split(/;\s*/)
        .filter((flag) => flag !== ""),
      // Whoever was made before a mail that could be trusted named the company has a lead alone, and Close moves nobody.
      companies: keyed(byId.get(text(one.lead_id))) === "" ? null : company(one.lead_id),
    })),
    companies: leads.flatMap(({ id }) => company(id)),
    deals: opportunities.map(({ id, note, status_label }) => ({
      id,
      name: text(note),
      stage: status_label === "Active" ? "qualification" : text(status_label),
      owner: null,
    })),
    activities: emails.map(({ body_text, status, contact_id }) => ({
      event: eventOf(/\[mw:([0-9a-f]{16})\]\s*$/.exec(text(body_text))?.[1] ?? ""),
      direction: status === "sent" ? "outbound" : "inbound",
      contacts: contact_id === undefined ? [] : [addressOf(byId.get(text(contact_id)) as RecordDump)],
      onOne: true as const,
      companies: null,
      deals: null,
    })),
  };
}

export const closeYear: YearVendor = {
  name: "close",
  open: (clock) => createCloseSandbox({ clock, options: { prepared: true, limits: "off", searchLagMs: 0 } }),
  settings: (url) => ({ base_url: url, api_key: sandboxKey, calls_per_second: 1_000, search_calls_per_second: 1_000 }),
  // This vendor opens no other sandbox.
  there: (sandbox, words) => closeThere(sandbox.state() as CloseState, words),
};
