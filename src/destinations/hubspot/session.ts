/** One HubSpot account at work: hands each step to what knows its kind. */
import type { DestinationPorts, Refs, Session, Snapshot, Whole } from "../../model/destination.ts";
import type { Step, StepKind } from "../../model/step.ts";
import { permanent } from "../shared/calls.ts";
import { openHands } from "../shared/hands.ts";
import { type AccountSettings, openAccount } from "./account.ts";
import { openApi } from "./api.ts";
import { shownProperties, watchedProperties } from "./bodies.ts";
import { check, fix } from "./doctor.ts";
import { openFiles } from "./files.ts";
import { openKeyed } from "./keyed.ts";
import { bodyOfPerson, findKnown, putPerson } from "./people.ts";
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

  type End = Parameters<Session["link"]>[0];
  const link = async (from: End, to: End): Promise<undefined> =>
    void (await records.associate(recordObjectOf(from.kind), from.id, recordObjectOf(to.kind), to.id));
  const unlink = async (from: End, to: End): Promise<void> =>
    await records.dissociate(recordObjectOf(from.kind), from.id, recordObjectOf(to.kind), to.id);
  const archive = async (kind: StepKind, id: string): Promise<void> => await records.archive(recordObjectOf(kind), id);
  const { find, put } = openHands({
    vendor: "HubSpot",
    person: {
      find: (step) => findKnown(step, records),
      put: (step) => putPerson(step, { records, account, wishes, owner }),
    },
    company: {
      find: keyed.find,
      async put(step, refs) {
        if (!step.create) throw permanent("HubSpot has no such company, and this step may not create one");
        return await keyed.put(step, refs);
      },
    },
    deal: keyed,
    activity: keyed,
    file: files,
    link,
    unlink,
    archive,
  });

  async function asMade(step: Step, refs: Refs): Promise<Snapshot["fields"] | undefined> {
    switch (step.kind) {
      case "person":
        return (await bodyOfPerson(step, { account, wishes, owner })).body.properties;
      case "company":
      case "deal":
      case "activity":
        return await keyed.properties(step, refs);
      case "file":
      case "link":
      case "unlink":
      case "archive":
      case "event_copy":
        return undefined;
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
    async asMade(step, refs) {
      const object = objectOf(step.kind);
      const made = await asMade(step, refs);
      if (object === undefined || made === undefined) return undefined;
      const more = "fields" in step ? Object.keys(step.fields ?? {}) : [];
      return picked(made, [...shownProperties[object], ...watchedProperties[object], ...more].join(","));
    },
    link,
    unlink,
    archive,
  };
}
