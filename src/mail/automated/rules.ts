/** The rules that make a mail a machine's, in order of strength. Each gives the evidence it found. */
import type { automatedKinds, CanonicalEvent } from "../../model/event.ts";
import type { ClassFacts } from "../automated.ts";
import { firstToken } from "../parameters.ts";
import { absenceSentence, isAbsenceSubject, isAutomaticSubject } from "./absence.ts";
import { autoReplyHeaders, campaignHeaders, notificationHeaders, notificationSenders } from "./machine-headers.ts";
import { isMailerDaemon, mailSystemSign, takesNoReply } from "./sender.ts";

export type Evidence = CanonicalEvent["class"]["evidence"][number];

export interface Facts extends ClassFacts {
  /** Values of a header by its name in lower case. */
  values(key: string): readonly string[];
  /** All names of headers, in lower case. */
  readonly keys: readonly string[];
  /** Null where the envelope is not known. */
  readonly nullSender: boolean | null;
  readonly nullReturnPath: boolean;
  /** It names a message that it answers. */
  readonly answers: boolean;
}

interface Rule {
  readonly kind: Exclude<(typeof automatedKinds)[number], "person">;
  find(facts: Facts): Evidence[];
}

const maxShownChars = 200;
const nothing: Evidence[] = [];

const byHeader = (rule: string, header: string, value: string): Evidence => ({
  rule,
  header,
  value: value.slice(0, maxShownChars),
});
/** By the envelope, a part or a phrase. */
const byOther = (rule: string, value: string): Evidence => ({
  rule,
  header: null,
  value: value.slice(0, maxShownChars),
});

/** Evidence for every value of a header that `says` so. */
const header = (key: string, rule: string, says: (value: string) => boolean) => (facts: Facts) =>
  facts.values(key).flatMap((value) => (says(value) ? [byHeader(rule, key, value)] : nothing));

/** RFC 5546 §1.4: PUBLISH is an announcement to anybody, the others are somebody's business with us. */
const personalMethods = new Set(["REQUEST", "REPLY", "ADD", "CANCEL", "REFRESH", "COUNTER", "DECLINECOUNTER"]);

/** In order of strength: the first that finds evidence names the kind, all evidence is kept. */
export const rules: readonly Rule[] = [
  { kind: "bounce", find: deliveryReport },
  { kind: "dsn_success", find: successReport },
  { kind: "bounce", find: textBounce },
  { kind: "complaint", find: complaint },
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
  ...autoReplyHeaders.map((name) => ({
    kind: "auto_reply" as const,
    find: header(name, `auto_reply.${name.replaceAll("-", "_")}`, notNo),
  })),
  {
    kind: "auto_reply",
    find: header("precedence", "auto_reply.precedence", (value) => /^auto[_-]reply$/.test(firstToken(value))),
  },
  { kind: "auto_reply", find: absence },
  // Before notification, auto_generated, list and bulk: calendar services mark their invitations so, and an invitation is never dropped.
  { kind: "calendar", find: calendar },
  { kind: "notification", find: notification },
  {
    kind: "auto_generated",
    find: header(
      "auto-submitted",
      "auto_generated.auto_submitted",
      (value) => !["", "no", "auto-replied"].includes(firstToken(value)),
    ),
  },
  { kind: "auto_generated", find: failedAuthentication },
  // RFC 5321 §4.5.5: the null reverse-path is for messages that nobody answers. Return-Path alone says nothing.
  {
    kind: "auto_generated",
    find: (facts) => (facts.nullSender === true ? [byOther("auto_generated.null_sender", "MAIL FROM:<>")] : nothing),
  },
  { kind: "list", find: header("list-id", "list.list_id", (value) => value.trim() !== "") },
  { kind: "list", find: header("list-post", "list.list_post", notNo) },
  {
    kind: "bulk",
    find: header("precedence", "bulk.precedence", (value) => ["bulk", "list", "junk"].includes(firstToken(value))),
  },
  { kind: "bulk", find: header("list-unsubscribe", "bulk.list_unsubscribe", (value) => value.trim() !== "") },
  { kind: "bulk", find: feedback },
  { kind: "bulk", find: campaign },
];

