/** Deals: known by our key in a field of the company's, found through the lists of the records that they hang on. */
import type { Asked, Ref, Refs } from "../../model/destination.ts";
import type { DealStep } from "../../model/step.ts";
import { permanent, together } from "../shared/calls.ts";
import type { Codes } from "./account.ts";
import { asks, fieldHitsSchema, type PipedriveRecord, type Query } from "./api.ts";
import { cutOf, dealBody } from "./bodies.ts";
import { allOf, oldest } from "./lists.ts";
import type { PeoplePorts } from "./people.ts";
import { placesOf } from "./records.ts";

const isOurs = (record: PipedriveRecord, { key }: DealStep, codes: Codes<"deals">): boolean =>
  record.is_deleted !== true && record.custom_fields?.[codes.key] === key;

/** The list that shows it, where it hangs on anything at all. */
function listOf(step: DealStep, refs: Refs): Query | undefined {
  const { persons, organization } = placesOf("deal", step.about, refs);
  if (persons[0] !== undefined) return { person_id: String(persons[0]) };
  return organization === undefined ? undefined : { org_id: String(organization) };
}

async function listed(
  step: DealStep,
  refs: Refs,
  codes: Codes<"deals">,
  { api, fresh, recent }: PeoplePorts,
  isSent: boolean,
): Promise<PipedriveRecord | undefined> {
  const query = listOf(step, refs);
  if (!isSent && query?.person_id !== undefined && fresh.isEmpty("deals", query.person_id)) return undefined;
  const fields = { custom_fields: codes.key };
  const all =
    query === undefined ? await recent.list("deals", fields) : await allOf(api, "deals", { ...query, ...fields });
  return oldest(all.filter((record) => isOurs(record, step, codes)));
}

async function byKey(
  step: DealStep,
  codes: Codes<"deals">,
  { api, records }: PeoplePorts,
): Promise<PipedriveRecord | undefined> {
  const answer = await api.call(asks.byField("deal", codes.key, step.key), false);
  const hits = answer.status === 404 ? [] : (api.shaped(fieldHitsSchema, answer, false).data ?? []);
  for (const { id } of [...hits].sort((a, b) => a.id - b.id)) {
    const record = await records.get("deals", String(id), { custom_fields: codes.key });
    if (record !== undefined && isOurs(record, step, codes)) return record;
  }
  return undefined;
}

export async function findDeal(
  step: DealStep,
  refs: Refs,
  ports: PeoplePorts,
  asked?: Asked,
): Promise<Ref | undefined> {
  const codes = await ports.account.codes("deals");
  const found =
    (await listed(step, refs, codes, ports, asked?.sent === true)) ??
    (listOf(step, refs) === undefined ? await byKey(step, codes, ports) : undefined);
  return found === undefined ? undefined : await ports.records.refOf("deals", String(found.id), true);
}

export async function putDeal(step: DealStep, refs: Refs, ports: PeoplePorts): Promise<Ref> {
  const { account, records, tries, fresh, wishes, owner } = ports;
  const codes = await account.codes("deals");
  const stage = await wishes.stage(step);
  const granted = await wishes.of("deals", step);
  const places = placesOf("deal", step.about, refs);
  tries.begin(step.key);
  for (const person of places.persons) fresh.touched("deals", String(person));
  const wanted = { custom: granted.custom, owner: granted.owner ?? owner };
  const body = dealBody(step, stage, places, wanted, codes);
  const made = await records.create("deals", body).catch((error: unknown) => {
    wishes.forget();
    throw error;
  });
  if (made === undefined) throw permanent("Pipedrive calls a value of the new deal too long");
  const note = together(cutOf("title", step.name), granted.note, ...places.left);
  return await records.refOf("deals", String(made.id), false, note);
}
