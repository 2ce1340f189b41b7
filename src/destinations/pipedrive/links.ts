/**
 * Which record stands on which. An activity has any number of persons, but one organization and one deal; a deal one person and one
 * organization; a person one organization. What a person at Pipedrive put in such a place stays there.
 */
import type { Ref } from "../../model/destination.ts";
import type { StepKind } from "../../model/step.ts";
import { permanent } from "../shared/calls.ts";
import type { ObjectName, PipedriveRecord } from "./api.ts";
import { isTooLong, reasonOf } from "./classify.ts";
import { movedDescription, ownOf } from "./note.ts";
import { numberOf, type Records, recordObjectOf } from "./records.ts";

export interface End {
  readonly kind: StepKind;
  readonly id: string;
}

export interface Links {
  /** Refused (permanent) where the place is taken. */
  link(from: End, to: End): Promise<void>;
  /** Of a record that moves: takes the place of what we put there, and leaves what anybody else did. */
  move(from: End, to: End): Promise<Ref>;
  unlink(from: End, to: End): Promise<void>;
}

type Slot = "person_id" | "org_id" | "deal_id";

interface Joint {
  readonly object: ObjectName;
  readonly id: string;
  readonly slot: Slot;
  readonly value: number;
  readonly word: "person" | "organization" | "deal";
}

const ranks: readonly ObjectName[] = ["activities", "deals", "persons", "organizations"];
const places: Partial<Record<ObjectName, Pick<Joint, "slot" | "word">>> = {
  persons: { slot: "person_id", word: "person" },
  organizations: { slot: "org_id", word: "organization" },
  deals: { slot: "deal_id", word: "deal" },
};

/** The record that holds the other's id, whichever way it was asked for. */
function jointOf(from: End, to: End): Joint {
  const [holder, held] = [
    { object: recordObjectOf(from.kind), id: from.id },
    { object: recordObjectOf(to.kind), id: to.id },
  ].sort((a, b) => ranks.indexOf(a.object) - ranks.indexOf(b.object)) as [
    { object: ObjectName; id: string },
    { object: ObjectName; id: string },
  ];
  const place = places[held.object];
  if (place === undefined || holder.object === held.object)
    throw permanent(`Pipedrive cannot associate ${holder.object} with ${held.object}`);
  return { ...holder, ...place, value: numberOf(held.id) };
}

const hasMany = ({ object, slot }: Joint): boolean => object === "activities" && slot === "person_id";

export function openLinks(records: Records): Links {
  async function holder({ object, id }: Joint): Promise<PipedriveRecord> {
    const record = await records.get(object, id);
    if (record === undefined || record.is_deleted === true)
      throw permanent(`Pipedrive has no ${object.slice(0, -1)} ${id} any more`);
    return record;
  }

  async function write({ object, id }: Joint, body: object): Promise<void> {
    const answer = await records.update(object, id, body);
    if (answer.status === 404 || isTooLong(answer)) throw permanent(reasonOf(answer));
  }

  async function addPerson(joint: Joint, record: PipedriveRecord): Promise<void> {
    const there = record.participants ?? [];
    if (there.some(({ person_id }) => person_id === joint.value)) return;
    await write(joint, { participants: participantsBody([...there, { person_id: joint.value }]) });
  }

  return {
    async link(from, to) {
      const joint = jointOf(from, to);
      const record = await holder(joint);
      if (hasMany(joint)) return await addPerson(joint, record);
      const there = record[joint.slot];
      if (there === joint.value) return;
      if (there != null) throw permanent(takenBy(joint, there));
      await write(joint, { [joint.slot]: joint.value });
    },
    async move(from, to) {
      const joint = jointOf(from, to);
      const record = await holder(joint);
      const done = { id: joint.id };
      if (hasMany(joint)) {
        await addPerson(joint, record);
        return done;
      }
      const there = record[joint.slot];
      if (there === joint.value) return done;
      if (there != null && !isOurs(joint, record, there)) return { ...done, note: takenBy(joint, there) };
      await write(joint, bodyOf(joint, record, joint.value));
      return done;
    },
    async unlink(from, to) {
      const joint = jointOf(from, to);
      const record = await records.get(joint.object, joint.id);
      if (record === undefined || record.is_deleted === true) return;
      if (hasMany(joint)) {
        const there = record.participants ?? [];
        const rest = there.filter(({ person_id }) => person_id !== joint.value);
        if (rest.length < there.length) await write(joint, { participants: participantsBody(rest) });
        return;
      }
      if (record[joint.slot] !== joint.value) return;
      await write(joint, bodyOf(joint, record, null));
    },
  };
}

/** One of them is the first: whose list shows the activity for sure. */
export function participantsBody(all: readonly { person_id: number; primary?: boolean | null | undefined }[]) {
  const first = Math.max(
    0,
    all.findIndex(({ primary }) => primary === true),
  );
  return all.map(({ person_id }, index) => ({ person_id, primary: index === first }));
}

/** An activity says of itself what we put it on; of deals and persons nothing tells. */
function isOurs({ object, word }: Joint, record: PipedriveRecord, there: number): boolean {
  if (object !== "activities" || word === "person") return false;
  return ownOf(record.public_description)[word] === String(there);
}

function bodyOf({ object, slot, word }: Joint, record: PipedriveRecord, value: number | null): object {
  const change = { [slot]: value };
  if (object !== "activities" || word === "person" || record.public_description == null) return change;
  const moved = movedDescription(record.public_description, word, value === null ? undefined : String(value));
  return { ...change, public_description: moved };
}

const takenBy = ({ object, id, word, value }: Joint, there: number): string =>
  `${object.slice(0, -1)} ${id} is on ${word} ${there} at Pipedrive already, and has no room for ${word} ${value}`.replace(
    "activitie ",
    "activity ",
  );
