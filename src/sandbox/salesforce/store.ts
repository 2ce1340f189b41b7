/** The records of the sandbox org: one store that knows everything at once, as SOQL reads it, with uniqueness, rollback and what Salesforce does by itself. */
import type { Clock } from "../../model/ports.ts";
import { checkedValues, checkRequired, timeShown } from "./checks.ts";
import { id18, idOf, isId, type ObjectName, objectNames, objectOfId } from "./ids.ts";
import type { SalesforceSandboxOptions } from "./options.ts";
import { bad, notFound } from "./reply.ts";
import { checkRules } from "./rules.ts";
import type { Schema } from "./schema.ts";

export type Values = Readonly<Record<string, string | number | boolean | null>>;

export interface SalesforceRecord {
  readonly id: string;
  readonly object: ObjectName;
  values: Values;
  readonly createdAt: number;
  modifiedAt: number;
  deleted: boolean;
}

/** What a call brings along that changes how it is checked. */
export interface Saving {
  /** Sforce-Duplicate-Rule-Header: allowSave=true. */
  readonly allowSave: boolean;
}
export const strict: Saving = { allowSave: false };

export interface Store {
  all(object: ObjectName): SalesforceRecord[];
  /** By id in either length; deleted ones too. */
  get(object: ObjectName, id: string): SalesforceRecord | undefined;
  /** 404 for what never was, ENTITY_IS_DELETED for what is in the recycle bin. */
  live(object: ObjectName, id: string): SalesforceRecord;
  create(object: ObjectName, given: Readonly<Record<string, unknown>>, saving: Saving): SalesforceRecord;
  update(record: SalesforceRecord, given: Readonly<Record<string, unknown>>, saving: Saving): void;
  remove(record: SalesforceRecord): void;
  /** Past all checks: what Salesforce and its people do by themselves. */
  insert(object: ObjectName, values: Values): SalesforceRecord;
  change(record: SalesforceRecord, values: Values): void;
  /** All or nothing: undoes every write of `work` when it throws. */
  atomically<T>(work: () => T): T;
}

export interface StorePorts {
  readonly clock: Pick<Clock, "now">;
  readonly options: SalesforceSandboxOptions;
  readonly schema: Schema;
}

export function openStore({ clock, options, schema }: StorePorts): Store {
  const tables = new Map<ObjectName, Map<string, SalesforceRecord>>(objectNames.map((name) => [name, new Map()]));
  const lockedUntil = new Map<string, number>();
  let made = 0;
  let journal: (() => void)[] | undefined;
  const table = (object: ObjectName) => tables.get(object) ?? new Map<string, SalesforceRecord>();

  function refuseTaken(object: ObjectName, values: Values, own: string | undefined): void {
    for (const { name, unique } of schema.fields(object)?.values() ?? []) {
      const value = values[name];
      if (!unique || typeof value !== "string") continue;
      const holder = [...table(object).values()].find(
        (other) =>
          other.id !== own &&
          (!other.deleted || options.deletedKeepKeys) &&
          String(other.values[name] ?? "").toLowerCase() === value.toLowerCase(),
      );
      if (holder === undefined) continue;
      const by = { id18: holder.id, id15: holder.id.slice(0, 15), unknown: "<unknown>" }[options.takenBy];
      throw bad("DUPLICATE_VALUE", `duplicate value found: ${name} duplicates value on record with id: ${by}`);
    }
  }

  /** Two writes on one account at once: the later one does not get the lock. */
  function lock(values: Values): void {
    const now = clock.now();
    for (const name of ["AccountId", "RelatedToId"]) {
      const id = values[name];
      if (options.lockMs === 0 || typeof id !== "string" || !id.startsWith("001")) continue;
      if ((lockedUntil.get(id) ?? 0) > now) {
        const sentence = `unable to obtain exclusive access to this record or 1 records: ${id}`;
        throw bad("UNABLE_TO_LOCK_ROW", sentence);
      }
      lockedUntil.set(id, now + options.lockMs);
    }
  }

  const store: Store = {
    all: (object) => [...table(object).values()],
    get: (object, id) => (isId(id) ? table(object).get(id.length === 15 ? id18(id) : id) : undefined),
    live(object, id) {
      const found = store.get(object, id);
      if (found === undefined) throw notFound();
      if (found.deleted) throw bad("ENTITY_IS_DELETED", "entity is deleted");
      return found;
    },
    create(object, given, saving) {
      const values = checkedValues(object, given, "create", { schema, get: store.get });
      if (object === "EmailMessage" && values.ActivityId != null)
        throw bad("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", ["ActivityId"]);
      checkRequired(object, values, schema);
      checkRules({ object, values, own: undefined, saving, options, store });
      refuseTaken(object, values, undefined);
      lock(values);
      return store.atomically(() => {
        const record = store.insert(object, values);
        if (object === "EmailMessage") logged(record, given, store);
        return record;
      });
    },
    update(record, given, saving) {
      const values = checkedValues(record.object, given, "update", { schema, get: store.get });
      if (record.object === "EmailMessage" && record.values.Status !== "5") refuseEdit(values);
      const whole = { ...record.values, ...values };
      checkRequired(record.object, whole, schema);
      checkRules({ object: record.object, values: whole, own: record.id, saving, options, store });
      refuseTaken(record.object, values, record.id);
      lock(whole);
      store.change(record, values);
    },
    remove(record) {
      const before = record.deleted;
      record.deleted = true;
      record.modifiedAt = clock.now();
      journal?.push(() => {
        record.deleted = before;
      });
      for (const child of childrenOf(record, store)) if (!child.deleted) store.remove(child);
    },
    insert(object, values) {
      made++;
      const now = clock.now();
      const record: SalesforceRecord = {
        id: idOf(object, made),
        object,
        values: { ...values, ...derived(object, values, options) },
        createdAt: now,
        modifiedAt: now,
        deleted: false,
      };
      table(object).set(record.id, record);
      journal?.push(() => void table(object).delete(record.id));
      return record;
    },
    change(record, values) {
      const { values: before, modifiedAt } = record;
      const whole = { ...before, ...values };
      record.values = { ...whole, ...derived(record.object, whole, options) };
      record.modifiedAt = clock.now();
      journal?.push(() => {
        record.values = before;
        record.modifiedAt = modifiedAt;
      });
    },
    atomically(work) {
      if (journal !== undefined) return work();
      const undo: (() => void)[] = [];
      journal = undo;
      try {
        return work();
      } catch (error) {
        for (const step of undo.reverse()) step();
        throw error;
      } finally {
        journal = undefined;
      }
    },
  };
  return store;
}

