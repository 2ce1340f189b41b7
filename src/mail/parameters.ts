/** Reads a header value with parameters (RFC 2045 §5.1), in whatever form senders write them (RFC 2231, RFC 2047, and neither). */
import { type Decoded, decodeLabelled, decodeRaw } from "./charset.ts";
import { decodeWords } from "./words.ts";

export interface Parameters {
  /** In lower case: `multipart/mixed`. */
  readonly value: string;
  /** By name in lower case, as written but unquoted; the first of a name counts. RFC 2231 segments stand under `name*0*`. */
  readonly params: ReadonlyMap<string, string>;
}

const maxChars = 16_384;
const maxParameters = 1000;
/** A name of more segments than this is a flood; 16 KiB in honest segments of 60 characters are fewer. */
const maxSegments = 500;
/** What may hold blanks and brackets though it is not quoted: `name=Offer 2026.pdf`, `filename*=UTF-8''Offer%20(1).pdf`. */
const label = /^(?:file)?name(?:\*|$)/;

/** `value` is unfolded, one character per byte. Comments are dropped where they stand alone. */
export function parameters(value: string): Parameters {
  const text = value.length > maxChars ? value.slice(0, maxChars) : value;
  const params = new Map<string, string>();
  const first = text.indexOf(";");
  if (first === -1) return { value: withoutComment(text), params };
  let at = first;
  while (at !== -1 && at < text.length && params.size < maxParameters) {
    const equals = text.indexOf("=", at + 1);
    const next = text.indexOf(";", at + 1);
    if (equals === -1) break;
    if (next !== -1 && next < equals) {
      at = next;
      continue;
    }
    const name = withoutComment(text.slice(at + 1, equals)).replace(/[\s"]/g, "");
    const found = readValue(text, equals + 1, label.test(name));
    if (name !== "" && !params.has(name)) params.set(name, found.value);
    at = found.next;
  }
  return { value: withoutComment(text.slice(0, first)), params };
}

function readValue(text: string, from: number, isLabel: boolean): { value: string; next: number } {
  let start = from;
  while (text[start] === " " || text[start] === "\t") start++;
  if (text[start] === '"') {
    for (let at = start + 1; at < text.length; at++) {
      if (text[at] === "\\") at++;
      else if (text[at] === '"') {
        return { value: unescaped(text.slice(start + 1, at)), next: text.indexOf(";", at) };
      }
    }
    // A quote that is never closed was meant as one to the end of the parameter.
    start++;
  }
  const semicolon = text.indexOf(";", start);
  const raw = text.slice(start, semicolon === -1 ? text.length : semicolon).trim();
  return { value: isLabel ? raw : (/^[^\s(]*/.exec(raw)?.[0] ?? ""), next: semicolon };
}

const unescaped = (quoted: string): string => (quoted.includes("\\") ? quoted.replace(/\\(.)/g, "$1") : quoted);

/**
 * A parameter that people read, decoded: RFC 2231 first, since whoever writes both forms writes the plain one for old readers; else
 * encoded-words, which RFC 2047 §5 forbids here and most clients write; else the raw bytes.
 */
export function decodedParameter(params: ReadonlyMap<string, string>, name: string): Decoded | undefined {
  const extended = params.get(`${name}*`);
  if (extended !== undefined) return fromSegments([{ value: extended, encoded: true }]);
  const segments = segmentsOf(params, name);
  if (segments.length > 0) {
    return segments.some(({ encoded }) => encoded)
      ? fromSegments(segments)
      : decodeWords(segments.map(({ value }) => value).join(""));
  }
  const plain = params.get(name);
  return plain === undefined ? undefined : decodeWords(plain);
}

interface Segment {
  readonly value: string;
  /** RFC 2231 §4.1: percent signs count only where the name ends in an asterisk. */
  readonly encoded: boolean;
}

function segmentsOf(params: ReadonlyMap<string, string>, name: string): Segment[] {
  const segments: Segment[] = [];
  while (segments.length < maxSegments) {
    const key = `${name}*${segments.length}`;
    const encoded = params.get(`${key}*`);
    const value = encoded ?? params.get(key);
    if (value === undefined) break;
    segments.push({ value, encoded: encoded !== undefined });
  }
  return segments;
}

function fromSegments(segments: readonly Segment[]): Decoded {
  const [, charset = "", rest] = /^([^']{0,60})'[^']{0,60}'(.*)$/s.exec(segments[0]?.value ?? "") ?? [];
  const bytes = segments.map(({ value, encoded }, index) => {
    const own = index === 0 && encoded ? (rest ?? value) : value;
    return Buffer.from(encoded ? unpercented(own) : own, "latin1");
  });
  const all = Buffer.concat(bytes);
  return charset === "" ? decodeRaw(all.toString("latin1")) : decodeLabelled(all, charset);
}

const unpercented = (text: string): string =>
  text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

/** The first token of a value like `auto-replied (vacation); x=y`, in lower case (mail classes go by it). */
export function firstToken(value: string): string {
  const end = value.indexOf(";");
  return withoutComment(value.slice(0, end === -1 ? maxChars : Math.min(end, maxChars)));
}

const withoutComment = (text: string): string =>
  (text.includes("(") ? text.replace(/\([^()]*\)/g, " ") : text).trim().toLowerCase();
