/** What one Close organization has: which one it is, and our own custom fields in it. Asked once, remembered. */

import { Refused } from "../../model/outcome.ts";
import type { Clock } from "../../model/ports.ts";
import { openMemo } from "../shared/calls.ts";
import { type Api, type FieldObject, fieldsSchema, meSchema, paths, shaped } from "./api.ts";

/** Ours alone: nothing else writes them. Close lets a field be found by its name only in the list of fields. */
export const ownFields = {
  lead: {
    name: "Mailwright company",
    description: "Which company this lead is to Mailwright, so that its people come together here. Do not edit.",
  },
  contact: { name: "Mailwright flags", description: "What Mailwright found worth knowing of this contact." },
  opportunity: {
    name: "Mailwright key",
    description: "Keeps an opportunity single when Mailwright has to try again. Do not edit.",
  },
} as const satisfies Readonly<Record<FieldObject, { name: string; description: string }>>;
/** Tells a contact that a call of ours made from one that was there: what was made without it is taken for somebody else's. */
export const contactKey = {
  object: "contact",
  name: "Mailwright key",
  description: "Tells a contact that Mailwright made from one that was there. Do not edit.",
} as const;

export interface OwnField {
  readonly object: FieldObject;
  readonly name: string;
  readonly description: string;
}
export const allOwn: readonly OwnField[] = [
  ...(["lead", "contact", "opportunity"] as const).map((object) => ({ object, ...ownFields[object] })),
  contactKey,
];

export interface CustomField {
  readonly id: string;
  readonly name: string;
}

export interface Account {
  /** Blocked when it is not the organization that the configuration names. */
  organization(): Promise<string>;
  /** All custom fields of the object. */
  fields(object: FieldObject): Promise<readonly CustomField[]>;
  /** The id of our own; undefined where it was not made. */
  own(object: FieldObject): Promise<string | undefined>;
  /** The same of any of ours. */
  idOf(field: Pick<OwnField, "object" | "name">): Promise<string | undefined>;
  /** Blocked where it was not made: mail that waits is not lost, a doubled opportunity stays doubled. */
  needed(object: FieldObject): Promise<string>;
  forget(): void;
  /** What Close refuses because a field of ours is gone is tried again, and then blocked until the field is back: no mail is at fault. */
  guarded<T>(work: () => Promise<T>): Promise<T>;
}

export function openAccount(api: Api, wanted: string | undefined, clock: Clock): Account {
  // An administrator who takes a field away is noticed by the refusal that follows (`guarded`).
  const memo = openMemo(clock, Number.POSITIVE_INFINITY);
  const organization = () => memo.once("organization", () => askOrganization(api, wanted));

  const fields = (object: FieldObject): Promise<readonly CustomField[]> =>
    memo.once(object, async () => {
      await organization();
      return await api.all(fieldsSchema, (skip) => paths.fieldsFrom(object, skip), "custom_field");
    });
  const idOf = async ({ object, name }: Pick<OwnField, "object" | "name">): Promise<string | undefined> =>
    (await fields(object)).find((field) => field.name === name)?.id;
  const own = (object: FieldObject) => idOf({ object, name: ownFields[object].name });

  return {
    organization,
    fields,
    own,
    idOf,
    async needed(object) {
      const found = await own(object);
      if (found !== undefined) return found;
      memo.forget();
      const reason = `Close has no custom field "${ownFields[object].name}" on ${object} records: run mailwright doctor --fix`;
      throw new Refused({ kind: "blocked", reason });
    },
    forget: memo.forget,
    async guarded(work) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof Refused) || error.failure.kind !== "permanent") throw error;
        const { reason } = error.failure;
        if (!(await namesOwn(reason))) throw error;
        memo.forget();
        throw new Refused({ kind: "retryable", reason: `${reason}; asking again which fields there are` });
      }
    },
  };

  async function namesOwn(reason: string): Promise<boolean> {
    if (!/\bcustom\.cf_/.test(reason)) return false;
    for (const field of allOwn) {
      const id = await idOf(field);
      if (id !== undefined && reason.includes(`custom.${id}`)) return true;
    }
    return false;
  }
}

async function askOrganization(api: Api, wanted: string | undefined): Promise<string> {
  const answer = await api.call({ method: "GET", path: paths.me, object: "me" }, false);
  const { organizations } = shaped(meSchema, answer, false);
  const ids = organizations.map(({ id }) => id);
  const blocked = (reason: string) => new Refused({ kind: "blocked", reason });
  if (wanted !== undefined) {
    if (ids.includes(wanted)) return wanted;
    throw blocked(
      `the API key is for ${ids.join(", ") || "no organization"}, the configuration's organization_id says ${wanted}`,
    );
  }
  const [only, ...others] = ids;
  if (only === undefined) throw blocked("the API key belongs to no organization at Close");
  if (others.length > 0) throw blocked(`the API key shows ${ids.length} organizations: say which in organization_id`);
  return only;
}
