/** Chooses the text and the html of a message among its parts. */
import type { Message } from "../model/event.ts";
import { htmlToText, maxHtmlInputChars } from "./html.ts";
import { maxHtmlChars, maxTextChars } from "./limits.ts";
import { decodedText } from "./text.ts";
import type { UuFile } from "./transfer/uuencode.ts";
import type { Part } from "./tree.ts";

/** A file that stood in a text. */
export interface FileInText extends UuFile {
  readonly part: Part;
}

export type Body = Pick<Message, "text" | "text_source" | "html" | "html_source" | "charset"> & {
  readonly truncated: { readonly text: boolean; readonly html: boolean };
  readonly anomalies: readonly { readonly code: string; readonly detail?: string }[];
  readonly files: readonly FileInText[];
};

interface Content {
  readonly texts: readonly string[];
  readonly htmls: readonly string[];
  /** True when some of the texts were read from html because their part has no text. */
  readonly derived: boolean;
  readonly original: boolean;
}
const empty: Content = { texts: [], htmls: [], derived: false, original: false };

/** What is found while the tree is read, and what reading html may still cost. */
interface Reading {
  charset: Message["charset"];
  readonly files: FileInText[];
  readonly anomalies: { code: string; detail?: string }[];
  htmlChars: number;
  cutText: boolean;
  cutHtml: boolean;
}

/** `elsewhere`: text and html that a container brought (winmail.dat), for a message that has neither. */
export function chooseBody(root: Part | undefined, elsewhere: { text?: string; html?: string } = {}): Body {
  const reading: Reading = {
    charset: null,
    files: [],
    anomalies: [],
    htmlChars: maxHtmlInputChars,
    cutText: false,
    cutHtml: false,
  };
  let content = root === undefined ? empty : contentOf(root, reading);
  if (isBlank(content) && (elsewhere.text !== undefined || elsewhere.html !== undefined)) {
    const texts = elsewhere.text === undefined ? [] : [elsewhere.text];
    content = { ...empty, texts, original: true, htmls: elsewhere.html === undefined ? [] : [elsewhere.html] };
  }
  let { texts, derived, original } = content;
  // An empty text part beside html is a client's formality, not the message.
  if (texts.every((text) => text.trim() === "") && content.htmls.length > 0) {
    texts = content.htmls.map((html) => read(html, reading));
    derived = true;
    original = false;
  }
  const text = texts.length === 0 ? null : bounded(texts.join("\n\n"), maxTextChars);
  const html = content.htmls.length === 0 ? null : bounded(content.htmls.join("<br>\n"), maxHtmlChars);
  const several = texts.length > 1 ? "mixed" : "original";
  return {
    text: text?.value ?? null,
    text_source: text === null ? "none" : derived ? (original ? "mixed" : "derived_html") : several,
    html: html?.value ?? null,
    html_source: html === null ? "none" : content.htmls.length > 1 ? "mixed" : "original",
    charset: reading.charset,
    truncated: { text: reading.cutText || (text?.cut ?? false), html: reading.cutHtml || (html?.cut ?? false) },
    anomalies: reading.anomalies,
    files: reading.files,
  };
}

const isBlank = ({ texts, htmls }: Content): boolean => [...texts, ...htmls].every((one) => one.trim() === "");

/** All html of a message together costs no more than one: a thousand small parts are as long as a long one. */
function read(html: string, reading: Reading): string {
  if (html.length > reading.htmlChars) reading.cutText = true;
  const { text } = htmlToText(html.slice(0, reading.htmlChars));
  reading.htmlChars = Math.max(0, reading.htmlChars - html.length);
  return text;
}

function contentOf(part: Part, reading: Reading): Content {
  if (part.content !== undefined) return ownContent(part, reading);
  const inside = part.children
    .map((child) => contentOf(child, reading))
    .filter(({ texts, htmls }) => texts.length + htmls.length > 0);
  return part.head.type === "multipart/alternative" ? alternative(inside) : sequence(inside, reading);
}

function ownContent(part: Part, reading: Reading): Content {
  const { text, charset, files, anomalies } = decodedText(part);
  if (part.head.type.startsWith("multipart/")) {
    // A preamble that turned out to be all there is.
    if (text.trim() === "") return empty;
    reading.anomalies.push({ code: "no_boundary" });
  }
  reading.charset ??= charset;
  const cut = part.content?.cut === true;
  if (part.head.type === "text/html") reading.cutHtml ||= cut;
  else reading.cutText ||= cut;
  reading.anomalies.push(...anomalies);
  for (const file of files) reading.files.push({ part, ...file });
  return part.head.type === "text/html" ? { ...empty, htmls: [text] } : { ...empty, texts: [text], original: true };
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
function sequence(inside: readonly Content[], reading: Reading): Content {
  const first = inside[0];
  if (first === undefined || inside.length === 1) return first ?? empty;
  const htmls = first.htmls.length > 0 ? inside.flatMap((content) => content.htmls) : [];
  if (inside.every(({ texts }) => texts.length === 0)) return { ...empty, htmls };
  return {
    texts: inside.flatMap(({ texts, htmls: own }) =>
      texts.length > 0 ? texts : own.map((html) => read(html, reading)),
    ),
    htmls,
    derived: inside.some(({ texts, derived }) => derived || texts.length === 0),
    original: inside.some(({ original }) => original),
  };
}

function bounded(text: string, maxChars: number): { value: string; cut: boolean } {
  if (text.length <= maxChars) return { value: text, cut: false };
  // Not between the halves of a surrogate pair.
  const last = text.charCodeAt(maxChars - 1);
  return { value: text.slice(0, last >= 0xd800 && last < 0xdc00 ? maxChars - 1 : maxChars), cut: true };
}
