/** Everybody else at work in the account: salespeople, the administrator, Pipedrive's own mailbox sync. */
import type { Fields, ObjectName } from "./schema.ts";
import type { SandboxRecord } from "./store.ts";
import { firstPersonOf, liveOneById, participantsOf, type World } from "./world.ts";

export interface Actors {
  /** A salesperson makes a person by hand. Answers its id. */
  repAddsPerson(person: { name: string; email: string; orgId?: number }): number;
  repAddsOrganization(name: string): number;
  /** Any edit by hand: a renamed person, another organization, a note written on. */
  repEdits(object: ObjectName, id: number, own: Fields): void;
  /** To a stage by its name, or `won`, `lost`. */
  repMovesDeal(id: number, to: string): void;
  repDeletes(object: ObjectName, id: number): void;
  /** The loser is gone from then on; its activities and deals are the survivor's. */
  repMergesPersons(survivor: number, loser: number): void;
  /** A visibility group: the token's user is not shown this record any more. */
  adminHides(object: ObjectName, id: number): void;
  /** Values are gone with it. */
  adminDeletesField(object: ObjectName, name: string): void;
  adminAddsField(object: ObjectName, name: string, type: string, options?: readonly string[]): string;
  /** The same mail, filed by the user's own mailbox: no activity, and without a Message-ID to be seen. */
  mailboxSyncs(mail: { personId: number; subject: string; at: number }): void;
}

export function openActors(world: World): Actors {
  const { store, schema, stages } = world;
  const live = (object: ObjectName, id: number): SandboxRecord => liveOneById(world, object, id);
  return {
    repAddsPerson: ({ name, email, orgId }) =>
      store.create(
        "persons",
        {
          name,
          owner_id: 12,
          emails: [{ value: email, primary: true, label: "work" }],
          ...(orgId === undefined ? {} : { org_id: orgId }),
        },
        {},
      ).id,
    repAddsOrganization: (name) => store.create("organizations", { name, owner_id: 12 }, {}).id,
    repEdits: (object, id, own) => void store.update(live(object, id), own, {}),
    repMovesDeal(id, to) {
      const stage = stages.find(({ name }) => name === to);
      store.update(live("deals", id), stage === undefined ? { status: to } : { stage_id: stage.id }, {});
    },
    repDeletes: (object, id) => void store.remove(live(object, id)),
    repMergesPersons(survivor, loser) {
      store.remove(live("persons", loser));
      for (const deal of [...store.all("deals")])
        if (deal.own.person_id === loser) store.update(deal, { person_id: survivor }, {});
      for (const activity of [...store.all("activities")]) {
        const all = participantsOf(activity);
        if (!all.some(({ person_id }) => person_id === loser)) continue;
        const moved = all.map((one) => (one.person_id === loser ? { ...one, person_id: survivor } : one));
        const first = firstPersonOf(activity) === loser ? survivor : firstPersonOf(activity);
        const once = [...new Map(moved.map((one) => [one.person_id, one])).values()];
        const participants = once.map(({ person_id }) => ({ person_id, primary: person_id === first }));
        store.update(activity, { participants }, {});
      }
    },
    adminHides: (object, id) => void store.hidden.add(`${object} ${id}`),
    adminDeletesField(object, name) {
      const fields = schema.fields.get(object);
      for (const [code, field] of fields ?? []) if (field.name === name) fields?.delete(code);
    },
    adminAddsField: (object, name, type, options) => schema.add(object, name, type, options).code,
    mailboxSyncs: (mail) => void store.mails.push({ id: store.mails.length + 1, ...mail }),
  };
}
