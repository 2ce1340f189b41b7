/** Decides what should exist at a destination because of one event: pure, so that it can be previewed, tested and replayed. */
import type { CanonicalEvent, TrustLevel } from "../model/event.ts";
import type { LinkOf } from "../model/links.ts";
import type { ThreadDeal } from "../model/mappings.ts";
import type { Decision } from "../model/step.ts";
import { filed } from "./filed.ts";
import type { CompiledMapping } from "./rules/compile.ts";
import { inForceFor, noRules, type Reading, type Ruled, ruled } from "./rules/decide.ts";
import { factsOf } from "./rules/facts.ts";

/** Recorded with every delivery. Raised when the built-in rules change what they ask for. */
export const mappingVersion = 2;

export interface Mapping {
  /** From this level of trust on, a person who is not known becomes a contact. */
  readonly createContact: Exclude<TrustLevel, "suspicious">;
  /** Mail among the tenant's own people. */
  readonly internal: "skip" | "log";
  /** A person with a disposable address who is not known. */
  readonly disposableContacts: "hold" | "create";
  /** The tenant's own file, where there is one, and its number in the ledger. */
  readonly rules?: CompiledMapping | undefined;
  readonly version?: number | undefined;
  /** The link of a file, by its id; left out where nobody can reach us (no `http.public_url`). */
  readonly linkOf?: LinkOf;
}

/** The mapping as a whole. */
export const versionOf = ({ version }: Pick<Mapping, "version">): number => version ?? mappingVersion;

/** The number of what decides about a mail: where a file leaves that to the one of its `else`, that one's. Undefined where it has none yet. */
export function versionFor(event: CanonicalEvent, mapping: Mapping): number | undefined {
  const { rules } = mapping;
  if (rules === undefined) return versionOf(mapping);
  return rules.otherwise === undefined ? mapping.version : decidingIn(inForceFor(rules, factsOf(event)).rules, mapping);
}

const decidingIn = (rules: CompiledMapping | undefined, whole: Mapping): number | undefined =>
  rules === undefined || rules === whole.rules ? whole.version : rules.version;

/** What is known of the message beside its event. */
export interface Known {
  /** Content digest: part of the activity's key. */
  readonly digest: string;
  /** The deal of its thread, where one was asked for before. */
  readonly deal?: ThreadDeal | undefined;
}

/** A decision, and what each rule of the file had to do with it. */
export interface Planned {
  readonly decision: Decision;
  readonly readings: readonly Reading[];
}

/** Written by machines, for which no contact and no activity is made. A calendar invitation is somebody's doing and is kept. */
const machineKinds: ReadonlySet<CanonicalEvent["class"]["kind"]> = new Set([
  "bounce",
  "complaint",
  "mdn",
  "auto_reply",
  "auto_generated",
  "dsn_success",
  "notification",
  "list",
  "bulk",
]);

/** What a mailing list says of itself, on every mail that goes through it. */
const listRules: ReadonlySet<string> = new Set([
  "list.list_id",
  "list.list_post",
  "bulk.precedence",
  "bulk.list_unsubscribe",
  "no_reply_sender",
]);

/** The decision for one lane of the event's tenant. The first rule that applies decides, and is named in the answer. */
export const plan = (event: CanonicalEvent, mapping: Mapping, known: Known): Decision =>
  planned(event, mapping, known).decision;

/** What each rule of the file had to do with it, in order; empty without a file. */
export const rulesRead = (event: CanonicalEvent, mapping: Mapping, known: Known): readonly Reading[] =>
  planned(event, mapping, known).readings;

/**
 * What a rule of the file says of a mail goes before what is built in, but for two: whom the tenant wants to leave no trace leaves none, and
 * suspicious mail makes nothing.
 */
