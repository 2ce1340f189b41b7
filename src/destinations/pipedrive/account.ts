/** What one Pipedrive company has: who it is, and the keys of the custom fields that are ours. Asked once, remembered. */
import { z } from "zod";
import { Refused } from "../../model/outcome.ts";
import type { Clock } from "../../model/ports.ts";
import { type Api, asks, fieldsSchema, type ObjectName } from "./api.ts";

export interface AccountSettings {
  readonly company_id?: string | undefined;
  readonly activity_type: string;
}

/** The names that people see; each company has its own keys for them. */
export const ownFields = {
  persons: { key: "Mailwright key", source: "Mailwright source", flags: "Mailwright flags" },
  organizations: { key: "Mailwright key", domain: "Mailwright domain" },
  deals: { key: "Mailwright key" },
} as const;
export type KeyedObject = keyof typeof ownFields;
export const keyedObjects = Object.keys(ownFields) as readonly KeyedObject[];

export interface Field {
  readonly code: string;
  readonly name: string;
  readonly type: string;
  readonly custom: boolean;
  readonly options: readonly { readonly id: number | string | boolean; readonly label: string }[];
}

/** Our fields of one object, by the word that the code has for each. */
export type Codes<O extends KeyedObject> = Readonly<Record<keyof (typeof ownFields)[O], string>>;

export interface Company {
  readonly id: string;
  readonly domain: string | undefined;
}

export interface Account {
  /** Blocked when it is not the company that the configuration names. */
  company(): Promise<Company>;
  /** All fields of an object. */
  fields(object: ObjectName): Promise<readonly Field[]>;
  /** Blocked where one is missing or there twice; the company is known from then on. */
  codes<O extends KeyedObject>(object: O): Promise<Codes<O>>;
  /** The company's fields changed: looks again at the next question. */
  forget(): void;
  /** They may have changed: looks again at the next question, and not for every record that says so. */
  doubt(): void;
  /** Whether one of these keys was ever known and is there no more, by an answer that is newer than what held it. */
  areGone(codes: readonly string[]): Promise<boolean>;
}

const meSchema = z.object({
  data: z.object({
    company_id: z
      .union([z.number(), z.string()])
      .transform(String)
      .pipe(z.string().regex(/^\w{1,40}$/)),
    company_domain: z.string().nullish().catch(undefined),
  }),
});

/** A value that Pipedrive leaves out for another reason must not cost a look at the fields with each record. */
const doubtMs = 600_000;

export function openAccount(api: Api, settings: AccountSettings, clock: Pick<Clock, "now">): Account {
  let doubtedAt = Number.NEGATIVE_INFINITY;
  const remembered = new Map<string, Promise<unknown>>();
  /** All keys that its answers have named: several calls under way may carry one that the first of them found gone. */
  const everKnown = new Map<ObjectName, Set<string>>();
  /** One question at a time; its answer is kept, its failure is not. */
  function once<T>(name: string, ask: () => Promise<T>): Promise<T> {
    const held = remembered.get(name);
    if (held !== undefined) return held as Promise<T>;
    const answer = ask().catch((error: unknown) => {
      remembered.delete(name);
      throw error;
    });
    remembered.set(name, answer);
    return answer;
  }

  const company = (): Promise<Company> => once("company", () => askCompany(api, settings));
  const fields = (object: ObjectName): Promise<readonly Field[]> =>
    once(`fields ${object}`, async () => {
      const there = await askFields(api, object);
      const known = everKnown.get(object) ?? new Set();
      for (const { code } of there) known.add(code);
      everKnown.set(object, known);
      return there;
    });
  return {
    company,
    fields,
    async codes(object) {
      await company();
      const found = standingsOf(object, await fields(object));
      const faults = found.filter(({ codes }) => codes.length !== 1).map((one) => faultOf(object, one));
      if (faults.length > 0) {
        // Somebody will mend it, from another process: the next question is asked of Pipedrive again.
        remembered.delete(`fields ${object}`);
        throw new Refused({ kind: "blocked", reason: faults.join("; ") });
      }
      return Object.fromEntries(found.map(({ word, codes: [code] }) => [word, code])) as Codes<typeof object>;
    },
    forget,
    doubt() {
      const now = clock.now();
      if (now - doubtedAt < doubtMs && now >= doubtedAt) return;
      doubtedAt = now;
      forget();
    },
    async areGone(codes) {
      for (const object of keyedObjects) {
        const named = codes.filter((code) => everKnown.get(object)?.has(code) === true);
        const isGone = (there: readonly Field[]) => named.some((code) => !there.some((field) => field.code === code));
        if (named.length === 0) continue;
        if (isGone(await fields(object))) return true;
        remembered.delete(`fields ${object}`);
        if (isGone(await fields(object))) return true;
      }
      return false;
    },
  };

  function forget(): void {
    for (const object of keyedObjects) remembered.delete(`fields ${object}`);
  }
}

export interface Standing {
  readonly word: string;
  readonly name: string;
  readonly codes: readonly string[];
}

export function standingsOf(object: KeyedObject, fields: readonly Field[]): Standing[] {
  return Object.entries(ownFields[object]).map(([word, name]) => ({
    word,
    name,
    codes: fields
      .filter((field) => field.custom && field.name.trim().toLowerCase() === name.toLowerCase())
      .map(({ code }) => code),
  }));
}

export const faultOf = (object: KeyedObject, { name, codes }: Standing): string =>
  codes.length === 0
    ? `Pipedrive has no field "${name}" on ${object}: run mailwright doctor --fix`
    : `Pipedrive has ${codes.length} fields "${name}" on ${object}: rename all but the one that holds values`;

async function askCompany(api: Api, settings: AccountSettings): Promise<Company> {
  const { company_id: id, company_domain: domain } = api.shaped(meSchema, await api.call(asks.me, false), false).data;
  if (settings.company_id !== undefined && settings.company_id !== id) {
    const reason = `the token is for Pipedrive company ${id}, the configuration's company_id says ${settings.company_id}`;
    throw new Refused({ kind: "blocked", reason });
  }
  const known = domain != null && /^[a-z0-9][a-z0-9-]{0,62}$/i.test(domain);
  return { id, domain: known ? domain : undefined };
}

const mostPages = 20;

async function askFields(api: Api, object: ObjectName): Promise<readonly Field[]> {
  const found: Field[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < mostPages; page++) {
    const answer = await api.call(asks.fields(object, cursor), false);
    const { data, additional_data } = api.shaped(fieldsSchema, answer, false);
    for (const field of data ?? []) {
      found.push({
        code: field.field_code,
        name: field.field_name,
        type: field.field_type,
        custom: field.is_custom_field ?? /^[0-9a-f]{40}$/.test(field.field_code),
        options: field.options ?? [],
      });
    }
    cursor = additional_data?.next_cursor ?? undefined;
    if (cursor === undefined) return found;
  }
  throw new Refused({ kind: "retryable", reason: `Pipedrive's list of fields of ${object} does not end` });
}
