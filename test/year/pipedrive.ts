/** Pipedrive at the end of a year. */
import type { RecordDump, SandboxState } from "../../src/sandbox/pipedrive/state.ts";
import { createPipedriveSandbox, sandboxToken } from "../../src/sandbox/pipedrive.ts";
import type { There } from "./there.ts";
import type { YearVendor } from "./vendors.ts";

const live = (dumps: readonly RecordDump[]): RecordDump[] => dumps.filter(({ deleted }) => !deleted);
const addressOf = ({ own }: RecordDump): string =>
  ((own.emails as readonly { value: string }[] | undefined)?.[0]?.value ?? "").toLowerCase();
const part = (pattern: RegExp, { own }: RecordDump): string => pattern.exec(String(own.public_description))?.[1] ?? "";

/** Owners are users of the company, which has none of the story's: they are not compared there. */
function pipedriveThere({ persons, organizations, deals, activities }: SandboxState): There {
  const addresses = new Map(live(persons).map((one) => [one.id, addressOf(one)]));
  const domains = new Map(live(organizations).map(({ id, custom }) => [id, String(custom["Mailwright domain"] ?? "")]));
  const named = (ids: readonly string[], names: ReadonlyMap<string, string>): string[] =>
    ids.map((id) => names.get(id) ?? id).sort();
  const firmOf = new Map(live(persons).map(({ id, links }) => [id, links.organizations]));
  /** There is room for one organization on an activity; on those of the others it is by its persons. */
  const firms = ({ links }: RecordDump): string[] =>
    links.organizations.length === 0
      ? []
      : [...new Set([...links.organizations, ...links.persons.flatMap((id) => firmOf.get(id) ?? [])])];
  return {
    contacts: live(persons).map((one) => ({
      address: addressOf(one),
      // Who has no name is called by the address.
      name: String(one.own.name).toLowerCase() === addressOf(one) ? "" : String(one.own.name),
      flags: String(one.custom["Mailwright flags"] ?? "")
        .split(";")
        .filter((flag) => flag !== ""),
      companies: named(one.links.organizations, domains),
    })),
    companies: [...domains.values()],
    deals: live(deals).map(({ id, own }) => ({
      id,
      name: String(own.title),
      stage: own.stage_id === 1 ? "qualification" : String(own.stage_id),
      owner: null,
    })),
    activities: live(activities).map((one) => ({
      event: part(/; event ([^;]+);/, one),
      direction: part(/^Mailwright: mail (\w+);/, one) === "sent" ? "outbound" : "inbound",
      contacts: named(one.links.persons, addresses),
      companies: named(firms(one), domains),
      deals: [...one.links.deals].sort(),
    })),
  };
}

export const pipedriveYear: YearVendor = {
  name: "pipedrive",
  open: (clock) => createPipedriveSandbox({ clock, options: { prepared: true, limits: "off", searchLagMs: 0 } }),
  // The story's time leaps, the lane's limits count in real time.
  settings: (url) => ({
    base_url: url,
    token: sandboxToken,
    calls_per_2_seconds: 10_000,
    searches_per_2_seconds: 10_000,
  }),
  // This vendor opens no other sandbox.
  there: (sandbox) => pipedriveThere(sandbox.state() as SandboxState),
};
