/** Says what kind of sender a message has, a person or a machine, and by which header or part it knows. */
import type { automatedKinds, CanonicalEvent, MessageStructure } from "../model/event.ts";
import { firstToken } from "./parameters.ts";

export type Classification = CanonicalEvent["class"];
type Kind = (typeof automatedKinds)[number];
type Evidence = Classification["evidence"][number];

export interface ClassFacts {
  /** Decoded, in wire order. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly structure: MessageStructure;
  /** The address in From, as far as it was usable, and the From header as written. */
  readonly from: { readonly email: string | null; readonly name: string } | null;
  readonly subject: string | null;
  /** The message forwards another one. */
  readonly forward: boolean;
}

/** What only the envelope knows. Undefined where it is not known: a missing envelope is no evidence. */
export interface EnvelopeFacts {
  readonly nullSender: boolean;
}

interface Rule {
  readonly kind: Kind;
  find(facts: Facts): Evidence[];
}

interface Facts extends ClassFacts {
  /** Values of a header by its name in lower case. */
  values(key: string): readonly string[];
  readonly nullSender: boolean;
  readonly nullReturnPath: boolean;
}

const maxShownChars = 200;
const nothing: Evidence[] = [];

const byHeader = (rule: string, header: string, value: string): Evidence => ({
  rule,
  header,
  value: value.slice(0, maxShownChars),
});
const byPart = (rule: string, value: string): Evidence => ({
  rule,
  header: null,
  value: value.slice(0, maxShownChars),
});

/** Evidence for every value of a header that `says` so. */
const header = (key: string, rule: string, says: (value: string) => boolean) => (facts: Facts) =>
  facts.values(key).flatMap((value) => (says(value) ? [byHeader(rule, key, value)] : nothing));

const machineLocalPart = /^(?:mailer-daemon|postmaster|mail-?delivery[\w.-]*|mail\.delivery[\w.-]*)$/i;
const machineName = /\bmailer-daemon\b|\bmail delivery (?:system|subsystem|service)\b|\bpostmaster\b/i;
const noReply =
  /^(?:no|do[-_.]?not|ne[-_.]?pas)[-_.]?(?:reply|respond|repondre)|(?:^|[-_.+])no-?reply(?:$|[-_.+])|^bounces?\+|^mailer-daemon$/i;
/** Only with a null sender beside it: people write "out of office" in subjects too. */
const absence =
  /\b(?:out of (?:the )?office|auto(?:matic)?[- ]?reply|automatische antwort|abwesenheit|réponse automatique|absence du bureau|fuera de la oficina|respuesta automática|resposta automática|risposta automatica|automatisch antwoord|autosvar|automatiskt svar|odpowiedź automatyczna|автоответ)|自動返信|自动回复|자동 회신/i;
/** RFC 5546 §1.4: PUBLISH is an announcement to anybody, the others are somebody's business with us. */
const personalMethods = new Set(["REQUEST", "REPLY", "ADD", "CANCEL", "REFRESH", "COUNTER", "DECLINECOUNTER"]);

/** In order of strength: the first that finds evidence names the kind, all evidence is kept. */
const rules: readonly Rule[] = [
  { kind: "bounce", find: deliveryReport },
  { kind: "bounce", find: textBounce },
  { kind: "complaint", find: report("feedback-report", ["message/feedback-report"], "complaint.arf") },
  {
    kind: "mdn",
    find: report(
      "disposition-notification",
      ["message/disposition-notification", "message/global-disposition-notification"],
      "mdn.report",
    ),
  },
  {
    kind: "auto_reply",
    find: header("auto-submitted", "auto_reply.auto_submitted", (value) => firstToken(value) === "auto-replied"),
  },
  { kind: "auto_reply", find: header("x-autoreply", "auto_reply.x_autoreply", notNo) },
  { kind: "auto_reply", find: header("x-autorespond", "auto_reply.x_autorespond", notNo) },
  { kind: "auto_reply", find: header("x-auto-reply", "auto_reply.x_auto_reply", notNo) },
  {
    kind: "auto_reply",
    find: header("precedence", "auto_reply.precedence", (value) => /^auto[_-]reply$/.test(firstToken(value))),
  },
  { kind: "auto_reply", find: absenceSubject },
  // Before auto_generated, list and bulk: calendar services mark their invitations so, and an invitation is never dropped.
  { kind: "calendar", find: calendar },
  {
    kind: "auto_generated",
    find: header(
      "auto-submitted",
      "auto_generated.auto_submitted",
      (value) => !["", "no", "auto-replied"].includes(firstToken(value)),
    ),
  },
  // RFC 5321 §4.5.5: the null reverse-path is for messages that nobody answers. Return-Path alone says nothing.
  {
    kind: "auto_generated",
    find: (facts) => (facts.nullSender ? [byPart("auto_generated.null_sender", "MAIL FROM:<>")] : nothing),
  },
  { kind: "list", find: header("list-id", "list.list_id", (value) => value !== "") },
  { kind: "list", find: header("list-post", "list.list_post", (value) => !["", "no"].includes(firstToken(value))) },
  {
    kind: "bulk",
    find: header("precedence", "bulk.precedence", (value) => ["bulk", "list", "junk"].includes(firstToken(value))),
  },
  { kind: "bulk", find: header("list-unsubscribe", "bulk.list_unsubscribe", (value) => value !== "") },
  { kind: "bulk", find: header("feedback-id", "bulk.feedback_id", (value) => value !== "") },
];

