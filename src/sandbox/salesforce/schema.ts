/** The fields of the objects that the sandbox has, what describe says of them, and which of them the run-as user may see. */
import { type ObjectName, objectNames } from "./ids.ts";
import type { SalesforceSandboxOptions } from "./options.ts";

export type FieldType =
  | "id"
  | "string"
  | "textarea"
  | "email"
  | "url"
  | "phone"
  | "boolean"
  | "datetime"
  | "date"
  | "currency"
  | "reference"
  | "picklist"
  | "junctionidlist";

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  readonly length: number;
  readonly createable: boolean;
  readonly updateable: boolean;
  readonly required: boolean;
  readonly unique: boolean;
  readonly externalId: boolean;
  readonly custom: boolean;
  /** Values of a picklist; `restricted` refuses others. */
  readonly values?: readonly string[];
  readonly restricted?: boolean;
  readonly to?: readonly ObjectName[];
}

export interface Schema {
  /** Undefined where the org has no such object, or the user may not see it. */
  fields(object: ObjectName): ReadonlyMap<string, Field> | undefined;
  /** A field that is there and that the user may see. Names have no case. */
  field(object: ObjectName, name: string): Field | undefined;
  /** What the package of deploy/salesforce holds. */
  deploy(): void;
  add(object: ObjectName, field: Partial<Field> & { name: string }): void;
  remove(object: ObjectName, name: string): void;
  /** The permission set is assigned, or taken away. */
  permit(permitted: boolean): void;
}

const field = (name: string, type: FieldType, more: Partial<Field> = {}): Field => ({
  name,
  type,
  length: { email: 80, url: 255, phone: 40, string: 255, textarea: 32_000, picklist: 255 }[type as string] ?? 0,
  createable: true,
  updateable: true,
  required: false,
  unique: false,
  externalId: false,
  custom: name.endsWith("__c"),
  ...more,
});
const fixed = { createable: false, updateable: false } as const;
const text = (name: string, length: number, more: Partial<Field> = {}) => field(name, "string", { length, ...more });
const reference = (name: string, to: readonly ObjectName[], more: Partial<Field> = {}) =>
  field(name, "reference", { to, length: 18, ...more });

const system: readonly Field[] = [
  field("Id", "id", { ...fixed, length: 18 }),
  field("IsDeleted", "boolean", fixed),
  field("CreatedDate", "datetime", fixed),
  field("LastModifiedDate", "datetime", fixed),
  field("SystemModstamp", "datetime", fixed),
];
const owner = reference("OwnerId", ["User"]);
const leadSource = field("LeadSource", "picklist", {
  length: 40,
  values: ["Web", "Phone Inquiry", "Email", "Other"],
});
const sales = {
  Contact: [
    text("FirstName", 40),
    text("LastName", 80, { required: true }),
    text("Name", 121, fixed),
    field("Email", "email"),
    field("Phone", "phone"),
    field("MobilePhone", "phone"),
    text("Title", 128),
    field("Description", "textarea"),
    reference("AccountId", ["Account"]),
    reference("MasterRecordId", ["Contact"], fixed),
    leadSource,
    owner,
  ],
  Lead: [
    text("FirstName", 40),
    text("LastName", 80, { required: true }),
    text("Company", 255, { required: true }),
    text("Name", 121, fixed),
    field("Email", "email"),
    field("Phone", "phone"),
    field("MobilePhone", "phone"),
    text("Title", 128),
    field("Status", "picklist", { length: 40, values: ["Open - Not Contacted", "Working - Contacted"] }),
    field("IsConverted", "boolean", fixed),
    reference("MasterRecordId", ["Lead"], fixed),
    reference("ConvertedContactId", ["Contact"], fixed),
    reference("ConvertedAccountId", ["Account"], fixed),
    reference("ConvertedOpportunityId", ["Opportunity"], fixed),
    leadSource,
    owner,
  ],
  Account: [
    text("Name", 255, { required: true }),
    field("Website", "url"),
    reference("MasterRecordId", ["Account"], fixed),
    field("Phone", "phone"),
    field("Industry", "picklist", { length: 40, values: ["Banking", "Technology"] }),
    field("Description", "textarea"),
    owner,
  ],
} satisfies Partial<Record<ObjectName, readonly Field[]>>;

const mail = (bodyChars: number): readonly Field[] => [
  text("Subject", 3_000, { updateable: false }),
  field("TextBody", "textarea", { length: bodyChars }),
  field("HtmlBody", "textarea", { length: bodyChars }),
  field("Headers", "textarea"),
  text("FromName", 1_000),
  text("FromAddress", 1_000),
  text("ToAddress", 4_000),
  text("CcAddress", 4_000),
  text("BccAddress", 4_000),
  field("Incoming", "boolean"),
  field("Status", "picklist", { length: 40, values: ["0", "1", "2", "3", "4", "5"], restricted: true }),
  field("MessageDate", "datetime"),
  text("MessageIdentifier", 255),
  text("ThreadIdentifier", 255),
  field("IsExternallyVisible", "boolean"),
  field("IsClientManaged", "boolean"),
  reference("RelatedToId", ["Opportunity", "Account"]),
  reference("ActivityId", ["Task"]),
  field("ToIds", "junctionidlist"),
  field("CcIds", "junctionidlist"),
  field("BccIds", "junctionidlist"),
];

