/** Reads groups of header-like fields: the form that delivery reports, feedback reports and read receipts share. */
import { type RawField, splitHeader, unfold } from "../header.ts";
import { clean, decodeWords } from "../words.ts";

/** The fields between two blank lines. */
export class Group {
  readonly #fields: RawField[] = [];

  add(field: RawField): void {
    this.#fields.push(field);
  }

  has(key: string): boolean {
    return this.#fields.some((field) => field.key === key);
  }

  /** The first value of a field that says anything, decoded and on one line. */
  first(key: string): string | null {
    for (const field of this.#fields) {
      if (field.key !== key) continue;
      const value = readable(field.raw);
      if (value !== "") return value;
    }
    return null;
  }

  all(key: string, atMost: number): string[] {
    const values: string[] = [];
    for (const field of this.#fields) {
      if (values.length === atMost) break;
      if (field.key === key) values.push(readable(field.raw));
    }
    return values;
  }

  /** Fields that were torn off their group by a blank line. */
  join(rest: Group): void {
    this.#fields.push(...rest.#fields);
  }
}

const maxValueChars = 2_000;
/** RFC 3464 has a group per recipient; one report was seen to claim a million. */
export const maxGroups = 1_000;
const maxFieldsOfGroup = 200;

/** What begins a group anew where its blank line is missing. */
const openers = new Set(["final-recipient", "original-recipient"]);

/** In order. A fold belongs to the field before it; lines that are no field are left out. */
export function fieldGroups(bytes: Buffer): Group[] {
  return groupsOf(bytes, true);
}

function groupsOf(bytes: Buffer, encoded: boolean): Group[] {
  const groups: Group[] = [];
  for (const section of sections(bytes.toString("latin1"))) {
    // A filter on the way (Proofpoint) was seen to encode single groups in base64, below a Content-Transfer-Encoding among the fields.
    if (encoded && /^[A-Za-z0-9+/=\r\n]{24,}$/.test(section)) {
      groups.push(...groupsOf(Buffer.from(section, "base64"), false).slice(0, maxGroups - groups.length));
      continue;
    }
    let group = new Group();
    let count = 0;
    for (const field of splitHeader(section, maxFieldsOfGroup * maxGroups)) {
      if (openers.has(field.key) && group.has(field.key)) {
        groups.push(group);
        group = new Group();
        count = 0;
      }
      if (groups.length >= maxGroups) return groups;
      if (count++ < maxFieldsOfGroup) group.add(field);
    }
    if (count > 0) groups.push(group);
  }
  return groups;
}

/** The texts between blank lines. A line of blanks is blank too: some gateways indent what they relay. */
function* sections(text: string): Generator<string> {
  let start = 0;
  let at = 0;
  let found = 0;
  while (at < text.length && found < maxGroups) {
    const newline = text.indexOf("\n", at);
    const end = newline === -1 ? text.length : newline + 1;
    if (/^[ \t\r\n]*$/.test(text.slice(at, end))) {
      if (at > start) {
        found++;
        yield text.slice(start, at);
      }
      start = end;
    }
    at = end;
  }
  if (start < text.length && found < maxGroups) yield text.slice(start);
}

function readable(raw: string): string {
  return clean(decodeWords(unfold(raw.slice(0, 4 * maxValueChars))).text).slice(0, maxValueChars);
}

/** `rfc822; ana@shop.example`: the type in lower case and the value. Where the type was left out, all is value. */
export function typed(value: string): { readonly type: string; readonly value: string } {
  const at = value.indexOf(";");
  const type = at === -1 ? "" : value.slice(0, at).trim().toLowerCase();
  if (!/^[a-z0-9-]{1,40}$/.test(type)) return { type: "", value: value.trim() };
  return { type, value: value.slice(at + 1).trim() };
}

/** The address of an Original-Recipient, a Final-Recipient or an Original-Rcpt-To. */
export function recipientAddress(field: string): string {
  const { type, value } = typed(field);
  const bare = value.replace(/^<([^<>]*)>.*$/, "$1").trim();
  const plain = type === "utf-8" ? fromUnitext(bare) : bare;
  return clean(fromXtext(plain)).slice(0, maxAddressChars);
}

const maxAddressChars = 320;

/** RFC 6533 §3: characters outside ASCII may be written as \x{HEX}. */
function fromUnitext(value: string): string {
  return value.replace(/\\x\{([0-9a-fA-F]{1,6})\}/g, (whole, hex: string) => {
    const point = Number.parseInt(hex, 16);
    return point >= 0x20 && point <= 0x10_ffff && !(point >= 0xd800 && point <= 0xdfff)
      ? String.fromCodePoint(point)
      : whole;
  });
}

/**
 * RFC 3461 §4 (xtext): only `+`, `=` and what is no printable ASCII has to be written as +HH. So `ana+22@shop.example` is a tagged
 * address and stays as it is, while `ana+2Bnews@shop.example` is `ana+news@shop.example`.
 */
function fromXtext(value: string): string {
  return value.replace(/\+(2B|3D)/g, (_, hex: string) => (hex === "2B" ? "+" : "="));
}
