/** Reads an Outlook item (.msg) that is attached to a message, as a message inside the message. */
import type { Address, NestedMessage } from "../model/event.ts";
import { addressList } from "./address.ts";
import type { Found, Inside } from "./collect.ts";
import { splitHeader } from "./header.ts";
import { htmlToText } from "./html.ts";
import { headerFacts } from "./message.ts";
import { cutText, maxNestedAttachments, nestedAttachments } from "./nested.ts";
import { openCompound, type Storage } from "./outlook/compound.ts";
import { type Properties, propertiesOf } from "./outlook/properties.ts";
import { clean } from "./words.ts";

/** Its tables point anywhere in it, so it is held whole. */
const maxBytes = 16 * 1024 * 1024;
const maxRecipients = 200;
/** MS-OXPROPS. */
const tag = {
  messageClass: 0x001a,
  subject: 0x0037,
  submitTime: 0x0039,
  headers: 0x007d,
  recipientType: 0x0c15,
  senderName: 0x0c1a,
  senderEmail: 0x0c1f,
  deliveryTime: 0x0e06,
  body: 0x1000,
  html: 0x1013,
  messageId: 0x1035,
  displayName: 0x3001,
  email: 0x3003,
  attachData: 0x3701,
  attachShortName: 0x3704,
  attachLongName: 0x3707,
  attachType: 0x370e,
  smtpAddress: 0x39fe,
  senderSmtp: 0x5d01,
} as const;

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
    end(): Found {
      if (size > maxBytes) return { anomalies: [{ code: "msg_too_large" }] };
      const file = openCompound(Buffer.concat(kept));
      kept = [];
      const item = file === undefined ? undefined : propertiesOf(file, 32);
      if (file === undefined || item?.text(tag.messageClass) === undefined)
        return { anomalies: [{ code: "msg_damaged" }] };
      return { nested: nestedOf(file, item) };
    },
  };
}

function nestedOf(file: Storage, item: Properties): NestedMessage {
  // The header that the item came with says more than what Outlook made of it, and says it in our own reading.
  const written = words(item.text(tag.headers));
  const { message: headers } = headerFacts(written === "" ? [] : splitHeader(Buffer.from(written).toString("latin1")));
  const subject = clean(words(item.text(tag.subject))).slice(0, 2000);
  const plain = words(item.text(tag.body));
  const body = plain.trim() === "" ? htmlBody(item) : plain;
  return {
    message_id: headers.message_id ?? messageIdOf(words(item.text(tag.messageId))),
    from: headers.from ?? addressOf(item.text(tag.senderName), item.text(tag.senderSmtp) ?? item.text(tag.senderEmail)),
    to: headers.to.length > 0 ? headers.to : recipientsOf(file),
    subject: headers.subject ?? (subject === "" ? null : subject),
    date: headers.date ?? isoDate(item.time(tag.submitTime) ?? item.time(tag.deliveryTime)),
    text: body === "" ? null : cutText(body),
    attachments: nestedAttachments(numbered(file, "__attach_version1.0_#", maxNestedAttachments).map(attachmentOf)),
  };
}

/** Outlook numbers them in hex; a directory keeps them in any order. */
const numbered = ({ storages }: Storage, prefix: string, most: number): Storage[] =>
  [...storages]
    .filter(([name]) => name.startsWith(prefix))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, most)
    .map(([, storage]) => storage);

function recipientsOf(file: Storage): Address[] {
  return numbered(file, "__recip_version1.0_#", maxRecipients).flatMap((storage) => {
    const one = propertiesOf(storage, 8);
    const isTo = (one.integer(tag.recipientType) ?? 1) === 1;
    return isTo ? (addressOf(one.text(tag.displayName), one.text(tag.smtpAddress) ?? one.text(tag.email)) ?? []) : [];
  });
}

function attachmentOf(storage: Storage): { original: string | null; type: string; size: number } {
  const one = propertiesOf(storage, 8);
  // An item inside the item is a storage where others have bytes.
  const isItem = storage.storages.has("__substg1.0_3701000D");
  const declared =
    clean(words(one.text(tag.attachType)))
      .toLowerCase()
      .slice(0, 200) || "application/octet-stream";
  const names = [tag.attachLongName, tag.attachShortName, tag.displayName].map((id) => words(one.text(id)));
  const name = names.find((written) => written !== "") ?? "";
  const original = isItem && name !== "" ? `${name}.msg` : name;
  return {
    original: original === "" ? null : original,
    type: isItem ? "application/vnd.ms-outlook" : declared,
    size: one.size(tag.attachData) ?? 0,
  };
}

const words = (text: string | undefined): string =>
  (text ?? "")
    .replace(/\r\n?/g, "\n")
    .replace(/[^\P{Cc}\t\n]/gu, "")
    .toWellFormed();

function htmlBody(item: Properties): string {
  const html = item.text(tag.html) ?? item.bytes(tag.html)?.toString("utf8") ?? "";
  return html === "" ? "" : htmlToText(words(html)).text;
}

function messageIdOf(written: string): string | null {
  const line = `Message-ID: ${Buffer.from(written.slice(0, 2000).replaceAll("\n", " ")).toString("latin1")}\n`;
  return headerFacts(splitHeader(line)).message.message_id;
}

function addressOf(name: string | undefined, email: string | undefined): Address | null {
  const shown = clean(words(name)).slice(0, 500);
  const written = clean(words(email)).slice(0, 1000);
  if (shown === "" && written === "") return null;
  const known = /^[^\s<>@,;:"()]+@[^\s<>@,;:"()]+$/.test(written)
    ? addressList([`<${Buffer.from(written).toString("latin1")}>`]).addresses[0]
    : undefined;
  // An Exchange address (/O=...) is none that mail could go to.
  const none = { email: null, email_unicode: null, local: null, domain: null, raw: written, anomalies: [] };
  return { ...(known ?? none), name: shown };
}

/** Null for a time that no calendar has. */
function isoDate(time: number | undefined): string | null {
  return time === undefined || Math.abs(time) > 8.64e15 ? null : new Date(time).toISOString().replace(".000Z", "Z");
}
