/** What a mapping asks for by name (an owner, a stage, fields), turned into what this database calls it. */
import { z } from "zod";
import type { Clock } from "../../model/ports.ts";
import type { DealStep, PersonStep } from "../../model/step.ts";
import { openMemo, permanent } from "../shared/calls.ts";
import { shortText } from "../shared/text.ts";
import type { Account } from "./account.ts";
import { type Api, idSchema, type Model, type Values } from "./api.ts";
import { literally } from "./bodies.ts";

export interface Granted {
  readonly values: Values;
  /** What could not be had, for the story. */
  readonly note: string | undefined;
}

export interface Wishes {
  /** Refused only by weather: a field that is not there is no reason to lose the mail. */
  of(model: Model, step: Pick<PersonStep, "fields">): Promise<Granted>;
  /** The employee under this address; undefined where there is none. */
  employee(email: string): Promise<number | undefined>;
}

/** Who was not there may be there later; nobody is asked about more often than this. */
const forgetMs = 3_600_000;
/** Ours to set, or Tryton's to count. */
const reserved = new Set([
  "id",
  "code",
  "active",
  "number",
  "reference",
  "state",
  "party",
  "contact",
  "company",
  "employee",
]);
const fieldsSchema = z.record(z.string(), z.looseObject({ type: z.string(), readonly: z.boolean().nullish() }));
const settable = new Set(["char", "text", "selection"]);

export function openWishes(api: Api, account: Account, clock: Clock): Wishes {
  const memo = openMemo(clock, forgetMs);

  async function isSettable(model: Model, name: string): Promise<boolean> {
    if (reserved.has(name) || !/^\w{1,60}$/.test(name)) return false;
    const fields = await memo.once(
      `${model} ${name}`,
      async () =>
        // What is not there is left out of the answer (measured).
        await api.model(model, "fields_get", [[name], await account.context()], fieldsSchema, false),
    );
    const field = new Map(Object.entries(fields)).get(name);
    return field !== undefined && field.readonly !== true && settable.has(field.type);
  }

  return {
    async of(model, { fields = {} }) {
      const notes: string[] = [];
      const values = new Map<string, string>();
      for (const [name, value] of Object.entries(fields)) {
        if (await isSettable(model, name)) values.set(name, shortText(value));
        else notes.push(`Tryton has no field ${shortText(name)} of ${model} that a mapping may set as text`);
      }
      return {
        values: Object.fromEntries(values),
        note: notes.length === 0 ? undefined : notes.join("; ").slice(0, 500),
      };
    },
    employee: (email) =>
      memo.once(`employee ${email.toLowerCase()}`, async () => {
        const context = await account.context();
        const address = ["value", "ilike", literally(email)];
        const domain = [
          ["company", "=", context.company],
          ["party.contact_mechanisms", "where", [["type", "=", "email"], address]],
        ];
        const search = { row: z.object({ id: idSchema }), domain, fields: ["party"], limit: 1 };
        return (await api.search("company.employee", search, context))[0]?.id;
      }),
  };
}

const openStages = ["lead", "opportunity"] as const;
export type OpenStage = (typeof openStages)[number];
/** The words that mappings use where they name no stage of a CRM's own. */
const beginnings = ["qualification", "lead"];

/** Tryton's states are fixed. What is converted, won or lost comes of sales and buttons: nothing is made that way. */
export function stageOf({ stage }: Pick<DealStep, "stage">): OpenStage {
  const name = stage.trim().toLowerCase();
  if (beginnings.includes(name)) return "lead";
  const found = openStages.find((one) => one === name);
  if (found !== undefined) return found;
  throw permanent(
    `an opportunity at Tryton begins as "lead" or "opportunity", not as ${JSON.stringify(stage.slice(0, 60))}`,
  );
}
