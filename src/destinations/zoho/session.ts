/** One Zoho organisation at work: hands each step to what knows its kind. */
import type { DestinationPorts, Session, Snapshot, Whole } from "../../model/destination.ts";
import type { StepKind } from "../../model/step.ts";
import { permanent } from "../shared/calls.ts";
import { openHands } from "../shared/hands.ts";
import { type ApiSettings, lookupIn, openApi, type ZohoRecord } from "./api.ts";
import { shownFields, watchedFields } from "./bodies.ts";
import { openCompanies } from "./companies.ts";
import { openDeals } from "./deals.ts";
import { check, fix } from "./doctor.ts";
import { type AccountSettings, openAccount, ownFields } from "./fields.ts";
import { hostsOf } from "./hosts.ts";
import { type End, openLinks } from "./links.ts";
import { openMails } from "./mails.ts";
import { openPeople } from "./people.ts";
import { openRecords, type Place, placeOf } from "./records.ts";
import { openWishes } from "./wishes.ts";

export interface SessionSettings extends ApiSettings, AccountSettings {
  readonly owner_id?: string | undefined;
  readonly workflows: boolean;
  readonly closing_days: number;
  readonly search_lag_ms: number;
}

const unchangeable =
  "Zoho cannot change a logged mail: its list of files stays as it was, and its links lead to what is true now";

export function openSession(settings: SessionSettings, ports: DestinationPorts): Session {
  const { clock } = ports;
  const api = openApi(settings, ports);
  const account = openAccount(api, settings, clock);
  const records = openRecords(api, account, hostsOf(settings.data_center).pages, settings.workflows);
  const wishes = openWishes(api, account, clock);
  const links = openLinks(records);
  const common = { records, account, wishes, owner: settings.owner_id, clock, lagMs: settings.search_lag_ms };
  const people = openPeople(common);
  const companies = openCompanies(common);
  const deals = openDeals({ ...common, links, closingDays: settings.closing_days });
  const mails = openMails(api, records, deals);

  const { find, put } = openHands({
    vendor: "Zoho",
    person: people,
    company: companies,
    deal: deals,
    activity: mails,
    file: unchangeable,
    async link(from, to) {
      const note = await add(from, to);
      return note === undefined ? undefined : { id: from.id, adopted: true, note };
    },
    unlink: remove,
    archive,
  });

  async function add(from: End, to: End): Promise<string | undefined> {
    if (from.kind === "activity") return void (await mails.link(from.id, to));
    if (to.kind === "activity") return void (await mails.link(to.id, from));
    return await links.add(from, to);
  }

  async function remove(from: End, to: End): Promise<undefined> {
    if (from.kind === "activity" || to.kind === "activity")
      throw permanent("Zoho cannot take a logged mail off a record");
    await links.remove(from, to);
  }

  async function archive(kind: StepKind, id: string): Promise<void> {
    if (kind === "activity" || kind === "file") throw permanent("Zoho cannot take a logged mail away");
    await records.remove(placeOf(kind, id));
  }

  async function read(kind: StepKind, id: string, whole?: Whole): Promise<Snapshot | undefined> {
    if (kind === "activity" || kind === "file") return await mails.read(id, whole !== undefined);
    if (kind !== "person" && kind !== "company" && kind !== "deal") return undefined;
    const place = placeOf(kind, id);
    if (!/^\d{1,25}$/.test(place.id)) return undefined;
    const { module } = place;
    const more = whole === undefined ? [] : [ownFields.flags, ...watchedFields[module], ...whole.fields];
    const there = await account.look(module);
    const names = [...new Set([...shownFields[module], ...more])].filter((name) => there.has(name));
    const record = await records.get(place, names);
    // A converted lead is a contact from then on, under another id.
    const isGone = record === undefined || record.$converted === true;
    if (isGone && record === undefined && !(await records.isDeleted(place))) return undefined;
    const fields = record === undefined ? {} : fieldsOf(record, names);
    if (isGone || whole === undefined) return { id, archived: isGone, fields };
    return { id, archived: false, fields, links: [...(await linksOf(place, record))] };
  }

  async function linksOf(place: Place, record: ZohoRecord): Promise<string[]> {
    const of = async (list: string, kind: string) =>
      (await records.related(place, list, ["Created_Time"])).map(({ id }) => `${kind}:${id}`);
    const held = (name: string, kind: string): string[] => {
      const id = lookupIn(record, name);
      return id === undefined ? [] : [`${kind}:${id}`];
    };
    const found = [...(await mails.linksOf(place))];
    switch (place.module) {
      case "Contacts":
        found.push(...held("Account_Name", "company"), ...(await of("Deals", "deal")));
        break;
      case "Accounts":
        found.push(...(await of("Contacts", "person")), ...(await of("Deals", "deal")));
        break;
      case "Deals":
        found.push(...held("Account_Name", "company"), ...held("Contact_Name", "person"));
        found.push(...(await of("Contact_Roles", "person")));
        break;
      case "Leads":
        break;
      default:
        return place.module satisfies never;
    }
    return [...new Set(found)];
  }

  return {
    check: async () => await check(api, account),
    account: async () => `zoho:${(await account.org()).id}`,
    async fix() {
      account.forget();
      return await fix(api, account);
    },
    dedupe: account.dedupe,
    find,
    put,
    read,
    link: async (from, to) => void (await add(from, to)),
    unlink: remove,
    archive,
  };
}

/** Lookups by the id that they lead to. The address also under the name that it has everywhere else. */
function fieldsOf(record: ZohoRecord, names: readonly string[]): Snapshot["fields"] {
  const fields: Record<string, string | null> = Object.create(null) as Record<string, string | null>;
  for (const name of names) {
    const value = record[name];
    if (value === undefined) continue;
    fields[name] = value === null ? null : (lookupIn(record, name) ?? wordOf(value));
    if (name === "Email") fields.email = fields[name];
  }
  return { ...fields };
}

const wordOf = (value: unknown): string => (typeof value === "string" ? value : (JSON.stringify(value) ?? ""));