const others = {
  EmailMessageRelation: [
    reference("EmailMessageId", ["EmailMessage"], { required: true, updateable: false }),
    reference("RelationId", ["Contact", "Lead", "User"], { updateable: false }),
    field("RelationType", "picklist", {
      values: ["ToAddress", "CcAddress", "BccAddress", "FromAddress", "OtherAddress"],
      restricted: true,
      required: true,
      updateable: false,
    }),
    text("RelationAddress", 1_000, { updateable: false }),
    text("RelationObjectType", 40, fixed),
  ],
  OpportunityContactRole: [
    reference("OpportunityId", ["Opportunity"], { required: true, updateable: false }),
    reference("ContactId", ["Contact"], { required: true }),
    field("Role", "picklist", { length: 40, values: ["Decision Maker", "Evaluator", "Other"] }),
    field("IsPrimary", "boolean"),
  ],
  Task: [
    text("Subject", 255),
    text("TaskSubtype", 40, { updateable: false }),
    field("Status", "picklist", { values: ["Not Started", "Completed"], restricted: true }),
    field("Description", "textarea"),
    field("ActivityDate", "date"),
    reference("WhoId", ["Contact", "Lead"]),
    reference("WhatId", ["Opportunity", "Account"]),
    owner,
  ],
  User: [text("Name", 121, fixed), field("Email", "email", fixed), field("IsActive", "boolean", fixed)],
  OpportunityStage: [
    text("ApiName", 255, fixed),
    text("MasterLabel", 255, fixed),
    field("IsActive", "boolean", fixed),
    field("IsClosed", "boolean", fixed),
    field("IsWon", "boolean", fixed),
    field("SortOrder", "currency", fixed),
  ],
  Organization: [text("Name", 80, fixed), field("IsSandbox", "boolean", fixed), text("InstanceName", 5, fixed)],
  RecordType: [
    text("Name", 80, fixed),
    text("DeveloperName", 80, fixed),
    text("SobjectType", 40, fixed),
    field("IsActive", "boolean", fixed),
  ],
} satisfies Partial<Record<ObjectName, readonly Field[]>>;

const opportunity = (stages: readonly string[]): readonly Field[] => [
  text("Name", 120, { required: true }),
  field("StageName", "picklist", { length: 255, values: stages, restricted: true, required: true }),
  field("CloseDate", "date", { required: true }),
  field("Amount", "currency"),
  field("Type", "picklist", { length: 255, values: ["New Customer"] }),
  field("Description", "textarea"),
  field("NextStep", "string"),
  reference("AccountId", ["Account"]),
  reference("RecordTypeId", ["RecordType"]),
  field("IsClosed", "boolean", fixed),
  field("IsWon", "boolean", fixed),
  leadSource,
  owner,
];

/** As deploy/salesforce has them; a test holds the two together. */
const key = (unique: boolean): Field => text("Mailwright_Key__c", 64, { unique, externalId: true });
const flags = text("Mailwright_Flags__c", 255);

/** What the permission set lets a user see who may see nothing else. */
const grantedObjects: ReadonlySet<ObjectName> = new Set([
  "Contact",
  "Lead",
  "Account",
  "Opportunity",
  "OpportunityContactRole",
]);

export function openSchema(options: SalesforceSandboxOptions): Schema {
  const standard: Partial<Record<ObjectName, readonly Field[]>> = {
    ...sales,
    ...others,
    Opportunity: opportunity(options.stages.map(({ name }) => name)),
    ...(options.enhancedEmail ? { EmailMessage: mail(options.bodyChars) } : {}),
  };
  const tables = new Map<ObjectName, Map<string, Field>>();
  for (const object of objectNames) {
    const own = standard[object];
    if (own === undefined) continue;
    const required = new Set(options.required.filter((one) => one.object === object).map(({ field }) => field));
    const all = [...system, ...own].map((one) => (required.has(one.name) ? { ...one, required: true } : one));
    tables.set(object, new Map(all.map((one) => [one.name.toLowerCase(), one])));
  }
  let permitted = options.permitted;
  const isHidden = (object: ObjectName): boolean =>
    options.hidden.includes(object) || (!permitted && grantedObjects.has(object));
  const put = (object: ObjectName, one: Field) => tables.get(object)?.set(one.name.toLowerCase(), one);

  const schema: Schema = {
    fields: (object) => (isHidden(object) ? undefined : tables.get(object)),
    field(object, name) {
      const found = schema.fields(object)?.get(name.toLowerCase());
      return found?.custom === true && !permitted ? undefined : found;
    },
    deploy() {
      for (const object of ["Contact", "Lead", "Account", "Opportunity"] as const) put(object, key(true));
      for (const object of ["Contact", "Lead"] as const) put(object, flags);
      put("EmailMessage", key(options.emailUnique));
      put("EmailMessage", flags);
      put("EmailMessage", text("Mailwright_Event__c", 64));
      put("EmailMessage", field("Mailwright_Files__c", "textarea", { length: 32_768 }));
    },
    add: (object, one) => void put(object, field(one.name, one.type ?? "string", one)),
    remove: (object, name) => void tables.get(object)?.delete(name.toLowerCase()),
    permit(now) {
      permitted = now;
    },
  };
  if (options.prepared) schema.deploy();
  return schema;
}

/** A field as describe shows it. */
export const described = (one: Field): object => ({
  name: one.name,
  label: one.name,
  type: one.type,
  length: one.length,
  custom: one.custom,
  createable: one.createable,
  updateable: one.updateable,
  nillable: !one.required,
  unique: one.unique,
  externalId: one.externalId,
  caseSensitive: false,
  restrictedPicklist: one.restricted === true,
  picklistValues: (one.values ?? []).map((value) => ({ value, label: value, active: true })),
  referenceTo: one.to ?? [],
});
