/** What a mapping asks for by name (an owner, a stage, fields of the organisation's own), turned into what this organisation calls it. */
import { z } from "zod";
import type { Clock } from "../../model/ports.ts";
import type { DealStep, PersonStep } from "../../model/step.ts";
import { isNamed, listed, openMemo, permanent, together } from "../shared/calls.ts";
import { storable } from "../shared/text.ts";
import { type Api, idSchema, type ModuleName, paths } from "./api.ts";
import type { RecordBody, Value } from "./bodies.ts";
import { type Account, type Field, ownFields, type Pick, picksOf, stagesOf } from "./fields.ts";

export interface Granted {
  /** Zoho's id of the owner; undefined where none is asked for, or none is found. */
  readonly owner: string | undefined;
  readonly fields: RecordBody;
  /** What could not be had, for the story. */
  readonly note: string | undefined;
}

export interface Wishes {
  /** Refused only by weather: an owner or a field that is not there is no reason to lose the mail. */
  of(module: ModuleName, step: Pick2): Promise<Granted>;
  /** Refused (permanent) where there is no such pipeline or stage: a deal in a wrong one is worse than one that waits for a person. */
  stage(step: Pick3): Promise<{ pipeline: string | undefined; stage: string }>;
  isClosed(stage: string | undefined): Promise<boolean>;
}
type Pick2 = { readonly [name in "owner" | "fields"]?: PersonStep[name] };
type Pick3 = { readonly [name in "pipeline" | "stage"]: DealStep[name] };

const forgetMs = 600_000;
const mostUserPages = 20;
/** The word that a mapping uses where it names no stage; Zoho's own first stage is called so. */
const anyStage = "qualification";
const usersSchema = z.object({
  users: z.array(z.object({ id: idSchema, email: z.string().nullish() })),
  info: z.object({ more_records: z.boolean().nullish() }).nullish(),
});
/** What we set ourselves, or what would make the record another one. */
const ours: ReadonlySet<string> = new Set([
  ...Object.values(ownFields),
  ...["Email", "Website", "Pipeline", "Stage", "Owner", "Contact_Name", "Account_Name", "id"],
]);

export function openWishes(api: Api, account: Account, clock: Clock): Wishes {
  const memo = openMemo(clock, forgetMs);

  const users = (): Promise<ReadonlyMap<string, string>> =>
    memo.once("users", async () => {
      const found = new Map<string, string>();
      for (let page = 1; page <= mostUserPages; page++) {
        const request = { method: "GET", path: paths.users(page), object: "user" } as const;
        const answer = await api.call(request, false, ({ status }) => status === 401 || status === 403);
        if (answer.status !== 200) break;
        const { users: some, info } = api.shaped(usersSchema, answer, false);
        for (const { id, email } of some) if (email != null) found.set(email.toLowerCase(), id);
        if (info?.more_records !== true) break;
      }
      return found;
    });

  return {
    async of(name, { owner, fields = {} }) {
      const notes: string[] = [];
      const id = owner == null ? undefined : (await users()).get(owner.toLowerCase());
      if (owner != null && id === undefined) notes.push("Zoho shows no user under the owner's address");
      const granted: Record<string, Value> = {};
      const module = await account.module(name);
      for (const [field, value] of Object.entries(fields)) {
        const there = module.field(field);
        if (ours.has(field)) notes.push(`${field} is not a mapping's to set`);
        else if (there === undefined || there.read_only === true)
          notes.push(`Zoho has no ${field} on ${name} that may be written`);
        else granted[field] = typed(there, storable(value), module.length(field, 255));
      }
      return { owner: id, fields: granted, note: together(...notes)?.slice(0, 500) };
    },

    async stage({ pipeline, stage }) {
      const deals = await account.module("Deals");
      const pipelines = picksOf(deals.field("Pipeline"));
      const all = picksOf(deals.field("Stage"));
      const found = pipeline === null ? pipelines[0] : pipelines.find((one) => isNamed(labelled(one), pipeline));
      if (found === undefined && pipeline !== null) {
        const there = pipelines.length === 0 ? "it has none" : `it has ${listed(pipelines.map(labelled))}`;
        throw permanent(`Zoho has no pipeline ${JSON.stringify(pipeline.slice(0, 60))}; ${there}`);
      }
      const its = found === undefined ? [] : stagesOf(found);
      // An older organisation has stages without pipelines.
      const open = its.length > 0 ? its : all;
      const wanted =
        open.find((one) => isNamed(labelled(one), stage)) ?? (stage === anyStage ? firstOf(open) : undefined);
      if (wanted === undefined) {
        const where =
          found === undefined ? "Zoho" : `Zoho's pipeline ${JSON.stringify(found.display_value.slice(0, 60))}`;
        throw permanent(
          `${where} has no stage ${JSON.stringify(stage.slice(0, 60))}; it has ${listed(open.map(labelled))}`,
        );
      }
      return { pipeline: found === undefined ? undefined : labelled(found).id, stage: labelled(wanted).id };
    },

    async isClosed(stage) {
      if (stage === undefined) return false;
      const all = picksOf((await account.module("Deals")).field("Stage"));
      const type = all.find((one) => isNamed(labelled(one), stage))?.forecast_type;
      // "Closed Won", "Closed Lost"; where Zoho does not say, its own stages are called so.
      return /^closed/i.test(type ?? stage);
    },
  };
}

/** What is sent is the value behind the name that people see. */
const labelled = ({ display_value, actual_value }: Pick): { id: string; label: string } => ({
  id: actual_value ?? display_value,
  label: display_value,
});

const firstOf = (stages: readonly Pick[]): Pick | undefined =>
  stages.find(({ display_value }) => /^qualif/i.test(display_value)) ??
  stages.find(({ forecast_type }) => !/^closed/i.test(forecast_type ?? "")) ??
  stages[0];

/** A mapping's values are texts; Zoho wants some as what they are. What does not fit is Zoho's to refuse, in its words. */
function typed({ data_type }: Field, value: string, most: number): Value {
  switch (data_type) {
    case "integer":
    case "double":
    case "currency":
    case "percent":
      return /^-?\d{1,15}(\.\d{1,9})?$/.test(value) ? Number(value) : value;
    case "boolean":
      return /^(true|yes|1)$/i.test(value) ? true : /^(false|no|0)$/i.test(value) ? false : value;
    case "multiselectpicklist":
      return value.split(";").map((one) => one.trim());
    default:
      return value.slice(0, most).toWellFormed();
  }
}