/** Pure. Call it again with the envelope where that is known: a null sender makes some kinds stronger. */
export function classify(message: ClassFacts, envelope?: EnvelopeFacts): Classification {
  const byKey = new Map<string, string[]>();
  for (const [name, value] of message.headers) {
    const key = name.toLowerCase();
    const values = byKey.get(key);
    if (values === undefined) byKey.set(key, [value]);
    else values.push(value);
  }
  const values = (key: string): readonly string[] => byKey.get(key) ?? [];
  const nullReturnPath = values("return-path").some((value) => /^<\s*>$/.test(value.trim()));
  const facts: Facts = { ...message, values, nullSender: envelope?.nullSender === true, nullReturnPath };
  let kind: Kind = "person";
  const found: Kind[] = [];
  const evidence: Evidence[] = [];
  for (const rule of rules) {
    const shown = rule.find(facts);
    if (shown.length === 0) continue;
    if (kind === "person") kind = rule.kind;
    found.push(rule.kind);
    evidence.push(...shown.slice(0, 3));
  }
  const local = message.from?.email?.split("@")[0] ?? "";
  if (noReply.test(local)) evidence.push(byHeader("no_reply_sender", "from", local));
  const has = (...kinds: Kind[]): boolean => found.some((one) => kinds.includes(one));
  return {
    kind,
    auto_submitted: firstToken(values("auto-submitted")[0] ?? "") || null,
    precedence: firstToken(values("precedence")[0] ?? "") || null,
    is_bulk: has("bulk"),
    is_list: has("list"),
    is_auto_reply: has("auto_reply"),
    is_auto_generated: has("auto_generated"),
    is_bounce: has("bounce"),
    is_mdn: has("mdn"),
    is_complaint: has("complaint"),
    is_calendar: message.structure.calendar_method !== null,
    is_forward: message.forward,
    is_encrypted: message.structure.encrypted,
    is_signed: message.structure.signed,
    no_reply_sender: noReply.test(local),
    evidence,
  };
}

function notNo(value: string): boolean {
  return !["", "no"].includes(firstToken(value));
}

/** RFC 3464: a report about a failed or delayed delivery. One that says "delivered" is no bounce. */
function deliveryReport({ structure }: Facts): Evidence[] {
  const isReport =
    structure.report_type === "delivery-status" ||
    structure.part_types.some(
      (type) => type === "message/delivery-status" || type === "message/global-delivery-status",
    );
  const bad = structure.dsn_actions.filter((action) => action === "failed" || action === "delayed");
  return isReport && bad[0] !== undefined ? [byPart("bounce.dsn", `Action: ${bad[0]}`)] : nothing;
}

/** Reports without a machine-readable part: a null sender and the name of a mail system, both. */
function textBounce(facts: Facts): Evidence[] {
  if (!facts.nullSender && !facts.nullReturnPath) return nothing;
  const failed = facts.values("x-failed-recipients")[0];
  if (failed !== undefined) return [byHeader("bounce.x_failed_recipients", "x-failed-recipients", failed)];
  const local = facts.from?.email?.split("@")[0] ?? "";
  const name = facts.from?.name ?? "";
  if (machineLocalPart.test(local)) return [byHeader("bounce.mail_system", "from", local)];
  return machineName.test(name) ? [byHeader("bounce.mail_system", "from", name)] : nothing;
}

function report(type: string, parts: readonly string[], rule: string) {
  return ({ structure }: Facts): Evidence[] => {
    if (structure.report_type === type) return [byPart(rule, `report-type=${type}`)];
    const part = structure.part_types.find((found) => parts.includes(found));
    return part === undefined ? nothing : [byPart(rule, part)];
  };
}

function absenceSubject(facts: Facts): Evidence[] {
  if (!facts.nullSender && !facts.nullReturnPath) return nothing;
  const subject = facts.subject ?? "";
  return absence.test(subject) ? [byHeader("auto_reply.subject", "subject", subject)] : nothing;
}

function calendar({ structure }: Facts): Evidence[] {
  const method = structure.calendar_method;
  return method !== null && personalMethods.has(method) ? [byPart("calendar.method", `METHOD:${method}`)] : nothing;
}
