/** What Salesforce says of a value before it writes a record: names, types, lengths, picklists, references. */
import { isId, type ObjectName, objectOfId } from "./ids.ts";
import { bad, noSuchColumn } from "./reply.ts";
import type { Field, Schema } from "./schema.ts";
import type { SalesforceRecord, Values } from "./store.ts";

export interface CheckPorts {
  readonly schema: Schema;
  /** The record of an id, deleted ones too. */
  get(object: ObjectName, id: string): SalesforceRecord | undefined;
}

/** The values as they would be kept, by the fields' own names. */
export function checkedValues(
  object: ObjectName,
  given: Readonly<Record<string, unknown>>,
  doing: "create" | "update",
  ports: CheckPorts,
): Values {
  const values: Record<string, string | number | boolean | null> = {};
  for (const [name, value] of Object.entries(given)) {
    if (name === "attributes") continue;
    const field = ports.schema.field(object, name);
    if (field === undefined) throw noSuchColumn(name, object);
    if (!(doing === "create" ? field.createable : field.updateable)) {
      const sentence = `Unable to create/update fields: ${field.name}. Please check the security settings of this field and verify that it is read/write for your profile or permission set.`;
      throw bad("INVALID_FIELD_FOR_INSERT_UPDATE", sentence, [field.name]);
    }
    if (field.type !== "junctionidlist") values[field.name] = checkedValue(field, value, ports);
  }
  return values;
}

function checkedValue(field: Field, value: unknown, ports: CheckPorts): string | number | boolean | null {
  const { name, type, length } = field;
  if (value === null || value === "") return type === "boolean" ? false : null;
  if (type === "boolean" || type === "currency") {
    if (typeof value === (type === "boolean" ? "boolean" : "number")) return value as boolean | number;
    throw bad("JSON_PARSER_ERROR", `Cannot deserialize instance of ${type} from VALUE_STRING value ${String(value)}`);
  }
  if (typeof value !== "string") {
    throw bad("JSON_PARSER_ERROR", `Cannot deserialize instance of ${type} from ${JSON.stringify(value).slice(0, 40)}`);
  }
  switch (type) {
    case "datetime":
    case "date":
      return checkedTime(field, value);
    case "reference":
      checkReference(field, value, ports);
      return value;
    case "email":
      if (!/^[^\s@<>(),;]+@[^\s@<>(),;]+\.[^\s@<>(),;.]{2,}$/.test(value))
        throw bad("INVALID_EMAIL_ADDRESS", `${name}: invalid email address: ${value}`, [name]);
      break;
    case "picklist":
      if (field.restricted === true && field.values?.includes(value) !== true) {
        const sentence = `${name}: bad value for restricted picklist field: ${value}`;
        throw bad("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", sentence, [name]);
      }
      break;
    default:
  }
  if (length > 0 && value.length > length) {
    throw bad("STRING_TOO_LONG", `${name}: data value too large: ${value.slice(0, 80)} (max length=${length})`, [name]);
  }
  return value;
}

function checkedTime({ name, type }: Field, value: string): string {
  const shape = type === "date" ? /^\d{4}-\d\d-\d\d$/ : /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)$/;
  if (!shape.test(value) || Number.isNaN(Date.parse(value.replace(/([+-]\d\d)(\d\d)$/, "$1:$2")))) {
    throw bad("JSON_PARSER_ERROR", `Cannot deserialize instance of ${type} from VALUE_STRING value ${value}`, [name]);
  }
  return type === "date" ? value : timeShown(Date.parse(value));
}

/** `2026-11-23T15:04:05.000+0000`. */
export const timeShown = (at: number): string => new Date(at).toISOString().replace("Z", "+0000");

function checkReference({ name, to = [] }: Field, value: string, { get }: CheckPorts): void {
  const object = isId(value) ? objectOfId(value) : undefined;
  if (object === undefined || !to.includes(object)) {
    throw bad("MALFORMED_ID", `${name}: id value of incorrect type: ${value}`, [name]);
  }
  const record = get(object, value);
  if (record === undefined) throw bad("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [name]);
  if (record.deleted) throw bad("ENTITY_IS_DELETED", "entity is deleted", [name]);
  if (record.values.IsConverted === true) {
    throw bad("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", [name]);
  }
}

export function checkRequired(object: ObjectName, values: Values, schema: Schema): void {
  const missing = [...(schema.fields(object)?.values() ?? [])]
    .filter(({ name, required }) => required && (values[name] === undefined || values[name] === null))
    .map(({ name }) => name);
  if (missing.length === 0) return;
  throw bad("REQUIRED_FIELD_MISSING", `Required fields are missing: [${missing.join(", ")}]`, missing);
}
