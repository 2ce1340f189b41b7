/** Companies: a party that carries our code, or the website of the domain, or for which somebody of the domain works. */
import { z } from "zod";
import type { Ref, Refs } from "../../model/destination.ts";
import type { CompanyStep } from "../../model/step.ts";
import { permanent } from "../shared/calls.ts";
import type { Account } from "./account.ts";
import { idSchema } from "./api.ts";
import { companyValues, hostOf, literally, partyCode } from "./bodies.ts";
import type { Parties } from "./parties.ts";
import { numberOf, type Records } from "./records.ts";
import type { Wishes } from "./wishes.ts";

export interface Companies {
  find(step: CompanyStep, refs: Refs): Promise<Ref | undefined>;
  put(step: CompanyStep, refs: Refs): Promise<Ref>;
}

const mechanismSchema = z.object({ value: z.string().nullish(), party: idSchema });
const relationSchema = z.object({ to: idSchema });
/** No mail asks for more companies than that (mapping/filed.ts). */
const mostPeople = 5;

export interface CompaniesPorts {
  readonly records: Records;
  readonly parties: Parties;
  readonly account: Account;
  readonly wishes: Wishes;
}

export function openCompanies({ records, parties, account, wishes }: CompaniesPorts): Companies {
  const mechanisms = async (domain: readonly unknown[]) => {
    const search = {
      row: mechanismSchema,
      domain: [...domain, ["party.active", "=", true]],
      fields: ["value", "party"],
    };
    return await records.all("party.contact_mechanism", search);
  };

  async function byWebsite(domain: string): Promise<Ref | undefined> {
    const rows = await mechanisms([
      ["type", "=", "website"],
      ["value", "ilike", `%${literally(domain)}%`],
    ]);
    const same = rows.filter(({ value }) => hostOf(value ?? "") === domain).map(({ party }) => party);
    return same.length === 0 ? undefined : records.refOf(String(Math.min(...same)), true);
  }

  /** Where somebody has put a person of this domain, there that person's mail belongs. */
  async function throughPeople(domain: string, refs: Refs): Promise<Ref | undefined> {
    const type = await account.relation();
    const people = [...refs.values()].filter(({ kind }) => kind === "person").slice(0, mostPeople);
    if (type === undefined || people.length === 0) return undefined;
    const rows = await mechanisms([
      ["party", "in", people.map(({ id }) => numberOf(id))],
      ["type", "=", "email"],
      ["value", "ilike", `%@${literally(domain)}`],
    ]);
    if (rows.length === 0) return undefined;
    const relations = await records.search("party.relation.all", {
      row: relationSchema,
      domain: [
        ["from_", "in", rows.map(({ party }) => party)],
        ["type", "=", Number(type)],
        ["to.active", "=", true],
      ],
      fields: ["to"],
      limit: 1,
    });
    const [first] = relations;
    return first === undefined ? undefined : records.refOf(String(first.to), true);
  }

  async function find(step: CompanyStep, refs: Refs): Promise<Ref | undefined> {
    const domain = step.domain.toLowerCase();
    return (await parties.byCode(partyCode(step))) ?? (await byWebsite(domain)) ?? (await throughPeople(domain, refs));
  }

  return {
    find,
    async put(step, refs) {
      if (!step.create) {
        const known = await find(step, refs);
        if (known !== undefined) return known;
        throw permanent("Tryton has no such company, and this step may not create one");
      }
      const { values, note } = await wishes.of("party.party", step);
      return await parties.make(partyCode(step), companyValues(step, values), note);
    },
  };
}
