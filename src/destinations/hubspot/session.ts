/** One HubSpot account at work: hands each step to what knows its kind. */
import type { DestinationPorts, Ref, Refs, Session, Snapshot, Whole } from "../../model/destination.ts";
import type { Step, StepKind } from "../../model/step.ts";
import { known, permanent } from "../shared/calls.ts";
import { type AccountSettings, openAccount } from "./account.ts";
import { openApi } from "./api.ts";
import { shownProperties, watchedProperties } from "./bodies.ts";
import { check, fix } from "./doctor.ts";
import { openFiles } from "./files.ts";
import { openKeyed } from "./keyed.ts";
import { findKnown, putPerson } from "./people.ts";
import { openReadBack } from "./readback.ts";
import { objectOf, openRecords, recordObjectOf } from "./records.ts";
import { openWishes } from "./wishes.ts";

export interface SessionSettings extends AccountSettings {
  readonly owner_id?: string | undefined;
  readonly html: boolean;
}

/** HubSpot shows properties that nobody asked for, its own times among them. */
const picked = (given: Snapshot["fields"], names: string): Snapshot["fields"] => {
  const asked = new Set(names.split(","));
  return Object.fromEntries(Object.entries(given).filter(([name]) => asked.has(name)));
};

export function openSession(settings: SessionSettings, { wire, clock, metrics }: DestinationPorts): Session {
  const api = openApi({ wire, clock, metrics });
  const account = openAccount(api, settings);
  const records = openRecords(api, account);
  const readBack = openReadBack(api);
  const owner = settings.owner_id;
  const files = openFiles(records, settings.html);
  const wishes = openWishes(api, clock);
  const keyed = openKeyed({ wishes, api, account, records, readBack, owner, html: settings.html });

  async function find(step: Step, refs: Refs): Promise<Ref | undefined> {
    switch (step.kind) {
      case "person":
        return await findKnown(step, records);
      case "company":
      case "deal":
      case "activity":
        return await keyed.find(step, refs);
      case "file":
        return await files.find(step, refs);
      case "link":
      case "unlink":
      case "archive":
      case "event_copy":
        return undefined;
      default:
        return step satisfies never;
    }
  }

  async function put(step: Step, refs: Refs): Promise<Ref> {
    switch (step.kind) {
      case "person":
        return await putPerson(step, { records, account, wishes, owner });
      case "company":
        if (!step.create) throw permanent("HubSpot has no such company, and this step may not create one");
        return await keyed.put(step, refs);
      case "deal":
      case "activity":
        return await keyed.put(step, refs);
      case "file":
        return await files.put(step, refs);
      case "link":
      case "unlink": {
        const [from, to] = [known(refs, step.from), known(refs, step.to)];
        const join = step.kind === "link" ? records.associate : records.dissociate;
        await join(recordObjectOf(from.kind), from.id, recordObjectOf(to.kind), to.id);
        return { id: from.id };
      }
      case "archive": {
        const target = known(refs, step.target);
        await records.archive(recordObjectOf(target.kind), target.id);
        return { id: target.id };
      }
      case "event_copy":
        throw permanent("HubSpot has no place for a copy of the event; send copies to a destination made for events");
      default:
        return step satisfies never;
    }
  }

  async function read(kind: StepKind, id: string, whole?: Whole): Promise<Snapshot | undefined> {
    const object = objectOf(kind);
    if (object === undefined) return undefined;
    const more = whole === undefined ? [] : [...watchedProperties[object], ...whole.fields];
    const properties = [...new Set([...shownProperties[object], ...more])].join(",");
    const record =
      (await records.get(object, id, { properties })) ??
      (await records.get(object, id, { properties, archived: "true" }));
    if (record === undefined) return undefined;
    const found = { id: record.id, archived: record.archived === true, fields: picked(record.properties, properties) };
    return whole === undefined || found.archived ? found : { ...found, links: await readBack.links({ object, id }) };
  }

  return {
    check: async () => await check(api, account),
    account: async () => `hubspot:${(await account.portal()).portalId}`,
    async fix() {
      account.forget();
      return await fix(api);
    },
    async dedupe(kind) {
      // A list of files makes no record.
      const object = kind === "file" ? undefined : objectOf(kind);
      // Links, their removal and lists of files say how things shall be: repeating them changes nothing.
      return object === undefined ? { tier: "unique-key", absenceProvable: true } : await account.dedupe(object);
    },
    find,
    put,
    read,
    link: async (from, to) =>
      await records.associate(recordObjectOf(from.kind), from.id, recordObjectOf(to.kind), to.id),
    unlink: async (from, to) =>
      await records.dissociate(recordObjectOf(from.kind), from.id, recordObjectOf(to.kind), to.id),
    archive: async (kind, id) => await records.archive(recordObjectOf(kind), id),
  };
}
