/** Salesforce at the end of a year. A mail is on an account through its opportunity and its people too. */
import {
  createSalesforceSandbox,
  type RecordDump,
  type SalesforceSandbox,
  type SalesforceState,
  sandboxApp,
} from "../../src/sandbox/salesforce.ts";
import type { There } from "./there.ts";
import type { YearVendor } from "./vendors.ts";

const live = (dumps: readonly RecordDump[]): RecordDump[] => dumps.filter(({ deleted }) => !deleted);
const text = ({ values }: RecordDump, field: string): string => String(values[field] ?? "");

/** Owners are users of the org, which has none of the story's: they are not compared there. */
function salesforceThere({ records }: SalesforceState): There {
  const [contacts, accounts, deals] = [live(records.Contact), live(records.Account), live(records.Opportunity)];
  const domains = new Map(accounts.map((one) => [one.id, text(one, "Website")]));
  const addresses = new Map(contacts.map((one) => [one.id, text(one, "Email").toLowerCase()]));
  const accountOf = new Map([...contacts, ...deals].map((one) => [one.id, text(one, "AccountId")]));
  const relations = Map.groupBy(live(records.EmailMessageRelation), (one) => text(one, "EmailMessageId"));
  const isDeal = new Set(deals.map(({ id }) => id));
  const named = (ids: readonly string[]): string[] => [...new Set(ids.flatMap((id) => domains.get(id) ?? []))].sort();
  return {
    stays: true,
    contacts: contacts.map((one) => ({
      address: addresses.get(one.id) ?? "",
      name: text(one, "Name"),
      flags: text(one, "Mailwright_Flags__c")
        .split(/[;,]\s*/)
        .filter((flag) => flag !== ""),
      companies: named([text(one, "AccountId")]),
    })),
    companies: [...domains.values()],
    deals: deals.map((one) => ({
      id: one.id,
      name: text(one, "Name"),
      stage: text(one, "StageName").toLowerCase(),
      owner: null,
    })),
    activities: live(records.EmailMessage).map((one) => {
      const people = (relations.get(one.id) ?? []).map((relation) => text(relation, "RelationId"));
      const related = text(one, "RelatedToId");
      return {
        event: text(one, "Mailwright_Event__c"),
        direction: one.values.Incoming === true ? "inbound" : "outbound",
        contacts: people.map((id) => addresses.get(id) ?? id).sort(),
        companies: named([related]),
        through: named([related, ...people].map((id) => accountOf.get(id) ?? "")),
        deals: isDeal.has(related) ? [related] : [],
      };
    }),
  };
}

export const salesforceYear: YearVendor = {
  name: "salesforce",
  open: (clock) => createSalesforceSandbox({ clock, options: { prepared: true, dailyCalls: 1_000_000_000 } }),
  settings: (url) => ({
    base_url: url,
    client_id: sandboxApp.clientId,
    client_secret: sandboxApp.clientSecret,
  }),
  // This vendor opens no other sandbox.
  there: (sandbox) => salesforceThere(sandbox.state() as SalesforceState),
  worth: (sandbox, deal, amount) =>
    (sandbox as SalesforceSandbox).actors.personEdits("Opportunity", deal, { Amount: Number(amount) }),
};
