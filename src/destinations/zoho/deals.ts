/** Deals: made once under our key, found again by it or by the lists of those that they belong to, and the open ones of a contact. */
import type { KnownRef, Ref, Refs } from "../../model/destination.ts";
import type { DealStep } from "../../model/step.ts";
import { known, permanent, together } from "../shared/calls.ts";
import { endsWithMarker, markerOf } from "../shared/text.ts";
import { textIn, type ZohoRecord } from "./api.ts";
import { dealBody } from "./bodies.ts";
import { ownFields } from "./fields.ts";
import type { Links } from "./links.ts";
import type { PeoplePorts } from "./people.ts";
import { adopted, type Own, type Place, placeOf, unreadable } from "./records.ts";

export interface Deals {
  find(step: DealStep, refs: Refs): Promise<Ref | undefined>;
  put(step: DealStep, refs: Refs): Promise<Ref>;
  /** Ids of a person's open deals, the newest first. */
  openOf(person: Place): Promise<readonly string[]>;
}

export interface DealPorts extends PeoplePorts {
  readonly links: Links;
  /** Deals are expected to close so many days after they were made: a date is mandatory. */
  readonly closingDays: number;
}

const module = "Deals";
const dayMs = 86_400_000;

export function openDeals(ports: DealPorts): Deals {
  const { records, account, wishes, links, clock } = ports;

  async function byKey(step: DealStep): Promise<ZohoRecord | undefined> {
    if (!(await account.module(module)).has(ownFields.key)) return undefined;
    return (await records.query(module, [], `${ownFields.key} = '${step.key}'`))[0];
  }

  /** The list of whom it belongs to shows a deal at once. By our key or, of one made without, by the marker in its description. */
  async function listed(step: DealStep, refs: Refs): Promise<ZohoRecord | undefined> {
    const [owner] = ownersOf(step, refs);
    if (owner === undefined) return undefined;
    const marker = markerOf(step.key);
    const all = await records.related(owner, module, [ownFields.key, "Description"]);
    return all
      .toReversed()
      .find((one) => textIn(one, ownFields.key) === step.key || endsWithMarker(textIn(one, "Description"), marker));
  }

  /** Without a contact or an account there is no list to be found in, and a lost answer could never be read back. */
  async function refuseUnfindable(step: DealStep, refs: Refs): Promise<void> {
    const { tier } = await account.dedupe("deal");
    if (tier !== "unique-key" && ownersOf(step, refs).length === 0)
      throw permanent(
        "this Zoho organisation cannot keep deals single by a key, so one without a contact or account could not be found again",
      );
  }

  async function make(step: DealStep, refs: Refs): Promise<Ref> {
    const targets = targetsOf(step, refs);
    const contact = targets.find(({ place }) => place.module === "Contacts")?.place.id;
    const firm = targets.find(({ place }) => place.module === "Accounts")?.place.id;
    const granted = await wishes.of(module, step);
    const closing = new Date(clock.now() + ports.closingDays * dayMs).toISOString().slice(0, 10);
    const parts = { ...(await wishes.stage(step)), closing, contact, account: firm };
    const wanted = { owner: granted.owner ?? ports.owner, fields: granted.fields };
    const built = dealBody(step, parts, await account.module(module), wanted);
    const outcome = await records.create(module, built.body);
    if ("made" in outcome) {
      const deal = { kind: "deal", id: outcome.made } as const;
      const notes = [built.note, granted.note];
      for (const { ref, place } of targets)
        if (place.id !== contact && place.id !== firm) notes.push(await links.add(deal, ref));
      return records.refOf({ module, id: outcome.made }, false, together(...notes));
    }
    const own: Own = {
      key: step.key,
      fields: ["Description"],
      isKnown: (record) => endsWithMarker(textIn(record, "Description"), markerOf(step.key)),
    };
    const place = (await adopted(module, outcome.duplicate, own, ports)) ?? (await byKeyAs(step));
    if (place === undefined) throw unreadable(outcome.duplicate, own);
    const notes: (string | undefined)[] = [];
    for (const { ref } of targets) notes.push(await links.add({ kind: "deal", id: place.id }, ref));
    return { ...records.refOf(place, true, together(...notes)), ours: true };
  }

  async function byKeyAs(step: DealStep): Promise<Place | undefined> {
    const record = await byKey(step);
    return record === undefined ? undefined : { module, id: record.id };
  }

  return {
    async find(step, refs) {
      const { tier } = await account.dedupe("deal");
      const found = (await byKey(step)) ?? (tier === "unique-key" ? undefined : await listed(step, refs));
      return found === undefined ? undefined : { ...records.refOf({ module, id: found.id }, true), ours: true };
    },
    async put(step, refs) {
      await refuseUnfindable(step, refs);
      return await make(step, refs);
    },
    async openOf(person) {
      // A lead has no deals: it has to be converted first.
      if (person.module !== "Contacts") return [];
      const open: { id: string; at: number }[] = [];
      for (const record of await records.related(person, module, ["Stage", "Created_Time"])) {
        if (await wishes.isClosed(textIn(record, "Stage"))) continue;
        open.push({ id: record.id, at: Date.parse(textIn(record, "Created_Time") ?? "") || 0 });
      }
      // Ids grow; they decide between two of one second, and are longer than a double is exact.
      open.sort((a, b) => b.at - a.at || b.id.length - a.id.length || (b.id < a.id ? -1 : 1));
      return open.map(({ id }) => id);
    },
  };
}

const targetsOf = (step: DealStep, refs: Refs): { ref: KnownRef; place: Place }[] =>
  [...new Set(step.about)].map((key) => {
    const ref = known(refs, key);
    return { ref, place: placeOf(ref.kind, ref.id) };
  });

/** Whose lists would show the deal: contacts first, whose lists are the shortest. */
const ownersOf = (step: DealStep, refs: Refs): Place[] =>
  targetsOf(step, refs)
    .map(({ place }) => place)
    .filter((place) => place.module === "Contacts" || place.module === "Accounts")
    .sort((a, b) => Number(b.module === "Contacts") - Number(a.module === "Contacts"));
