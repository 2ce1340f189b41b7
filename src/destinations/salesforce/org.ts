/** What one org is and can do: its id, which of our fields it has, how long each field may be, and so how records are kept single. Asked now and then. */
import { z } from "zod";
import type { Dedupe } from "../../model/destination.ts";
import { Refused } from "../../model/outcome.ts";
import type { Clock } from "../../model/ports.ts";
import type { WireResponse } from "../../model/wire.ts";
import { openMemo } from "../shared/calls.ts";
import { count, storable } from "../shared/text.ts";
import { type Api, metricName, type ObjectName, paths } from "./api.ts";
import { type Fields, ownFields } from "./bodies.ts";
import { isCode } from "./classify.ts";
import { select } from "./soql.ts";

const fieldSchema = z.object({
  name: z.string(),
  type: z.string(),
  length: z.number().catch(0),
  createable: z.boolean(),
  updateable: z.boolean().catch(false),
  unique: z.boolean().catch(false),
  externalId: z.boolean().catch(false),
  restrictedPicklist: z.boolean().catch(false),
  picklistValues: z.array(z.object({ value: z.string(), active: z.boolean() })).catch([]),
});
export type FieldFacts = z.infer<typeof fieldSchema>;
const describeSchema = z.object({
  fields: z.array(fieldSchema),
  recordTypeInfos: z
    .array(
      z.object({
        name: z.string(),
        developerName: z.string().optional(),
        recordTypeId: z.string(),
        available: z.boolean().catch(true),
        master: z.boolean().catch(false),
      }),
    )
    .catch([]),
});

/** What describe says of one object, as the user of the daemon sees it. */
export interface Shape {
  readonly fields: ReadonlyMap<string, FieldFacts>;
  readonly recordTypes: z.infer<typeof describeSchema>["recordTypeInfos"];
  /** A field that may be set on a new record. */
  has(name: string): boolean;
}

export interface Fitted {
  readonly body: Record<string, string | number | boolean>;
  /** Says what was cut. */
  readonly note: string | undefined;
}

export interface Org {
  id(): Promise<string>;
  name(): Promise<string>;
  /** Undefined where the org has no such object, or the user may not see it. */
  look(object: ObjectName): Promise<Shape | undefined>;
  /** Blocked where the object or our key on it is not there. */
  shape(object: ObjectName): Promise<Shape>;
  /** Of what may become a record of the first object, or of one of the others that the user sees. */
  dedupe(objects: readonly [ObjectName, ...ObjectName[]]): Promise<Dedupe>;
  /** The fields that the org has, each as long as it may be. */
  fitted(object: ObjectName, fields: Fields): Promise<Fitted>;
  /** An administrator changed something: looks again at the next question. */
  forget(): void;
}

/** What an administrator changes in the meantime shows in a refusal, which makes us look again; lengths and lists hardly ever do. */
const forgetMs = 86_400_000;
/** What is not there may be given to the user at any time, and no refusal would tell. */
const absentMs = 600_000;

/** No shape to keep for a day. */
class Absent extends Error {}

export function openOrg(api: Api, clock: Clock): Org {
  const shapes = openMemo(clock, forgetMs);
  const looks = openMemo(clock, absentMs);
  /** An org stays that org. */
  const fixed = openMemo(clock, Number.POSITIVE_INFINITY);

  async function described(object: ObjectName): Promise<Shape> {
    const request = { method: "GET", path: paths.describe(object), object: metricName(object) } as const;
    const isDenied = (answer: WireResponse): boolean =>
      answer.status === 403 && !isCode(answer, "REQUEST_LIMIT_EXCEEDED");
    const answer = await api.call(request, false, isDenied);
    if (answer.status === 403 || answer.status === 404) throw new Absent();
    const { fields, recordTypeInfos } = api.shaped(describeSchema, answer, false);
    const named = new Map(fields.map((field) => [field.name, field]));
    const has = (name: string): boolean => named.get(name)?.createable === true;
    return { fields: named, recordTypes: recordTypeInfos, has };
  }

  const look = (object: ObjectName): Promise<Shape | undefined> =>
    looks.once(object, async () => {
      try {
        return await shapes.once(object, () => described(object));
      } catch (error) {
        if (error instanceof Absent) return undefined;
        throw error;
      }
    });

  function forget(): void {
    shapes.forget();
    looks.forget();
  }

  const organization = () =>
    fixed.once("organization", async () => {
      const soql = select({ fields: ["Id", "Name"], from: "Organization", limit: 1 });
      const [row] = await api.query("Organization", { soql });
      if (row === undefined) throw new Refused({ kind: "retryable", reason: "Salesforce shows no organization" });
      return { id: row.Id, name: String(row.Name ?? "").slice(0, 80) };
    });

  async function shape(object: ObjectName): Promise<Shape> {
    let found = await look(object);
    if (found?.has(ownFields.key) !== true) {
      // Somebody may have deployed it since it was looked at.
      forget();
      found = await look(object);
    }
    if (found === undefined) throw new Refused({ kind: "blocked", reason: noObject(object) });
    if (found.has(ownFields.key)) return found;
    throw new Refused({ kind: "blocked", reason: `${object} has no ${ownFields.key} that may be set: ${deploy}` });
  }

  return {
    id: async () => (await organization()).id,
    name: async () => (await organization()).name,
    look,
    shape,
    async dedupe([object, ...others]) {
      const isUnique = (of: Shape): boolean => of.fields.get(ownFields.key)?.unique === true;
      let areUnique = isUnique(await shape(object));
      for (const other of others) {
        const seen = await look(other);
        areUnique &&= seen === undefined || isUnique(seen);
      }
      // SOQL reads what is committed, without a lag: an empty answer is no record.
      return { tier: areUnique ? "unique-key" : "key-readback", absenceProvable: true };
    },
    async fitted(object, fields) {
      return fittedTo(await shape(object), fields);
    },
    forget,
  };
}

export const deploy = "deploy deploy/salesforce to the org and assign its permission set to the user";

export const noObject = (object: ObjectName): string =>
  object === "EmailMessage"
    ? "this org shows no EmailMessage: turn on Enhanced Email (or Email-to-Case), and give the user its permissions"
    : `this org shows no ${object}: ${deploy}`;

/** What is no text of people's may not be cut: half an address is another one. */
const whole: ReadonlySet<string> = new Set(["Email", "Website", "FromAddress", "MessageIdentifier", ownFields.key]);

/** Null and undefined are left out: nothing is ever emptied. */
export function fittedTo(shape: Shape, fields: Fields): Fitted {
  const body: Record<string, string | number | boolean> = {};
  const cuts: string[] = [];
  for (const [name, value] of Object.entries(fields)) {
    if (value === null || value === undefined) continue;
    const facts = shape.fields.get(name);
    if (facts?.createable !== true) continue;
    if (typeof value !== "string") {
      body[name] = value;
      continue;
    }
    const kept = storable(value);
    if (facts.length === 0 || kept.length <= facts.length || whole.has(name)) {
      body[name] = kept;
      continue;
    }
    body[name] = kept.slice(0, facts.length).toWellFormed();
    cuts.push(`${name} cut to ${count(facts.length)} of ${count(kept.length)} characters`);
  }
  return { body, note: cuts.length === 0 ? undefined : cuts.join("; ") };
}