export function planned(event: CanonicalEvent, whole: Mapping, known: Known): Planned {
  const found = excluded(event);
  if (found !== undefined) return { decision: found, readings: [] };
  const [machine, inside] = [automated(event), internal(event, whole)];
  const asked = factsOf(event);
  const { rules, passed } =
    whole.rules === undefined ? { rules: undefined, passed: [] } : inForceFor(whole.rules, asked);
  const facts = { ...asked, version: decidingIn(rules, whole) ?? versionOf(whole) };
  const mapping: Mapping = rules === whole.rules ? whole : { ...whole, rules };
  const about = {
    automated: machine !== undefined,
    internal: event.participants.direction === "internal",
    suspicious: event.auth.trust === "suspicious",
  };
  const said = mapping.rules === undefined ? noRules : ruled(mapping.rules, facts, about);
  const spoken = Object.keys(said.spoken).length > 0;
  const decision =
    ended(said) ??
    (spoken ? undefined : machine) ??
    suspicious(event) ??
    (spoken ? undefined : inside) ??
    nobody(event) ??
    filed(facts, mapping, known, said);
  return { decision, readings: passed.length === 0 ? said.readings : [...passed, ...said.readings] };
}

function ended({ end }: Ruled): Decision | undefined {
  if (end === null) return undefined;
  const rule = `mapping.${end.rule}`;
  switch (end.kind) {
    case "skip":
      return { kind: "skip", rule, reason: end.reason };
    case "review":
      return { kind: "hold", rule, reason: end.reason };
    default:
      return end.kind satisfies never;
  }
}

function automated({ class: { kind, evidence }, participants }: CanonicalEvent): Decision | undefined {
  if (!machineKinds.has(kind)) return undefined;
  // sales@ as a group that colleagues and we read: customers' mail comes as the list's.
  const shared = participants.list?.own === true && evidence.every(({ rule }) => listRules.has(rule));
  if (kind === "list" && shared) return undefined;
  const because = evidence[0];
  const shown =
    because === undefined ? "" : ` (${because.rule}${because.header === null ? "" : `: ${because.header}`})`;
  return { kind: "skip", rule: `automated.${kind}`, reason: `automated mail, class ${kind}${shown}` };
}

function excluded({ participants: { excluded: entry } }: CanonicalEvent): Decision | undefined {
  if (entry === null) return undefined;
  return { kind: "skip", rule: "people.excluded", reason: `people.excluded names ${JSON.stringify(entry)}` };
}

const suspicious = ({ auth }: CanonicalEvent): Decision | undefined =>
  auth.trust === "suspicious" ? { kind: "hold", rule: "trust.suspicious", reason: auth.reason } : undefined;

function internal({ participants, parse_status }: CanonicalEvent, { internal }: Mapping): Decision | undefined {
  if (participants.direction !== "internal" || internal === "log") return undefined;
  if (parse_status === "failed") {
    const reason = "a colleague's mail whose body could not be read: it may hand on a customer's";
    return { kind: "hold", rule: "people.unread", reason };
  }
  return { kind: "skip", rule: "people.internal", reason: "nobody outside takes part (people.internal: skip)" };
}

/** Mail that no person can be found for is never lost: it waits where somebody sees it. */
function nobody({ participants }: CanonicalEvent): Decision | undefined {
  const { basis, direction, filed_under, forwarded_by, list, others } = participants;
  if (filed_under.length > 0 || direction === "internal") return undefined;
  const hold = (rule: string, reason: string): Decision => ({ kind: "hold", rule, reason });
  if (basis === "broadcast") {
    return hold(
      "people.broadcast",
      `a colleague wrote to ${others.length} people outside or more, and not to each of them`,
    );
  }
  if (direction === "outbound") {
    return { kind: "skip", rule: "people.no_reply", reason: "a colleague wrote to no-reply addresses only" };
  }
  if (forwarded_by !== null) {
    return hold("forwarded.unknown", "a colleague handed it on, and it does not show by an address whose mail it is");
  }
  if (list !== null) {
    return hold("sender.missing", "a mailing list put itself into From, and nothing says who wrote");
  }
  return hold("sender.missing", "the mail names no sender address that a contact could be found by");
}
