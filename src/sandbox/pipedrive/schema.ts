/** What each object of the account has: the properties that v2 takes, with their types and lengths, and the custom fields with their random keys. */
import type { Random } from "../../model/ports.ts";
import type { PipedriveSandboxOptions } from "./options.ts";
import { invalid, unknownError } from "./reply.ts";

export type ObjectName = "persons" | "organizations" | "deals" | "activities";
export const objectNames: readonly ObjectName[] = ["persons", "organizations", "deals", "activities"];
export type Fields = Readonly<Record<string, unknown>>;

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

type Check = (value: unknown) => boolean;
const int: Check = (value) => Number.isSafeInteger(value);
const intOrNull: Check = (value) => value === null || int(value);
const bool: Check = (value) => typeof value === "boolean";
const text =
  (most: number): Check =>
  (value) =>
    typeof value === "string" && value.length <= most;
const day: Check = (value) => typeof value === "string" && /^\d{4}-\d{2}-\d{2}$/.test(value);
const minute: Check = (value) => typeof value === "string" && /^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/.test(value);
const moment: Check = (value) =>
  typeof value === "string" && /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(Z|[+-]\d{2}:\d{2})$/.test(value);
const listOf =
  (item: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(item);
const shape =
  (checks: Readonly<Record<string, Check>>, required: string): Check =>
  (value) =>
    isFields(value) &&
    value[required] !== undefined &&
    Object.entries(value).every(([name, one]) => Object.hasOwn(checks, name) && checks[name]?.(one) === true);
const line = text(255);
const addresses = listOf(shape({ value: line, primary: bool, label: line }, "value"));

/** Longer notes are guessed to be refused. */
export const maxNoteChars = 65_535;

const properties: Readonly<Record<ObjectName, Readonly<Record<string, Check>>>> = {
  persons: {
    name: line,
    owner_id: int,
    org_id: int,
    add_time: moment,
    emails: addresses,
    phones: addresses,
    visible_to: int,
    label_ids: listOf(int),
    marketing_status: line,
  },
  organizations: {
    name: line,
    owner_id: int,
    add_time: moment,
    visible_to: int,
    label_ids: listOf(int),
    address: isFields,
    website: (value) => value === null || line(value),
    linkedin: (value) => value === null || line(value),
    industry: intOrNull,
    annual_revenue: intOrNull,
    employee_count: intOrNull,
  },
  deals: {
    title: line,
    owner_id: int,
    person_id: intOrNull,
    org_id: intOrNull,
    pipeline_id: int,
    stage_id: int,
    value: (value) => typeof value === "number" && value >= 0,
    currency: text(3),
    status: (value) => ["open", "won", "lost", "deleted"].includes(String(value)),
    probability: int,
    lost_reason: line,
    visible_to: int,
    label_ids: listOf(int),
    expected_close_date: day,
    close_time: moment,
    won_time: moment,
    lost_time: moment,
  },
  activities: {
    subject: line,
    type: line,
    owner_id: int,
    deal_id: intOrNull,
    lead_id: text(36),
    org_id: intOrNull,
    project_id: intOrNull,
    due_date: day,
    due_time: minute,
    duration: minute,
    busy: bool,
    done: bool,
    location: isFields,
    participants: listOf(shape({ person_id: int, primary: bool }, "person_id")),
    attendees: listOf(isFields),
    public_description: text(maxNoteChars),
    priority: int,
    outcome: intOrNull,
    note: text(maxNoteChars),
  },
};

/** `person_id` of an activity is to be read, and set through its participants. */
const required: Readonly<Record<ObjectName, string | undefined>> = {
  persons: "name",
  organizations: "name",
  deals: "title",
  activities: undefined,
};

export interface CustomField {
  readonly code: string;
  readonly name: string;
  readonly type: string;
  readonly options: readonly { readonly id: number; readonly label: string }[];
}

export interface Schema {
  readonly fields: ReadonlyMap<ObjectName, Map<string, CustomField>>;
  add(object: ObjectName, name: string, type: string, options?: readonly string[]): CustomField;
  /** The body's own properties and its custom fields, checked; refuses what v2 would. */
  checked(object: ObjectName, body: unknown, create: boolean): { own: Fields; custom: Fields };
}

const fieldTypes = new Set(
  "varchar text double phone date daterange time timerange set enum varchar_auto address monetary org people user".split(
    " ",
  ),
);

export function openSchema(options: PipedriveSandboxOptions, random: Pick<Random, "unit">): Schema {
  const fields = new Map<ObjectName, Map<string, CustomField>>(objectNames.map((object) => [object, new Map()]));
  let lastOption = 100;
  const of = (object: ObjectName): Map<string, CustomField> => fields.get(object) ?? new Map();
  const digit = () => Math.floor(random.unit() * 16).toString(16);

  function checkedCustom(object: ObjectName, given: unknown): Fields {
    if (given === undefined) return {};
    if (Array.isArray(given)) throw invalid("Validation failed: custom_fields: Expected object, received array");
    if (!isFields(given)) throw unknownError();
    const kept: Record<string, unknown> = {};
    for (const [code, value] of Object.entries(given)) {
      const field = of(object).get(code);
      if (field === undefined) {
        if (options.unknownField === "ignore") continue;
        throw invalid(`Validation failed: custom_fields.${code}: unknown custom field`);
      }
      // Seen as a bare 500 when a value is nested in a wrong way.
      if (!fits(field, value)) throw unknownError();
      if (typeof value === "string" && value.length > (field.type === "text" ? 65_000 : 255))
        throw invalid(`Validation failed: custom_fields.${code}: the value is too long`);
      kept[code] = value;
    }
    return kept;
  }

  return {
    fields,
    add(object, name, type, labels = []) {
      if (name.trim() === "" || name.length > 255) throw invalid("Validation failed: field_name: invalid length");
      if (!fieldTypes.has(type)) throw invalid("Validation failed: field_type: Invalid enum value");
      const code = Array.from({ length: 40 }, digit).join("");
      const field = { code, name, type, options: labels.map((label) => ({ id: ++lastOption, label })) };
      of(object).set(code, field);
      return field;
    },
    checked(object, body, create) {
      if (!isFields(body)) throw invalid("Validation failed: the body must be an object");
      const own: Record<string, unknown> = {};
      for (const [name, value] of Object.entries(body)) {
        if (name === "custom_fields" && object !== "activities") continue;
        const check = Object.hasOwn(properties[object], name) ? properties[object][name] : undefined;
        if (check === undefined) throw invalid(`Validation failed: ${name}: unrecognized key`);
        if (!check(value)) throw invalid(`Validation failed: ${name}: ${wrong(value)}`);
        own[name] = value;
      }
      const need = required[object];
      if (create && need !== undefined && (typeof own[need] !== "string" || own[need].trim() === ""))
        throw invalid(`Validation failed: ${need}: Required`);
      return { own, custom: checkedCustom(object, object === "activities" ? undefined : body.custom_fields) };
    },
  };
}

const wrong = (value: unknown): string =>
  typeof value === "string" && value.length > 255 ? "the value is too long" : `invalid value of type ${typeof value}`;

function fits({ type, options }: CustomField, value: unknown): boolean {
  if (value === null) return true;
  switch (type) {
    case "double":
      return typeof value === "number";
    case "enum":
      return options.some(({ id }) => id === value);
    case "set":
      return Array.isArray(value) && value.every((one) => options.some(({ id }) => id === one));
    case "monetary":
    case "address":
    case "time":
      return isFields(value);
    default:
      return typeof value === "string";
  }
}
