/** One account at work: finds, creates, adopts and associates records, each step by the tier that the account allows. */
import type { DestinationPorts, KnownRef, Ref, Refs, Session, Snapshot } from "../../model/destination.ts";
import { Refused } from "../../model/outcome.ts";
import type { ActivityStep, CompanyStep, DealStep, PersonStep, Step, StepKind } from "../../model/step.ts";
import type { WireResponse } from "../../model/wire.ts";
import { type AccountSettings, openAccount } from "./account.ts";
import {
  type Association,
  associationTo,
  type HubspotRecord,
  type ObjectName,
  openApi,
  paths,
  recordSchema,
  recordsSchema,
  shaped,
} from "./api.ts";
import {
  type CreateBody,
  companyBody,
  contactBody,
  dealBody,
  emailBody,
  noteBody,
  ownProperties,
  shownProperties,
} from "./bodies.ts";
import { existingId, isConflict, isTooLong, namesOwnProperty, reasonOf } from "./classify.ts";
import { metricName, type Owner, oldest, openReadBack } from "./readback.ts";
import { bodyOf, halvedBodyChars, markerOf, maxBodyChars } from "./text.ts";

export interface SessionSettings extends AccountSettings {
  readonly owner_id?: string | undefined;
  readonly html: boolean;
}

type FileStep = Extract<Step, { kind: "file" }>;
/** Steps that become a record with our key. */
type KeyedStep = ActivityStep | DealStep | CompanyStep | FileStep;

const objectOf: Partial<Record<StepKind, ObjectName>> = {
  person: "contacts",
  company: "companies",
  deal: "deals",
  activity: "emails",
  file: "notes",
};
const typeIds: Readonly<Record<ObjectName, string>> = {
  contacts: "0-1",
  companies: "0-2",
  deals: "0-3",
  notes: "0-46",
  emails: "0-49",
};

const permanent = (reason: string): Refused => new Refused({ kind: "permanent", reason });

