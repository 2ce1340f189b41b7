/** What a mapping asks for by name (an owner, a stage, fields of the company's own), turned into what this company calls it. Asked once, remembered. */
import { z } from "zod";
import type { Clock } from "../../model/ports.ts";
import type { DealStep, PersonStep } from "../../model/step.ts";
import { isNamed, listed, openMemo, permanent } from "../shared/calls.ts";
import { shortText, storable } from "../shared/text.ts";
import { type Account, type Field, ownFields } from "./account.ts";
import { type Api, asks, type ObjectName } from "./api.ts";
import type { Wanted } from "./bodies.ts";

export interface Granted extends Wanted {
  /** What could not be had, for the story. */
  readonly note: string | undefined;
}

export interface Wishes {
  /** Refused only by weather: an owner or a field that is not there is no reason to lose the mail. */
  of(object: ObjectName, step: Pick<PersonStep, "owner" | "fields">): Promise<Granted>;
  /** Refused (permanent) where the company has no such pipeline or stage: a deal in a wrong one is worse than one that waits for a person. */
  stage(step: Pick<DealStep, "pipeline" | "stage">): Promise<{ pipeline: number; stage: number }>;
  /** A record made with what is remembered was refused: it may be there no more. */
  forget(): void;
}

/** Users, pipelines and stages cost tokens to ask for, and change seldom. */
const forgetMs = 6 * 3_600_000;
/** What was not there may be there later: asked for anew, and no more often than this. */
const againMs = 600_000;
/** The word that a mapping uses where it names no stage; Pipedrive's own pipeline begins with "Qualified". */
const anyStage = "qualification";

const usersSchema = z.object({
  data: z
    .array(
      z.object({
        id: z.number().int(),
        email: z.string().nullish().catch(undefined),
        active_flag: z.boolean().nullish().catch(undefined),
      }),
    )
    .nullable(),
});
const named = z.object({
  id: z.number().int(),
  name: z.string(),
  order_nr: z.number().nullish().catch(undefined),
  is_deleted: z.boolean().nullish().catch(undefined),
});
const pipelinesSchema = z.object({ data: z.array(named).nullable() });
const stagesSchema = z.object({ data: z.array(named.extend({ pipeline_id: z.number().int() })).nullable() });

const ours: ReadonlySet<string> = new Set(
  Object.values(ownFields).flatMap((fields) => Object.values(fields).map((name: string) => name.toLowerCase())),
);
const quoted = (name: string): string => JSON.stringify(name.slice(0, 60));
const labelled = ({ id, name }: { id: number; name: string }) => ({ id: String(id), label: name });
const byOrder = (a: z.infer<typeof named>, b: z.infer<typeof named>): number => (a.order_nr ?? 0) - (b.order_nr ?? 0);

