/** Acorn's API as paths and shapes, and what its answers mean. The one place with a version. */
import { z } from "zod";
import type { Failure } from "../../model/outcome.ts";
import type { WireResponse } from "../../model/wire.ts";
import { edge, isUnreadable, oneLine, redirected, retryAfterMs } from "../shared/words.ts";

export const apiVersion = "v1";

export type ObjectName = "people" | "companies" | "deals" | "mails";

const one = encodeURIComponent;
const root = `/${apiVersion}`;

/** Every value from outside is percent-encoded here. */
export const paths = {
  account: `${root}/account`,
  all: (object: ObjectName) => `${root}/${object}`,
  by: (object: ObjectName, field: "key" | "email", value: string) => `${root}/${object}?${field}=${one(value)}`,
  record: (object: ObjectName, id: string) => `${root}/${object}/${one(id)}`,
  member: (mail: string, person: string) => `${root}/mails/${one(mail)}/people/${one(person)}`,
} as const;

/** It becomes part of paths: what is no plain word is nobody's id. */
const id = z.string().regex(/^[\w-]{1,64}$/);
const words = z.string().nullish().catch(null);

export const accountSchema = z.object({ id });
export const recordSchema = z.looseObject({
  id,
  archived: z.boolean().catch(false),
  name: words,
  email: words,
  stage: words,
  subject: words,
  person_ids: z.array(id).catch([]),
  company_id: id.nullish().catch(null),
});
export type AcornRecord = z.infer<typeof recordSchema>;
export const listSchema = z.object({ items: z.array(recordSchema) });
/** A 409 names the record that has the key, or the address, already. */
export const takenSchema = z.object({ id });

const errorBody = z.object({ error: z.string() });

/** Pure: the table of docs/crm/acorn.md. Undefined for what is no failure. */
export function classify(answer: WireResponse, write: boolean, now: number): Failure | undefined {
  const { status } = answer;
  const reason = reasonOf(answer);
  if (status >= 200 && status < 300) {
    if (!isUnreadable(answer)) return undefined;
    // Something happened, and nobody knows what: a write is looked for before it is repeated.
    return { kind: write ? "ambiguous" : "retryable", reason: `${reason}: the body cannot be read` };
  }
  if (status >= 500) return { kind: write ? "ambiguous" : "retryable", reason };
  if (status < 400) return redirected(reason);
  if (!errorBody.safeParse(answer.json).success) return edge("Acorn", reason, now);
  switch (status) {
    case 401:
    case 403:
      return { kind: "blocked", reason: `${reason}; Acorn does not take the token (docs/crm/acorn.md)` };
    case 404:
      return write ? { kind: "permanent", reason } : undefined;
    case 408:
      return { kind: "retryable", reason };
    case 429:
      return {
        kind: "rate_limited",
        reason,
        until: now + (retryAfterMs(answer.headers["retry-after"], now) ?? 10_000),
      };
    default:
      return { kind: "permanent", reason };
  }
}

export const isUnclassified = (status: number): boolean =>
  status >= 400 && status < 500 && ![400, 401, 403, 404, 408, 409, 422, 429].includes(status);

/** The vendor's own words, without addresses and tokens: they go into logs and dead letters. */
function reasonOf({ status, json }: WireResponse): string {
  const said = errorBody.safeParse(json).data?.error;
  return said === undefined ? `Acorn answered ${status}` : `Acorn answered ${status}: ${oneLine(said)}`;
}
