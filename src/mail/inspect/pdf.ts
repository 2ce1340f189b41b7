/** Looks for what a PDF does by itself (ISO 32000-2 §12.6): JavaScript, launching, a password; also within packed objects. */
import { type Look, lookAtInner } from "./look.ts";
import { inflateSome } from "./unpack.ts";

/** A name may be written with any of its letters as #xx (§7.3.5). */
const written = (name: string): string =>
  [...name].map((letter) => `(?:${letter}|#${letter.charCodeAt(0).toString(16)})`).join("");
const names = (...all: readonly string[]): RegExp =>
  new RegExp(`/(?:${all.map(written).join("|")})(?=[\\s/<>\\[\\](){}%]|$)`, "i");

const javascript = names("JavaScript");
const launch = names("Launch", "GoToE", "RichMedia", "ImportData");
const openAction = names("OpenAction");
const embedded = names("EmbeddedFile");
const encrypted = names("Encrypt");
const objects = names("ObjStm");

/** Long names only: in packed bytes a short one comes up by chance. */
const maxStreams = 100_000;
const maxObjectBytes = 16 * 1024 * 1024;
const maxAllBytes = 128 * 1024 * 1024;
/** How the bytes of packed objects may be written besides; a second filter or a predictor hides every word in them. */
const rewritten = names("DecodeParms", "DP", "Predictor");
const decoder = /\/\w*Decode\b/g;

export async function lookAtPdf(file: Buffer, depth: number, look: Look): Promise<void> {
  const { found } = look;
  const text = file.toString("latin1");
  lookAtNames(text, found);
  if (encrypted.test(text)) {
    // Its packed objects are encrypted too.
    found.add("encrypted_document");
    return;
  }
  let room = maxAllBytes;
  let count = 0;
  let before = 0;
  const [packing, embedding] = [placesOf(objects, text), placesOf(embedded, text)];
  for (let at = text.indexOf("stream"); at !== -1; at = text.indexOf("stream", at + 6)) {
    if (++count > maxStreams || room <= 0) {
      found.add("not_inspected", "more packed objects than are looked into");
      return;
    }
    if (text.startsWith("end", at - 3)) {
      before = at + 6;
      continue;
    }
    // Anywhere since the stream before: a dictionary may be long, and any word may stand in it as text.
    const holdsObjects = packing.lastBefore(at) >= before;
    if (!holdsObjects && embedding.lastBefore(at) < before) continue;
    const own = text.slice(before, at);
    const start = text[at + 6] === "\r" ? at + 8 : at + 7;
    const end = text.indexOf("endstream", start);
    const packed = file.subarray(start, end === -1 ? file.length : end);
    const unpacked = isPlain(own) ? packed : inflateSome(packed, maxObjectBytes);
    // Objects that claim the same bytes are paid for each time.
    room -= own.length + packed.length + (unpacked?.length ?? 0);
    if (!holdsObjects)
      await lookAtFile(unpacked ?? inflateSome(packed.subarray(0, 16_384), maxObjectBytes * 2), depth, look);
    else if (unpacked === undefined || isRewritten(own))
      found.add("not_inspected", "packed objects that cannot be unpacked");
    else lookAtNames(unpacked.toString("latin1"), found);
  }
}

/** Asked in the order of the text. */
function placesOf(name: RegExp, text: string) {
  const places = text.matchAll(new RegExp(name, "gi"));
  let next = places.next();
  let last = -1;
  return {
    lastBefore(at: number): number {
      for (; next.done !== true && next.value.index < at; next = places.next()) last = next.value.index;
      return last;
    },
  };
}

function isRewritten(dictionary: string): boolean {
  const plain = dictionary.replace(/#([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return rewritten.test(plain) || [...plain.matchAll(decoder)].length > 1;
}

function lookAtNames(part: string, found: Look["found"]): void {
  if (javascript.test(part)) found.add("pdf_javascript");
  if (launch.test(part)) found.add("pdf_launch");
  if (openAction.test(part)) found.add("pdf_open_action");
  if (embedded.test(part)) found.add("pdf_attachments");
}

/** Of one that is too large or packed in another way, the beginning, or nothing. */
async function lookAtFile(bytes: Buffer | undefined, depth: number, look: Look): Promise<void> {
  if (!look.budget.entries(1)) look.found.add("archive_too_many");
  else if (bytes === undefined) look.found.add("archive_unreadable", "a file attached inside");
  else await lookAtInner(bytes, "a file attached inside", depth, look);
}

/** No filter: its bytes are the objects. */
const isPlain = (dictionary: string): boolean => !/\/(?:F|#46)(?:ilter|\b)/i.test(dictionary);
