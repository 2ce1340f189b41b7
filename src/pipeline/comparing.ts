/** Walks over the stored messages of a tenant and plans each by two mappings, to say what the new one would do otherwise. Writes nothing. */
import { type Compared, comparePlans, type DifferenceKind, differenceKinds } from "../mapping/compare.ts";
import { planDecided } from "../mapping/decided.ts";
import { dealKey } from "../mapping/keys.ts";
import type { Mapping } from "../mapping/plan.ts";
import type { CanonicalEvent } from "../model/event.ts";
import type { ThreadDeal } from "../model/mappings.ts";
import type { People } from "../model/people.ts";
import type { Sealer } from "../model/ports.ts";
import type { StoredMail, StoredMails } from "../model/reading.ts";
import type { Decision, StepKind } from "../model/step.ts";
import { participantsOf } from "./enrich.ts";
import { openEvent } from "./stored.ts";

export interface Comparison {
  readonly tenant: string;
  readonly people: People;
  readonly before: Mapping;
  readonly after: Mapping;
  readonly since?: number | undefined;
  /** So many of the newest differences are kept to be shown. */
  readonly most: number;
}

export interface ComparingPorts {
  readonly mails: StoredMails;
  readonly sealer: Sealer;
  /** Between two pages: what else the process has to do is done. True ends the walk there. */
  pause(done: number, total: number): Promise<boolean>;
}

/** A message that the two versions do not agree about. */
export interface Differing {
  readonly eventId: string;
  readonly messageId: string | null;
  readonly receivedAt: number;
  readonly compared: Compared;
  readonly before: Decision;
  readonly after: Decision;
}

/** Why a message was not compared. waiting: not parsed yet. purged: retention has removed its event. unreadable: sealed with another key, or damaged. */
export const leftOut = ["waiting", "purged", "copies", "unreadable"] as const;
export type LeftOut = (typeof leftOut)[number];

export interface ComparisonReport {
  readonly total: number;
  readonly messages: Readonly<Record<DifferenceKind | LeftOut, number>>;
  /** By kind, and what would become of them. Steps, not records: two mails of one person ask for the same contact. */
  readonly steps: ReadonlyMap<StepKind, Readonly<Record<"create" | "change" | "no_longer", number>>>;
  /** Oldest first. */
  readonly newest: readonly Differing[];
  readonly finished: boolean;
}

/** Some megabytes of events at a time, and a look around for a signal every few milliseconds. */
const pageSize = 50;
/** Threads whose first asker is remembered on each side. A thread that rests for longer is asked for in the ledger alone. */
const mostThreads = 20_000;

export async function compareStored(
  asked: Comparison,
  { mails, sealer, pause }: ComparingPorts,
): Promise<ComparisonReport> {
  const { tenant, since } = asked;
  // Mail that comes in meanwhile would make a walk that never ends.
  const until = mails.newest();
  const total = mails.count({ tenant, since, until });
  const tally = openTally(asked.most);
  const sides = { before: openSide(asked.before), after: openSide(asked.after) };
  let done = 0;
  let after = 0;
  for (;;) {
    const page = mails.page({ tenant, since, after, until, limit: pageSize });
    for (const mail of page) {
      const found = compareOne(mail, asked, sides, { mails, sealer });
      if (typeof found === "string") tally.leaveOut(found);
      else tally.take(found);
    }
    done += page.length;
    after = page.at(-1)?.seq ?? until;
    if (page.length < pageSize) return { total, finished: true, ...tally.report() };
    if (await pause(done, total)) return { total, finished: false, ...tally.report() };
  }
}

type Side = ReturnType<typeof openSide>;

/** The deals that a mapping asks for along the way, where the ledger knows of none. */
function openSide(mapping: Mapping) {
  const deals = new Map<string, ThreadDeal>();
  return {
    mapping,
    dealOf(thread: string): ThreadDeal | undefined {
      const deal = deals.get(thread);
      if (deal === undefined) return undefined;
      // The one that was used last goes last.
      deals.delete(thread);
      deals.set(thread, deal);
      return deal;
    },
    asked(thread: string, deal: ThreadDeal): void {
      deals.set(thread, deal);
      const [oldest] = deals.size > mostThreads ? deals.keys() : [];
      if (oldest !== undefined) deals.delete(oldest);
    },
  };
}

function compareOne(
  mail: StoredMail,
  { people }: Comparison,
  sides: { readonly before: Side; readonly after: Side },
  { mails, sealer }: Pick<ComparingPorts, "mails" | "sealer">,
): Differing | LeftOut {
  if (!mail.prepared) return "waiting";
  // Which message it is a copy of is not stored beside it: it stays as it was decided.
  if (mail.copy) return "copies";
  if (mail.sealedEvent === undefined) return "purged";
  const stored = openEvent(mail.sealedEvent, sealer);
  if (stored === undefined) return "unreadable";
  // With the people of today, as a reprocess would have them.
  const event = { ...stored, participants: participantsOf(stored, mail, people) };
  const [before, after] = [decidedBy(sides.before, event, mail, mails), decidedBy(sides.after, event, mail, mails)];
  const { eventId, messageId, receivedAt } = mail;
  return { eventId, messageId, receivedAt, compared: comparePlans(before, after), before, after };
}

function decidedBy(side: Side, event: CanonicalEvent, { digest, verdict }: StoredMail, mails: StoredMails): Decision {
  const thread = event.thread.thread_id;
  // As on the road, nobody is asked where no rule can make deals.
  const known = side.mapping.rules === undefined ? undefined : (mails.dealOf(thread) ?? side.dealOf(thread));
  const decision = planDecided(event, side.mapping, { digest, deal: known }, verdict);
  if (known === undefined && decision.kind === "steps") {
    const own = dealKey(event.tenant, event.message.message_id, digest);
    const deal = decision.steps.find((step) => step.kind === "deal" && step.key === own);
    if (deal?.kind === "deal") side.asked(thread, { key: deal.key, pipeline: deal.pipeline, stage: deal.stage });
  }
  return decision;
}

function openTally(most: number) {
  const messages = new Map<DifferenceKind | LeftOut, number>([...differenceKinds, ...leftOut].map((kind) => [kind, 0]));
  const steps = new Map<StepKind, Record<"create" | "change" | "no_longer", number>>();
  const ring: Differing[] = [];
  let next = 0;
  const add = (kind: DifferenceKind | LeftOut): void => void messages.set(kind, (messages.get(kind) ?? 0) + 1);
  return {
    leaveOut: add,
    take(found: Differing): void {
      add(found.compared.kind);
      if (found.compared.kind === "same") return;
      for (const { kind, what } of found.compared.steps) {
        const counts = steps.get(kind) ?? { create: 0, change: 0, no_longer: 0 };
        counts[what] += 1;
        steps.set(kind, counts);
      }
      if (found.compared.kind === "rule") return;
      ring[next] = shortened(found);
      next = (next + 1) % most;
    },
    report: () => ({
      messages: Object.fromEntries(messages) as Record<DifferenceKind | LeftOut, number>,
      steps,
      newest: ring.length < most ? ring : [...ring.slice(next), ...ring.slice(0, next)],
    }),
  };
}

/** Without the plans themselves: they hold the text of the mail. */
function shortened(found: Differing): Differing {
  const bare = (decision: Decision): Decision => (decision.kind === "steps" ? { ...decision, steps: [] } : decision);
  return { ...found, before: bare(found.before), after: bare(found.after) };
}
