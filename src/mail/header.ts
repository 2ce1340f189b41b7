/** Splits a header section into its fields, and brings raw values into a comparable form. */

/** One field as it stood on the wire. Values are latin1 strings: one character is one byte, so that nothing is lost. */
export interface RawField {
  /** The name as written. */
  readonly name: string;
  /** The name in lower case. */
  readonly key: string;
  /** Everything after the colon, folds included, without the last line end. */
  readonly raw: string;
}

const validName = /^[!-9;-~]+$/;

/**
 * The fields in wire order. Lines that are no field (an mbox `From ` line, stray text) are left out, as every mail client does.
 * `maxFields` bounds the work where a section is hostile.
 */
export function splitHeader(section: string, maxFields = Number.POSITIVE_INFINITY): RawField[] {
  const fields: RawField[] = [];
  let start = 0;
  while (start < section.length && fields.length < maxFields) {
    let end = afterLine(section, start);
    // RFC 5322 §2.2.3: a line that begins with a blank goes on with the field before it.
    while (end < section.length && isFold(section.charCodeAt(end))) end = afterLine(section, end);
    // Looked for within the field: in the whole section, half a million lines without one took two seconds.
    const field = section.slice(start, end);
    const colon = field.indexOf(":");
    if (colon !== -1) {
      const name = trimBlanks(field.slice(0, colon));
      if (validName.test(name)) fields.push({ name, key: name.toLowerCase(), raw: cutLineEnd(field.slice(colon + 1)) });
    }
    start = end;
  }
  return fields;
}

const byteOrderMark = "\xef\xbb\xbf";

/** The fields, for reading: a byte order mark before the first is no part of its name. What stood before them is said. */
export function readHeader(section: string): { readonly fields: RawField[]; readonly anomalies: readonly string[] } {
  const marked = section.startsWith(byteOrderMark);
  const text = marked ? section.slice(byteOrderMark.length) : section;
  const anomalies = marked ? ["byte_order_mark"] : [];
  // Put there by whoever kept the mail in an mbox file; a second one is quoted.
  if (text.startsWith("From ") || text.startsWith(">From ")) anomalies.push("mbox_line");
  return { fields: splitHeader(text), anomalies };
}

const isFold = (code: number): boolean => code === 0x20 || code === 0x09;
const isBlank = (code: number): boolean => code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;

function afterLine(text: string, from: number): number {
  const at = text.indexOf("\n", from);
  return at === -1 ? text.length : at + 1;
}

function cutLineEnd(value: string): string {
  if (value.endsWith("\r\n")) return value.slice(0, -2);
  return value.endsWith("\n") ? value.slice(0, -1) : value;
}

/** Without the blanks and line ends around it. String.trim would take 0xA0 too, which is half of an "à" in UTF-8. */
export function trimBlanks(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isBlank(value.charCodeAt(start))) start++;
  while (end > start && isBlank(value.charCodeAt(end - 1))) end--;
  return start === 0 && end === value.length ? value : value.slice(start, end);
}

/**
 * One line, every run of blanks and folds as one space, none at the ends: the "relaxed" form of RFC 6376 §3.4.2, because relays
 * fold anew and put a tab for a space. The answer holds neither CR nor LF.
 */
export function unfold(raw: string): string {
  return trimBlanks(folded.test(raw) ? raw.replace(/[\t\r\n ]+/g, " ") : raw);
}
const folded = /[\t\r\n]| {2}/;

/** All values of a field (name in lower case), unfolded, in wire order. */
export function valuesOf(fields: readonly RawField[], key: string): string[] {
  const values: string[] = [];
  for (const field of fields) if (field.key === key) values.push(unfold(field.raw));
  return values;
}
