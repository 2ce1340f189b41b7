/** The modules of the sandbox organisation and their fields: types, lengths, what is mandatory, unique, or only to be read. */
import type { Pipeline, ZohoSandboxOptions } from "./options.ts";
import { type RowError, refused, rowError } from "./reply.ts";

export const moduleNames = ["Contacts", "Leads", "Accounts", "Deals"] as const;
export type ModuleName = (typeof moduleNames)[number];
export const moduleNamed = (name: string): ModuleName | undefined => moduleNames.find((known) => known === name);

export type DataType =
  | "text"
  | "email"
  | "website"
  | "phone"
  | "textarea"
  | "picklist"
  | "date"
  | "lookup"
  | "ownerlookup";

export interface Field {
  readonly id: string;
  readonly api_name: string;
  readonly field_label: string;
  readonly data_type: DataType;
  readonly length: number;
  readonly system_mandatory: boolean;
  readonly custom_field: boolean;
  readonly read_only: boolean;
  readonly unique: boolean;
  /** The module that a lookup leads to. */
  readonly lookup?: ModuleName;
}

export interface Schema {
  list(module: ModuleName): readonly Field[];
  field(module: ModuleName, name: string): Field | undefined;
  /** Makes a custom field of what POST settings/fields says; answers its id, or what is wrong. */
  create(module: ModuleName, given: Readonly<Record<string, unknown>>, at: number): { id: string } | RowError;
  remove(module: ModuleName, name: string): void;
  readonly pipelines: readonly Pipeline[];
}

type Brief = readonly [name: string, type: DataType, length: number, more?: Partial<Field>];

const must = { system_mandatory: true } as const;
const shown = { read_only: true } as const;
const common: readonly Brief[] = [
  ["Owner", "ownerlookup", 120],
  ["Description", "textarea", 32_000],
  ["Lead_Source", "picklist", 120],
  ["Created_Time", "text", 120, shown],
  ["Modified_Time", "text", 120, shown],
];
const person: readonly Brief[] = [
  ["First_Name", "text", 40],
  ["Last_Name", "text", 80, must],
  ["Email", "email", 100],
  ["Secondary_Email", "email", 100],
  ["Phone", "phone", 30],
  ["Title", "text", 100],
];
const standard: Readonly<Record<ModuleName, readonly Brief[]>> = {
  Contacts: [...person, ["Account_Name", "lookup", 120, { lookup: "Accounts" }], ...common],
  Leads: [...person, ["Company", "text", 200, must], ["Lead_Status", "picklist", 120], ...common],
  Accounts: [["Account_Name", "text", 200, must], ["Website", "website", 450], ["Phone", "phone", 30], ...common],
  Deals: [
    ["Deal_Name", "text", 120, must],
    ["Stage", "picklist", 120, must],
    ["Pipeline", "picklist", 120],
    ["Closing_Date", "date", 20, must],
    ["Amount", "text", 16],
    ["Contact_Name", "lookup", 120, { lookup: "Contacts" }],
    ["Account_Name", "lookup", 120, { lookup: "Accounts" }],
    ...common,
  ],
};

const creatable: ReadonlySet<string> = new Set(["text", "textarea", "email", "picklist", "website", "phone", "date"]);
const mostUnique = 3;

