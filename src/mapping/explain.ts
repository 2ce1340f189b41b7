/** Says in words what a step brings about, and what is asked of the CRM before anything is written: pure, for `plan`. */
import type { ActivityStep, Filed, Step } from "../model/step.ts";

export interface ExplainedStep {
  /** What the step brings about, as a sentence without a full stop. */
  readonly does: string;
  /** What is asked of the CRM first; null where a unique key makes asking needless, or nothing can be asked. */
  readonly lookup: string | null;
}

/** What earlier steps of the same plan are called, by key. */
type Names = ReadonlyMap<string, string>;

/** In the order of the plan. */
export function explainSteps(steps: readonly Step[]): ExplainedStep[] {
  const names: Names = new Map(steps.map((step) => [step.key, nameOf(step)]));
  return steps.map((step) => ({ does: deedOf(step, names), lookup: lookupOf(step) }));
}

function nameOf(step: Step): string {
  switch (step.kind) {
    case "person":
      return `contact ${step.email}`;
    case "company":
      return `company ${step.domain}`;
    case "deal":
      return `deal "${step.name}"`;
    case "activity":
      return `activity "${step.subject}"`;
    case "file":
      return `list of ${step.files.length} files`;
    case "event_copy":
      return "the event itself";
    case "link":
    case "unlink":
    case "archive":
      return `${step.kind} ${step.key.slice(0, 12)}`;
    default:
      return step satisfies never;
  }
}

const named = (key: string, names: Names): string => names.get(key) ?? `record ${key.slice(0, 12)}`;

function deedOf(step: Step, names: Names): string {
  switch (step.kind) {
    case "person":
      return step.create
        ? `finds ${nameOf(step)}, or creates it with source=${step.source}${flagged(step.flags)}`
        : `finds ${nameOf(step)}; does not create it, and waits in review when it is not there`;
    case "company":
      return step.create ? `finds ${nameOf(step)}, or creates it` : `finds ${nameOf(step)}; does not create it`;
    case "deal":
      return `creates ${nameOf(step)} in stage ${step.stage}, once`;
    case "activity":
      return `logs the ${step.direction} mail "${step.subject}" once${on(step.about, names)}${onOpenDeals(step)}${flagged(step.flags)}`;
    case "file":
      return `says on ${named(step.activity, names)} what became of its files: ${fates(step.files)}`;
    case "link":
      return `associates ${named(step.from, names)} with ${named(step.to, names)}`;
    case "unlink":
      return `takes the association of ${named(step.from, names)} with ${named(step.to, names)} away`;
    case "archive":
      return `archives ${named(step.target, names)}`;
    case "event_copy":
      return "hands over the event as it is";
    default:
      return step satisfies never;
  }
}

const on = (about: readonly string[], names: Names): string =>
  about.length === 0 ? "" : ` on ${about.map((key) => named(key, names)).join(", ")}`;

function onOpenDeals({ deals }: ActivityStep): string {
  switch (deals) {
    case undefined:
      return "";
    case "newest":
      return ", and on the contact's newest open deal";
    case "recent_five":
      return ", and on the contact's five newest open deals";
    default:
      return deals satisfies never;
  }
}

/** `2 stored, 1 quarantined`, in the order in which they come first. */
function fates(files: readonly Filed[]): string {
  const tally = new Map<string, number>();
  for (const { status = "listed" } of files) tally.set(status, (tally.get(status) ?? 0) + 1);
  return [...tally].map(([status, count]) => `${count} ${status}`).join(", ");
}

const flagged = (flags: readonly string[]): string => (flags.length === 0 ? "" : `, flagged ${flags.join(", ")}`);

function lookupOf(step: Step): string | null {
  switch (step.kind) {
    case "person":
      return `a contact with the address ${step.email}`;
    case "company":
      return `a company with the domain ${step.domain}`;
    case "activity":
      return `${keyLookup(step)}${step.deals === undefined ? "" : "; the open deals of the contact"}`;
    case "deal":
    case "event_copy":
      return keyLookup(step);
    case "file":
      return "the activity's text, in which only the lines that Mailwright wrote are changed";
    case "link":
    case "unlink":
    case "archive":
      return null;
    default:
      return step satisfies never;
  }
}

const keyLookup = ({ key }: Step): string =>
  `a record with our key ${key.slice(0, 12)}… (left out where the CRM keeps that key unique)`;
