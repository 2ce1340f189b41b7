/** Makes a label out of the file name that a sender wrote. It is shown and stored as text, never used as a path. */
import { composed } from "./words.ts";

const maxBytes = 180;
/** Marks that turn the direction of text: "inv<RLO>gpj.exe" is shown as "invexe.jpg". */
const bidi = /[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/g;
const reserved = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/** Null when nothing is left of it. */
export function safeFilename(original: string): string | null {
  const plain = withoutTail(
    composed(original.slice(0, 10_000))
      .replace(/\p{Cc}/gu, "")
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
  const dot = name.lastIndexOf(".");
  const extension = dot > 0 && Buffer.byteLength(name.slice(dot)) <= 20 ? name.slice(dot) : "";
  let stem = "";
  let left = maxBytes - Buffer.byteLength(extension);
  for (const char of extension === "" ? name : name.slice(0, dot)) {
    left -= Buffer.byteLength(char);
    if (left < 0) break;
    stem += char;
  }
  return stem + extension;
}