export function openSchema(options: ZohoSandboxOptions): Schema {
  let made = 0;
  const nextId = (): string => `36523970000000${String(26_000 + made++)}`;
  const tables = new Map<ModuleName, Map<string, Field>>();
  for (const module of moduleNames) {
    const fields = standard[module].map(([api_name, data_type, length, more]): Field => {
      const isMandatory = more?.system_mandatory === true || options.mandatory.includes(`${module}.${api_name}`);
      const isUnique = api_name === "Email" && options.emailUnique;
      const field_label = api_name.replaceAll("_", " ");
      const rest = { custom_field: false, read_only: false, ...more, system_mandatory: isMandatory, unique: isUnique };
      return { id: nextId(), api_name, field_label, data_type, length, ...rest };
    });
    tables.set(module, new Map(fields.map((field) => [field.api_name, field])));
  }
  const table = (module: ModuleName): Map<string, Field> => tables.get(module) ?? new Map<string, Field>();

  const schema: Schema = {
    pipelines: options.pipelines,
    list: (module) => [...table(module).values()],
    field: (module, name) => table(module).get(name),
    create(module, given, at) {
      const path = (name: string) => ({ api_name: name, json_path: `$.fields[${at}].${name}` });
      const label = given.field_label;
      if (typeof label !== "string" || !/^[A-Za-z][\w ]{0,49}$/.test(label))
        return rowError("INVALID_DATA", "invalid data", path("field_label"));
      const type = given.data_type;
      if (typeof type !== "string" || !creatable.has(type))
        return rowError("INVALID_DATA", "invalid data", path("data_type"));
      const wantsUnique = given.unique !== undefined;
      const isUnique = typeof given.unique === "object" && given.unique !== null;
      if (wantsUnique && !isUnique) return rowError("INVALID_DATA", "invalid data", path("unique"));
      const own = table(module);
      const taken = [...own.values()].filter(({ custom_field, unique }) => custom_field && unique).length;
      if (isUnique && (!options.uniqueFields || taken >= mostUnique))
        return rowError("FEATURE_NOT_SUPPORTED", "unique fields are not supported in this edition", path("unique"));
      const api_name = label.trim().replaceAll(" ", "_");
      if (own.has(api_name)) return rowError("DUPLICATE_DATA", "duplicate data", path("field_label"));
      const length = typeof given.length === "number" ? given.length : 255;
      const rest = { system_mandatory: false, custom_field: true, read_only: false, unique: isUnique };
      const field: Field = { id: nextId(), api_name, field_label: label, data_type: type as DataType, length, ...rest };
      own.set(api_name, field);
      return { id: field.id };
    },
    remove(module, name) {
      const found = table(module).get(name);
      if (found === undefined || !found.custom_field)
        throw refused(400, "INVALID_DATA", "the id given seems to be invalid");
      table(module).delete(name);
    },
  };
  if (options.prepared) {
    for (const module of moduleNames) {
      const unique = options.uniqueFields ? { unique: { casesensitive: false } } : {};
      schema.create(module, { field_label: "Mailwright Key", data_type: "text", length: 64, ...unique }, 0);
      if (module === "Contacts" || module === "Leads")
        schema.create(module, { field_label: "Mailwright Flags", data_type: "text", length: 255 }, 0);
    }
  }
  return schema;
}

/** A field as GET settings/fields shows it. */
export function fieldShown(field: Field, { pipelines }: Schema): object {
  const { unique, lookup, ...rest } = field;
  const stages = [...new Map(pipelines.flatMap((one) => one.stages).map((stage) => [stage.name, stage])).values()];
  const stageShown = ({ name, forecast }: (typeof stages)[number], at: number) => ({
    display_value: name,
    actual_value: name,
    id: `3652397000000030${String(100 + at)}`,
    sequence_number: at + 1,
    colour_code: null,
    forecast_type: forecast,
  });
  const lists: Readonly<Record<string, readonly object[]>> = {
    Stage: stages.map(stageShown),
    Pipeline: pipelines.map(({ name, stages: its }, at) => ({
      display_value: name,
      actual_value: name,
      id: `3652397000000031${String(100 + at)}`,
      sequence_number: at + 1,
      maps: [{ api_name: "Stage", pick_list_values: its.map(stageShown) }],
    })),
  };
  return {
    ...rest,
    unique: unique ? { casesensitive: "" } : {},
    ...(lookup === undefined ? {} : { lookup: { module: { api_name: lookup } } }),
    pick_list_values: lists[field.api_name] ?? [],
  };
}
