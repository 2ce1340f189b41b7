/** Parties, people and companies alike: made once under a code that Tryton keeps unique, and found again by it where that is taken. */
import type { Ref } from "../../model/destination.ts";
import { Refused } from "../../model/outcome.ts";
import type { Values } from "./api.ts";
import { type Party, partySchema, type Records } from "./records.ts";

export interface Parties {
  byCode(code: string): Promise<Ref | undefined>;
  /** Made, or adopted where the code is taken: by an earlier try whose answer was lost, or by another call at this moment. */
  make(code: string, values: Values, note: string | undefined): Promise<Ref>;
}

const partyFields = ["name", "code", "active", "replaced_by"];
/** A party that replaced one may have been replaced since. */
const mostReplacements = 10;

export function openParties(records: Records): Parties {
  /** Whoever merged two parties, or deactivated one, has said what shall be: it is neither made again nor woken. */
  async function standing(party: Party): Promise<Ref> {
    let last = party;
    for (let steps = 0; last.replaced_by != null && steps < mostReplacements; steps++) {
      const next = await records.get("party.party", String(last.replaced_by), partySchema, partyFields);
      if (next === undefined) break;
      last = next;
    }
    const id = String(last.id);
    if (last.id !== party.id) return records.refOf(id, true, { note: "it was merged into this party at Tryton" });
    const note = "it was deactivated at Tryton, and is not made again";
    return records.refOf(id, true, { ours: true, ...(party.active === false ? { note } : {}) });
  }

  async function byCode(code: string): Promise<Ref | undefined> {
    const domain = [
      ["code", "=", code],
      ["active", "in", [true, false]],
    ];
    const [found] = await records.search("party.party", { row: partySchema, domain, fields: partyFields, limit: 1 });
    return found === undefined ? undefined : await standing(found);
  }

  return {
    byCode,
    async make(code, values, note) {
      const made = await records.tryCreate("party.party", values);
      if (!(made instanceof Refused)) return records.refOf(made, false, note === undefined ? {} : { note });
      // Whatever language its words are in: a party with this code is the proof.
      const there = await byCode(code);
      if (there === undefined) throw made;
      return there;
    },
  };
}
