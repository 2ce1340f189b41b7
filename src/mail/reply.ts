/** Tells what the sender wrote this time from what is quoted, signed and forwarded below it. */
import type { Attachment, Message, Span } from "../model/event.ts";
import { forwardOf } from "./reply/forward.ts";
import { labelled } from "./reply/labels.ts";
import { languageOf } from "./reply/language.ts";
import { type Below, type Layout, layoutOf, type Piece } from "./reply/layout.ts";
import { Lines } from "./reply/lines.ts";
import { type Place, placesOf } from "./reply/markup.ts";
import { signatureStart } from "./reply/signature.ts";

export type Reading = Pick<
  Message,
  "reply_text" | "quoted_text" | "signature_text" | "interleaved" | "spans" | "forwarded" | "language"
>;

export interface Readable {
  readonly text: string | null;
  readonly html: string | null;
  readonly subject: string | null;
  /** A forward may carry its original as a message/rfc822. */
  readonly attachments: readonly Attachment[];
}

export const nothingRead: Reading = {
  reply_text: null,
  quoted_text: null,
  signature_text: null,
  interleaved: false,
  spans: [],
  forwarded: null,
  language: null,
};

/** A signature that the html marks is believed as long as it looks like one. */
const maxMarkedSignature = 30;

export function readReply({ text, html, subject, attachments }: Readable): Reading {
  const lines = new Lines(text ?? "");
  const places = text === null || html === null ? [] : placesOf(html, text, isFromLine);
  const layout = layoutOf(lines, lineOf(lines, places, "reply"));
  const { parts, interleaved } = partsOf(lines, layout, lineOf(lines, places, "signature"));
  const written = interleaved
    ? textBetween(lines, 0, layout.below?.from ?? lines.count)
    : joined(lines, parts, "reply");
  const forwarded = forwardOf({ lines, below: layout.below, subject, written, attachments });
  if (text === null) return { ...nothingRead, forwarded };
  const below: Part[] =
    layout.below === undefined ? [] : [belowPart(lines, layout.below, forwarded?.kind === "inline")];
  const all = [...parts, ...below];
  // Nothing of one's own: whoever reads the record still has to see something.
  const reply_text = written === "" ? text.trim() : written;
  return {
    reply_text,
    quoted_text: joined(lines, all, "quote") || null,
    signature_text: joined(lines, all, "signature") || null,
    interleaved,
    spans: all.flatMap((part) => spanOf(lines, part)),
    forwarded,
    language: languageOf(reply_text),
  };
}

const isFromLine = (line: string): boolean => labelled(line.trim())?.role === "from";

function lineOf(lines: Lines, places: readonly Place[], kind: Place["kind"]): number | undefined {
  const place = places.find((one) => one.kind === kind);
  return place === undefined ? undefined : lines.lineAt(place.at);
}

interface Part {
  readonly kind: Span["kind"];
  readonly from: number;
  readonly to: number;
}

function belowPart(lines: Lines, below: Below, forwarded: boolean): Part {
  return { kind: forwarded ? "forward" : "quote", from: below.from, to: lines.count };
}

/** The pieces above the mail below, with the signatures taken off their ends. */
function partsOf(
  lines: Lines,
  { pieces }: Layout,
  signed: number | undefined,
): { readonly parts: readonly Part[]; readonly interleaved: boolean } {
  const written = pieces.filter(({ kind, from, to }) => kind === "quote" || lines.next(from) < to);
  const divided = written.map((piece) => ({ piece, parts: divide(lines, piece, signed) }));
  const speaks = divided.map(({ parts }) => parts.some(({ kind }) => kind === "reply"));
  const first = speaks.indexOf(true);
  const last = speaks.lastIndexOf(true);
  const interleaved = written.some((piece, at) =>
    piece.kind === "quote"
      ? !piece.attributed && first !== -1 && first < at && at < last
      : speaks[at] === true && isBetweenQuotes(written, at),
  );
  return { parts: divided.flatMap(({ parts }) => parts), interleaved };
}

function isBetweenQuotes(pieces: readonly Piece[], at: number): boolean {
  return pieces[at - 1]?.kind === "quote" && pieces[at + 1]?.kind === "quote";
}

function divide(lines: Lines, { kind, from, to }: Piece, signed: number | undefined): Part[] {
  if (kind === "quote") return [{ kind, from, to }];
  const isLast = to === lines.count && !lines.whole;
  const found = isLast ? to : signatureStart(lines, from, to);
  const isMarked = signed !== undefined && signed >= from && signed < found && to - signed <= maxMarkedSignature;
  const start = isMarked ? withDelimiter(lines, from, signed) : found;
  const parts: Part[] = [];
  if (lines.next(from) < start) parts.push({ kind: "reply", from, to: start });
  if (start < to) parts.push({ kind: "signature", from: start, to });
  return parts;
}

/** Gmail puts its two dashes before the element that holds the signature. */
function withDelimiter(lines: Lines, from: number, line: number): number {
  let above = line - 1;
  while (above > from && lines.isBlank(above)) above--;
  return above >= from && /^[-\u2014]{2}$/.test(lines.at(above, 10)) ? above : line;
}

/** Without the blanks around it: between two spans there are only blanks. */
function spanOf(lines: Lines, { kind, from, to }: Part): Span[] {
  const start = lines.start(from);
  const whole = lines.text.slice(start, lines.start(to));
  const trimmed = whole.trim();
  if (trimmed === "") return [];
  const at = start + (whole.length - whole.trimStart().length);
  return [{ kind, start: at, end: at + trimmed.length }];
}

function textBetween(lines: Lines, from: number, to: number): string {
  return lines.text.slice(lines.start(from), lines.start(to)).trim();
}

function joined(lines: Lines, parts: readonly Part[], kind: Span["kind"]): string {
  return parts
    .filter((part) => part.kind === kind)
    .map(({ from, to }) => textBetween(lines, from, to))
    .filter((text) => text !== "")
    .join("\n\n");
}
