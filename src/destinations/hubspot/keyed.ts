/** Records that carry our key: created once, adopted when an earlier try already made them, found again by the tier that the account allows. */
import type { Ref, Refs } from "../../model/destination.ts";
import { openDealsNote } from "../../model/open-deals.ts";
import { Refused } from "../../model/outcome.ts";
import type { ActivityStep, CompanyStep, DealStep } from "../../model/step.ts";
import type { WireResponse } from "../../model/wire.ts";
import { bodyOf } from "../shared/body.ts";
import { known, permanent, together } from "../shared/calls.ts";
import { halvedBodyChars, markerOf, maxBodyChars } from "../shared/text.ts";
import type { Account } from "./account.ts";
import { type Api, associationTo, type HubspotRecord, type ObjectName, recordSchema, shaped } from "./api.ts";
import { type CreateBody, companyBody, dealBody, emailBody, ownProperties } from "./bodies.ts";
import { isConflict, isTooLong, reasonOf } from "./classify.ts";
import { findByDomain } from "./companies.ts";
import { openDealsOf } from "./open-deals.ts";
import type { Owner, ReadBack } from "./readback.ts";
import { associationsOf, type Records, recordObjectOf } from "./records.ts";
import type { Wishes } from "./wishes.ts";

export type KeyedStep = ActivityStep | DealStep | CompanyStep;

export interface KeyedPorts {
  readonly api: Api;
  readonly account: Account;
  readonly records: Records;
  readonly readBack: ReadBack;
  readonly wishes: Wishes;
  /** Who owns what no mapping names an owner for. */
  readonly owner: string | undefined;
  readonly html: boolean;
}

export interface Keyed {
  /** The properties that `put` makes it with. */
  properties(step: KeyedStep, refs: Refs): Promise<CreateBody["properties"]>;
  find(step: KeyedStep, refs: Refs): Promise<Ref | undefined>;
  put(step: KeyedStep, refs: Refs): Promise<Ref>;
}

export function openKeyed(ports: KeyedPorts): Keyed {
  const { account, records } = ports;
  return {
    async find(step, refs) {
      const object = recordObjectOf(step.kind);
      const { tier } = await account.dedupe(object);
      const byKey = tier === "unique-key" ? await findByKey(object, step.key, records) : undefined;
      const keyed =
        byKey ?? (await findListed(step, object, refs, ports).catch(tier === "unique-key" ? unlessGone : rethrow));
      const byDomain = keyed === undefined && step.kind === "company";
      const record = byDomain ? await findByDomain(step, refs, ports.api, ports.readBack) : keyed;
      return record && { ...(await records.refOf(object, record.id, true)), ours: keyed !== undefined };
    },
    properties: async (step, refs) => (await bodyFor(step, refs, maxBodyChars, ports, [])).body.properties,
    async put(step, refs) {
      const object = recordObjectOf(step.kind);
      await refuseUnfindable(step, object, refs, account);
      const deals = step.kind === "activity" ? await openDealsOf(step, refs, ports) : [];
      const whole = await bodyFor(step, refs, maxBodyChars, ports, deals);
      let { note } = whole;
      let answer = await records.create(object, whole.body);
      if (isTooLong(answer)) {
        const halved = await bodyFor(step, refs, halvedBodyChars, ports, deals);
        note = halved.note;
        answer = await records.create(object, halved.body);
        if (isTooLong(answer)) throw permanent(`${reasonOf(answer)}; also with half the text`);
      }
      if (isConflict(answer)) return await adopt(step, object, refs, answer, records);
      return await records.refOf(object, shaped(recordSchema, answer, true).id, false, note);
    },
  };
}

/** Where HubSpot does not enforce the key, what hangs on no record could never be found again after a lost answer. */
async function refuseUnfindable(step: KeyedStep, object: ObjectName, refs: Refs, account: Account): Promise<void> {
  const { tier } = await account.dedupe(object);
  if (tier === "unique-key" || object === "companies" || ownersOf(step, refs).length > 0) return;
  throw permanent(
    `this HubSpot account cannot keep ${object} single by a key, so one without a contact could not be found again`,
  );
}

