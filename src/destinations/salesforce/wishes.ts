/** What a mapping asks for by name (an owner, a record type, a stage, fields of the org's own), turned into what this org calls it. Asked now and then. */
import type { Clock } from "../../model/ports.ts";
import type { DealStep, PersonStep } from "../../model/step.ts";
import { isNamed, listed, openMemo, permanent } from "../shared/calls.ts";
import { type Api, isId, type ObjectName, textOf } from "./api.ts";
import type { Fields } from "./bodies.ts";
import type { FieldFacts, Org } from "./org.ts";
import { quoted, select } from "./soql.ts";

export interface Granted {
  /** Salesforce's id of the owner; the settings' where none is asked for or found. */
  readonly owner: string | undefined;
  readonly fields: Fields;
  /** What could not be had, for the story. */
  readonly note: string | undefined;
  /** LeadSource, where the object has one that may say Email. */
  readonly source: string | undefined;
}

export interface Wishes {
  /** Refused only by weather: an owner or a field that is not there is no reason to lose the mail. */
  of(object: ObjectName, step: Pick<PersonStep, "owner" | "fields">): Promise<Granted>;
  /** Refused (permanent) where the org has no such record type or stage: a deal in a wrong one is worse than one that waits for a person. */
  stage(step: Pick<DealStep, "pipeline" | "stage">): Promise<{ RecordTypeId: string | undefined; StageName: string }>;
}

const forgetMs = 600_000;
/** The word that a mapping uses where it names no stage; Salesforce's own process has a stage of that name. */
const anyStage = "qualification";
/** What we set ourselves, or what would make the record another one. */
const ours = new Set(
  `id email lastname firstname company website stagename recordtypeid ownerid closedate accountid relatedtoid activityid parentid subject
  textbody htmlbody headers fromname fromaddress toaddress ccaddress bccaddress incoming status messagedate messageidentifier threadidentifier
  toids ccids bccids isclientmanaged isprivatedraft`.split(/\s+/),
);

export function openWishes(api: Api, org: Org, clock: Clock, defaultOwner: string | undefined): Wishes {
  const memo = openMemo(clock, forgetMs);

  const ownerId = (email: string): Promise<string | undefined> =>
    memo.once(`owner ${email}`, async () => {
      const where = `IsActive = true AND Email = ${quoted(email)}`;
      const soql = select({ fields: ["Id"], from: "User", where, order: "CreatedDate ASC", limit: 1 });
      return (await api.query("User", { soql }))[0]?.Id;
    });

  const stages = (): Promise<readonly { id: string; label: string; closed: boolean }[]> =>
    memo.once("stages", async () => {
      const fields = ["Id", "ApiName", "MasterLabel", "IsClosed"];
      const soql = select({ fields, from: "OpportunityStage", where: "IsActive = true", order: "SortOrder ASC" });
      const rows = await api.query("OpportunityStage", { soql });
      return rows.map((row) => {
        const id = textOf(row, "ApiName") ?? textOf(row, "MasterLabel") ?? "";
        return { id, label: textOf(row, "MasterLabel") ?? id, closed: row.IsClosed === true };
      });
    });

  return {
    async of(object, { owner, fields = {} }) {
      const notes: string[] = [];
      // A mail is nobody's: its task is the user's who logs it.
      const isOwned = object !== "EmailMessage";
      const id = owner == null || !isOwned ? undefined : await ownerId(owner);
      if (owner != null && isOwned && id === undefined)
        notes.push("Salesforce shows no active user under the owner's address");
      const shape = await org.shape(object);
      const granted: Record<string, string | number | boolean> = {};
      for (const [name, value] of Object.entries(fields)) {
        const facts = shape.fields.get(name);
        const typed = facts?.createable === true ? typedValue(facts, value) : undefined;
        if (ours.has(name.toLowerCase()) || /^mailwright_/i.test(name)) notes.push(`${name} is not a mapping's to set`);
        else if (facts?.createable !== true) notes.push(`Salesforce has no ${name} on ${object} that may be set`);
        else if (typed === undefined) notes.push(`${name} takes no such value (it is a ${facts.type})`);
        else granted[name] = typed;
      }
      return {
        owner: isOwned ? (id ?? defaultOwner) : undefined,
        fields: granted,
        note: notes.length === 0 ? undefined : notes.join("; ").slice(0, 500),
        source: sourceOf(shape.fields.get("LeadSource")),
      };
    },

    async stage({ pipeline, stage }) {
      const all = await stages();
      const wanted =
        all.find((one) => isNamed(one, stage)) ??
        (stage === anyStage
          ? (all.find((one) => /^qualif/i.test(one.label)) ?? all.find(({ closed }) => !closed))
          : undefined);
      if (wanted === undefined)
        throw permanent(`Salesforce has no stage ${JSON.stringify(stage.slice(0, 60))}; it has ${listed(all)}`);
      if (pipeline === null) return { RecordTypeId: undefined, StageName: wanted.id };
      const types = (await org.shape("Opportunity")).recordTypes
        .filter(({ available, master }) => available && !master)
        .map(({ recordTypeId, name, developerName = name }) => ({ recordTypeId, id: developerName, label: name }));
      const type = types.find((one) => isNamed(one, pipeline));
      if (type === undefined || !isId(type.recordTypeId)) {
        const name = JSON.stringify(pipeline.slice(0, 60));
        throw permanent(`this user has no record type ${name} of Opportunity; there is ${listed(types) || "none"}`);
      }
      return { RecordTypeId: type.recordTypeId, StageName: wanted.id };
    },
  };
}

/** A mapping writes words; the API wants a number or a truth where the field is one. */
function typedValue({ type }: FieldFacts, value: string): string | number | boolean | undefined {
  switch (type) {
    case "boolean":
      return value === "true" || value === "false" ? value === "true" : undefined;
    case "int":
    case "double":
    case "currency":
    case "percent":
      return value.trim() !== "" && Number.isFinite(Number(value)) ? Number(value) : undefined;
    case "reference":
      return isId(value) ? value : undefined;
    default:
      return value;
  }
}

/** An org may have taken the value out of a list that takes no others. */
function sourceOf(facts: FieldFacts | undefined): string | undefined {
  if (facts?.createable !== true) return undefined;
  const isListed = facts.picklistValues.some(({ value, active }) => active && value === "Email");
  return isListed || !facts.restrictedPicklist ? "Email" : undefined;
}
