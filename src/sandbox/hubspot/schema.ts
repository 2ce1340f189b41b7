/** Object types of the sandbox account: their properties, what may be written, and which associations exist between them. */
import { respelled } from "./html.ts";
import type { HubspotSandboxOptions } from "./options.ts";
import { invalidValues, missingScopes, notFound, Refusal, validation } from "./reply.ts";

export const objectNames = ["contacts", "companies", "deals", "emails", "notes", "tasks", "tickets"] as const;
export type ObjectName = (typeof objectNames)[number];

/** Paths take names and type ids alike. */
const typeIds: Readonly<Record<string, ObjectName>> = {
  "0-1": "contacts",
  "0-2": "companies",
  "0-3": "deals",
  "0-5": "tickets",
  "0-27": "tasks",
  "0-46": "notes",
  "0-49": "emails",
};

export function objectNamed(name: string): ObjectName | undefined {
  const singular: Readonly<Record<string, ObjectName>> = {
    contact: "contacts",
    company: "companies",
    deal: "deals",
    email: "emails",
    note: "notes",
    task: "tasks",
    ticket: "tickets",
  };
  return objectNames.find((known) => known === name) ?? typeIds[name] ?? singular[name];
}

export interface Property {
  readonly name: string;
  readonly label: string;
  readonly groupName: string;
  readonly type: string;
  readonly fieldType: string;
  readonly hasUniqueValue: boolean;
  readonly readOnly: boolean;
  readonly options: readonly string[] | undefined;
  readonly maxChars: number;
}

const directions = ["EMAIL", "INCOMING_EMAIL", "FORWARDED_EMAIL"];
const emailStates = ["BOUNCED", "FAILED", "SCHEDULED", "SENDING", "SENT"];
const stages = [
  "appointmentscheduled",
  "qualifiedtobuy",
  "presentationscheduled",
  "contractsent",
  "closedwon",
  "closedlost",
];
export const pipelines = [{ id: "default", label: "Sales Pipeline", stages: stages.map(stageOf) }];

function stageOf(id: string) {
  return { id, label: id, metadata: { isClosed: String(id.startsWith("closed")) } };
}

const common = [
  "hs_object_id!",
  "hs_createdate!",
  "hs_lastmodifieddate!",
  "hs_unique_creation_key!",
  "hubspot_owner_id",
];
/** `!` marks what integrations may only read. */
const standard: Readonly<Record<ObjectName, readonly string[]>> = {
  contacts:
    "email firstname lastname phone jobtitle company website lifecyclestage hs_lead_status hs_additional_emails! hs_analytics_source! hs_object_source!".split(
      " ",
    ),
  companies: "name domain website phone description".split(" "),
  deals: "dealname pipeline dealstage amount closedate description".split(" "),
  emails:
    "hs_timestamp hs_email_direction hs_email_status hs_email_subject hs_email_text hs_email_html hs_email_headers hs_attachment_ids hs_email_message_id hs_email_thread_id! hs_email_from_email! hs_email_to_email! hs_email_cc_email!".split(
      " ",
    ),
  notes: "hs_timestamp hs_note_body hs_attachment_ids".split(" "),
  tasks: "hs_timestamp hs_task_subject hs_task_body hs_task_status".split(" "),
  tickets: "subject content hs_pipeline hs_pipeline_stage".split(" "),
};
const optionsOf: Readonly<Record<string, readonly string[]>> = {
  hs_email_direction: directions,
  hs_email_status: emailStates,
  pipeline: ["default"],
  dealstage: stages,
};
const maxValueChars = 65_536;

/** Directional: the first name is the record whose body or path comes first. */
const associationTypes: Readonly<Record<string, readonly number[]>> = {
  "emails>contacts": [198],
  "emails>companies": [186],
  "emails>deals": [210],
  "emails>tickets": [224],
  "notes>contacts": [202],
  "notes>companies": [190],
  "notes>deals": [214],
  "notes>tickets": [228],
  "tasks>contacts": [204],
  "tasks>companies": [192],
  "tasks>deals": [216],
  "tasks>tickets": [230],
  "deals>contacts": [3],
  "deals>companies": [341, 5],
  "deals>tickets": [27],
  "contacts>companies": [279, 1],
  "contacts>deals": [4],
  "contacts>tickets": [15],
  "contacts>emails": [197],
  "contacts>notes": [201],
  "companies>contacts": [280, 2],
  "companies>deals": [342, 6],
  "companies>emails": [185],
  "companies>notes": [189],
  "deals>emails": [209],
  "deals>notes": [213],
};

export const associationTypesOf = (from: ObjectName, to: ObjectName): readonly number[] =>
  associationTypes[`${from}>${to}`] ?? [];

export interface Schema {
  property(object: ObjectName, name: string): Property | undefined;
  list(object: ObjectName): readonly Property[];
  /** Adds a custom property, or refuses as HubSpot does. */
  create(object: ObjectName, body: unknown): Property;
  createGroup(object: ObjectName, body: unknown): { name: string; label: string };
  /** A person at HubSpot archives a property. */
  remove(object: ObjectName, name: string): void;
}

/** At most ten unique properties an object. */
const maxUnique = 10;

