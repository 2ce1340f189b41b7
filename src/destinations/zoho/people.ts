/** People: a contact or a lead, found by address or created, never overwritten. Zoho does not keep addresses single, so our key has to. */
import type { Ref } from "../../model/destination.ts";
import type { Clock } from "../../model/ports.ts";
import type { PersonStep } from "../../model/step.ts";
import { permanent, together } from "../shared/calls.ts";
import { openGather } from "../shared/gather.ts";
import { type ModuleName, textIn, type ZohoRecord } from "./api.ts";
import { personBody } from "./bodies.ts";
import { type Account, ownFields } from "./fields.ts";
import { openRecent } from "./recent.ts";
import { adopted, type Own, type Records, unreadable } from "./records.ts";
import type { Wishes } from "./wishes.ts";

export interface PeoplePorts {
  readonly records: Records;
  readonly account: Account;
  readonly wishes: Wishes;
  readonly owner: string | undefined;
  readonly clock: Clock;
  /** How long the index may not show what there is. */
  readonly lagMs: number;
}

export interface People {
  /** By the mail's own address, then by the others that the mapping knows of the same person; contacts before leads. */
  find(step: PersonStep): Promise<Ref | undefined>;
  put(step: PersonStep): Promise<Ref>;
}

/** Nothing in it that a text in COQL would need quoted. */
const isPlain = (email: string): boolean => /^[a-z0-9._%+@-]{3,200}$/.test(email);
const addressFields = ["Email", "Secondary_Email"] as const;
const shown = [...addressFields, ownFields.key];
const mostAddresses = 20;
/** A list in COQL has 50 values at most, and an answer 200 rows. */
const [mostTogether, mostListed, mostRows] = [25, 50, 200];
const addressesOf = (step: PersonStep): string[] =>
  [step.email, ...(step.also ?? [])].slice(0, mostAddresses).map((one) => one.toLowerCase());
const has = (record: ZohoRecord, address: string): boolean =>
  addressFields.some((name) => textIn(record, name)?.trim().toLowerCase() === address);

export function openPeople(ports: PeoplePorts): People {
  const { records, account, wishes } = ports;
  const recent = openRecent(records, account, ports.clock, ports.lagMs);

  /** Those who are looked for at the same time are one query. */
  const gatherOf = (module: ModuleName) =>
    openGather<readonly ZohoRecord[]>({
      size: mostTogether,
      one: async (lines) => await byAddress(module, lines.split("\n"), ports),
      async many(all) {
        const plain = all.filter((lines) => lines.split("\n").every(isPlain));
        const addresses = [...new Set(plain.flatMap((lines) => lines.split("\n")))];
        if (addresses.length === 0 || addresses.length > mostListed) return new Map();
        const rows = await byAddress(module, addresses, ports);
        // More than fit one answer: nobody knows whose are missing.
        return rows.length >= mostRows ? new Map() : new Map(plain.map((lines) => [lines, rows]));
      },
    });
  const gathers = { Contacts: gatherOf("Contacts"), Leads: gatherOf("Leads") };

  async function found(module: "Contacts" | "Leads", step: PersonStep): Promise<Ref | undefined> {
    const addresses = addressesOf(step);
    const all = await gathers[module].get(addresses.join("\n"));
    for (const address of addresses) {
      const own = all.find((one) => has(one, address));
      if (own === undefined) continue;
      const note = address === addresses[0] ? undefined : "known under another address of the same person";
      const ours = textIn(own, ownFields.key) === step.key;
      return { ...records.refOf({ module, id: own.id }, true, note), ours };
    }
    return undefined;
  }

  async function adopt(
    module: "Contacts" | "Leads",
    step: PersonStep,
    taken: Parameters<typeof adopted>[1],
  ): Promise<Ref> {
    const own: Own = {
      key: step.key,
      fields: addressFields,
      isKnown: (record) => addressesOf(step).some((address) => has(record, address)),
    };
    const place = await adopted(module, taken, own, ports);
    if (place !== undefined) return { ...records.refOf(place, true), ours: place.ours };
    const [keyed] = await records.query(module, [], `${ownFields.key} = '${step.key}'`);
    if (keyed !== undefined) return { ...records.refOf({ module, id: keyed.id }, true), ours: true };
    const known = await found(module, step);
    if (known !== undefined) return known;
    throw unreadable(taken, own);
  }

  return {
    find: async (step) =>
      (await found("Contacts", step)) ?? (await found("Leads", step)) ?? (await recent.find(step.key)),
    async put(step) {
      const module: "Contacts" | "Leads" = step.as === "lead" ? "Leads" : "Contacts";
      // Somebody may have made it since it was looked for.
      const known = step.create ? await found(module, step) : undefined;
      if (known !== undefined) return known;
      if (!step.create) throw permanent("Zoho has no such contact or lead, and this step may not create one");
      const there = await account.module(module);
      const granted = await wishes.of(module, step);
      const built = personBody(step, there, { owner: granted.owner ?? ports.owner, fields: granted.fields });
      const outcome = await records.create(module, built.body);
      if ("duplicate" in outcome) return await adopt(module, step, outcome.duplicate);
      const place = { module, id: outcome.made };
      recent.made(step.key, place);
      return records.refOf(place, false, together(built.note, granted.note));
    },
  };
}

/** Those that COQL can be asked for by a condition; the others one by one in the index of search. */
async function byAddress(
  module: ModuleName,
  addresses: readonly string[],
  { records, account }: PeoplePorts,
): Promise<readonly ZohoRecord[]> {
  const plain = addresses.filter(isPlain);
  const found: ZohoRecord[] = [];
  if (plain.length > 0) {
    const list = plain.map((address) => `'${address}'`).join(", ");
    const there = await account.module(module);
    const [first, second] = addressFields.map((name) => `${name} in (${list})`);
    const where = there.has("Secondary_Email") ? `(${first} or ${second})` : `(${first})`;
    found.push(...(await records.query(module, shown, where)));
  }
  for (const other of addresses) if (!isPlain(other)) found.push(...(await records.searchEmail(module, other, shown)));
  return found;
}