/** What Salesforce works out of other fields. */
function derived(object: ObjectName, values: Values, { stages }: SalesforceSandboxOptions): Values {
  switch (object) {
    case "Contact":
    case "Lead":
      return {
        Name: [values.FirstName, values.LastName].filter((part) => typeof part === "string").join(" "),
        ...(object === "Lead" ? { IsConverted: values.IsConverted ?? false } : {}),
      };
    case "Opportunity": {
      const stage = stages.find(({ name }) => name === values.StageName);
      return { IsClosed: stage?.closed === true, IsWon: stage?.won === true };
    }
    default:
      return {};
  }
}

/** A mail that is no draft is history: only its visibility and an org's own fields may change. */
function refuseEdit(values: Values): void {
  const standard = Object.keys(values).filter((name) => name !== "IsExternallyVisible" && !name.endsWith("__c"));
  if (standard.length === 0) return;
  const sentence = `You can't update ${standard.join(", ")}: only drafts can be edited.`;
  throw bad("INSUFFICIENT_ACCESS_OR_READONLY", sentence, standard);
}

/** Salesforce makes the task of a logged mail by itself, and relations out of the ids that came with it. */
function logged(mail: SalesforceRecord, given: Readonly<Record<string, unknown>>, store: Store): void {
  const task = store.insert("Task", {
    Subject: `Email: ${String(mail.values.Subject ?? "")}`.slice(0, 255),
    TaskSubtype: "Email",
    Status: "Completed",
    WhatId: mail.values.RelatedToId ?? null,
  });
  store.change(mail, { ActivityId: task.id });
  for (const [name, RelationType] of [
    ["ToIds", "ToAddress"],
    ["CcIds", "CcAddress"],
    ["BccIds", "BccAddress"],
  ] as const) {
    const ids = given[name];
    for (const RelationId of Array.isArray(ids) ? (ids as unknown[]) : []) {
      store.create("EmailMessageRelation", { EmailMessageId: mail.id, RelationId, RelationType }, strict);
    }
  }
}

/** An account takes its contacts and opportunities along, a mail its relations. */
function childrenOf({ object, id }: SalesforceRecord, store: Store): SalesforceRecord[] {
  const by = (child: ObjectName, field: string) => store.all(child).filter(({ values }) => values[field] === id);
  switch (object) {
    case "Account":
      return [...by("Contact", "AccountId"), ...by("Opportunity", "AccountId")];
    case "Contact":
      return [...by("OpportunityContactRole", "ContactId"), ...by("EmailMessageRelation", "RelationId")];
    case "Lead":
      return by("EmailMessageRelation", "RelationId");
    case "Opportunity":
      return by("OpportunityContactRole", "OpportunityId");
    case "EmailMessage":
      return by("EmailMessageRelation", "EmailMessageId");
    default:
      return [];
  }
}

/** As an answer shows the record's fields. */
export function shown(record: SalesforceRecord, name: string): string | number | boolean | null {
  switch (name) {
    case "Id":
      return record.id;
    case "IsDeleted":
      return record.deleted;
    case "CreatedDate":
      return timeShown(record.createdAt);
    case "LastModifiedDate":
    case "SystemModstamp":
      return timeShown(record.modifiedAt);
    case "RelationObjectType":
      return objectOfId(String(record.values.RelationId)) ?? null;
    default:
      return record.values[name] ?? null;
  }
}
