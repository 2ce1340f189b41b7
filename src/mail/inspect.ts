/** Looks into an attachment while it streams by, and says what it found: from its name, its declared type and its bytes. */
import type { Inspection } from "../model/files.ts";
import { detectType } from "./detect.ts";
import { Budget, maxHeldBytes } from "./inspect/budget.ts";
import { claimsOf } from "./inspect/claims.ts";
import { type Content, contentOf, textOf } from "./inspect/contents.ts";
import { Findings } from "./inspect/findings.ts";
import { headBytes, type Look, lookInto } from "./inspect/look.ts";
import { extensionOf, lookAtName } from "./inspect/names.ts";
import { endWithin, findEnd } from "./inspect/zip.ts";

export interface Inspector {
  /** What it is given is its own to keep. */
  push(bytes: Buffer): void;
  /** Never rejects for what the bytes are. What a file is called may be known after its bytes only. */
  end(file: InspectedFile): Promise<Inspection>;
}

export interface InspectedFile {
  /** As sent. */
  readonly name: string | null;
  /** As declared, in lower case. */
  readonly type: string;
  /** Whether its place in the message says that it is encrypted, whatever it looks like. */
  readonly encrypted?: (head: Buffer) => boolean;
}

const typeBytes = 4096;
const holding = new Set(["zip", "ole", "pdf", "rtf", "gzip", "tar", "markup", "message"]);
const tailBytes = endWithin + 64;

/** `message` reads a message inside the file; without it none is looked into. */
export function inspector(message?: Look["message"]): Inspector {
  const found = new Findings();
  const budget = new Budget();
  const pieces: Buffer[] = [];
  let size = 0;
  let held = 0;
  let content: Content | undefined;
  let head: Buffer = Buffer.alloc(0);

  /** Once its beginning is there, most files need not be kept any longer. */
  const decide = (): void => {
    head = Buffer.concat(pieces).subarray(0, headBytes);
    content = contentOf(head);
  };
  const isHeld = (): boolean => content === undefined || (holding.has(content.family) && size <= maxHeldBytes);
  const letGo = (): void => {
    while (held - (pieces[0]?.length ?? held) >= tailBytes) held -= pieces.shift()?.length ?? 0;
  };

  return {
    push(bytes) {
      if (bytes.length === 0) return;
      pieces.push(bytes);
      size += bytes.length;
      held += bytes.length;
      if (content === undefined && size >= headBytes) decide();
      if (!isHeld()) letGo();
    },
    async end(file) {
      if (content === undefined) decide();
      const what = content ?? contentOf(head);
      const kept = Buffer.concat(pieces);
      pieces.length = 0;
      const detected = await detectType(head.subarray(0, typeBytes));
      if (file.name !== null) lookAtName(file.name, found);
      if (what.code !== undefined) found.add(what.code, what.what);
      lookAtEnd({ head, kept }, what, found);
      lookAtClaims(file, what, head, found);
      lookAtEncryption(file, what, head, found);
      if (holding.has(what.family)) {
        const look: Look = message === undefined ? { found, budget } : { found, budget, message };
        if (size > maxHeldBytes) found.add("too_large_to_inspect", `${size} bytes`);
        else await lookInto(kept, what, 1, look);
      }
      const unpacked = budget.unpacked(size);
      if (unpacked !== undefined) found.add("unpacked", unpacked);
      return { detectedType: detected?.mime ?? null, findings: found.list() };
    },
  };
}

const pageMarks = /<(?:script|html|hta:application|iframe|object)[\s>]/i;

/** A second file behind the first, or a page within a picture. */
function lookAtEnd({ head, kept }: { head: Buffer; kept: Buffer }, { family, what }: Content, found: Findings): void {
  const tail = kept.subarray(Math.max(0, kept.length - tailBytes));
  const last = tail.subarray(Math.max(0, tail.length - 512));
  if (last.toString("latin1", 0, 4) === "koly" && last.length === 512) found.add("disk_image", "DMG");
  if (last.includes("conectix", 0, "latin1") && tail.length > 512 && family === "plain") found.add("disk_image", "VHD");
  // Of these, a letter or a drawing within may end the file.
  const mayHold = ["zip", "ole", "tar", "message", "gzip", "unlisted", "starts"].includes(family);
  if (!mayHold && findEnd(tail) !== -1) found.add("polyglot", "a zip at its end");
  if (family === "pdf" && what !== "PDF") found.add("polyglot", `${what} and PDF`);
  if (family !== "image" && family !== "media") return;
  const marked = [head, tail].some((part) => pageMarks.test(part.toString("latin1")));
  if (marked) found.add("polyglot", `${what} and a page`);
  if (what === "GIF" && /^GIF8\da(?:\/\*|=)/.test(head.toString("latin1", 0, 16)))
    found.add("polyglot", "GIF and a script");
}

/** Whether it is what its name and its type say, where it could do harm by being something else. */
function lookAtClaims(file: InspectedFile, content: Content, head: Buffer, found: Findings): void {
  const extension = extensionOf(file.name ?? "");
  const text = textOf(head.subarray(0, 16_384));
  if (content.family === "html" || claimsOf(extension, file.type).page) found.add("active_html");
  if (content.family === "svg" || extension === "svg" || extension === "svgz") found.add("active_svg");
  if (content.family === "pdf" && pageMarks.test(text.slice(0, Math.max(0, text.indexOf("%PDF-"))))) {
    found.add("polyglot", "a page and PDF");
  }
  const contradicted = claimsOf(extension, file.type).contradictedBy(content, text);
  if (contradicted !== undefined) found.add("type_mismatch", contradicted);
}

/** RFC 3156 §4: the part before the encrypted one says `Version: 1`, and nothing else. */
const control = /^\s*version:\s*1\s*$/i;

/** What is known to be encrypted from outside: by the multipart that it stands in, by its type, or by a name that only such files have. */
function lookAtEncryption(
  { name, encrypted }: InspectedFile,
  { family }: Content,
  head: Buffer,
  found: Findings,
): void {
  if (found.has("encrypted_file") || head.length === 0) return;
  const byPlace = encrypted?.(head) === true && !control.test(head.toString("latin1", 0, 100));
  // Keys and signatures have names of their own kinds too (RFC 9580 §5.2, §5.5): tags 2, 5 and 6.
  const byName = /^(?:pgp|gpg)$/.test(extensionOf(name ?? "")) && family === "plain" && !isKeyOrSignature(head);
  if (byPlace) found.add("encrypted_file", "a part of an encrypted message");
  else if (byName) found.add("encrypted_file", "by its name");
}

function isKeyOrSignature([first = 0]: Buffer): boolean {
  const tag = (first & 0x40) === 0 ? (first & 0x3c) >> 2 : first & 0x3f;
  return (first & 0x80) !== 0 && (tag === 2 || tag === 5 || tag === 6);
}
