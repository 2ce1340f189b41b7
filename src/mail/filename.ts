/** Makes a label out of the file name that a sender wrote. It is shown and stored as text, never used as a path. */
import type { Detected } from "./detect.ts";
import { composed } from "./words.ts";

const maxBytes = 180;
const maxOriginalChars = 1000;
/** Marks that turn the direction of text: "inv<RLO>gpj.exe" is shown as "invexe.jpg". */
const bidi = /[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/g;
/** What breaks a line or steers a terminal. */
const controls = /[\p{Cc}\u2028\u2029]/gu;
const reserved = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/** Null when nothing is left of it. */
export function safeFilename(original: string): string | null {
  const plain = withoutTail(
    composed(original.slice(0, 10_000))
      .replace(controls, "")
      .replace(bidi, "")
      .replace(/[/\\:]+/g, "_")
      .replace(/^[\s._]*(?:\.\.[\s._]*)*/, ""),
  );
  if (plain === "") return null;
  return shortened(reserved.test(plain) ? `_${plain}` : plain);
}

/** Without the dots and blanks at its end. A pattern would try every run of them in the name, each to its end. */
function withoutTail(name: string): string {
  let end = name.length;
  while (end > 0 && /[.\s]/.test(name[end - 1] ?? "")) end--;
  return name.slice(0, end);
}

/** Cut in the middle, so that the extension that opens the file stays true. */
function shortened(name: string): string {
  if (Buffer.byteLength(name) <= maxBytes) return name;
  const { stem, extension } = split(name);
  let start = "";
  let left = maxBytes - Buffer.byteLength(extension);
  for (const char of stem) {
    left -= Buffer.byteLength(char);
    if (left < 0) break;
    start += char;
  }
  return start + extension;
}

/** The extension with its dot; empty where what follows the last dot is too long to be one. */
function split(name: string): { stem: string; extension: string } {
  const dot = name.lastIndexOf(".");
  const extension = dot > 0 && Buffer.byteLength(name.slice(dot)) <= 20 ? name.slice(dot) : "";
  return { stem: extension === "" ? name : name.slice(0, dot), extension };
}

export interface Nameable {
  /** As sent; null where the part has no name. */
  readonly original: string | null;
  readonly type: string;
  readonly detected: Detected | null;
}

export interface Label {
  readonly filename: string;
  /** Where it differs. */
  readonly filename_original: string | null;
}

/** The labels of the attachments of one message, no two the same: a name that was made up gives way to one that was sent. */
export function labelsOf(parts: readonly Nameable[]): { labels: Label[]; anomalies: Set<string> } {
  const anomalies = new Set<string>();
  const unique = uniqueNames();
  const counts = new Map<string, number>();
  const made = (part: Nameable): string => unique(madeUp(part, counts));
  const sent = parts.map(({ original }) => {
    if (original?.search(bidi) !== -1 && original !== null) anomalies.add("filename_bidi");
    if (original?.search(controls) !== -1 && original !== null) anomalies.add("filename_controls");
    const safe = original === null ? null : safeFilename(original);
    return safe === null ? null : unique(safe);
  });
  const labels = parts.map((part, index) => {
    const filename = sent[index] ?? made(part);
    const shown = part.original === null ? null : visible(part.original);
    return { filename, filename_original: shown === filename ? null : shown };
  });
  return { labels, anomalies };
}

function uniqueNames(): (name: string) => string {
  /** How often each name, in lower case, was asked for. */
  const taken = new Map<string, number>();
  return (name) => {
    const { stem, extension } = split(name);
    let candidate = name;
    // A name may be the "x (2).pdf" that another one became.
    while (taken.has(candidate.toLowerCase())) {
      const next = (taken.get(name.toLowerCase()) ?? 1) + 1;
      taken.set(name.toLowerCase(), next);
      candidate = `${stem} (${next})${extension}`;
    }
    taken.set(candidate.toLowerCase(), 1);
    return candidate;
  };
}

/** As sent, but what nobody would see, or what would turn the line around, is spelled out. */
const visible = (name: string): string =>
  composed(name.slice(0, maxOriginalChars)).replace(controls, spelled).replace(bidi, spelled);
const spelled = (char: string): string => `<U+${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}>`;

const madeUpNames: ReadonlyMap<string, string> = new Map([
  ["text/calendar", "invite.ics"],
  ["message/rfc822", "message.eml"],
  ["message/global", "message.eml"],
  ["message/delivery-status", "delivery-status.txt"],
  ["message/disposition-notification", "disposition-notification.txt"],
  ["message/feedback-report", "feedback-report.txt"],
  ["text/rfc822-headers", "headers.txt"],
  ["application/pgp-signature", "signature.asc"],
  ["application/pgp-encrypted", "version.txt"],
  ["application/pkcs7-signature", "smime.p7s"],
  ["application/x-pkcs7-signature", "smime.p7s"],
  ["application/pkcs7-mime", "smime.p7m"],
  ["application/x-pkcs7-mime", "smime.p7m"],
  ["application/ms-tnef", "winmail.dat"],
  ["text/vcard", "contact.vcf"],
]);
const extensions: ReadonlyMap<string, string> = new Map([
  ["image/jpeg", "jpg"],
  ["image/jpg", "jpg"],
  ["image/svg+xml", "svg"],
  ["image/tiff", "tif"],
  ["text/plain", "txt"],
  ["text/html", "html"],
  ["audio/mpeg", "mp3"],
]);

/** For a part without a name, or with one of which nothing is left. `counts`: how many were made up of each kind. */
function madeUp({ type, detected }: Nameable, counts: Map<string, number>): string {
  const fixed = madeUpNames.get(type);
  if (fixed !== undefined) return fixed;
  const [family = "", subtype = ""] = type.split("/", 2);
  const guess = extensions.get(type) ?? (/^[a-z0-9]{2,5}$/.test(subtype) ? subtype : undefined);
  const extension = detected?.ext ?? (type === "application/octet-stream" ? undefined : guess);
  const ending = extension === undefined ? "" : `.${extension}`;
  if (!/^(?:image|audio|video)$/.test(family)) return `attachment${ending}`;
  const count = (counts.get(family) ?? 0) + 1;
  counts.set(family, count);
  return `${family}-${count}${ending}`;
}
