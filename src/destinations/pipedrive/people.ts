/** Persons: found by address or created, never overwritten. Pipedrive takes any number of persons with one address, so every create is looked out for. */
import type { Asked, Ref } from "../../model/destination.ts";
import { failureOf } from "../../model/outcome.ts";
import type { PersonStep } from "../../model/step.ts";
import { permanent, together } from "../shared/calls.ts";
import type { Account } from "./account.ts";
import { type Api, asks, type PipedriveRecord, personHitsSchema } from "./api.ts";
import { cutOf, leadBody, personBody, personName } from "./bodies.ts";
import { type Fresh, oldest, type Recent, type Tries } from "./lists.ts";
import type { Records } from "./records.ts";
import type { Wishes } from "./wishes.ts";

export interface PeoplePorts {
  readonly api: Api;
  readonly account: Account;
  readonly records: Records;
  readonly recent: Recent;
  readonly tries: Tries;
  readonly fresh: Fresh;
  readonly wishes: Wishes;
  readonly owner: number | undefined;
}

const has = (record: PipedriveRecord, address: string): boolean =>
  (record.emails ?? []).some(({ value }) => value?.trim().toLowerCase() === address);

/** A search shows what was true a while ago: the record itself decides. */
async function bySearch(address: string, { api, records }: PeoplePorts): Promise<PipedriveRecord | undefined> {
  const answer = await api.call(asks.personsByEmail(address), false);
  const ids = api.shaped(personHitsSchema, answer, false).data.items.map(({ item }) => item.id);
  for (const id of ids.sort((a, b) => a - b)) {
    const record = await records.get("persons", String(id));
    if (record !== undefined && record.is_deleted !== true && has(record, address)) return record;
  }
  return undefined;
}

async function amongRecent(
  addresses: readonly string[],
  { recent, account }: PeoplePorts,
): Promise<PipedriveRecord | undefined> {
  // Of the custom fields only one: all of them could be a page of their own.
  const { key } = await account.codes("persons");
  const all = await recent.list("persons", { custom_fields: key });
  for (const address of addresses) {
    const found = oldest(all.filter((record) => has(record, address)));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** By the mail's own address, then by the others that the mapping knows of the same person. */
export async function findKnown(step: PersonStep, ports: PeoplePorts, asked?: Asked): Promise<Ref | undefined> {
  const { records, tries, account } = ports;
  const codes = await account.codes("persons");
  const [own = "", ...others] = [step.email, ...(step.also ?? [])].map((address) => address.toLowerCase());
  let found = await bySearch(own, ports);
  for (const other of others) found ??= await bySearch(other, ports);
  if (found === undefined && (asked?.sent === true || tries.mayBeRecent(step.key)))
    found = await amongRecent([own, ...others], ports);
  if (found === undefined) return undefined;
  const note = has(found, own) ? undefined : "known under another address of the same person";
  const ref = await records.refOf("persons", String(found.id), true, note);
  return { ...ref, ours: found.custom_fields?.[codes.key] === step.key };
}

export async function putPerson(step: PersonStep, ports: PeoplePorts): Promise<Ref> {
  const { account, records, tries, fresh, wishes, owner } = ports;
  if (!step.create) {
    const known = await findKnown(step, ports);
    if (known !== undefined) return known;
    throw permanent("Pipedrive has no such person, and this step may not create one");
  }
  const codes = await account.codes("persons");
  const granted = await wishes.of("persons", step);
  const wanted = { custom: granted.custom, owner: granted.owner ?? owner };
  // Made by somebody else since the search: Pipedrive would take a second one.
  const addresses = [step.email, ...(step.also ?? [])].map((address) => address.toLowerCase());
  const there = await amongRecent(addresses, ports);
  if (there !== undefined) return await records.refOf("persons", String(there.id), true);
  tries.begin(step.key);
  const made = await records.create("persons", personBody(step, wanted, codes));
  if (made === undefined) throw permanent("Pipedrive calls a value of the new person too long");
  const id = String(made.id);
  fresh.made(id);
  const lead = step.as === "lead" ? await addLead(step, made.id, wanted.owner, ports) : undefined;
  const note = together(cutOf("name", step.name ?? ""), granted.note, lead);
  return await records.refOf("persons", id, false, note);
}

/** The person stands whatever becomes of the lead: that call is made once, since nothing would find a second one out. */
async function addLead(
  step: PersonStep,
  person: number,
  owner: number | undefined,
  { api }: PeoplePorts,
): Promise<string> {
  try {
    await api.call(asks.addLead(leadBody(personName(step), person, owner)), true);
    return "a lead was made for the new person";
  } catch (error) {
    return `no lead can be told to be made for the new person: ${failureOf(error).reason}`;
  }
}
