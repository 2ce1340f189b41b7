/** Puts together what a parse of bytes alone can say, whole or from the headers only. */
import type { Attachment, ParsedMessage } from "../model/event.ts";
import { classify } from "./automated.ts";
import { type BodyPart, chooseBody } from "./body.ts";
import { calendarOf } from "./calendar.ts";
import type { RawField } from "./header.ts";
import { Anomalies, headerFacts } from "./message.ts";
import { nothingRead, readReply } from "./reply.ts";
import { noReports, reportsOf } from "./report.ts";
import { noStructure, type Peek, reportType, structureOf } from "./structure.ts";

export const parser = { name: "mailparser", version: "3.14.2", layer_version: 1 } as const;

/** Of the event; mailparser has its own cap of a thousand parts. */
export const maxAttachments = 1000;

export interface Parts {
  readonly root: BodyPart | undefined;
  readonly attachments: readonly Attachment[];
  readonly peeks: readonly Peek[];
  readonly textCut: boolean;
}

/** What touches the body or the attachments; anything else odd is data, and the parse is whole. */
const partial = new Set(["no_boundary", "text_truncated", "html_truncated", "attachments_cut"]);

export function complete(fields: readonly RawField[], parts: Parts, structural: Anomalies): ParsedMessage {
  const body = chooseBody(parts.root);
  const facts = headerFacts(fields, body.charset?.declared);
  const anomalies = new Anomalies();
  for (const { code, detail } of [...structural.list(), ...facts.anomalies]) anomalies.add(code, detail);
  for (const code of body.anomalies) anomalies.add(code);
  const truncated = {
    text: body.truncated.text || parts.textCut,
    html: body.truncated.html,
    headers: facts.headersTruncated,
  };
  if (truncated.text) anomalies.add("text_truncated");
  if (truncated.html) anomalies.add("html_truncated");
  if (parts.attachments.length === maxAttachments) anomalies.add("attachments_cut");
  const { text, text_source, html, html_source, charset } = body;
  const attachments = [...parts.attachments];
  const reading = readReply({ text, html, subject: facts.message.subject, attachments });
  const message = {
    ...facts.message,
    text,
    text_source,
    html,
    html_source,
    charset,
    ...reading,
    truncated,
    attachments,
  };
  const structure = structureOf(
    fields,
    parts.attachments.map(({ content_type }) => content_type),
    parts.peeks,
  );
  const found = anomalies.list();
  return {
    message,
    structure,
    class: classify({ ...message, structure, forward: message.forwarded !== null }),
    ...reportsOf({ fields, peeks: parts.peeks, text }),
    calendar: calendarOf(parts.peeks),
    anomalies: found,
    parse_status: found.some(({ code }) => partial.has(code)) ? "partial" : "ok",
    parser,
  };
}

/** What the headers alone say. */
export function degraded(fields: readonly RawField[], reason: string): ParsedMessage {
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
    ...noReports,
    calendar: [],
    anomalies: [{ code: "parse_failed", detail: reason.slice(0, 200) }, ...facts.anomalies],
    parse_status: "failed",
    parser,
  };
}
