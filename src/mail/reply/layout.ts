/** Divides a text into what was written now, what is quoted line by line, and the mail that stands below it all. */
import { attributionStart, closesBracket, mayEnd } from "./attribution.ts";
import { type HeaderBlock, headerBlock } from "./block.ts";
import { labelled } from "./labels.ts";
import { type Lines, unquoted } from "./lines.ts";
import { isRule, mayBeDrawn, separator } from "./separator.ts";

/** Lines from `from` until before `to`. */
export interface Piece {
  readonly kind: "own" | "quote";
  readonly from: number;
  readonly to: number;
  /** A quote below "Ana wrote:". */
  readonly attributed: boolean;
}

/** A mail below the answer, to the end of the text. */
export interface Below {
  readonly from: number;
  /** What announced it. */
  readonly how: "attribution" | "original" | "forward" | "block" | "markup";
  readonly block: HeaderBlock | undefined;
  /** The line after what announced it. */
  readonly body: number;
  /** Every line of it is quoted (Apple Mail forwards so). */
  readonly quoted: boolean;
}

export interface Layout {
  /** In order, without gaps, from the first line to where the mail below begins. */
  readonly pieces: readonly Piece[];
  readonly below: Below | undefined;
}

/** Each costs some lines of reading; a text made to have more is read as it stands from there on. */
const maxAttempts = 300;
/** Answers between quoted lines; a text that goes on so after a thousand of them is no answer. */
const maxPieces = 1000;
/** Lines between the place that the html marks and what announces the mail there. */
const maxMarkedLines = 8;
/** Half of a line that a client wrapped after it was quoted. */
const minWrapped = 70;

/** `mark` is the line on which a mark in the html says that a quote begins. */
export function layoutOf(lines: Lines, mark: number | undefined): Layout {
  // Outlook on the web draws a line above what it marks.
  const marked = mark === undefined ? undefined : withRule(lines, mark);
  const pieces: Piece[] = [];
  let own = 0;
  let pending: number | undefined;
  let attempts = 0;
  const close = (to: number): void => {
    if (to > own) pieces.push({ kind: "own", from: own, to, attributed: false });
  };
  const ending = (below: Below): Layout => {
    const from = Math.max(own, Math.min(below.from, pending ?? below.from));
    close(from);
    return { pieces, below: { ...below, from } };
  };
  for (let line = 0; line < lines.count && pieces.length < maxPieces; ) {
    if (line === marked) pending ??= line;
    if (pending !== undefined && line - pending > maxMarkedLines) return ending(markedBelow(pending));
    if (lines.isQuoted(line) && !closesBracket(lines, line)) {
      const below = pieces.some(({ kind }) => kind === "quote") ? undefined : quotedForward(lines, line);
      if (below !== undefined) return ending(below);
      const to = endOfQuote(lines, line);
      const from = Math.max(own, pending ?? line);
      close(from);
      pieces.push({ kind: "quote", from, to, attributed: pending !== undefined });
      own = to;
      pending = undefined;
      line = to;
      continue;
    }
    if (attempts < maxAttempts) {
      const found = announced(lines, line);
      if (found !== undefined) attempts++;
      const below = found?.();
      if (below === undefined) {
        line++;
        continue;
      }
      const next = below.how === "attribution" ? lines.next(line + 1) : lines.count;
      if (next >= lines.count || next - line > 3 || !lines.isQuoted(next)) return ending(below);
      pending = Math.min(below.from, pending ?? below.from);
      line = next;
      continue;
    }
    line++;
  }
  if (pending !== undefined) return ending(markedBelow(pending));
  close(lines.count);
  return { pieces, below: undefined };
}

function markedBelow(from: number): Below {
  return { from, how: "markup", block: undefined, body: from, quoted: false };
}

/** What this line may announce, to be looked at more closely; undefined for nearly every line. */
function announced(lines: Lines, line: number): (() => Below | undefined) | undefined {
  const first = lines.first(line);
  if (first === -1) return undefined;
  const ends = mayEnd(lines, line);
  if (mayBeDrawn(first) || ends) {
    return () =>
      drawn(lines, line) ??
      (ends ? attribution(lines, line) : undefined) ??
      (hasLabel(lines, line) ? blockAt(lines, line) : undefined);
  }
  return hasLabel(lines, line) ? () => blockAt(lines, line) : undefined;
}

