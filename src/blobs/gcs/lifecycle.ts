/** Our rules by age among those of a bucket. Google's have no names: ours are those that delete by age below our prefixes, and nothing else. */
import type { Bucket, BucketMetadata } from "@google-cloud/storage";
import { blobClasses } from "../../model/blob.ts";
import type { ExpiryRule, LifecycleChange } from "../lifecycle.ts";
import { property, words } from "../words.ts";

type Rule = NonNullable<NonNullable<BucketMetadata["lifecycle"]>["rule"]>[number];

export async function applyLifecycle(
  bucket: Bucket,
  prefix: string,
  rules: readonly ExpiryRule[],
  dryRun: boolean,
): Promise<LifecycleChange> {
  const [{ lifecycle }] = await bucket.getMetadata();
  const existing = lifecycle?.rule ?? [];
  const places = new Set(blobClasses.map((name) => `${prefix}${name}/`));
  const isOurs = (rule: Rule): boolean => places.has(soleplaceOf(rule) ?? "");
  const others = existing.filter((rule) => !isOurs(rule));
  const before = existing.filter(isOurs).map(shown);
  const wanted = rules.map(
    ({ prefix: place, days }): Rule => ({
      action: { type: "Delete" },
      condition: { age: days, matchesPrefix: [place] },
    }),
  );
  const after = wanted.map(shown);
  if (!dryRun && before.toSorted().join() !== after.toSorted().join()) {
    await bucket.setMetadata({ lifecycle: { rule: [...others, ...wanted] } });
  }
  return { before, after, others: others.length };
}

/** Undefined where it does or asks anything more than ours do. */
function soleplaceOf({ action, condition }: Rule): string | undefined {
  if (property(action, "type") !== "Delete") return undefined;
  const asked = Object.entries(condition).filter(([, value]) => value !== undefined && value !== null);
  if (!asked.every(([name]) => name === "age" || name === "matchesPrefix")) return undefined;
  const [place, ...more] = condition.matchesPrefix ?? [];
  return more.length === 0 ? place : undefined;
}

const shown = ({ condition }: Rule): string =>
  `${words(condition.matchesPrefix?.[0] ?? "")} is deleted after ${condition.age ?? "?"} days`;
