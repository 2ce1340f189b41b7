/** All that one sandboxed account is made of, and what its parts need to know of each other: references, first persons, stages. */
import type { PipedriveSandboxOptions, SandboxUser } from "./options.ts";
import { invalid, Refusal } from "./reply.ts";
import { type Fields, isFields, type ObjectName, type Schema } from "./schema.ts";
import type { SandboxRecord, Store } from "./store.ts";

export interface Stage {
  readonly id: number;
  readonly name: string;
  readonly pipelineId: number;
  readonly order: number;
}

export interface World {
  readonly store: Store;
  readonly schema: Schema;
  readonly options: PipedriveSandboxOptions;
  readonly stages: readonly Stage[];
}

export function stagesOf({ pipelines }: PipedriveSandboxOptions): Stage[] {
  let id = 0;
  return pipelines.flatMap(({ stages }, at) =>
    stages.map((name, order) => ({ id: ++id, name, pipelineId: at + 1, order: order + 1 })),
  );
}

export interface Participant {
  readonly person_id: number;
  readonly primary: boolean;
}

export function participantsOf({ own }: SandboxRecord): Participant[] {
  const given = Array.isArray(own.participants) ? own.participants : [];
  return given.filter(isFields).map(({ person_id, primary }) => ({
    person_id: Number(person_id),
    primary: primary === true,
  }));
}

/** The person that an activity shows as its own. */
export function firstPersonOf(record: SandboxRecord): number | null {
  const all = participantsOf(record);
  return (all.find(({ primary }) => primary) ?? all[0])?.person_id ?? null;
}

const idOf = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);

/** Ids of live or dead records that a body names, with their object. */
function* namedIn(object: ObjectName, own: Fields): Generator<readonly [ObjectName, number, string]> {
  const org = idOf(own.org_id);
  if (org !== undefined) yield ["organizations", org, "org_id"];
  if (object === "deals") {
    const person = idOf(own.person_id);
    if (person !== undefined) yield ["persons", person, "person_id"];
  }
  if (object !== "activities") return;
  const deal = idOf(own.deal_id);
  if (deal !== undefined) yield ["deals", deal, "deal_id"];
  for (const one of Array.isArray(own.participants) ? own.participants : []) {
    const id = isFields(one) ? idOf(one.person_id) : undefined;
    if (id !== undefined) yield ["persons", id, "participants.person_id"];
  }
}

/** Refuses a body that names what is not there. */
export function checkNamed({ store, options, stages }: World, object: ObjectName, own: Fields): void {
  for (const [target, id, name] of namedIn(object, own)) {
    checkSeen({ store }, target, id);
    const record = store.get(target, id);
    if (record === undefined || (record.deleted && options.goneTarget === "reject"))
      throw invalid(`Validation failed: ${name}: ${target.slice(0, -1)} ${id} was not found`);
  }
  const owner = idOf(own.owner_id);
  if (owner !== undefined && userOf(options, owner) === undefined)
    throw invalid(`Validation failed: owner_id: user ${owner} was not found`);
  if (object === "activities" && own.type !== undefined && !options.activityTypes.includes(String(own.type)))
    throw invalid("Validation failed: type: no such activity type");
  const stage = idOf(own.stage_id);
  if (stage !== undefined && !stages.some(({ id }) => id === stage))
    throw invalid(`Validation failed: stage_id: stage ${stage} was not found`);
  const pipeline = idOf(own.pipeline_id);
  if (pipeline !== undefined && options.pipelines[pipeline - 1] === undefined)
    throw invalid(`Validation failed: pipeline_id: pipeline ${pipeline} was not found`);
  const chosen = stages.find(({ id }) => id === stage);
  if (chosen !== undefined && pipeline !== undefined && chosen.pipelineId !== pipeline)
    throw invalid("Validation failed: stage_id: the stage is not of this pipeline");
}

/** Visibility groups: the token's user is not shown every record. */
export function checkSeen({ store }: Pick<World, "store">, object: ObjectName, id: number): void {
  if (store.hidden.has(`${object} ${id}`)) throw new Refusal(403, { error: "You do not have permission to do this" });
}

export const userOf = ({ users }: PipedriveSandboxOptions, id: number): SandboxUser | undefined =>
  users.find((user) => user.id === id);

/** The plan's own refusal, in the words of Pipedrive's changelog of 2022-03-22. */
export function checkCapping({ store, options }: World): void {
  let open = 0;
  for (const { own, deleted } of store.all("deals")) if (!deleted && (own.status ?? "open") === "open") open++;
  if (open >= options.openDeals) {
    const error = "Couldn't add the deal. Open deals limit reached.";
    throw new Refusal(403, { error, code: "feature_capping_deals_limit" });
  }
}

/** For what works inside the account; the API's own refusal for a record that is gone is in records.ts. */
export function liveOneById({ store }: World, object: ObjectName, id: number): SandboxRecord {
  const record = store.get(object, id);
  if (record === undefined || record.deleted) throw new RangeError(`the sandbox has no ${object} ${id}`);
  return record;
}
