/** Zoho at the end of a year. */
import type { MailDump, RecordDump, SandboxState } from "../../src/sandbox/zoho/state.ts";
import { createZohoSandbox, sandboxClient, type ZohoSandbox } from "../../src/sandbox/zoho.ts";
import type { There } from "./there.ts";
import type { YearVendor } from "./vendors.ts";

const live = (dumps: readonly RecordDump[]): RecordDump[] => dumps.filter(({ archived }) => !archived);
const textIn = ({ values }: RecordDump, name: string): string => {
  const value = values[name];
  return typeof value === "string" ? value : "";
};

const lookupIn = ({ values }: RecordDump, name: string): string | undefined => {
  const value = values[name];
  return typeof value === "object" && value !== null ? value.id : undefined;
};

/** Owners are users of the organisation, which has others: they are not compared there. */
function zohoThere({ Contacts, Accounts, Deals, Emails }: SandboxState): There {
  const addresses = new Map(live(Contacts).map((one) => [one.id, textIn(one, "Email").toLowerCase()]));
  const domains = new Map(live(Accounts).map((one) => [one.id, textIn(one, "Website")]));
  const deals = new Map(live(Deals).map(({ id }) => [id, id]));
  const named = ({ on }: MailDump, module: string, names: ReadonlyMap<string, string>): string[] =>
    on
      .filter((place) => place.startsWith(`${module}/`))
      .map((place) => names.get(place.slice(module.length + 1)) ?? place)
      .sort();
  return {
    stays: true,
    contacts: live(Contacts).map((one) => {
      const [address, last] = [addresses.get(one.id) ?? "", textIn(one, "Last_Name")];
      const account = lookupIn(one, "Account_Name");
      return {
        address,
        // A surname is mandatory: of somebody without a name it is the address.
        name: last === address ? "" : [textIn(one, "First_Name"), last].filter(Boolean).join(" "),
        flags: textIn(one, "Mailwright_Flags").split(";").filter(Boolean),
        companies: account === undefined ? [] : [domains.get(account) ?? account],
      };
    }),
    companies: [...domains.values()],
    deals: live(Deals).map((one) => ({
      id: one.id,
      of: [
        ...[lookupIn(one, "Contact_Name"), ...one.roles].flatMap((id) => addresses.get(id ?? "") ?? []),
        ...[lookupIn(one, "Account_Name")].flatMap((id) => domains.get(id ?? "") ?? []),
      ],
      name: textIn(one, "Deal_Name"),
      stage: textIn(one, "Stage").toLowerCase(),
      owner: null,
    })),
    activities: Emails.map((mail) => ({
      event: /\[Mailwright event ([0-9a-f-]{36})[^\]]*\] \[mw:/.exec(mail.content.slice(-400))?.[1] ?? "",
      direction: mail.sent ? "outbound" : "inbound",
      contacts: named(mail, "Contacts", addresses),
      companies: named(mail, "Accounts", domains),
      deals: named(mail, "Deals", deals),
    })),
  };
}

export const zohoYear: YearVendor = {
  name: "zoho",
  open: (clock) => createZohoSandbox({ clock, options: { prepared: true, limits: "off", searchLagMs: 0 } }),
  settings: (url) => ({ base_url: url, ...sandboxClient }),
  // This vendor opens no other sandbox.
  there: (sandbox) => zohoThere(sandbox.state() as SandboxState),
  worth: (sandbox, deal, amount) => (sandbox as ZohoSandbox).actors.personEdits("Deals", deal, { Amount: amount }),
};
