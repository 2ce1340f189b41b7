/** Says what kind of sender a message has, a person or a machine, and by which header, part or phrase it knows. */
import type { automatedKinds, CanonicalEvent, MessageStructure } from "../model/event.ts";
import { helpDesks } from "./automated/machine-headers.ts";
import { type Evidence, type Facts, rules } from "./automated/rules.ts";
import { localPart, takesNoReply } from "./automated/sender.ts";
import { firstToken } from "./parameters.ts";

export type Classification = CanonicalEvent["class"];
type Kind = (typeof automatedKinds)[number];

export interface ClassFacts {
  /** Decoded, in wire order. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly structure: MessageStructure;
  /** The address in From, as far as it was usable, and the From header as written. */
  readonly from: { readonly email: string | null; readonly name: string } | null;
  readonly subject: string | null;
  readonly text: string | null;
  /** The message forwards another one. */
  readonly forward: boolean;
}

/** What only the envelope knows. Undefined where it is not known: a missing envelope is no evidence. */
export interface EnvelopeFacts {
  readonly nullSender: boolean;
}

/** Of one rule: a thousand List-Id headers say no more than one. */
const maxEvidencePerRule = 3;

/** Pure. Call it again with the envelope where that is known: a null sender makes some kinds stronger. */
export function classify(message: ClassFacts, envelope?: EnvelopeFacts): Classification {
  const facts = factsOf(message, envelope);
  const desk = helpDeskAnswer(facts);
  let kind: Kind = "person";
  const found = new Set<Kind>();
  const evidence: Evidence[] = [];
  for (const rule of rules) {
    const shown = rule.find(facts);
    if (shown.length === 0) continue;
    if (kind === "person" && !(desk !== undefined && setByHelpDesks.has(rule.kind))) kind = rule.kind;
    found.add(rule.kind);
    evidence.push(...shown.slice(0, maxEvidencePerRule));
  }
  if (desk !== undefined && kind === "person") evidence.push(desk);
  const noReply = takesNoReply(message.from);
  if (noReply) evidence.push({ rule: "no_reply_sender", header: "from", value: localPart(message.from) });
  return {
    kind,
    auto_submitted: firstToken(facts.values("auto-submitted")[0] ?? "").slice(0, 100) || null,
    precedence: firstToken(facts.values("precedence")[0] ?? "").slice(0, 100) || null,
    is_bulk: found.has("bulk"),
    is_list: found.has("list"),
    is_auto_reply: found.has("auto_reply"),
    is_auto_generated: found.has("auto_generated"),
    is_bounce: found.has("bounce"),
    is_mdn: found.has("mdn"),
    is_complaint: found.has("complaint"),
    is_calendar: message.structure.calendar_method !== null,
    is_forward: message.forward,
    is_encrypted: message.structure.encrypted,
    is_signed: message.structure.signed,
    no_reply_sender: noReply,
    evidence,
  };
}

function factsOf(message: ClassFacts, envelope: EnvelopeFacts | undefined): Facts {
  const byKey = new Map<string, string[]>();
  for (const [name, value] of message.headers) {
    const key = name.toLowerCase();
    const values = byKey.get(key);
    if (values === undefined) byKey.set(key, [value]);
    else values.push(value);
  }
  const values = (key: string): readonly string[] => byKey.get(key) ?? [];
  return {
    ...message,
    values,
    keys: [...byKey.keys()],
    nullSender: envelope?.nullSender ?? null,
    nullReturnPath: values("return-path").some((value) => /^<\s*>$/.test(value.trim())),
    answers: values("in-reply-to").some(filled) || values("references").some(filled),
  };
}

const filled = (value: string): boolean => value.trim() !== "";

/** Ticket systems say these of whatever leaves them, an agent's own words included. */
const setByHelpDesks: ReadonlySet<Kind> = new Set<Kind>(["auto_generated", "bulk"]);

/** An answer that came through a ticket system: most likely a person's, and dropping it would lose a customer's word. */
function helpDeskAnswer(facts: Facts): Evidence | undefined {
  if (!facts.answers || facts.nullSender === true || facts.nullReturnPath) return undefined;
  for (const { header, says } of helpDesks) {
    const value = facts.values(header).find((one) => says === undefined || says.test(one.slice(0, 500)));
    if (value !== undefined) return { rule: "person.help_desk", header, value: value.slice(0, 200) };
  }
  return undefined;
}
