/** What an org's administrator has laid down: duplicate rules and validation rules. */
import type { ObjectName } from "./ids.ts";
import type { DuplicateRule, SalesforceSandboxOptions } from "./options.ts";
import { bad, Refusal } from "./reply.ts";
import type { SalesforceRecord, Saving, Store, Values } from "./store.ts";

export interface Checked {
  readonly object: ObjectName;
  readonly values: Values;
  /** Of the record that is changed. */
  readonly own: string | undefined;
  readonly saving: Saving;
  readonly options: SalesforceSandboxOptions;
  readonly store: Pick<Store, "all">;
}

export function checkRules(checked: Checked): void {
  const { object, values, own, options } = checked;
  for (const rule of options.validationRules) {
    const value = rule.object === object ? values[rule.field] : undefined;
    if (typeof value === "string" && new RegExp(rule.refuse, "i").test(value))
      throw bad("FIELD_CUSTOM_VALIDATION_EXCEPTION", rule.message, [rule.field]);
  }
  if (own !== undefined) return;
  for (const rule of options.duplicateRules) if (rule.object === object) refuseDuplicate(rule, checked);
}

function refuseDuplicate(rule: DuplicateRule, { values, saving, store }: Checked): void {
  if (rule.action === "alert" && saving.allowSave) return;
  const value = values[rule.by];
  if (typeof value !== "string") return;
  const matches = rule.against.flatMap((object) =>
    store
      .all(object)
      .filter(
        ({ deleted, values: theirs }) =>
          !deleted && String(theirs[rule.by] ?? "").toLowerCase() === value.toLowerCase(),
      ),
  );
  if (matches.length > 0) throw detected(rule, matches);
}

function detected(rule: DuplicateRule, matches: readonly SalesforceRecord[]): Refusal {
  const objects = [...new Set(matches.map(({ object }) => object))];
  const result = {
    allowSave: rule.action === "alert",
    duplicateRule: `Standard_${rule.object}_Duplicate_Rule`,
    duplicateRuleEntityType: rule.object,
    errorMessage: "You're creating a duplicate record. We recommend you use an existing record instead.",
    matchResults: objects.map((entityType) => {
      const own = matches.filter(({ object }) => object === entityType);
      return {
        entityType,
        matchEngine: "FuzzyMatchEngine",
        matchRecords: own.map(({ id, object }) => ({
          matchConfidence: 100,
          record: {
            attributes: { type: object, url: `/services/data/v67.0/sobjects/${object}/${id}` },
            Id: id,
          },
        })),
        rule: `Standard_${entityType}_Match_Rule_v1_1`,
        size: own.length,
        success: true,
      };
    }),
  };
  return new Refusal(400, {
    ...(rule.shape === "absent" ? {} : { [rule.shape]: result }),
    errorCode: "DUPLICATES_DETECTED",
    message: "Use one of these records?",
  });
}