export function openSchema(options: HubspotSandboxOptions): Schema {
  const objects = new Map<ObjectName, Map<string, Property>>();
  const groups = new Set<string>();
  for (const object of objectNames) {
    objects.set(
      object,
      new Map([...standard[object], ...common].map((text) => standardProperty(object, text)).map((p) => [p.name, p])),
    );
    groups.add(`${object}:${object}information`);
  }
  const of = (object: ObjectName): Map<string, Property> => objects.get(object) ?? new Map<string, Property>();

  const schema: Schema = {
    property: (object, name) => of(object).get(name),
    list: (object) => [...of(object).values()],
    create(object, body) {
      const given = fields(body);
      const name = text(given, "name");
      for (const field of ["label", "groupName", "type", "fieldType"]) text(given, field);
      if (!/^[a-z][a-z0-9_]{0,99}$/.test(name)) throw validation(`Invalid property name ${name}`);
      if (!groups.has(`${object}:${text(given, "groupName")}`))
        throw notFound(`There is no property group ${text(given, "groupName")}`);
      if (of(object).has(name)) {
        throw new Refusal(409, {
          message: `A property named '${name}' already exists.`,
          category: "OBJECT_ALREADY_EXISTS",
        });
      }
      const unique = given.hasUniqueValue === true;
      if (unique && (object === "emails" || object === "notes") && options.emailsUnique === "no") {
        throw validation(`hasUniqueValue is not supported for object type ${object}`);
      }
      if (unique && schema.list(object).filter((property) => property.hasUniqueValue).length >= maxUnique) {
        throw validation(`At most ${maxUnique} unique properties are allowed for ${object}`);
      }
      const property: Property = {
        name,
        label: text(given, "label"),
        groupName: text(given, "groupName"),
        type: text(given, "type"),
        fieldType: text(given, "fieldType"),
        hasUniqueValue: unique,
        readOnly: false,
        options: undefined,
        maxChars: maxValueChars,
      };
      of(object).set(name, property);
      return property;
    },
    createGroup(object, body) {
      const given = fields(body);
      const [name, label] = [text(given, "name"), text(given, "label")];
      if (groups.has(`${object}:${name}`))
        throw new Refusal(409, { message: `A group named '${name}' already exists.`, category: "CONFLICT" });
      groups.add(`${object}:${name}`);
      return { name, label };
    },
    remove(object, name) {
      of(object).delete(name);
    },
  };
  return schema;
}

function standardProperty(object: ObjectName, written: string): Property {
  const name = written.replace("!", "");
  return {
    name,
    label: name,
    groupName: `${object}information`,
    type: name === "hs_timestamp" ? "datetime" : optionsOf[name] === undefined ? "string" : "enumeration",
    fieldType: "text",
    // Email is kept unique by a rule of its own (secondary addresses count too).
    hasUniqueValue: false,
    readOnly: written.endsWith("!"),
    options: optionsOf[name],
    maxChars: maxValueChars,
  };
}

/** Refuses what a look at or a change of an object's schema may not do with this token. */
export function mayUseSchema(object: ObjectName, options: HubspotSandboxOptions): void {
  if ((object === "emails" || object === "notes") && options.emailsUnique === "propertiesForbidden") {
    throw missingScopes(["connected-email-data-access"]);
  }
}

export function fields(body: unknown): Record<string, unknown> {
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw validation("Invalid input JSON: an object is required");
  return body as Record<string, unknown>;
}

function text(given: Record<string, unknown>, name: string): string {
  const value = given[name];
  if (typeof value !== "string" || value === "") throw validation(`Some required fields were not set: [${name}]`);
  return value;
}

/** Checks values as a create or update brings them; the first fault of each property is reported. */
export function checkValues(
  object: ObjectName,
  values: unknown,
  schema: Schema,
  options: HubspotSandboxOptions,
): Record<string, string> {
  const faults: { name: string; error: string; message: string }[] = [];
  const checked: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(fields(values))) {
    const property = schema.property(object, name);
    if (typeof value !== "string") throw validation(`Invalid input JSON: the value of ${name} must be a string`);
    const error = property === undefined ? "PROPERTY_DOESNT_EXIST" : faultOf(property, value, options);
    if (error === undefined)
      checked[name] = name === "hs_email_html" && options.respellsHtml ? respelled(value) : value;
    else if (error !== "DROPPED") faults.push({ name, error, message: sentence(name, error) });
    const rule = options.validationRules.find(
      (rule) => rule.object === object && rule.property === name && new RegExp(rule.refuse).test(value),
    );
    if (rule !== undefined) faults.push({ name, error: "VALIDATION_RULE", message: rule.message });
  }
  if (faults.length > 0) throw invalidValues(faults);
  return checked;
}

const sentence = (name: string, error: string): string =>
  error === "PROPERTY_DOESNT_EXIST"
    ? `Property "${name}" does not exist`
    : error === "TOO_LONG"
      ? `${name} is too long: at most ${maxValueChars} characters`
      : `${name}: ${error}`;

function faultOf(property: Property, value: string, options: HubspotSandboxOptions): string | undefined {
  if (property.readOnly) return "READ_ONLY_VALUE";
  if (value.length > property.maxChars) return "TOO_LONG";
  if (property.options !== undefined && !property.options.includes(value)) return "INVALID_OPTION";
  switch (property.name) {
    case "hs_timestamp":
      return Number.isNaN(/^\d+$/.test(value) ? Number(value) : Date.parse(value)) ? "INVALID_DATE" : undefined;
    case "email":
      return /^[^\s@<>"]+@[^\s@<>"]+\.[^\s@<>".]+$/.test(value) ? undefined : "INVALID_EMAIL";
    case "hs_email_headers":
      return isJsonObject(value) ? undefined : "INVALID_JSON";
    case "hs_email_message_id":
      if (options.messageIdProperty === "reject") return "READ_ONLY_VALUE";
      return options.messageIdProperty === "drop" ? "DROPPED" : undefined;
    default:
      return undefined;
  }
}

function isJsonObject(value: string): boolean {
  try {
    const parsed: unknown = JSON.parse(value);
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed);
  } catch {
    return false;
  }
}
