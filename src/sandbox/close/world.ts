/** What all routes of the sandbox work with, and how a record is shown and its fields are checked. */
import type { Clock } from "../../model/ports.ts";
import type { CloseSandboxOptions, Status } from "./options.ts";
import { badRequest, invalid } from "./reply.ts";
import type { Fields, ObjectName, SandboxRecord, Store } from "./store.ts";

export type FieldObject = "lead" | "contact" | "opportunity" | "activity";
export interface CustomField {
  readonly id: string;
  readonly name: string;
  readonly type: string;
}

export interface World {
  readonly options: CloseSandboxOptions;
  readonly clock: Pick<Clock, "now">;
  readonly store: Store;
  readonly customFields: Map<FieldObject, CustomField[]>;
  /** How often real mail would have been sent. */
  realMail: number;
}

export function addField({ customFields }: World, object: FieldObject, name: string, type: string): CustomField {
  const all = customFields.get(object) ?? [];
  const field = { id: `cf_${object}${String(all.length + 1).padStart(6, "0")}`, name, type };
  customFields.set(object, [...all, field]);
  return field;
}

export const statuses = ({ options }: World): readonly Status[] =>
  options.pipelines.flatMap(({ statuses }) => statuses);

const stamp = (at: number): string => new Date(at).toISOString().replace("Z", "000+00:00");

export function shown({ store }: World, { id, object, createdAt, fields }: SandboxRecord): Fields {
  const common = { id, date_created: stamp(createdAt), ...fields };
  if (object !== "lead") return common;
  const its = (name: ObjectName) => store.all(name).filter((other) => other.fields.lead_id === id);
  return {
    ...common,
    display_name: fields.name,
    contacts: its("contact").map((one) => ({ id: one.id, date_created: stamp(one.createdAt), ...one.fields })),
    opportunities: its("opportunity").map((one) => ({ id: one.id, ...one.fields })),
  };
}

export function picked(record: Fields, names: string | null): Fields {
  if (names === null) return record;
  const asked = new Set(names.split(","));
  const custom = asked.has("custom");
  return Object.fromEntries(
    Object.entries(record).filter(([name]) => asked.has(name) || (custom && name.startsWith("custom."))),
  );
}

export function objectIn(given: unknown): Fields {
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw badRequest("The body must be an object.");
  return given as Fields;
}

/** Unknown fields and wrong types are refused, all of them at once. */
export function checked(
  world: World,
  given: unknown,
  object: FieldObject,
  kinds: Readonly<Record<string, "text" | "number" | "addresses" | "emails" | "contacts" | "time">>,
): Fields {
  const fields = objectIn(given);
  const wrong: Record<string, string> = {};
  for (const [name, value] of Object.entries(fields)) {
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (name.startsWith("custom.")) {
      const known = world.customFields.get(object)?.some(({ id }) => name === `custom.${id}`) === true;
      if (!known) wrong[name] = "This custom field does not exist.";
      else if (typeof value !== "string") wrong[name] = "Not a valid string.";
    } else if (kind === undefined) wrong[name] = "Unknown field.";
    else if (!fits(kind, value)) wrong[name] = `Not a valid ${kind}.`;
  }
  if (Object.keys(wrong).length > 0) throw invalid(wrong);
  return fields;
}

const isAddress = (text: unknown): boolean => typeof text === "string" && /^[^\s@<>]+@[^\s@<>]+$/.test(text);

function fits(kind: string, value: unknown): boolean {
  switch (kind) {
    case "number":
      return typeof value === "number";
    case "addresses":
      return Array.isArray(value) && value.every(isAddress);
    case "emails":
      return Array.isArray(value) && value.every((one) => isAddress((one as Fields | null)?.email));
    case "contacts":
      return Array.isArray(value);
    case "time":
      return typeof value === "string" && Number.isFinite(Date.parse(value));
    default:
      return typeof value === "string";
  }
}
