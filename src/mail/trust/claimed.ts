/** Reads Authentication-Results fields (RFC 8601): what other hosts say they verified. Bounded; whatever the bytes, no word is made up. */
import type { Evidence } from "../../model/event.ts";
import { type RawField, unfold } from "../header.ts";

export type Claim = Evidence["claimed"][number];
type Result = Claim["results"][number];

/** Mail that went through many hosts has one a host. */
const maxFields = 20;
const maxChars = 16_384;
const maxResults = 50;
const maxProperties = 30;
const maxWordChars = 255;

/** `fields` in wire order; the topmost comes first, and only it can be trusted (RFC 8601 §5: what stands below came with the mail). */
export function claimsOf(fields: readonly RawField[], ids: readonly string[]): Claim[] {
  const trusted = new Set(ids.map(comparable));
  return fields
    .filter(({ key }) => key === "authentication-results")
    .slice(0, maxFields)
    .map(({ raw }, index) => {
      const { authserv_id, results } = claimOf(raw);
      const known = authserv_id !== null && trusted.has(comparable(authserv_id));
      return { authserv_id, trusted: index === 0 && known, results };
    });
}

const comparable = (id: string): string => id.trim().toLowerCase().replace(/\.$/, "");

/** The raw value, one character a byte. */
export function claimOf(raw: string): Omit<Claim, "trusted"> {
  const segments = segmentsOf(unfold(raw.slice(0, maxChars)), raw.length > maxChars);
  const [first = []] = segments;
  // Exchange Online writes no authserv-id: its first segment is a result.
  const named = first.length > 0 && first.length <= 2 && first.every(({ value }) => value === null);
  const results: Result[] = [];
  for (const segment of named ? segments.slice(1) : segments) {
    const result = resultOf(segment);
    if (result !== undefined && results.length < maxResults) results.push(result);
  }
  const id = named ? legible(first[0]?.name ?? "") : "";
  return { authserv_id: id === "" ? null : id, results };
}

/** `name=value`, or a word alone. */
interface Pair {
  readonly name: string;
  readonly value: string | null;
}

function resultOf([method, ...rest]: readonly Pair[]): Result | undefined {
  // `; none` says that nothing was verified (RFC 8601 §2.2, no-result).
  if (method === undefined || method.value === null) return undefined;
  const name = legible(method.name.split("/")[0] ?? "").toLowerCase();
  const result = legible(method.value).toLowerCase();
  if (name === "" || result === "") return undefined;
  const properties: [string, string][] = [];
  for (const { name: property, value } of rest.slice(0, maxProperties)) {
    if (value !== null && property !== "") properties.push([legible(property).toLowerCase(), legible(value)]);
  }
  return { method: name, result, properties };
}

/** One pass over the text, which is cut at its semicolons. Of a text that was cut short, the last segment is left out: it may say half of it. */
function segmentsOf(text: string, cutShort: boolean): Pair[][] {
  const scanner = new Scanner(text);
  const segments: Pair[][] = [];
  let pairs: Pair[] = [];
  while (!scanner.done()) {
    if (scanner.take(";")) {
      segments.push(pairs);
      pairs = [];
      continue;
    }
    const name = scanner.name();
    if (scanner.take("=")) pairs.push({ name, value: scanner.value() });
    else if (name !== "") pairs.push({ name, value: null });
    else scanner.skip();
  }
  if (!cutShort && !scanner.broken) segments.push(pairs);
  return segments;
}

class Scanner {
  /** A quote or a comment that is never closed: what stands there may have been meant otherwise. */
  broken = false;
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  done(): boolean {
    this.#blanks();
    return this.#at >= this.#text.length;
  }

  take(char: string): boolean {
    this.#blanks();
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  /** Past what stands where no name can, a quoted string as a whole. */
  skip(): void {
    if (this.#text[this.#at] === '"') this.#quoted();
    else this.#at++;
  }

  /** A method or `ptype.property`; blanks and comments may stand around the dot and the slash. */
  name(): string {
    let name = this.#word(' \t;=("');
    for (;;) {
      const before = this.#at;
      const joint = this.take(".") ? "." : this.take("/") ? "/" : "";
      if (joint === "" && !name.endsWith(".") && !name.endsWith("/")) {
        this.#at = before;
        return name;
      }
      this.#blanks();
      const more = this.#word(' \t;=("');
      if (joint === "" && more === "") return name;
      name += joint + more;
    }
  }

  /** A token, a quoted string, or a local part that is quoted and its domain. Base64 may end in equals signs. */
  value(): string {
    this.#blanks();
    let value = "";
    for (let part = this.#part(); part !== ""; part = this.#part()) value += part;
    return value;
  }

  #part(): string {
    return this.#text[this.#at] === '"' ? this.#quoted() : this.#word(' \t;("');
  }

  #word(ends: string): string {
    const start = this.#at;
    while (this.#at < this.#text.length && !ends.includes(this.#text[this.#at] ?? "")) this.#at++;
    return this.#text.slice(start, this.#at);
  }

  #quoted(): string {
    let value = "";
    for (this.#at++; this.#at < this.#text.length; this.#at++) {
      const char = this.#text[this.#at] ?? "";
      if (char === '"') {
        this.#at++;
        return value;
      }
      if (char === "\\") this.#at++;
      value += this.#text[this.#at] ?? "";
    }
    this.broken = true;
    return value;
  }

  /** CFWS: comments nest (RFC 5322 §3.2.2). */
  #blanks(): void {
    let depth = 0;
    for (; this.#at < this.#text.length; this.#at++) {
      const char = this.#text[this.#at];
      if (char === "(") depth++;
      else if (depth > 0 && char === ")") depth--;
      else if (depth > 0 && char === "\\") this.#at++;
      else if (depth === 0 && char !== " " && char !== "\t") return;
    }
    if (depth > 0) this.broken = true;
  }
}

/** Printable and short; UTF-8 where it is (RFC 8601 §2.2 allows internationalised mail). */
function legible(bytes: string): string {
  const text = isAscii(bytes) ? bytes : Buffer.from(bytes, "latin1").toString("utf8");
  return text
    .replace(/[\p{C}\p{Z}]+/gu, " ")
    .trim()
    .slice(0, maxWordChars)
    .toWellFormed();
}

const isAscii = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);