function notNo(value: string): boolean {
  return !["", "no"].includes(firstToken(value));
}

/** The parts of a report in a mail that is none, by somebody with a name and an envelope: forwarded, to ask what it means. */
function isPassedOn({ structure, nullSender, nullReturnPath, from }: Facts): boolean {
  return (
    structure.report_type !== "delivery-status" &&
    nullSender === false &&
    !nullReturnPath &&
    mailSystemSign(from) === null
  );
}

/** RFC 3464: a report about a failed or delayed delivery. One that says "delivered" is no bounce. */
function deliveryReport(facts: Facts): Evidence[] {
  const { structure } = facts;
  if (isPassedOn(facts)) return nothing;
  const bad = structure.dsn_actions.find((action) => action === "failed" || action === "delayed");
  return bad === undefined ? nothing : [byOther("bounce.dsn", `Action: ${bad}`)];
}

function successReport(facts: Facts): Evidence[] {
  const { structure } = facts;
  if (isPassedOn(facts)) return nothing;
  const [first] = structure.dsn_actions;
  const bad = structure.dsn_actions.some((action) => action === "failed" || action === "delayed");
  return first === undefined || bad ? nothing : [byOther("dsn_success.dsn", `Action: ${first}`)];
}

/**
 * Reports without a status for machines. With a null sender, one more sign is enough: its words, its sender, or the field of a mail system.
 * Without one, it takes both the words and the form of a report, or a mail system's address. A postmaster who writes himself, and was not sent with a null sender,
 * quotes such words often.
 */
function textBounce(facts: Facts): Evidence[] {
  const { structure, from } = facts;
  if (structure.dsn_actions.length > 0) return nothing;
  const system = mailSystemSign(from);
  const words = structure.bounce_words;
  const shown: Evidence[] = [];
  if (facts.nullSender === true || facts.nullReturnPath) {
    const failed = facts.values("x-failed-recipients")[0];
    if (failed !== undefined) shown.push(byHeader("bounce.x_failed_recipients", "x-failed-recipients", failed));
    const postfix = facts.keys.find((key) => key.startsWith("x-postfix-"));
    if (postfix !== undefined) shown.push(byHeader("bounce.x_postfix", postfix, facts.values(postfix)[0] ?? ""));
    if (structure.report_type === "delivery-status")
      shown.push(byOther("bounce.report", "report-type=delivery-status"));
    if (system !== null) shown.push(byHeader("bounce.mail_system", "from", system));
    if (words !== null) shown.push(byOther("bounce.words", words));
    return shown;
  }
  if (words === null) return nothing;
  if (structure.report_type === "delivery-status") {
    return [byOther("bounce.words", words), byOther("bounce.report", "report-type=delivery-status")];
  }
  if (system === null || (facts.nullSender === false && !isMailerDaemon(from))) return nothing;
  return [byOther("bounce.words", words), byHeader("bounce.mail_system", "from", system)];
}

/** RFC 5965. A report of failed authentication (RFC 6591) has the same form, and nobody complained. */
function complaint(facts: Facts): Evidence[] {
  if (facts.structure.feedback_type === "auth-failure") return nothing;
  return report("feedback-report", ["message/feedback-report"], "complaint.arf")(facts);
}

function failedAuthentication({ structure }: Facts): Evidence[] {
  return structure.feedback_type === "auth-failure"
    ? [byOther("auto_generated.auth_failure", "Feedback-Type: auth-failure")]
    : nothing;
}

function report(type: string, parts: readonly string[], rule: string) {
  return ({ structure }: Facts): Evidence[] => {
    if (structure.report_type === type) return [byOther(rule, `report-type=${type}`)];
    const part = structure.part_types.find((found) => parts.includes(found));
    return part === undefined ? nothing : [byOther(rule, part)];
  };
}

/**
 * Words of absence, and a second sign that a machine wrote them. What mail programs put in front of a subject may go by weaker signs: that it
 * answers something, or X-Auto-Response-Suppress, which ordinary mail of Exchange carries too and which says nothing by itself.
 */
