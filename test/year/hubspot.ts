/** HubSpot at the end of a year. */
import type { RecordDump, SandboxState } from "../../src/sandbox/hubspot/state.ts";
import { createHubspotSandbox, type HubspotSandbox, sandboxToken } from "../../src/sandbox/hubspot.ts";
import type { There } from "./there.ts";
import type { YearVendor } from "./vendors.ts";

const live = (dumps: readonly RecordDump[]): RecordDump[] => dumps.filter(({ archived }) => !archived);

/** Owners are users of the account, which has none: they are not compared there. */
function hubspotThere({ contacts, companies, deals, emails }: SandboxState): There {
  const addresses = new Map(live(contacts).map(({ id, properties }) => [id, (properties.email ?? "").toLowerCase()]));
  const domains = new Map(live(companies).map(({ id, properties }) => [id, properties.domain ?? ""]));
  const named = ({ associations }: RecordDump, object: string, names: ReadonlyMap<string, string>): string[] =>
    (associations[object] ?? []).map((id) => names.get(id) ?? id).sort();
  return {
    contacts: live(contacts).map((one) => ({
      address: addresses.get(one.id) ?? "",
      name: [one.properties.firstname, one.properties.lastname].filter(Boolean).join(" "),
      flags: (one.properties.mailwright_flags ?? "").split(/[;,]\s*/).filter((flag) => flag !== ""),
      companies: named(one, "companies", domains),
    })),
    companies: [...domains.values()],
    deals: live(deals).map((one) => ({
      id: one.id,
      of: [...named(one, "contacts", addresses), ...named(one, "companies", domains)],
      name: one.properties.dealname ?? "",
      stage: one.properties.dealstage === "qualifiedtobuy" ? "qualification" : (one.properties.dealstage ?? ""),
      owner: null,
    })),
    activities: live(emails).map((one) => ({
      event: one.properties.mailwright_event_id ?? "",
      direction: one.properties.hs_email_direction === "EMAIL" ? "outbound" : "inbound",
      contacts: named(one, "contacts", addresses),
      companies: named(one, "companies", domains),
      deals: [...(one.associations.deals ?? [])].sort(),
    })),
  };
}

export const hubspotYear: YearVendor = {
  name: "hubspot",
  open: (clock) => createHubspotSandbox({ clock, options: { prepared: true, limits: "off", searchLagMs: 0 } }),
  settings: (url) => ({ base_url: url, token: sandboxToken }),
  // This vendor opens no other sandbox.
  there: (sandbox) => hubspotThere(sandbox.state() as SandboxState),
  worth: (sandbox, deal, amount) => (sandbox as HubspotSandbox).actors.personEdits("deals", deal, { amount }),
};