/** The longest label has two dozen characters; of bold marks and blanks around it there may be some. */
const maxLabelEnd = 40;
const maxLabelBlanks = 10;

/** Few lines get past this: a label is letters up to its colon. */
function hasLabel(lines: Lines, line: number): boolean {
  const start = lines.start(line);
  const most = Math.min(lines.end(line), start + maxLabelEnd);
  let blanks = 0;
  for (let at = start; at < most; at++) {
    const code = lines.text.charCodeAt(at);
    if (code === 58 || code === 0xff1a) {
      const found = labelled(lines.text.slice(start, lines.end(line)).trimStart());
      return found !== undefined && found.role !== "other" && found.role !== "cc";
    }
    if (code === 32 && ++blanks > maxLabelBlanks) return false;
    // Figures, brackets, commas, quotes and at signs stand in what is written.
    if ((code >= 48 && code <= 60) || code === 34 || code === 40 || code === 44 || code === 64) return false;
  }
  return false;
}

function attribution(lines: Lines, line: number): Below | undefined {
  const from = attributionStart(lines, line);
  return from === undefined ? undefined : { from, how: "attribution", block: undefined, body: line + 1, quoted: false };
}

function blockAt(lines: Lines, line: number): Below | undefined {
  const block = headerBlock(lines, line, { announced: false, quoted: false });
  if (block === undefined) return undefined;
  return { from: withRule(lines, line), how: "block", block, body: block.to, quoted: false };
}

function withRule(lines: Lines, line: number): number {
  const above = aboveOf(lines, line);
  return above >= 0 && isRule(lines.at(above, 220)) ? above : line;
}

function aboveOf(lines: Lines, line: number): number {
  let at = line - 1;
  while (at >= 0 && at > line - 4 && lines.isBlank(at)) at--;
  return at;
}

function drawn(lines: Lines, line: number): Below | undefined {
  const how = separator(lines.at(line, 200));
  return how === undefined ? undefined : below(lines, line, how, false);
}

/** The mail below a separator, with the block that names its sender. */
function below(lines: Lines, line: number, how: "original" | "forward", quoted: boolean): Below {
  let first = lines.next(line + 1);
  const inner = quoted || (how === "forward" && first < lines.count && lines.isQuoted(first));
  while (inner && first < lines.count && unquoted(lines.at(first)) === "" && first < line + 4) first++;
  const block = first - line > 4 ? undefined : headerBlock(lines, first, { announced: true, quoted: inner });
  return { from: line, how, block, body: block?.to ?? line + 1, quoted: inner };
}

/** A forward whose every line is quoted, the line that says so too: Apple Mail, when its html is read as text. */
function quotedForward(lines: Lines, line: number): Below | undefined {
  let first = line;
  while (first < line + 3 && first < lines.count && unquoted(lines.at(first)) === "") first++;
  if (first >= lines.count || separator(unquoted(lines.at(first, 200))) !== "forward") return undefined;
  return { ...below(lines, first, "forward", true), from: line };
}

/** Where the quoted lines end: blank lines between them belong to them, and the broken halves of long ones. */
function endOfQuote(lines: Lines, from: number): number {
  let to = from + 1;
  for (;;) {
    const line = lines.isBlank(to) ? lines.next(to) : to;
    if (line >= lines.count) return to;
    if (lines.isQuoted(line)) to = line + 1;
    else if (line === to && isBrokenHalf(lines, line)) to = line + 1;
    else return to;
  }
}

function isBrokenHalf(lines: Lines, line: number): boolean {
  if (line + 1 >= lines.count || !lines.isQuoted(line + 1) || !lines.isQuoted(line - 1)) return false;
  const above = lines.at(line - 1, 300);
  return above.length >= minWrapped && /[\p{L},]$/u.test(above) && /^\p{Ll}/u.test(lines.at(line, 10));
}
