/** The values of one row: what Zoho would refuse is refused, in its words. */
import type { ZohoSandboxOptions } from "./options.ts";
import { fieldsOf, RowRefusal, rowError } from "./reply.ts";
import type { Field, ModuleName, Schema } from "./schema.ts";
import type { Store, Value } from "./store.ts";

export interface RowCheck {
  readonly module: ModuleName;
  readonly given: Readonly<Record<string, unknown>>;
  /** Which row it is. */
  readonly at: number;
  /** A new record, which has to have what is mandatory. */
  readonly whole: boolean;
  readonly schema: Schema;
  readonly options: ZohoSandboxOptions;
  readonly store: Pick<Store, "live">;
}

export function checkValues(check: RowCheck): Record<string, Value> {
  const { module, given, schema, options } = check;
  const values: Record<string, Value> = Object.create(null) as Record<string, Value>;
  for (const [name, value] of Object.entries(given)) {
    if (name === "id" || name.startsWith("$")) continue;
    const field = schema.field(module, name);
    if (field === undefined) {
      if (options.unknownFields === "ignore") continue;
      throw invalid(check, name, "the field api name given seems to be invalid");
    }
    if (field.read_only) continue;
    values[name] = checkedValue(check, field, value);
  }
  if (check.whole) {
    for (const { api_name, system_mandatory } of schema.list(module)) {
      const value = values[api_name];
      if (!system_mandatory || (value !== undefined && value !== null && value !== "")) continue;
      const details = { api_name, json_path: `$.data[${check.at}].${api_name}` };
      throw new RowRefusal(rowError("MANDATORY_NOT_FOUND", "required field not found", details));
    }
  }
  refuseWrongStage(check, values);
  return values;
}

function checkedValue(check: RowCheck, field: Field, value: unknown): Value {
  const { api_name, data_type, length, lookup } = field;
  if (value === null) return null;
  if (data_type === "lookup" || data_type === "ownerlookup") {
    const { id } = fieldsOf(value);
    const isThere =
      typeof id === "string" &&
      (lookup === undefined
        ? check.options.users.some((user) => user.id === id)
        : check.store.live(lookup, id) !== undefined);
    if (!isThere) throw invalid(check, api_name, "the related id given seems to be invalid");
    return { id: String(id) };
  }
  if (typeof value !== "string") throw invalid(check, api_name, "invalid data", { expected_data_type: data_type });
  if (value.length > length) throw invalid(check, api_name, "invalid data", { maximum_length: length });
  const wellFormed: Partial<Record<Field["data_type"], RegExp>> = {
    email: /^[^\s@<>"]+@[^\s@<>"]+$/,
    date: /^\d{4}-\d\d-\d\d$/,
  };
  if (value !== "" && wellFormed[data_type]?.test(value) === false)
    throw invalid(check, api_name, "invalid data", { expected_data_type: data_type });
  return value;
}

/** A stage has to be one of its pipeline. */
function refuseWrongStage(
  check: RowCheck,
  { Stage: stage, Pipeline: pipeline }: Readonly<Record<string, Value>>,
): void {
  if (check.module !== "Deals" || typeof stage !== "string") return;
  const { pipelines } = check.schema;
  if (typeof pipeline === "string") {
    const found = pipelines.find(({ name }) => name === pipeline);
    if (found === undefined) throw invalid(check, "Pipeline", "invalid data");
    if (found.stages.some(({ name }) => name === stage)) return;
    const details = { api_name: "Stage", json_path: `$.data[${check.at}].Stage`, parent_api_name: "Pipeline" };
    throw new RowRefusal(rowError("MAPPING_MISMATCH", "the pick list values are not mapped", details));
  }
  if (!pipelines.some(({ stages }) => stages.some(({ name }) => name === stage)))
    throw invalid(check, "Stage", "invalid data");
}

function invalid({ at }: RowCheck, name: string, message: string, more: object = {}): RowRefusal {
  return new RowRefusal(
    rowError("INVALID_DATA", message, { ...more, api_name: name, json_path: `$.data[${at}].${name}` }),
  );
}
