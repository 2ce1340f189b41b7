/** People: a party with this very address among its contact mechanisms, or one that is made. */
import { z } from "zod";
import type { Ref } from "../../model/destination.ts";
import type { PersonStep } from "../../model/step.ts";
import { permanent } from "../shared/calls.ts";
import { idSchema } from "./api.ts";
import { literally, partyCode, personValues } from "./bodies.ts";
import type { Parties } from "./parties.ts";
import type { Records } from "./records.ts";
import type { Wishes } from "./wishes.ts";

export interface People {
  find(step: PersonStep): Promise<Ref | undefined>;
  put(step: PersonStep): Promise<Ref>;
}

const mechanismSchema = z.looseObject({
  id: idSchema,
  value: z.string().nullish(),
  party: idSchema,
  "party.": z.looseObject({ code: z.string().nullish() }),
});

export function openPeople(records: Records, parties: Parties, wishes: Wishes): People {
  /** `ilike`, since people write addresses in any case; what it finds is looked at again. The oldest party is it for every reader. */
  async function byAddress(given: string, step: PersonStep): Promise<Ref | undefined> {
    const address = given.toLowerCase();
    const domain = [
      ["type", "=", "email"],
      ["value", "ilike", literally(address)],
      ["party.active", "=", true],
    ];
    const search = { row: mechanismSchema, domain, fields: ["value", "party", "party.code"] };
    const rows = await records.all("party.contact_mechanism", search);
    const same = rows.filter(({ value }) => value?.trim().toLowerCase() === address);
    const [first] = same.sort((a, b) => a.party - b.party);
    if (first === undefined) return undefined;
    const all = new Set(same.map(({ party }) => party)).size;
    const note = all > 1 ? { note: `Tryton has ${all} parties with this address; the oldest is taken` } : {};
    const ours = first["party."].code === partyCode(step);
    return records.refOf(String(first.party), true, { ours, ...note });
  }

  async function find(step: PersonStep): Promise<Ref | undefined> {
    const own = await byAddress(step.email, step);
    if (own !== undefined) return own;
    for (const other of step.also ?? []) {
      const found = await byAddress(other, step);
      if (found !== undefined) return { ...found, note: "known under another address of the same person" };
    }
    return undefined;
  }

  return {
    find,
    async put(step) {
      // Made by somebody since the pipeline looked: the code keeps our own single, not theirs.
      const known = await find(step);
      if (known !== undefined) return known;
      if (!step.create) throw permanent("Tryton has no such party, and this step may not create one");
      const { values, note } = await wishes.of("party.party", step);
      return await parties.make(partyCode(step), personValues(step, values), note);
    },
  };
}
