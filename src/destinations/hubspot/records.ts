/** Single records: read, created, archived and associated, with HubSpot's answers turned into refs. */
import type { Ref, Refs } from "../../model/destination.ts";
import { Refused } from "../../model/outcome.ts";
import type { StepKind } from "../../model/step.ts";
import type { WireResponse } from "../../model/wire.ts";
import { known, permanent } from "../shared/calls.ts";
import { openGather } from "../shared/gather.ts";
import type { Account } from "./account.ts";
import {
  type Api,
  type Association,
  associationTo,
  type HubspotRecord,
  metricName,
  type ObjectName,
  paths,
  recordSchema,
  recordsSchema,
  shaped,
} from "./api.ts";
import { type CreateBody, ownProperties, shownProperties, type UpdateBody } from "./bodies.ts";
import { isTooLong, namesOwnProperty, reasonOf } from "./classify.ts";
import { batchReadBody, onlyMissing } from "./readback.ts";

const objects: Partial<Record<StepKind, ObjectName>> = {
  person: "contacts",
  company: "companies",
  deal: "deals",
  activity: "emails",
  // Its lines stand in the text of the activity.
  file: "emails",
};
/** Undefined for a step that leaves no record at HubSpot. */
export const objectOf = (kind: StepKind): ObjectName | undefined => objects[kind];

/** Throws Refused (permanent) for a step that leaves no record. */
export function recordObjectOf(kind: StepKind): ObjectName {
  const object = objects[kind];
  if (object === undefined) throw permanent(`a step of kind ${kind} leaves no record at HubSpot`);
  return object;
}

/** The associations of a record to come, each target once. */
export function associationsOf(object: ObjectName, about: readonly string[], refs: Refs): Association[] {
  const made = new Map<string, Association>();
  for (const key of about) {
    const ref = known(refs, key);
    const association = associationTo(object, recordObjectOf(ref.kind), ref.id);
    if (association === undefined) throw permanent(`HubSpot cannot associate ${object} with a ${ref.kind}`);
    made.set(`${ref.kind}:${ref.id}`, association);
  }
  return [...made.values()];
}

const typeIds: Readonly<Record<ObjectName, string>> = {
  contacts: "0-1",
  companies: "0-2",
  deals: "0-3",
  emails: "0-49",
};

export interface Records {
  /** With the page where a person can see it. Ask the account for its properties before a write: then this asks nothing any more. */
  refOf(object: ObjectName, id: string, adopted: boolean, note?: string): Promise<Ref>;
  get(object: ObjectName, id: string, query: Readonly<Record<string, string>>): Promise<HubspotRecord | undefined>;
  /** The contact that HubSpot files this address under. With others that are asked for at the same time, where that is one call. */
  byEmail(address: string): Promise<HubspotRecord | undefined>;
  /** Answers a success, a conflict (`isConflict`) or a body called too long (`isTooLong`); Refused otherwise. */
  create(object: ObjectName, body: CreateBody): Promise<WireResponse>;
  /** Answers a success, a 404 where it is gone, or a body called too long (`isTooLong`); Refused otherwise. */
  update(object: ObjectName, id: string, body: UpdateBody): Promise<WireResponse>;
  archive(object: ObjectName, id: string): Promise<void>;
  associate(from: ObjectName, id: string, to: ObjectName, toId: string): Promise<void>;
  dissociate(from: ObjectName, id: string, to: ObjectName, toId: string): Promise<void>;
}

/** As many as one call takes. */
const mostTogether = 100;
const contactProperties = [...new Set([...shownProperties.contacts, "hs_additional_emails", ownProperties.key])];

export const addressesOf = ({ properties }: HubspotRecord): string[] =>
  [properties.email, ...(properties.hs_additional_emails ?? "").split(";")].flatMap((one) => {
    const address = one?.trim().toLowerCase() ?? "";
    return address === "" ? [] : [address];
  });

export function openRecords(api: Api, account: Account): Records {
  type Found = { readonly record: HubspotRecord | undefined };
  const byEmail = openGather<Found>({
    size: mostTogether,
    async one(address) {
      const query = { idProperty: "email", properties: contactProperties.join(",") };
      return { record: await get("contacts", address, query) };
    },
    async many(addresses) {
      const body = { ...batchReadBody(addresses, contactProperties), idProperty: "email" };
      const request = { method: "POST", path: paths.batchRead("contacts"), object: "contact", body } as const;
      const answer = await api.call(request, false);
      const { results } = shaped(recordsSchema, answer, false);
      const found = new Map<string, Found>();
      for (const record of results) for (const address of addressesOf(record)) found.set(address, { record });
      const isWhole = results.every((record) => addressesOf(record).some((one) => addresses.includes(one)));
      // Of one that is filed under another address nobody can tell here whose it is: those that found nothing are asked for alone.
      if (isWhole && onlyMissing(answer))
        for (const address of addresses) if (!found.has(address)) found.set(address, { record: undefined });
      return found;
    },
  });

  async function get(object: ObjectName, id: string, query: Readonly<Record<string, string>>) {
    const answer = await api.call(
      { method: "GET", path: paths.object(object, id, query), object: metricName(object) },
      false,
    );
    return answer.status === 404 ? undefined : shaped(recordSchema, answer, false);
  }

  return {
    async refOf(object, id, adopted, note) {
      const { portalId, uiDomain } = await account.portal();
      const url = `https://${uiDomain}/contacts/${portalId}/record/${typeIds[object]}/${id}`;
      return { id, url, adopted, ...(note === undefined ? {} : { note }) };
    },
    get,
    byEmail: async (address) => (await byEmail.get(address)).record,
    async create(object, body) {
      const request = { method: "POST", path: paths.objects(object), object: metricName(object), body } as const;
      const answer = await api.call(request, true, (reply) => isTooLong(reply) || namesOwnProperty(reply));
      if (!namesOwnProperty(answer)) return answer;
      account.forget(object);
      throw new Refused({
        kind: "retryable",
        reason: `${reasonOf(answer)}; asking again which properties the account has`,
      });
    },
    async update(object, id, body) {
      const request = { method: "PATCH", path: paths.object(object, id), object: metricName(object), body } as const;
      return await api.call(request, true, (reply) => reply.status === 404 || isTooLong(reply));
    },
    async archive(object, id) {
      // 204 also for what never was; a 404 means that it is gone, which is what was asked for.
      const request = { method: "DELETE", path: paths.object(object, id), object: metricName(object) } as const;
      await api.call(request, true, ({ status }) => status === 404);
    },
    async associate(from, id, to, toId) {
      // The default association, in both directions; repeating it changes nothing.
      await api.call(
        { method: "PUT", path: paths.defaultAssociation(from, id, to, toId), object: "association" },
        true,
      );
    },
    async dissociate(from, id, to, toId) {
      const request = { method: "DELETE", path: paths.association(from, id, to, toId), object: "association" } as const;
      await api.call(request, true, ({ status }) => status === 404);
    },
  };
}
