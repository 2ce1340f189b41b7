/** Hop 5, who wrote it: asks the ledger what is known of the sender, judges, and decides whether a known Message-ID is the same mail again. */
import { inquire } from "../mail/trust/acquaintance.ts";
import { nothingKnown } from "../mail/trust/case.ts";
import { judgeTrust } from "../mail/trust/judge.ts";
import { type Copy, isSameMail, standsFor } from "../mail/trust/variant.ts";
import { type Lesson, type Namesake, strangers } from "../model/acquaintance.ts";
import type { Auth, CanonicalEvent, Evidence, ParsedMessage } from "../model/event.ts";
import type { Attempt, Ledger } from "../model/ledger.ts";
import type { People } from "../model/people.ts";
import type { Hasher, Sealer } from "../model/ports.ts";
import type { Decision } from "../model/step.ts";
import { viaLedger } from "./faults.ts";
import { openEvent } from "./stored.ts";

/** What a tenant's configuration says of trust. */
export interface Judge {
  readonly people: People;
  /** Lower-case domains of forwarders whose ARC seal is believed. */
  readonly arcSealers: readonly string[];
}

export interface JudgingPorts {
  readonly ledger: Pick<Ledger, "acquainted" | "namesakes">;
  readonly sealer: Sealer;
  readonly hasher: Hasher;
  /** Resolves when a message that is being prepared is done; undefined for one that is not. */
  readonly settled?: (eventId: string) => Promise<unknown> | undefined;
}

export interface Judgement {
  readonly auth: Auth;
  /** Another mail with this Message-ID is known, and is not this one. */
  readonly conflict: boolean;
  /** The message that this is a copy of, and the lanes that have that one. */
  readonly copyOf: { readonly eventId: string; readonly lanes: readonly string[] } | null;
  readonly lesson: Lesson | undefined;
}

export type Judged = Pick<Attempt, "eventId" | "tenant" | "receivedAt" | "conflict"> &
  Partial<Pick<Attempt, "envelope">>;

/** For a mail that no rule can be applied to. */
export const unjudged = (evidence: Evidence, conflict: boolean): Pick<Judgement, "auth" | "conflict"> => ({
  auth: { ...evidence, trust: "unverified", reason: "The sender could not be judged.", reasons: [] },
  conflict,
});

/** Without a ledger: nobody is known, and a conflict is one. */
export function judgeAlone(
  parsed: ParsedMessage,
  evidence: Evidence,
  { people, arcSealers }: Judge,
  conflict: boolean,
  sent = false,
): Pick<Judgement, "auth" | "conflict"> {
  const judged = judgeTrust({ ...parsed, evidence, people, known: nothingKnown, conflict, arcSealers, sent });
  return { auth: { ...evidence, ...judged }, conflict };
}

/** Rejects with LedgerFailed when the ledger does not answer. */
export async function judge(
  attempt: Judged,
  parsed: ParsedMessage,
  evidence: Evidence,
  { people, arcSealers }: Judge,
  ports: JudgingPorts,
): Promise<Judgement> {
  const { eventId, tenant } = attempt;
  const { message, anomalies } = parsed;
  const keyed = (purpose: string, value: string) => ports.hasher.hash(purpose, value);
  const inquiry = inquire({ tenant, eventId, message, evidence, people, keyed });
  const [answer = strangers] =
    inquiry === undefined ? [] : await viaLedger(ports.ledger.acquainted([inquiry.question]));
  const known = inquiry?.known(answer) ?? nothingKnown;
  const judged = (conflict: boolean) =>
    judgeTrust({
      message,
      anomalies,
      evidence,
      people,
      known,
      conflict,
      arcSealers,
      sent: attempt.envelope?.imap?.sent === true,
    });
  const alone = judged(false);
  const { conflict, copyOf } = attempt.conflict
    ? await compared(eventId, { message, parse_status: parsed.parse_status, ...spoken(alone) }, ports)
    : { conflict: false, copyOf: null };
  const auth: Auth = { ...evidence, ...(conflict ? judged(true) : alone) };
  return { auth, conflict, copyOf, lesson: inquiry?.lesson(auth.trust, attempt.receivedAt) };
}

/** Of a message whose event is there, and which is not judged again. Rejects with LedgerFailed. */
export async function copyOfStored(
  { eventId, conflict }: Pick<Judged, "eventId" | "conflict">,
  { message, parse_status, auth }: CanonicalEvent,
  ports: JudgingPorts,
): Promise<Judgement["copyOf"]> {
  if (!conflict) return null;
  return (await compared(eventId, { message, parse_status, ...spoken(auth) }, ports)).copyOf;
}

/** What came first and has work of it is the mail, and this one its copy. Where that was passed over (a list's copy), this one is the mail. */
async function compared(
  eventId: string,
  own: Copy,
  ports: JudgingPorts,
): Promise<Pick<Judgement, "conflict" | "copyOf">> {
  // Those that came later are compared with this one when it is their turn: two that name each other would leave none.
  const before = (await namesakes(eventId, ports)).filter((other) => other.earlier);
  const compare = before.map((other) => ({ ...other, copy: copyOf(other, ports.sealer) }));
  // A copy of this very mail that nobody believed is held, and says nothing against it.
  const earlier = compare.filter(({ sameContent, copy }) => !sameContent || copy?.trust !== "suspicious");
  const same = earlier.flatMap(({ copy, ...other }) =>
    copy !== undefined && isSameMail(own, copy) ? [{ ...other, copy }] : [],
  );
  const filed = same.filter(({ lanes }) => lanes.length > 0);
  const proven = filed.find(({ copy }) => standsFor(copy));
  if (proven !== undefined) return { conflict: false, copyOf: { eventId: proven.eventId, lanes: proven.lanes } };
  return { conflict: same.length < earlier.length || filed.length > 0, copyOf: null };
}

/** One that came before and is in work now is waited for, or both ways of one mail would be filed when they come in one second. */
async function namesakes(eventId: string, { ledger, settled }: JudgingPorts): Promise<readonly Namesake[]> {
  const found = await viaLedger(ledger.namesakes(eventId));
  const working = found.flatMap(({ earlier, waiting, eventId: other }) =>
    earlier && waiting ? (settled?.(other) ?? []) : [],
  );
  if (working.length === 0) return found;
  await Promise.allSettled(working);
  return await viaLedger(ledger.namesakes(eventId));
}

/** Undefined where nothing can be compared: it waits, retention took it, or it was written with another key. */
function copyOf({ sealedEvent }: Namesake, sealer: Sealer): Copy | undefined {
  const event = openEvent(sealedEvent, sealer);
  if (event === undefined) return undefined;
  const { message, parse_status, auth } = event;
  return { message, parse_status, ...spoken(auth) };
}

const spoken = ({ trust, reasons }: Pick<Auth, "trust" | "reasons">): Pick<Copy, "trust" | "reasons"> => ({
  trust,
  reasons: reasons.map(({ code }) => code),
});

/** The decision for a lane that has the mail already, by its other way. */
export function asCopy(lane: string, decision: Decision, { copyOf }: Pick<Judgement, "copyOf">): Decision {
  if (copyOf === null || !copyOf.lanes.includes(lane)) return decision;
  const reason = `the same mail came by another way and is filed as event ${copyOf.eventId}`;
  return { kind: "skip", rule: "duplicate.variant", reason };
}
