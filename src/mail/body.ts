/** Chooses the text and the html of a message among its parts. */
import type { Message } from "../model/event.ts";
import { htmlToText } from "./html.ts";
import { composed } from "./words.ts";

/** A part as far as the body hangs on it. */
export interface BodyPart {
  /** In lower case. */
  readonly contentType: string;
  /** Decoded text of a text part that is no attachment; null for everything else. */
  readonly text: string | null;
  readonly children: readonly BodyPart[];
}

export type Body = Pick<Message, "text" | "text_source" | "html" | "html_source" | "charset"> & {
  readonly truncated: { readonly text: boolean; readonly html: boolean };
  readonly anomalies: readonly string[];
};

/** Of the event; the raw message is whole. */
export const maxTextChars = 1024 * 1024;
export const maxHtmlChars = 2 * 1024 * 1024;

interface Content {
  readonly texts: readonly string[];
  readonly htmls: readonly string[];
  /** True when some of the texts were read from html because their part has no text. */
  readonly derived: boolean;
  readonly original: boolean;
}
const empty: Content = { texts: [], htmls: [], derived: false, original: false };

export function chooseBody(root: BodyPart | undefined): Body {
  const content = root === undefined ? empty : contentOf(root);
  const anomalies = new Set<string>();
  let { texts, derived, original } = content;
  let cut = false;
  // An empty text part beside html is a client's formality, not the message.
  if (texts.every((text) => text.trim() === "") && content.htmls.length > 0) {
    const read = content.htmls.map(htmlToText);
    texts = read.map(({ text }) => text);
    cut = read.some((one) => one.cut);
    derived = true;
    original = false;
  }
  const text = texts.length === 0 ? null : bounded(printable(texts.join("\n\n"), anomalies), maxTextChars);
  const html =
    content.htmls.length === 0 ? null : bounded(printable(content.htmls.join("<br>\n"), anomalies), maxHtmlChars);
  return {
    text: text?.value ?? null,
    text_source:
      text === null
        ? "none"
        : derived
          ? original
            ? "mixed"
            : "derived_html"
          : texts.length > 1
            ? "mixed"
            : "original",
    html: html?.value ?? null,
    charset: null,
    html_source: html === null ? "none" : content.htmls.length > 1 ? "mixed" : "original",
    truncated: { text: cut || (text?.cut ?? false), html: html?.cut ?? false },
    anomalies: [...anomalies],
  };
}

function contentOf(part: BodyPart): Content {
  if (part.text !== null) {
    if (part.contentType === "text/html") return { ...empty, htmls: [part.text] };
    return { ...empty, texts: [part.text], original: true };
  }
  const inside = part.children.map(contentOf).filter(({ texts, htmls }) => texts.length + htmls.length > 0);
  return part.contentType === "multipart/alternative" ? alternative(inside) : sequence(inside);
}

/** RFC 2046 §5.1.4: the last alternative that is understood is the richest. The plain one is kept for the text. */
function alternative(inside: readonly Content[]): Content {
  const plain = inside.find(({ texts }) => texts.length > 0);
  const rich = inside.findLast(({ htmls }) => htmls.length > 0);
  return { ...(plain ?? empty), htmls: rich?.htmls ?? [] };
}

/**
 * Parts that follow each other (list footers, scanners' notes) are one text. Html counts as the sender's only when the message
 * begins with it: an html footer below a plain body is not the body.
 */
function sequence(inside: readonly Content[]): Content {
  const first = inside[0];
  if (first === undefined || inside.length === 1) return first ?? empty;
  const htmls = first.htmls.length > 0 ? inside.flatMap((content) => content.htmls) : [];
  if (inside.every(({ texts }) => texts.length === 0)) return { ...empty, htmls };
  return {
    texts: inside.flatMap(({ texts, htmls: own }) =>
      texts.length > 0 ? texts : own.map((html) => htmlToText(html).text),
    ),
    htmls,
    derived: inside.some(({ texts, derived }) => derived || texts.length === 0),
    original: inside.some(({ original }) => original),
  };
}

const unwanted = /[^\P{Cc}\t\n]/gu;

/** Line ends as LF, controls removed but TAB and LF (CRMs refuse them), well-formed, NFC. */
function printable(text: string, anomalies: Set<string>): string {
  if (text.includes("\0")) anomalies.add("nul_removed");
  return composed(text.replace(/\r\n?/g, "\n").replace(unwanted, ""));
}

function bounded(text: string, maxChars: number): { value: string; cut: boolean } {
  if (text.length <= maxChars) return { value: text, cut: false };
  // Not between the halves of a surrogate pair.
  const last = text.charCodeAt(maxChars - 1);
  return { value: text.slice(0, last >= 0xd800 && last < 0xdc00 ? maxChars - 1 : maxChars), cut: true };
}