export function openWishes(api: Api, account: Account, clock: Pick<Clock, "now">): Wishes {
  const [memo, again] = [openMemo(clock, forgetMs), openMemo(clock, againMs)];

  /** From what is remembered, and where it is not there, from a fresh answer. */
  async function looked<T, R>(name: string, ask: () => Promise<T>, find: (all: T) => R | undefined) {
    return find(await memo.once(name, ask)) ?? find(await again.once(name, ask));
  }

  const users = async () => {
    const answer = await api.call(asks.users, false, ({ status }) => status === 403);
    return answer.status === 403 ? [] : (api.shaped(usersSchema, answer, false).data ?? []);
  };
  const ownerId = (email: string): Promise<number | undefined> =>
    looked("users", users, (all) => {
      const fits = (one: (typeof all)[number]) => one.email?.toLowerCase() === email.toLowerCase();
      return all.find((one) => one.active_flag !== false && fits(one))?.id;
    });

  const pipelines = async () => {
    const { data } = api.shaped(pipelinesSchema, await api.call(asks.pipelines, false), false);
    return (data ?? []).filter(({ is_deleted }) => is_deleted !== true).sort(byOrder);
  };
  const stages = async () => {
    const { data } = api.shaped(stagesSchema, await api.call(asks.stages, false), false);
    return (data ?? []).filter(({ is_deleted }) => is_deleted !== true).sort(byOrder);
  };

  return {
    async of(object, { owner, fields = {} }) {
      const notes: string[] = [];
      const id = owner == null ? undefined : await ownerId(owner);
      if (owner != null && id === undefined) notes.push("Pipedrive shows no user under the owner's address");
      const custom: Record<string, unknown> = {};
      const all = Object.keys(fields).length === 0 || object === "activities" ? [] : await account.fields(object);
      for (const [name, value] of Object.entries(fields)) {
        const field = ours.has(name.toLowerCase()) ? undefined : all.find((one) => one.custom && isField(one, name));
        const fit = field === undefined ? undefined : fitted(field, value);
        if (field !== undefined && fit !== undefined) custom[field.code] = fit;
        else notes.push(whyNot(object, name, field));
      }
      return { owner: id, custom, note: notes.length === 0 ? undefined : notes.join("; ").slice(0, 500) };
    },

    async stage({ pipeline, stage }) {
      const found = await looked("pipelines", pipelines, (all) =>
        pipeline === null ? all[0] : all.find((one) => isNamed(labelled(one), pipeline)),
      );
      if (found === undefined) {
        const there = listed((await again.once("pipelines", pipelines)).map(labelled));
        throw permanent(`Pipedrive has no pipeline ${quoted(pipeline ?? "")}; it has ${there}`);
      }
      const its = (all: Awaited<ReturnType<typeof stages>>) =>
        all.filter(({ pipeline_id }) => pipeline_id === found.id);
      const wanted = await looked(
        "stages",
        stages,
        (all) =>
          its(all).find((one) => isNamed(labelled(one), stage)) ?? (stage === anyStage ? firstOf(its(all)) : undefined),
      );
      if (wanted === undefined) {
        const there = listed(its(await again.once("stages", stages)).map(labelled));
        throw permanent(`Pipedrive's pipeline ${quoted(found.name)} has no stage ${quoted(stage)}; it has ${there}`);
      }
      return { pipeline: found.id, stage: wanted.id };
    },
    forget() {
      memo.forget();
      again.forget();
    },
  };
}

const firstOf = <T extends { name: string }>(stages: readonly T[]): T | undefined =>
  stages.find(({ name }) => name.toLowerCase().startsWith("qualif")) ?? stages[0];

export const isField = ({ code, name }: Field, wanted: string): boolean =>
  code === wanted || name.trim().toLowerCase() === wanted.trim().toLowerCase();

function whyNot(object: ObjectName, name: string, field: Field | undefined): string {
  if (ours.has(name.toLowerCase())) return `${name} is not a mapping's to set`;
  if (object === "activities") return `${name}: Pipedrive's activities have no fields of a company's own`;
  return field === undefined
    ? `Pipedrive has no field ${name} of the company's own on ${object}`
    : `${name}: a field of type ${field.type} does not take this value`;
}

const maxTextChars = 60_000;

/** In the form of the field's type; undefined where it does not fit. */
function fitted({ type, options }: Field, value: string): unknown {
  const option = (label: string) => options.find((one) => isNamed({ id: String(one.id), label: one.label }, label))?.id;
  switch (type) {
    case "varchar":
    case "varchar_auto":
    case "phone":
      return shortText(value);
    case "text":
      return storable(value.slice(0, maxTextChars));
    case "double": {
      const number = Number(value);
      return value.trim() === "" || !Number.isFinite(number) ? undefined : number;
    }
    case "date":
      return /^\d{4}-\d{2}-\d{2}$/.test(value) ? value : undefined;
    case "enum":
      return option(value);
    case "set": {
      const ids = value.split(/[,;]/).map((label) => option(label));
      return ids.includes(undefined) ? undefined : ids;
    }
    default:
      return undefined;
  }
}
