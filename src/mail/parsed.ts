/** Puts together what a parse of bytes alone can say, whole or from the headers only. */
import type { ParsedMessage } from "../model/event.ts";
import { attachmentsOf, type Types } from "./attachments.ts";
import { classify } from "./automated.ts";
import { chooseBody } from "./body.ts";
import type { Calendars } from "./calendar.ts";
import type { Collected, Draft } from "./collect.ts";
import type { RawField } from "./header.ts";
import { Anomalies, headerFacts } from "./message.ts";
import { armourOf, containerProtection, markerOf, type Protection, protectionOf } from "./protection.ts";
import { nothingRead, readReply } from "./reply.ts";
import { reportsOf } from "./report.ts";
import { noStructure, reportType, structureOf } from "./structure.ts";

export const parser = { name: "mailparser", version: "3.14.2", layer_version: 1 } as const;

/** Of the event: those of the parts, and those inside of them. */
const maxAttachments = 1000;

/** What is missing from, or was changed in, body or attachments; anything else odd is data, and the parse is whole. */
const partial = new Set([
  "no_boundary",
  "boundary_guessed",
  "text_truncated",
  "html_truncated",
  "attachments_cut",
  "parts_cut",
  "parse_cut",
  "base64_trailer",
  "utf7",
  "tnef_damaged",
  "tnef_cut",
  "tnef_rtf_only",
  "msg_damaged",
  "msg_too_large",
]);

export function complete(
  fields: readonly RawField[],
  { root, drafts, peeks, anomalies: collected }: Collected,
  types: Types,
  calendars: Calendars,
  ofHead: readonly string[],
): ParsedMessage {
  const body = chooseBody(root, inContainers(drafts));
  const facts = headerFacts(fields, body.charset?.declared);
  const { attachments: all, anomalies: names } = attachmentsOf(drafts, body.files, types, body.html);
  const attachments = all.slice(0, maxAttachments);
  const anomalies = new Anomalies();
  for (const code of ofHead) anomalies.add(code);
  for (const { code, detail } of [...facts.anomalies, ...collected, ...body.anomalies]) anomalies.add(code, detail);
  for (const code of [...names, ...calendars.anomalies]) anomalies.add(code);
  if (body.truncated.text) anomalies.add("text_truncated");
  if (body.truncated.html) anomalies.add("html_truncated");
  if (all.length > maxAttachments) anomalies.add("attachments_cut");
  const protection = protectionOfMessage(root, drafts, body.text);
  if (protection.encrypted) anomalies.add("encrypted");
  const { text_source, html, html_source, charset } = body;
  const isBlank = (body.text ?? "").trim() === "" && html === null;
  if (isBlank && drafts.some(({ found }) => found.rtfOnly === true)) anomalies.add("tnef_rtf_only");
  const unread = isBlank && (protection.encrypted || protection.opaque);
  const text = unread ? markerOf(protection) : body.text;
  const message = {
    ...facts.message,
    text,
    text_source: unread ? ("none" as const) : text_source,
    html,
    html_source,
    charset,
    ...readReply({ text: body.text, html, subject: facts.message.subject, attachments }),
    truncated: { text: body.truncated.text, html: body.truncated.html, headers: facts.headersTruncated },
    attachments,
  };
  const reports = reportsOf({
    fields,
    peeks,
    reportType: reportType(fields),
    message: { ...message, text: body.text },
  });
  const { bounce, complaint, mdn } = reports;
  const structure = {
    ...structureOf(fields, typesIn(drafts), peeks, reports),
    encrypted: protection.encrypted,
    signed: protection.signed,
  };
  const found = anomalies.list();
  return {
    message,
    structure,
    class: classify({ ...message, structure, forward: message.forwarded !== null }),
    bounce,
    complaint,
    mdn,
    calendar: [...calendars.events],
    anomalies: found,
    parse_status: found.some(({ code }) => partial.has(code)) ? "partial" : "ok",
    parser,
  };
}

const typesIn = (drafts: readonly Draft[]): string[] => drafts.map(({ part }) => part.head.declared || part.head.type);

/** What a winmail.dat says, for a message that says nothing itself. */
function inContainers(drafts: readonly Draft[]): { text?: string; html?: string } {
  return drafts.find(({ found }) => found.text !== undefined || found.html !== undefined)?.found ?? {};
}

/** `opaque`: the signature wraps what it signs, so that nothing of it can be read. */
function protectionOfMessage(
  root: Collected["root"],
  drafts: readonly Draft[],
  text: string | null,
): Protection & { readonly opaque: boolean } {
  const container = containerProtection(root);
  const armour = armourOf(text ?? "");
  const own = drafts.map(({ part, head }) => protectionOf(part, head));
  const opaque = own.some(({ signed }) => signed);
  return {
    encrypted: container.encrypted || armour.encrypted || own.some(({ encrypted }) => encrypted),
    signed: container.signed || armour.signed || opaque,
    opaque,
  };
}

/** What the headers alone say. */
export function degraded(fields: readonly RawField[], reason: string, ofHead: readonly string[] = []): ParsedMessage {
  const facts = headerFacts(fields);
  const message = {
    ...facts.message,
    text: null,
    text_source: "none" as const,
    html: null,
    html_source: "none" as const,
    charset: null,
    ...nothingRead,
    truncated: { text: false, html: false, headers: facts.headersTruncated },
    attachments: [],
  };
  const structure = { ...noStructure, report_type: reportType(fields) };
  return {
    message,
    structure,
    class: classify({ ...message, structure, forward: false }),
    bounce: null,
    complaint: null,
    mdn: null,
    calendar: [],
    anomalies: [
      { code: "parse_failed", detail: reason.slice(0, 200) },
      ...ofHead.map((code) => ({ code })),
      ...facts.anomalies,
    ],
    parse_status: "failed",
    parser,
  };
}
