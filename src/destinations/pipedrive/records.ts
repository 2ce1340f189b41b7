/** Single records: read, created, changed and removed, with Pipedrive's answers turned into refs. */
import type { KnownRef, Ref, Refs } from "../../model/destination.ts";
import type { StepKind } from "../../model/step.ts";
import type { WireResponse } from "../../model/wire.ts";
import { known, permanent } from "../shared/calls.ts";
import type { Account } from "./account.ts";
import { type Api, asks, type ObjectName, oneSchema, type PipedriveRecord, type Query } from "./api.ts";
import type { Places } from "./bodies.ts";
import { isTooLong } from "./classify.ts";

const objects: Partial<Record<StepKind, ObjectName>> = {
  person: "persons",
  company: "organizations",
  deal: "deals",
  activity: "activities",
  // Its lines stand in the note of the activity.
  file: "activities",
};
/** Undefined for a step that leaves no record at Pipedrive. */
export const objectOf = (kind: StepKind): ObjectName | undefined => objects[kind];

/** Throws Refused (permanent) for a step that leaves no record. */
export function recordObjectOf(kind: StepKind): ObjectName {
  const object = objects[kind];
  if (object === undefined) throw permanent(`a step of kind ${kind} leaves no record at Pipedrive`);
  return object;
}

/** Throws Refused (permanent) for what is no id of Pipedrive's: another account's, or another vendor's. */
export function numberOf(id: string): number {
  const number = Number(id);
  if (!/^\d{1,15}$/.test(id) || !Number.isSafeInteger(number))
    throw permanent(`${JSON.stringify(id.slice(0, 40))} is no id of Pipedrive's`);
  return number;
}

/** The records that a step belongs to, each once. What Pipedrive has no room for is said in `left`. */
export interface Placed extends Places {
  readonly left: readonly string[];
}

export function placesOf(kind: "deal" | "activity", about: readonly string[], refs: Refs): Placed {
  const of = (wanted: StepKind): number[] => [
    ...new Set(
      about
        .map((key): KnownRef => known(refs, key))
        .filter((ref) => ref.kind === wanted)
        .map(({ id }) => numberOf(id)),
    ),
  ];
  const [persons, organizations, deals] = [of("person"), of("company"), of("deal")];
  const beyond = (word: string, ids: readonly number[], room: number): string[] =>
    ids
      .slice(room)
      .map(
        (id) => `${word} ${id}: Pipedrive has room for one ${word} on ${kind === "deal" ? "a deal" : "an activity"}`,
      );
  const left = [
    ...beyond("organization", organizations, 1),
    ...(kind === "deal" ? beyond("person", persons, 1) : beyond("deal", deals, 1)),
  ];
  return { persons, organization: organizations[0], deal: kind === "deal" ? undefined : deals[0], left };
}

const pages: Partial<Record<ObjectName, string>> = { persons: "person", organizations: "organization", deals: "deal" };

type CreateBody = object & { readonly custom_fields?: Readonly<Record<string, unknown>> };

export interface Records {
  /** With the page where a person can see it; an activity has none. */
  refOf(object: ObjectName, id: string, adopted: boolean, note?: string): Promise<Ref>;
  /** Undefined where there is none; a deleted one may still be there, and says so. */
  get(object: ObjectName, id: string, query?: Query): Promise<PipedriveRecord | undefined>;
  /** Undefined where a value was called too long. Refused otherwise. */
  create(object: ObjectName, body: CreateBody): Promise<PipedriveRecord | undefined>;
  /** Answers a success, a 404 where it is gone, or a value called too long (`isTooLong`); Refused otherwise. */
  update(object: ObjectName, id: string, body: object): Promise<WireResponse>;
  remove(object: ObjectName, id: string): Promise<void>;
}

export function openRecords(api: Api, account: Account): Records {
  return {
    async refOf(object, id, adopted, note) {
      const { domain } = await account.company();
      const page = domain === undefined ? undefined : pages[object];
      const url = page === undefined ? {} : { url: `https://${domain}.pipedrive.com/${page}/${id}` };
      return { id, ...url, adopted, ...(note === undefined ? {} : { note }) };
    },
    async get(object, id, query) {
      const answer = await api.call(asks.one(object, String(numberOf(id)), query), false);
      return answer.status === 404 ? undefined : api.shaped(oneSchema, answer, false).data;
    },
    async create(object, body) {
      const answer = await api.call(asks.create(object, body), true, isTooLong);
      if (isTooLong(answer)) return undefined;
      const made = api.shaped(oneSchema, answer, true).data;
      // Not said to be refused: a company without the field may just leave the value out.
      const { custom_fields: kept } = made;
      if (Object.keys(body.custom_fields ?? {}).some((code) => kept != null && kept[code] == null)) account.doubt();
      return made;
    },
    update: async (object, id, body) =>
      await api.call(
        asks.update(object, String(numberOf(id)), body),
        true,
        (reply) => reply.status === 404 || isTooLong(reply),
      ),
    async remove(object, id) {
      // A 404 means that it is gone, which is what was asked for.
      await api.call(asks.remove(object, String(numberOf(id))), true, ({ status }) => status === 404);
    },
  };
}