async function bodyFor(
  step: KeyedStep,
  refs: Refs,
  limit: number,
  ports: KeyedPorts,
  deals: readonly string[],
): Promise<{ body: CreateBody; note: string | undefined }> {
  const object = recordObjectOf(step.kind);
  const granted = await ports.wishes.of(object, step);
  const wanted = { ...granted, owner: granted.owner ?? ports.owner };
  const has = await ports.account.has(object);
  const marker = has(ownProperties.key) ? undefined : markerOf(step.key);
  const associations = "about" in step ? associationsOf(object, step.about, refs) : [];
  switch (step.kind) {
    case "activity": {
      const body = bodyOf(step, limit, marker, ports.html);
      const all = [...associations, ...deals.flatMap((id) => associationTo("emails", "deals", id) ?? [])];
      const logged = deals.length === 0 ? undefined : openDealsNote(deals);
      return { body: emailBody(step, body, has, wanted, all), note: together(body.note, granted.note, logged) };
    }
    case "deal":
      return {
        body: dealBody(step, await ports.wishes.stage(step), has, wanted, marker, associations),
        note: granted.note,
      };
    case "company":
      return { body: companyBody(step, has, wanted), note: granted.note };
    default:
      return step satisfies never;
  }
}

/** Our key is taken: by an earlier try whose answer was lost. Its fields stay as they are now; only associations are made sure of. */
async function adopt(
  step: KeyedStep,
  object: ObjectName,
  refs: Refs,
  conflict: WireResponse,
  records: Records,
): Promise<Ref> {
  const found = await findByKey(object, step.key, records);
  if (found === undefined) return await adoptArchived(step, object, conflict, records);
  for (const key of "about" in step ? step.about : []) {
    const ref = known(refs, key);
    await records.associate(object, found.id, recordObjectOf(ref.kind), ref.id);
  }
  return await records.refOf(object, found.id, true);
}

/** Somebody at HubSpot deleted what we made. That is their word on it: it is not made again. */
async function adoptArchived(
  step: KeyedStep,
  object: ObjectName,
  conflict: WireResponse,
  records: Records,
): Promise<Ref> {
  const archived = await records.get(object, step.key, { idProperty: ownProperties.key, archived: "true" });
  if (archived !== undefined)
    return await records.refOf(object, archived.id, true, "it was deleted at HubSpot and is not made again");
  throw new Refused({ kind: "ambiguous", reason: `${reasonOf(conflict)}; but no record with this key can be read` });
}

async function findByKey(object: ObjectName, key: string, records: Records): Promise<HubspotRecord | undefined> {
  const record = await records.get(object, key, { idProperty: ownProperties.key, properties: ownProperties.key });
  return record?.archived === true ? undefined : record;
}

/** The key was looked for and is the vendor's to keep single; that the contact is gone whose list would show more says nothing against it. */
function unlessGone(error: unknown): undefined {
  if (error instanceof Refused && error.failure.kind === "permanent") return undefined;
  throw error;
}

function rethrow(error: unknown): never {
  throw error;
}

/**
 * The create carried all associations in one call, so that the list of any one record it belongs to shows it. Also where the account
 * enforces the key now: it may not have when the record was made, which then carries the marker only.
 */
async function findListed(
  step: KeyedStep,
  object: ObjectName,
  refs: Refs,
  { readBack }: KeyedPorts,
): Promise<HubspotRecord | undefined> {
  const [from] = ownersOf(step, refs);
  if (from === undefined) return undefined;
  return await readBack.ours(from, object, step.key, step.kind === "activity" ? step.at : undefined);
}

/** The records whose lists would show this step's record: people first, whose lists are the shortest. */
function ownersOf(step: KeyedStep, refs: Refs): Owner[] {
  const targets = ("about" in step ? step.about : []).map((key) => known(refs, key));
  targets.sort((a, b) => Number(b.kind === "person") - Number(a.kind === "person"));
  return targets.map((ref) => ({ object: recordObjectOf(ref.kind), id: ref.id }));
}
