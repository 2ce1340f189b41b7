/** Decodes the text of one part, as clean as an event wants it. */
import type { Message } from "../model/event.ts";
import { decodeBody, isUtf7 } from "./charset.ts";
import { unflowed } from "./flowed.ts";
import { type UuFile, withoutUuBlocks } from "./transfer/uuencode.ts";
import type { Part } from "./tree.ts";
import { composed } from "./words.ts";

export interface DecodedText {
  readonly text: string;
  readonly charset: NonNullable<Message["charset"]>;
  /** Taken out of the text. */
  readonly files: readonly UuFile[];
  readonly anomalies: readonly { readonly code: string; readonly detail?: string }[];
}

const inMarkup = /<meta[^<>]{1,200}?charset\s*=\s*["']?([\w-]{1,40})/i;

export function decodedText({ head, content }: Part): DecodedText {
  const bytes = content?.bytes ?? Buffer.alloc(0);
  const anomalies: { code: string; detail?: string }[] = [];
  const isHtml = head.type === "text/html";
  // What the markup says of itself counts only where the part says nothing (WHATWG has the same order).
  const declared = head.charset ?? (isHtml ? (inMarkup.exec(bytes.toString("latin1", 0, 2048))?.[1] ?? null) : null);
  const decoded = decodeBody(bytes, declared);
  if (decoded.guessed) anomalies.push({ code: "charset_guess", detail: "body" });
  if (declared !== null && isUtf7(declared)) anomalies.push({ code: "utf7" });
  if (decoded.text.includes("\0")) anomalies.push({ code: "nul_removed" });
  let text = printable(decoded.text);
  let files: readonly UuFile[] = [];
  if (!isHtml) {
    if (head.flowed) text = unflowed(text, head.delSp);
    else if (head.type === "text/enriched" || head.type === "text/richtext") text = withoutEnrichment(text);
    if (text.includes("begin ")) ({ text, files } = withoutUuBlocks(text));
    if (text.includes("=ybegin ") && /^=ybegin .{0,500}name=/m.test(text)) anomalies.push({ code: "yenc" });
  }
  const charset = { declared: head.charset, used: decoded.used, guessed: decoded.guessed };
  return { text, charset, files, anomalies };
}

const unwanted = /[^\P{Cc}\t\n]/gu;

/** Line ends as LF, controls removed but TAB and LF (CRMs refuse them), well-formed, NFC. */
function printable(text: string): string {
  return composed(text.replace(/\r\n?/g, "\n").replace(unwanted, ""));
}

/** RFC 1896: commands in angle brackets, a bracket written twice, parameters that are not shown. */
function withoutEnrichment(text: string): string {
  return text
    .replace(/<param>[^<>]{0,500}<\/param>/gi, "")
    .replace(/<<|<[^<>\n]{0,100}>/g, (found) => (found === "<<" ? "<" : ""));
}
