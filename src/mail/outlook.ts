/** Reads an Outlook item (.msg) that is attached to a message, as a message inside the message. */
import { createRequire } from "node:module";
import type { FieldsData } from "@kenjiuno/msgreader";
import type { Address, NestedMessage } from "../model/event.ts";
import { addressList } from "./address.ts";
import type { Found, Inside } from "./collect.ts";
import { splitHeader } from "./header.ts";
import { htmlToText } from "./html.ts";
import { headerFacts } from "./message.ts";
import { cutText, maxNestedAttachments, nestedAttachments } from "./nested.ts";
import { clean } from "./words.ts";

/** The reader wants the whole file, and takes about as much again for what it makes of it. */
const maxBytes = 8 * 1024 * 1024;
const maxAddresses = 200;
/** On use: hardly any message has one. */
const load = createRequire(import.meta.url);
/** A compound file (MS-CFB §2.2). */
const magic = Buffer.from("d0cf11e0a1b11ae1", "hex");

export function readOutlookItem(): Inside {
  let kept: Buffer[] = [];
  let size = 0;
  return {
    push(bytes) {
      size += bytes.length;
      if (size <= maxBytes) kept.push(bytes);
      else kept = [];
      return undefined;
    },
    end() {
      if (size > maxBytes) return { anomalies: [{ code: "msg_too_large" }] };
      const bytes = Buffer.concat(kept);
      kept = [];
      return bytes.subarray(0, magic.length).equals(magic) ? readItem(bytes) : {};
    },
  };
}

function readItem(bytes: Buffer): Found {
  // A CommonJS package whose default is a property: import() gives it in different shapes under Node and under a test runner.
  const { default: MsgReader } = load("@kenjiuno/msgreader") as typeof import("@kenjiuno/msgreader");
  try {
    const copy = new Uint8Array(bytes).buffer;
    const fields = new MsgReader(copy).getFileData();
    if (fields.dataType !== "msg") return { anomalies: [{ code: "msg_damaged", detail: clean(fields.error ?? "") }] };
    return { nested: nestedOf(fields) };
  } catch (error) {
    const detail = clean(error instanceof Error ? error.message : "").slice(0, 200);
    return { anomalies: [{ code: "msg_damaged", detail }] };
  }
}

function nestedOf(item: FieldsData): NestedMessage {
  // The header that the item came with says more than what Outlook made of it, and says it in our own reading.
  const written = text(item.headers);
  const headers = headerFacts(written === "" ? [] : splitHeader(Buffer.from(written).toString("latin1"))).message;
  const recipients = (item.recipients ?? []).filter(({ recipType }) => recipType === "to").slice(0, maxAddresses);
  const body = text(item.body).trim() === "" ? htmlBody(item) : text(item.body);
  const subject = clean(text(item.subject)).slice(0, 2000);
  return {
    message_id: headers.message_id ?? addressId(text(item.messageId)),
    from: headers.from ?? addressOf(item.senderName, item.senderSmtpAddress ?? item.senderEmail),
    to:
      headers.to.length > 0
        ? headers.to
        : recipients.flatMap(({ name, smtpAddress, email }) => addressOf(name, smtpAddress ?? email) ?? []),
    subject: headers.subject ?? (subject === "" ? null : subject),
    date: headers.date ?? isoDate(item.clientSubmitTime ?? item.messageDeliveryTime),
    text: body === "" ? null : cutText(body),
    attachments: nestedAttachments((item.attachments ?? []).slice(0, maxNestedAttachments).map(attachmentOf)),
  };
}

function attachmentOf(inner: FieldsData): { original: string | null; type: string; size: number } {
  const isMessage = inner.innerMsgContent === true;
  const declared = clean(text(inner.attachMimeTag)).toLowerCase().slice(0, 200) || "application/octet-stream";
  const name = text(inner.fileName) || text(inner.name);
  const original = isMessage && name !== "" ? `${name}.msg` : name;
  return {
    original: original === "" ? null : original,
    type: isMessage ? "application/vnd.ms-outlook" : declared,
    size: typeof inner.contentLength === "number" ? inner.contentLength : 0,
  };
}

/** Whatever the types of the package promise, the fields come out of a file that a stranger made. */
const text = (value: unknown): string =>
  typeof value === "string" ? value.replace(/\r\n?/g, "\n").replace(/[^\P{Cc}\t\n]/gu, "").toWellFormed() : "";

function htmlBody(item: FieldsData): string {
  const html = item.bodyHtml ?? (item.html === undefined ? "" : Buffer.from(item.html).toString("utf8"));
  return text(html) === "" ? "" : htmlToText(text(html)).text;
}

function addressId(written: string): string | null {
  return headerFacts(splitHeader(`Message-ID: ${Buffer.from(written.slice(0, 2000)).toString("latin1")}\n`)).message.message_id;
}

function addressOf(name: unknown, email: unknown): Address | null {
  const shown = clean(text(name)).slice(0, 500);
  const written = clean(text(email)).slice(0, 1000);
  if (shown === "" && written === "") return null;
  const known = /^[^\s<>@,;:"()]+@[^\s<>@,;:"()]+$/.test(written)
    ? addressList([`<${Buffer.from(written).toString("latin1")}>`]).addresses[0]
    : undefined;
  // An Exchange address (/O=...) is none that mail could go to.
  const none = { email: null, email_unicode: null, local: null, domain: null, raw: written, anomalies: [] };
  return { ...(known ?? none), name: shown };
}

function isoDate(value: unknown): string | null {
  const time = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? null : new Date(time).toISOString().replace(".000Z", "Z");
}