export function openSession(settings: SessionSettings, { wire, clock, metrics }: DestinationPorts): Session {
  const api = openApi({ wire, clock, metrics });
  const account = openAccount(api, settings);
  const readBack = openReadBack(api);
  const owner = settings.owner_id;

  async function refOf(object: ObjectName, id: string, adopted: boolean, note?: string): Promise<Ref> {
    const { portalId, uiDomain } = await account.portal();
    const url = `https://${uiDomain}/contacts/${portalId}/record/${typeIds[object]}/${id}`;
    return { id, url, adopted, ...(note === undefined ? {} : { note }) };
  }

  async function get(
    object: ObjectName,
    id: string,
    query: Readonly<Record<string, string>>,
  ): Promise<HubspotRecord | undefined> {
    const answer = await api.call(
      { method: "GET", path: paths.object(object, id, query), object: metricName(object) },
      false,
    );
    return answer.status === 404 ? undefined : shaped(recordSchema, answer, false);
  }

  // --- People: HubSpot itself keeps addresses single, secondary ones included.

  async function findPerson(email: string): Promise<Ref | undefined> {
    const address = email.toLowerCase();
    const properties = shownProperties.contacts.join(",");
    const record = await get("contacts", address, { idProperty: "email", properties });
    if (record === undefined || record.archived === true) return undefined;
    const known = [record.properties.email, ...(record.properties.hs_additional_emails ?? "").split(";")];
    const same = known.some((candidate) => candidate?.trim().toLowerCase() === address);
    return await refOf(
      "contacts",
      record.id,
      true,
      same ? undefined : "HubSpot files this address under a contact with another address",
    );
  }

  async function putPerson(step: PersonStep): Promise<Ref> {
    if (!step.create) {
      const found = await findPerson(step.email);
      if (found === undefined) throw permanent("HubSpot has no such contact, and this step may not create one");
      return found;
    }
    const has = await account.has("contacts");
    const answer = await create("contacts", contactBody(step, has, owner));
    if (!isConflict(answer)) return await refOf("contacts", shaped(recordSchema, answer, true).id, false);
    const id = existingId(answer);
    if (id !== undefined) return await refOf("contacts", id, true);
    const found = await findPerson(step.email);
    if (found !== undefined) return found;
    throw new Refused({
      kind: "ambiguous",
      reason: `${reasonOf(answer)}; but no contact with this address can be read`,
    });
  }

  // --- Records with our key.

  /** A create whose conflict is an answer, not a failure. */
  async function create(object: ObjectName, body: CreateBody): Promise<WireResponse> {
    const request = { method: "POST", path: paths.objects(object), object: metricName(object), body } as const;
    const answer = await api.call(request, true, (reply) => isTooLong(reply) || namesOwnProperty(reply));
    if (namesOwnProperty(answer)) {
      account.forget(object);
      throw new Refused({
        kind: "retryable",
        reason: `${reasonOf(answer)}; asking again which properties the account has`,
      });
    }
    return answer;
  }

  async function bodyFor(
    step: KeyedStep,
    refs: Refs,
    limit: number,
  ): Promise<{ body: CreateBody; note: string | undefined }> {
    const object = objectOfKeyed(step);
    const has = await account.has(object);
    const marker = has(ownProperties.key) ? undefined : markerOf(step.key);
    const associations = "about" in step ? associationsOf(object, step.about, refs) : [];
    switch (step.kind) {
      case "activity": {
        const shaped = bodyOf(step, limit, marker, settings.html);
        return { body: emailBody(step, shaped, has, owner, associations), note: shaped.note };
      }
      case "deal":
        return { body: dealBody(step, has, owner, marker, associations), note: undefined };
      case "company":
        return { body: companyBody(step, has, owner), note: undefined };
      case "file":
        return { body: noteBody(step, clock.now(), has, owner, marker, associations), note: undefined };
      default:
        return step satisfies never;
    }
  }

  async function putKeyed(step: KeyedStep, refs: Refs): Promise<Ref> {
    const object = objectOfKeyed(step);
    const { tier } = await account.dedupe(object);
    if (tier !== "unique-key" && object !== "companies" && ownersOf(step, refs).length === 0) {
      const reason = `this HubSpot account cannot keep ${object} single by a key, so one without a contact could not be found again`;
      throw permanent(reason);
    }
    const whole = await bodyFor(step, refs, maxBodyChars);
    let { note } = whole;
    let answer = await create(object, whole.body);
    if (isTooLong(answer)) {
      const halved = await bodyFor(step, refs, halvedBodyChars);
      note = halved.note;
      answer = await create(object, halved.body);
      if (isTooLong(answer)) throw permanent(`${reasonOf(answer)}; also with half the text`);
    }
    if (isConflict(answer)) return await adopt(step, object, refs, answer);
    return await refOf(object, shaped(recordSchema, answer, true).id, false, note);
  }

  /** Our key is taken: by an earlier try whose answer was lost. Its fields are left as they are now; only associations are made sure of. */
  async function adopt(step: KeyedStep, object: ObjectName, refs: Refs, conflict: WireResponse): Promise<Ref> {
    const found = await findByKey(object, step.key);
    if (found === undefined) return await adoptArchived(step, object, conflict);
    for (const target of "about" in step ? step.about : []) {
      const ref = refs.get(target);
      if (ref !== undefined) await associate(object, found.id, objectOfRef(ref), ref.id);
    }
    return await refOf(object, found.id, true);
  }

  /** Somebody at HubSpot deleted what we made. That is their word on it: it is not made again. */
  async function adoptArchived(step: KeyedStep, object: ObjectName, conflict: WireResponse): Promise<Ref> {
    const archived = await get(object, step.key, { idProperty: ownProperties.key, archived: "true" });
    if (archived === undefined) {
      throw new Refused({
        kind: "ambiguous",
        reason: `${reasonOf(conflict)}; but no record with this key can be read`,
      });
    }
    return await refOf(object, archived.id, true, "it was deleted at HubSpot and is not made again");
  }

  async function findByKey(object: ObjectName, key: string): Promise<HubspotRecord | undefined> {
    const record = await get(object, key, { idProperty: ownProperties.key, properties: ownProperties.key });
    return record?.archived === true ? undefined : record;
  }

  async function findKeyed(step: KeyedStep, refs: Refs): Promise<Ref | undefined> {
    const object = objectOfKeyed(step);
    const { tier } = await account.dedupe(object);
    const record =
      tier === "unique-key"
        ? await findByKey(object, step.key)
        : object === "companies"
          ? undefined
          : await findUnenforced(step, object, refs, tier);
    if (record === undefined && step.kind === "company") return await findCompany(step, refs);
    return record === undefined ? undefined : await refOf(object, record.id, true);
  }

  /** The create carried all associations in one call, so that the list of any one record it belongs to shows it. */
  async function findUnenforced(
    step: KeyedStep,
    object: ObjectName,
    refs: Refs,
    tier: string,
  ): Promise<HubspotRecord | undefined> {
    const [from] = ownersOf(step, refs);
    if (from === undefined) return undefined;
    if (tier === "key-readback") return await readBack.byKey(from, object, step.key);
    return await readBack.byMarker(from, object, step.key, step.kind === "activity" ? step.at : undefined);
  }

  /** A domain is not unique at HubSpot, and HubSpot makes companies by itself: the contact's own company first, then a search. */
  async function findCompany(step: CompanyStep, refs: Refs): Promise<Ref | undefined> {
    const domain = step.domain.toLowerCase();
    const fits = (record: HubspotRecord) => record.properties.domain?.toLowerCase() === domain;
    for (const ref of refs.values()) {
      if (ref.kind !== "person") continue;
      const own = oldest(
        (await readBack.associated({ object: "contacts", id: ref.id }, "companies", ["domain"])).filter(fits),
      );
      if (own !== undefined) return await refOf("companies", own.id, true);
    }
    // All five fields are required; an empty `query` would change the result.
    const filter = { propertyName: "domain", operator: "EQ", value: domain };
    const body = { filterGroups: [{ filters: [filter] }], properties: ["domain"], sorts: [], limit: 100, after: "0" };
    const request = {
      method: "POST",
      path: paths.search("companies"),
      object: "company",
      budget: "search",
      body,
    } as const;
    const found = oldest(shaped(recordsSchema, await api.call(request, false), false).results.filter(fits));
    return found === undefined ? undefined : await refOf("companies", found.id, true);
  }

  // --- Associations.

  function associationsOf(object: ObjectName, about: readonly string[], refs: Refs): Association[] {
    const made = new Map<string, Association>();
    for (const key of about) {
      const ref = known(refs, key);
      const association = associationTo(object, objectOfRef(ref), ref.id);
      if (association === undefined) throw permanent(`HubSpot cannot associate ${object} with ${ref.kind}`);
      made.set(`${ref.kind}:${ref.id}`, association);
    }
    return [...made.values()];
  }

  /** The default association, in both directions; repeating it changes nothing. */
  async function associate(from: ObjectName, id: string, to: ObjectName, toId: string): Promise<void> {
    const path = paths.defaultAssociation(from, id, to, toId);
    await api.call({ method: "PUT", path, object: "association" }, true);
  }

  async function dissociate(from: ObjectName, id: string, to: ObjectName, toId: string): Promise<void> {
    const path = paths.association(from, id, to, toId);
    await api.call({ method: "DELETE", path, object: "association" }, true, ({ status }) => status === 404);
  }

  async function archive(object: ObjectName, id: string): Promise<void> {
    // 204 also for what never was; 404 means that it is gone, which is what was asked.
    await api.call(
      { method: "DELETE", path: paths.object(object, id), object: metricName(object) },
      true,
      ({ status }) => status === 404,
    );
  }

  async function read(kind: StepKind, id: string): Promise<Snapshot | undefined> {
    const object = objectOf[kind];
    if (object === undefined) return undefined;
    const properties = shownProperties[object].join(",");
    const record = (await get(object, id, { properties })) ?? (await get(object, id, { properties, archived: "true" }));
    return record === undefined
      ? undefined
      : { id: record.id, archived: record.archived === true, fields: record.properties };
  }

  async function put(step: Step, refs: Refs): Promise<Ref> {
    switch (step.kind) {
      case "person":
        return await putPerson(step);
      case "company":
        if (!step.create) throw permanent("HubSpot has no such company, and this step may not create one");
        return await putKeyed(step, refs);
      case "deal":
      case "activity":
      case "file":
        return await putKeyed(step, refs);
      case "link":
      case "unlink": {
        const [from, to] = [known(refs, step.from), known(refs, step.to)];
        const join = step.kind === "link" ? associate : dissociate;
        await join(objectOfRef(from), from.id, objectOfRef(to), to.id);
        return { id: from.id };
      }
      case "archive": {
        const target = known(refs, step.target);
        await archive(objectOfRef(target), target.id);
        return { id: target.id };
      }
      case "event_copy":
        throw permanent("HubSpot has no place for a copy of the event; send copies to a destination made for events");
      default:
        return step satisfies never;
    }
  }

  return {
    check: account.check,
    fix: account.fix,
    async dedupe(kind) {
      const object = objectOf[kind];
      // Links and their removal say how things shall be: repeating them changes nothing.
      return object === undefined ? { tier: "unique-key", absenceProvable: true } : await account.dedupe(object);
    },
    async find(step, refs) {
      if (step.kind === "person") return await findPerson(step.email);
      return objectOf[step.kind] === undefined ? undefined : await findKeyed(step as KeyedStep, refs);
    },
    put,
    read,
    link: async (from, to) => await associate(objectOfRef(from), from.id, objectOfRef(to), to.id),
    unlink: async (from, to) => await dissociate(objectOfRef(from), from.id, objectOfRef(to), to.id),
    archive: async (kind, id) => await archive(objectOfRef({ kind }), id),
  };
}

function objectOfKeyed(step: KeyedStep): Exclude<ObjectName, "contacts"> {
  switch (step.kind) {
    case "activity":
      return "emails";
    case "company":
      return "companies";
    case "deal":
      return "deals";
    case "file":
      return "notes";
    default:
      return step satisfies never;
  }
}

function objectOfRef({ kind }: { kind: StepKind }): ObjectName {
  const object = objectOf[kind];
  if (object === undefined) throw permanent(`a step of kind ${kind} leaves no record at HubSpot`);
  return object;
}

function known(refs: Refs, key: string): KnownRef {
  const ref = refs.get(key);
  if (ref === undefined)
    throw permanent(`the step belongs to a record (key ${key.slice(0, 12)}) that no earlier step has left`);
  return ref;
}

/** The records whose lists would show this step's record: people first, whose lists are the shortest. */
function ownersOf(step: KeyedStep, refs: Refs): Owner[] {
  const keys = "about" in step ? step.about : [];
  const targets = keys
    .flatMap((key) => refs.get(key) ?? [])
    .sort((a, b) => Number(b.kind === "person") - Number(a.kind === "person"));
  return targets.map((ref) => ({ object: objectOfRef(ref), id: ref.id }));
}