function absence(facts: Facts): Evidence[] {
  // The header says it already.
  if (facts.values("auto-submitted").some((value) => firstToken(value) === "auto-replied")) return nothing;
  const subject = facts.subject ?? "";
  const sign = machineSign(facts);
  if (sign === undefined) {
    const weak = weakSign(facts);
    if (weak === undefined || !isAutomaticSubject(subject)) return nothing;
    return [byHeader("auto_reply.subject", "subject", subject), weak];
  }
  if (isAbsenceSubject(subject)) return [byHeader("auto_reply.subject", "subject", subject), sign];
  const sentence = absenceSentence(facts.text ?? "");
  return sentence === null ? nothing : [byOther("auto_reply.sentence", sentence), sign];
}

function machineSign(facts: Facts): Evidence | undefined {
  const rule = "auto_reply.second_sign";
  if (facts.nullSender === true) return byOther(rule, "MAIL FROM:<>");
  if (facts.nullReturnPath) return byHeader(rule, "return-path", "<>");
  const submitted = facts.values("auto-submitted").find(notNo);
  if (submitted !== undefined) return byHeader(rule, "auto-submitted", submitted);
  // Exchange sets it on what its rules and its absence assistant send.
  const loop = facts.values("x-ms-exchange-inbox-rules-loop")[0];
  return loop === undefined ? undefined : byHeader(rule, "x-ms-exchange-inbox-rules-loop", loop);
}

function weakSign(facts: Facts): Evidence | undefined {
  const rule = "auto_reply.second_sign";
  const answered = facts.values("in-reply-to")[0] ?? facts.values("references")[0];
  if (facts.answers) return byHeader(rule, "in-reply-to", answered ?? "");
  const suppress = facts.values("x-auto-response-suppress").find((value) => /\b(?:all|oof|autoreply)\b/i.test(value));
  return suppress === undefined ? undefined : byHeader(rule, "x-auto-response-suppress", suppress);
}

function notification(facts: Facts): Evidence[] {
  for (const key of facts.keys) {
    if (!notificationHeaders.has(key)) continue;
    const value = facts.values(key)[0] ?? "";
    // Amazon relays the mail of sellers and buyers under the same field.
    if (key === "x-amazon-mail-relay-type" && firstToken(value) !== "notification") continue;
    return [byHeader("notification.service", key, value)];
  }
  const email = facts.from?.email?.toLowerCase() ?? "";
  return notificationSenders.has(email) ? [byHeader("notification.sender", "from", email)] : nothing;
}

function calendar({ structure }: Facts): Evidence[] {
  const method = structure.calendar_method;
  return method !== null && personalMethods.has(method) ? [byOther("calendar.method", `METHOD:${method}`)] : nothing;
}

/**
 * Mail services put one on everything that they send (Amazon SES, SendGrid, Postmark): on newsletters, on the form of a web site, and on what a
 * person writes by way of them. By itself it says who carried the mail.
 */
function feedback(facts: Facts): Evidence[] {
  const [id] = facts.values("feedback-id").filter((value) => value.trim() !== "");
  const isSentToMany = ["list-unsubscribe", ...listFields].some((name) => facts.values(name).length > 0);
  return id === undefined || !isSentToMany ? nothing : [byHeader("bulk.feedback_id", "feedback-id", id)];
}

const listFields = ["list-help", "list-subscribe", "list-owner", "list-archive"];

/** A campaign's mark, and a second sign: programs for campaigns send single mails too. */
function campaign(facts: Facts): Evidence[] {
  const key = campaignHeaders.find((name) => facts.values(name).length > 0);
  if (key === undefined) return nothing;
  const second = listFields.find((name) => facts.values(name).length > 0);
  const noReply = takesNoReply(facts.from);
  if (second === undefined && !noReply) return nothing;
  const sign =
    second === undefined
      ? byHeader("bulk.second_sign", "from", facts.from?.email ?? "")
      : byHeader("bulk.second_sign", second, facts.values(second)[0] ?? "");
  return [byHeader("bulk.campaign", key, facts.values(key)[0] ?? ""), sign];
}
