/** What a mapping asks for by name (an owner, a stage, fields of the account's own), turned into what this organization calls it. */
import type { Clock } from "../../model/ports.ts";
import type { DealStep, PersonStep } from "../../model/step.ts";
import { isNamed, listed, openMemo, permanent } from "../shared/calls.ts";
import { shortText } from "../shared/text.ts";
import { type Account, allOwn } from "./account.ts";
import { type Api, type FieldObject, paths, pipelinesSchema, shaped, usersSchema } from "./api.ts";
import type { Values } from "./bodies.ts";

export interface Granted {
  /** Close's id of the owner; undefined where none is asked for, or none is found. */
  readonly owner: string | undefined;
  readonly values: Values;
  /** What could not be had, for the story. */
  readonly note: string | undefined;
}

export interface Wishes {
  /** Refused only by weather: an owner or a field that is not there is no reason to lose the mail. */
  of(object: FieldObject, step: Pick<PersonStep, "owner" | "fields">): Promise<Granted>;
  owner(email: string): Promise<string | undefined>;
  /** The id of a status. Refused (permanent) where there is no such pipeline or status. */
  status(step: Pick<DealStep, "pipeline" | "stage">): Promise<string>;
}

/** Who was not there may be there later; nobody is asked about more often than this. */
const forgetMs = 3_600_000;
/** The word that a mapping uses where it names no stage. */
const anyStage = "qualification";
/** What may be set beside custom fields, as text. */
const regular: Readonly<Record<FieldObject, readonly string[]>> = {
  lead: ["description", "url"],
  contact: ["title"],
  opportunity: [],
};

export function openWishes(api: Api, account: Account, clock: Clock): Wishes {
  const memo = openMemo(clock, forgetMs);

  const users = () => memo.once("users", () => api.all(usersSchema, paths.users, "user"));
  const owner = async (email: string): Promise<string | undefined> =>
    (await users()).find((user) => user.email?.toLowerCase() === email.toLowerCase())?.id;

  const pipelines = () =>
    memo.once("pipelines", async () => {
      const answer = await api.call({ method: "GET", path: paths.pipelines, object: "pipeline" }, false);
      const { data } = shaped(pipelinesSchema, answer, false);
      return data.map(({ id, name, statuses }) => ({ id, label: name, statuses }));
    });

  async function fieldOf(object: FieldObject, name: string): Promise<string | undefined> {
    if (regular[object].includes(name)) return name;
    const bare = name.replace(/^custom\./, "");
    const found = (await account.fields(object)).find((field) => isNamed({ id: field.id, label: field.name }, bare));
    const isOurs = allOwn.some((own) => own.object === object && own.name === found?.name);
    return found === undefined || isOurs ? undefined : `custom.${found.id}`;
  }

  return {
    owner,
    async of(object, { owner: wanted, fields = {} }) {
      const notes: string[] = [];
      // Leads and contacts have none at Close.
      const id = wanted == null || object !== "opportunity" ? undefined : await owner(wanted);
      if (wanted != null && object === "opportunity" && id === undefined)
        notes.push("Close shows no user under the owner's address");
      const values: Record<string, string> = {};
      for (const [name, value] of Object.entries(fields)) {
        const field = await fieldOf(object, name);
        if (field === undefined) notes.push(`Close has no ${shortText(name)} on ${object}s that a mapping may set`);
        else values[field] = shortText(value);
      }
      return { owner: id, values, note: notes.length === 0 ? undefined : notes.join("; ").slice(0, 500) };
    },
    async status({ pipeline, stage }) {
      const all = await pipelines();
      const found = pipeline === null ? all[0] : all.find((one) => isNamed(one, pipeline));
      if (found === undefined)
        throw permanent(`Close has no pipeline ${quoted(pipeline ?? "")}; it has ${listed(all)}`);
      const wanted =
        found.statuses.find((one) => isNamed(one, stage)) ?? (stage === anyStage ? first(found.statuses) : undefined);
      if (wanted !== undefined) return wanted.id;
      throw permanent(
        `Close's pipeline ${quoted(found.label)} has no status ${quoted(stage)}; it has ${listed(found.statuses)}`,
      );
    },
  };
}

const quoted = (name: string): string => JSON.stringify(name.slice(0, 60));

function first<T extends { readonly label: string; readonly type?: string | null | undefined }>(
  statuses: readonly T[],
) {
  const open = statuses.filter(({ type }) => type == null || type === "active");
  return open.find(({ label }) => label.toLowerCase().startsWith("qualif")) ?? open[0];
}
