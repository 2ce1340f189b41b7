/** What stands on what at Tryton: people and companies by a relation, opportunities by their party and contact, notes by their one record. */
import type { KnownRef } from "../../model/destination.ts";
import { permanent } from "../shared/calls.ts";
import type { Account } from "./account.ts";
import type { Values } from "./api.ts";
import type { Deals } from "./deals.ts";
import {
  idRow,
  noteFields,
  noteSchema,
  numberOf,
  type Opportunity,
  opportunityFields,
  opportunitySchema,
  type Records,
  resourceOf,
} from "./records.ts";

export type End = Pick<KnownRef, "kind" | "id">;

export interface Links {
  /** Repeating it changes nothing. What could not be had, in words. */
  add(from: End, to: End): Promise<string | undefined>;
  remove(from: End, to: End): Promise<void>;
}

export const linkedElsewhere = "a note at Tryton stands on one record, and this one stands on another";
export const stays = "Tryton keeps a note on the record where it was made";

export interface LinksPorts {
  readonly records: Records;
  readonly account: Account;
  readonly deals: Deals;
}

/** In either order. */
function pairOf(one: End, other: End, first: KnownRef["kind"], second: KnownRef["kind"]): [End, End] | undefined {
  if (one.kind === first && other.kind === second) return [one, other];
  return other.kind === first && one.kind === second ? [other, one] : undefined;
}

export function openLinks({ records, account, deals }: LinksPorts): Links {
  async function opportunity(id: string): Promise<Opportunity> {
    const found = await records.get("sale.opportunity", id, opportunitySchema, [...opportunityFields, "_timestamp"]);
    if (found === undefined) throw permanent(`Tryton has no opportunity ${id} any more`);
    return found;
  }

  /** Refused where somebody has changed it since it was read: nobody's choice is written over. */
  const change = async ({ id, _timestamp }: Opportunity, values: Values): Promise<void> =>
    await records.write("sale.opportunity", String(id), values, _timestamp ?? undefined);

  async function relations(person: End, company: End, type: string): Promise<readonly number[]> {
    const domain = [
      ["from_", "=", numberOf(person.id)],
      ["to", "=", numberOf(company.id)],
      ["type", "=", Number(type)],
    ];
    const rows = await records.all("party.relation.all", { row: idRow, domain, fields: ["type"] });
    return rows.map(({ id }) => id);
  }

  async function employ(person: End, company: End): Promise<string | undefined> {
    // An address that is the company's own: info@, say.
    if (person.id === company.id) return undefined;
    const type = await account.relation();
    if (type === undefined) return "Tryton knows no relation of people to companies here: see mailwright doctor";
    if ((await relations(person, company, type)).length > 0) return undefined;
    const values = { from_: numberOf(person.id), to: numberOf(company.id), type: Number(type) };
    await records.create("party.relation.all", values);
    return undefined;
  }

  /** Whether it is one of the two that the opportunity names. */
  const names = (deal: Opportunity, { id }: End): boolean =>
    String(deal.party) === id || String(deal["contact."]?.party) === id;

  /** What somebody filled in stays. */
  async function takePart(dealEnd: End, party: End): Promise<string | undefined> {
    const deal = await opportunity(dealEnd.id);
    if (names(deal, party)) return undefined;
    if (party.kind === "person" && deal.contact == null) {
      const contact = await deals.contactOf(party.id);
      if (contact !== undefined) {
        const own = deal.party == null ? { party: numberOf(party.id) } : {};
        await change(deal, { contact, ...own });
        return undefined;
      }
    }
    if (deal.party == null) {
      await change(deal, { party: numberOf(party.id) });
      return undefined;
    }
    return `opportunity ${deal.id} belongs to party ${deal.party} at Tryton: it is left as it is`;
  }

  /** The note's own record, or one that this record leads on to. */
  async function standsOn(note: End, target: End): Promise<boolean> {
    const found = await records.get("ir.note", note.id, noteSchema, noteFields);
    const resource = found?.resource ?? "";
    if (resource === resourceOf(target)) return true;
    const [model, id = ""] = resource.split(",");
    if (target.kind === "deal") return false;
    if (model === "sale.opportunity") return names(await opportunity(id), target);
    const type = await account.relation();
    if (model !== "party.party" || target.kind !== "company" || type === undefined) return false;
    return (await relations({ kind: "person", id }, target, type)).length > 0;
  }

  return {
    async add(from, to) {
      const note = [from, to].find(({ kind }) => kind === "activity");
      if (note !== undefined) {
        if (await standsOn(note, note === from ? to : from)) return undefined;
        throw permanent(linkedElsewhere);
      }
      const job = pairOf(from, to, "person", "company");
      if (job !== undefined) return await employ(...job);
      const part = pairOf(from, to, "deal", "person") ?? pairOf(from, to, "deal", "company");
      if (part !== undefined) return await takePart(...part);
      return `Tryton has no association of a ${from.kind} with a ${to.kind}`;
    },
    async remove(from, to) {
      if (from.kind === "activity" || to.kind === "activity") throw permanent(stays);
      const job = pairOf(from, to, "person", "company");
      if (job !== undefined) {
        const type = await account.relation();
        const ids = type === undefined ? [] : await relations(...job, type);
        for (const id of ids) await records.press("party.relation.all", "delete", String(id));
        return;
      }
      const part = pairOf(from, to, "deal", "person") ?? pairOf(from, to, "deal", "company");
      if (part === undefined) throw permanent(`Tryton has no association of a ${from.kind} with a ${to.kind}`);
      const [dealEnd, party] = part;
      const deal = await opportunity(dealEnd.id);
      const values = {
        ...(String(deal["contact."]?.party) === party.id ? { contact: null } : {}),
        ...(String(deal.party) === party.id ? { party: null } : {}),
      };
      if (Object.keys(values).length > 0) await change(deal, values);
    },
  };
}
