/** What a logged activity has to say of its files when its message is planned again: pure, on what the ledger knows of the plan before. */
import { createHash } from "node:crypto";
import type { FileStatus } from "../model/files.ts";
import type { ActivityStep, Decision, Filed, FileStep, Step } from "../model/step.ts";
import { stepKey } from "./keys.ts";
import { type Before, isActivity, mayExist, rowOf } from "./moves.ts";

/** So many lists are looked for at the CRM. More changes than this while no call gets through, and the lines there count as another's. */
const mostEarlierLists = 4;

const isFile = (step: Step): step is FileStep => step.kind === "file";

/**
 * The decision with a step for each activity that may be at the CRM with another list of files. A step that an earlier plan asked for stays for
 * as long as its list is the one that is wanted: it says what the activity lists, for the plan after this one.
 */
export function withFiles(decision: Decision, before: Before | undefined, tenant: string): Decision {
  if (decision.kind !== "steps" || before === undefined) return decision;
  const steps = decision.steps.filter(isActivity).flatMap((activity) => stepFor(activity, before, tenant) ?? []);
  return steps.length === 0 ? decision : { ...decision, steps: [...decision.steps, ...steps] };
}

/** The same steps, with what became since of the files that they list; those of older plans, whose files have no id, stay as they are. */
export function listedAnew(
  steps: readonly Step[],
  became: ReadonlyMap<string, { readonly status: FileStatus; readonly reason: string | null }>,
): Step[] {
  const anew = (file: Filed): Filed => {
    const now = file.id === undefined ? undefined : became.get(file.id);
    return now === undefined ? file : { ...file, status: now.status, reason: now.reason };
  };
  return steps
    .filter((step) => !isFile(step))
    .map((step) => (isActivity(step) ? { ...step, attachments: step.attachments.map(anew) } : step));
}

/** Whether whoever reads them sees the same files. */
export const listTheSame = (one: readonly Step[], other: readonly Step[]): boolean => listsOf(one) === listsOf(other);
const listsOf = (steps: readonly Step[]): string =>
  JSON.stringify(steps.filter(isActivity).map(({ key, attachments }) => [key, writtenOf(attachments)]));

function stepFor(activity: ActivityStep, before: Before, tenant: string): FileStep | undefined {
  const old = before.steps.filter(isActivity).find(({ key }) => key === activity.key);
  if (old === undefined || !mayExist(activity, before)) return undefined;
  const last = before.steps.filter(isFile).find((step) => step.activity === activity.key);
  const [wanted, had] = [writtenOf(activity.attachments), writtenOf(old.attachments)];
  if (wanted === had) return last;
  // Rows of steps that were planned once and are no more are there too: their keys are not to be used again.
  const generation = 1 + Math.max(last?.generation ?? 0, before.rows.filter(({ kind }) => kind === "file").length);
  const digest = createHash("sha256").update(wanted).digest("hex");
  return {
    kind: "file",
    key: stepKey(tenant, "file", [activity.key, digest, String(generation)]),
    why: "what became of its files changed since the activity was logged",
    activity: activity.key,
    files: activity.attachments,
    was: earlierLists(old, last, before),
    generation,
  };
}

/** A step that was confirmed leaves no doubt. Before that, every list since is possible: the call may or may not have got through. */
function earlierLists(old: ActivityStep, last: FileStep | undefined, before: Before): Filed[][] {
  if (last === undefined) return [old.attachments];
  if (rowOf(before, last)?.state === "confirmed") return [last.files];
  const lists = new Map([last.files, ...last.was].map((list) => [writtenOf(list), list]));
  return [...lists.values()].slice(0, mostEarlierLists);
}

/** Two lists that are written the same are the same to whoever reads the activity. */
const writtenOf = (files: readonly Filed[]): string =>
  JSON.stringify(
    files.map(({ filename, content_type, size, id, status, reason, url }) => [
      filename,
      content_type,
      size,
      id ?? null,
      status ?? null,
      reason ?? null,
      url ?? null,
    ]),
  );
