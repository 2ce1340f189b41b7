/** One Salesforce org at work: hands each step to what knows its kind. */
import type { DestinationPorts, Session, Snapshot, Whole } from "../../model/destination.ts";
import type { StepKind } from "../../model/step.ts";
import { keepToken } from "../../wire/oauth.ts";
import { openHands } from "../shared/hands.ts";
import { isId, type ObjectName, openApi, textOf } from "./api.ts";
import { type AuthSettings, grantOf } from "./auth.ts";
import { shownFields, watchedFields } from "./bodies.ts";
import { classify } from "./classify.ts";
import { openCompanies } from "./companies.ts";
import { openDeals } from "./deals.ts";
import { check } from "./doctor.ts";
import { openFiles } from "./files.ts";
import { openMails } from "./mails.ts";
import { openOrg } from "./org.ts";
import { openPeople } from "./people.ts";
import { isDeleted, objectOf, openRecords, recordObjectOf } from "./records.ts";
import { openRelations } from "./relations.ts";
import { openUsage } from "./usage.ts";
import { openWishes } from "./wishes.ts";

export interface SessionSettings extends AuthSettings {
  readonly owner_id?: string | undefined;
  readonly html: boolean;
  readonly close_days: number;
  readonly synced_mail: "take" | "ignore";
  readonly pass_duplicate_alerts: boolean;
  readonly daily_reserve_percent: number;
}

/** A token's answer does not say how long it lives: the org's session policy does. One that ends sooner is renewed when Salesforce says so. */
const sessionMs = 3_600_000;

export function openSession(settings: SessionSettings, ports: DestinationPorts): Session {
  const { wire, wireTo, tokens, lane, clock, log, metrics } = ports;
  const { base_url: baseUrl } = settings;
  const grant = grantOf(settings);
  const usage = openUsage(settings.daily_reserve_percent);
  const keeper = keepToken({
    account: lane,
    grant,
    wire: wireTo(new URL(grant.tokenUrl).origin),
    tokens,
    clock,
    log,
    lifeMs: sessionMs,
    keep: ["instance_url"],
    // The API's own form of a refusal; what the endpoint says in OAuth's is read like any other's.
    means: (answer, now) => (Array.isArray(answer.json) ? classify(answer, false, now) : undefined),
  });
  const headers: Record<string, string> = settings.pass_duplicate_alerts
    ? { "sforce-duplicate-rule-header": "allowSave=true" }
    : {};
  const api = openApi({ wire, clock, metrics, keeper, usage, headers, baseUrl });
  const org = openOrg(api, clock);
  const records = openRecords(api, org, baseUrl);
  const relations = openRelations(api, records);
  const wishes = openWishes(api, org, clock, settings.owner_id);
  const people = openPeople({ api, org, records, wishes });
  const companies = openCompanies({ api, org, records, wishes });
  const deals = openDeals({ api, org, records, relations, wishes, clock, closeDays: settings.close_days });
  const takesSynced = settings.synced_mail === "take";
  const mails = openMails({ api, org, records, relations, wishes, html: settings.html, takesSynced });
  const files = openFiles(org, records);

  const archive = async (kind: StepKind, id: string): Promise<void> =>
    await records.remove(recordObjectOf(kind, id), id);
  const { find, put } = openHands({
    vendor: "Salesforce",
    person: people,
    company: companies,
    deal: deals,
    activity: mails,
    file: files,
    link: async (from, to) => void (await relations.link(from, to)),
    unlink: relations.unlink,
    archive,
  });

  async function read(kind: StepKind, id: string, whole?: Whole): Promise<Snapshot | undefined> {
    const object = objectOf(kind, id);
    if (object === undefined) return undefined;
    const shape = await org.look(object);
    const asked = [...shownFields[object], ...(whole === undefined ? [] : [...watchedFields[object], ...whole.fields])];
    const names = [...new Set(asked)].filter((name) => shape?.fields.has(name) === true);
    const standIns = ["MasterRecordId", "ConvertedContactId"].filter((name) => shape?.fields.has(name) === true);
    const row = await records.get(object, id, [...names, ...standIns]);
    if (row === undefined) return undefined;
    // Converted or merged away: it is no longer the person himself.
    const became = row.ConvertedContactId ?? row.MasterRecordId;
    if (kind === "person" && typeof became === "string" && isId(became)) return await read("person", became, whole);
    const fields: Record<string, string | null> = Object.fromEntries(names.map((name) => [name, textOf(row, name)]));
    const found = { id: row.Id, archived: isDeleted(row), fields: { ...fields, ...commonFields(kind, fields) } };
    return whole === undefined || found.archived ? found : { ...found, links: await relations.of(object, id) };
  }

  return {
    check: async () => await check(api, org, usage),
    account: async () => `salesforce:${await org.id()}`,
    async dedupe(kind) {
      const objects = objectsOf[kind];
      // Links, their removal and lists of files say how things shall be: repeating them changes nothing.
      return objects === undefined ? { tier: "unique-key", absenceProvable: true } : await org.dedupe(objects);
    },
    find,
    put,
    read,
    link: relations.link,
    unlink: relations.unlink,
    archive,
  };
}

const objectsOf: Partial<Record<StepKind, readonly [ObjectName, ...ObjectName[]]>> = {
  person: ["Contact", "Lead"],
  company: ["Account"],
  deal: ["Opportunity"],
  activity: ["EmailMessage"],
};

/** The address under the name that it has at every CRM. */
const commonFields = (
  kind: StepKind,
  { Email = null }: Record<string, string | null>,
): Record<string, string | null> => (kind === "person" ? { email: Email } : {});
