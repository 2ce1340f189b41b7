/** Shapes words for the fields of a CRM: what can be stored, how long it may be, names in two, the marker that a read-back looks for. */
/**
 * A note's body may have 65,536 characters; for email bodies HubSpot names no figure.
 * https://developers.hubspot.com/docs/api-reference/crm-notes-v3/guide (checked 2026-11-24)
 */
export const maxBodyChars = 60_000;
/** Once more, shorter, after HubSpot called a body too long. */
export const halvedBodyChars = maxBodyChars / 2;
const maxShortChars = 255;
const maxSubjectChars = 1_000;

/** What a marker in a text looks like: 16 hex digits of the step's key. */
export const markerOf = (key: string): string => `[mw:${key.slice(0, 16)}]`;

/** JSON can carry what a database behind it cannot: NUL and other controls, and half a surrogate pair. */
export function storable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what is taken out
  return text.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/g, "").toWellFormed();
}

const clip = (text: string, length: number): string => storable(text.slice(0, length));
export const shortText = (text: string): string => clip(text, maxShortChars).trim();
/** What may end a line somewhere: every control (U+0085 is one) and Unicode's two separators. A name or a subject must not forge a line of ours. */
export const unbroken = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ");
export const shortLine = (text: string): string => shortText(unbroken(text));
export const subjectOf = (text: string): string => clip(unbroken(text), maxSubjectChars);

export const count = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ",");

export function escaped(text: string): string {
  return text
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/"/g, "&quot;")
    .replace(/'/g, "&#39;");
}

/** True when the marker is the last thing of a body: quoted in a reply it stands further up, and means the other mail. */
export function endsWithMarker(body: string | null | undefined, marker: string): boolean {
  if (body === null || body === undefined) return false;
  // The tail is enough, and keeps the pattern's work small on a body made of blanks.
  const bare = body.slice(-500).replace(/(\s|<[^<>]*>|&nbsp;)+$/g, "");
  return bare.endsWith(marker);
}

/** Words that begin a surname: Ludwig van Beethoven, Simone de Beauvoir, Omar bin Said. */
const particles = new Set(
  "van von der den de del della di da do dos das du la le ter ten zu zur bin ibn al el".split(" "),
);

/**
 * First and last name from a display name; nothing where it is no name (an address, a mailing robot's label in brackets).
 * One word is a first name: HubSpot shows it either way, and a wrong surname is worse than none.
 */
export function nameParts(display: string | null): { first?: string; last?: string } {
  if (display === null) return {};
  const name = unbroken(display.slice(0, 500))
    .toWellFormed()
    .replace(/\([^()]*\)|\[[^[\]]*\]/g, " ")
    .replace(/^["'“”‘’\s]+|["'“”‘’\s]+$/g, "")
    .replace(/\s+/g, " ")
    .trim();
  if (name === "" || name.includes("@")) return {};
  const comma = /^([^,]+),\s*([^,]+)$/.exec(name);
  if (comma !== null && !/^(inc|ltd|llc|gmbh|jr|sr|phd|md|esq)\.?$/i.test(comma[2] ?? ""))
    return named(comma[2] ?? "", comma[1] ?? "");
  const words = name.split(" ");
  if (words.length === 1) return named(name, "");
  const particle = words.findIndex((word, index) => index > 0 && index < words.length - 1 && particles.has(word));
  const at = particle === -1 ? words.length - 1 : particle;
  return named(words.slice(0, at).join(" "), words.slice(at).join(" "));
}

function named(first: string, last: string): { first?: string; last?: string } {
  return { ...(first === "" ? {} : { first: shortText(first) }), ...(last === "" ? {} : { last: shortText(last) }) };
}
