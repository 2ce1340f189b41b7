/** What a mapping asks for by name (an owner, a stage, fields of the account's own), turned into what this account calls it. Asked once, remembered. */
import { z } from "zod";
import type { Clock } from "../../model/ports.ts";
import type { DealStep, Step } from "../../model/step.ts";
import { isNamed, listed, openMemo, permanent } from "../shared/calls.ts";
import { shortText } from "../shared/text.ts";
import { type Api, type ObjectName, paths, propertySchema, shaped } from "./api.ts";
import { ownProperties } from "./bodies.ts";

const text = z.union([z.string(), z.number()]).transform(String);
const ownersSchema = z.object({ results: z.array(z.object({ id: text, email: z.string().nullish() })) });
const stageSchema = z.object({
  id: text,
  label: z.string(),
  archived: z.boolean().optional(),
  // https://developers.hubspot.com/docs/api-reference/crm-pipelines-v3/guide: "true" and "false" as texts (checked 2026-11-29)
  metadata: z
    .object({ isClosed: z.union([z.string(), z.boolean()]).transform(String).optional() })
    .optional()
    .catch(undefined),
});
const pipelinesSchema = z.object({
  results: z.array(z.object({ id: text, label: z.string(), stages: z.array(stageSchema) })),
});
type Pipeline = z.infer<typeof pipelinesSchema>["results"][number];

export interface Granted {
  /** HubSpot's id of the owner; undefined where none is asked for, or none is found. */
  readonly owner: string | undefined;
  readonly properties: Readonly<Record<string, string>>;
  /** What could not be had, for the story. */
  readonly note: string | undefined;
}

export interface Wishes {
  /** Refused only by weather: an owner or a field that is not there is no reason to lose the mail. */
  of(object: ObjectName, step: Pick<Extract<Step, { kind: "person" }>, "owner" | "fields">): Promise<Granted>;
  /** Refused (permanent) where the account has no such pipeline or stage: a deal in a wrong one is worse than one that waits for a person. */
  stage(step: Pick<DealStep, "pipeline" | "stage">): Promise<{ pipeline: string; stage: string }>;
  /** Whether a deal in this stage, by HubSpot's ids, is won or lost. */
  isClosed(pipeline: string | null | undefined, stage: string | null | undefined): Promise<boolean>;
  /** Undefined where contacts of this account have no stage `lead` that may be set. */
  lead(): Promise<Readonly<Record<string, string>> | undefined>;
}

/** Who was not there may be there later; nobody is asked about more often than this. */
const forgetMs = 600_000;
/** The word that a mapping uses where it names no stage; HubSpot's own pipeline calls it "Qualified To Buy". */
const anyStage = "qualification";
const leadProperty = "lifecyclestage";
/** What we set ourselves, or what would make the record another one. */
const ours: ReadonlySet<string> = new Set([
  ...Object.values(ownProperties),
  ...["email", "domain", "pipeline", "dealstage", "hubspot_owner_id", "hs_timestamp", "hs_email_status"],
  ...["hs_email_direction", "hs_email_text", "hs_email_html", "hs_email_headers", "hs_email_subject"],
]);

export function openWishes(api: Api, clock: Clock): Wishes {
  const { once } = openMemo(clock, forgetMs);

  const ownerId = (email: string): Promise<string | undefined> =>
    once(`owner ${email}`, async () => {
      const request = { method: "GET", path: paths.owners(email), object: "owner" } as const;
      const answer = await api.call(request, false, ({ status }) => status === 403);
      if (answer.status === 403) return undefined;
      const { results } = shaped(ownersSchema, answer, false);
      return results.find((one) => one.email?.toLowerCase() === email.toLowerCase())?.id;
    });

  /** Undefined where it is not there, not to be seen, or only to be read. */
  const writable = (object: ObjectName, name: string): Promise<z.infer<typeof propertySchema> | undefined> =>
    once(`property ${object} ${name}`, async () => {
      const request = { method: "GET", path: paths.property(object, name), object: "property" } as const;
      const answer = await api.call(request, false, ({ status }) => status === 403);
      if (answer.status === 403 || answer.status === 404) return undefined;
      const found = shaped(propertySchema, answer, false);
      return found.modificationMetadata?.readOnlyValue === true ? undefined : found;
    });
  const isThere = async (object: ObjectName, name: string): Promise<boolean> =>
    (await writable(object, name)) !== undefined;

  const pipelines = (): Promise<readonly Pipeline[]> =>
    once("pipelines", async () => {
      const request = { method: "GET", path: paths.pipelines, object: "pipeline" } as const;
      return shaped(pipelinesSchema, await api.call(request, false), false).results;
    });

  return {
    async of(object, { owner, fields = {} }) {
      const notes: string[] = [];
      const id = owner == null ? undefined : await ownerId(owner);
      if (owner != null && id === undefined) notes.push("HubSpot shows no user under the owner's address");
      const properties: Record<string, string> = {};
      for (const [name, value] of Object.entries(fields)) {
        if (ours.has(name)) notes.push(`${name} is not a mapping's to set`);
        else if (await isThere(object, name)) properties[name] = shortText(value);
        else notes.push(`HubSpot has no ${name} on ${object} that may be written`);
      }
      return { owner: id, properties, note: notes.length === 0 ? undefined : notes.join("; ").slice(0, 500) };
    },

    async stage({ pipeline, stage }) {
      const all = await pipelines();
      const found = pipeline === null ? all[0] : all.find((one) => isNamed(one, pipeline));
      if (found === undefined)
        throw permanent(`HubSpot has no pipeline ${quoted(pipeline ?? "")}; it has ${listed(all)}`);
      const open = found.stages.filter(({ archived }) => archived !== true);
      const wanted = open.find((one) => isNamed(one, stage)) ?? (stage === anyStage ? firstStage(open) : undefined);
      if (wanted === undefined) {
        throw permanent(
          `HubSpot's pipeline ${quoted(found.label)} has no stage ${quoted(stage)}; it has ${listed(open)}`,
        );
      }
      return { pipeline: found.id, stage: wanted.id };
    },

    async isClosed(pipeline, stage) {
      const found = (await pipelines()).find(({ id }) => id === pipeline)?.stages.find(({ id }) => id === stage);
      // The stages of HubSpot's own pipeline are called so in every account.
      return found?.metadata?.isClosed === undefined
        ? stage === "closedwon" || stage === "closedlost"
        : found.metadata.isClosed === "true";
    },

    async lead() {
      const found = await writable("contacts", leadProperty);
      if (found === undefined) return undefined;
      const values = found.options ?? [];
      // An account may have taken the stage away; a value that it does not know would refuse the whole contact.
      return values.length > 0 && !values.some(({ value }) => value === "lead")
        ? undefined
        : { [leadProperty]: "lead" };
    },
  };
}

const firstStage = (stages: Pipeline["stages"]) =>
  stages.find(({ label }) => label.toLowerCase().startsWith("qualif")) ?? stages[0];

const quoted = (name: string): string => JSON.stringify(name.slice(0, 60));
