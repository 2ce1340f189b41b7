/** The MIME tree of a message as far as it is kept, and what each part of it is to the reader: body, attachment, or neither. */
import type { PartHead } from "./part.ts";

/** Decoded bytes of a text part. */
export interface TextContent {
  readonly bytes: Buffer;
  /** The limit on text came before its end. */
  readonly cut: boolean;
}

export interface Part {
  readonly head: PartHead;
  /** As IMAP numbers parts (RFC 9051 §6.4.5); empty for a multipart that is the whole message. */
  readonly id: string;
  readonly parent: Part | undefined;
  readonly children: Part[];
  /** Set where the part belongs to the body. */
  content: TextContent | undefined;
}

export type Role = "container" | "body" | "attachment" | "hidden";

/** Text in its own right: these are read as plain text where a client would show them so. */
const bodyTypes = new Set(["text/plain", "text/html", "text/enriched", "text/richtext", "text/markdown"]);
/** A part of an alternative that is text of one more kind (amp, watch) is a version of the body, but these say something of their own. */
const alternativesOfTheirOwn = new Set(["text/calendar", "text/vcard", "text/x-vcard", "text/directory"]);

/** `bodySeen`: a part that is read as body came before. */
export function roleOf(head: PartHead, parent: Part | undefined, bodySeen: boolean): Role {
  const { type, disposition, filename } = head;
  if (type.startsWith("multipart/")) return "container";
  if (!type.startsWith("text/")) return "attachment";
  // The only part is the body, whatever its disposition says, unless it has a name to be a file by.
  if (parent === undefined && filename === null && bodyTypes.has(type)) return "body";
  if (disposition === "attachment") return "attachment";
  const inAlternative = parent?.head.type === "multipart/alternative";
  if (!bodyTypes.has(type)) {
    return inAlternative && filename === null && !alternativesOfTheirOwn.has(type) ? "hidden" : "attachment";
  }
  if (inAlternative) return "body";
  if (parent?.head.type === "multipart/related" && !isRoot(head, parent)) {
    return filename === null && head.contentId === null ? "body" : "attachment";
  }
  // A log or a list that a client shows inline is still a file, once there is a body.
  return filename !== null && bodySeen ? "attachment" : "body";
}

/** RFC 2387 §3.2: the part that `start` names, or the first. */
function isRoot(head: PartHead, related: Part): boolean {
  const start = (related.head.params.get("start") ?? "").replace(/^[<\s]+|[>\s]+$/g, "");
  return start === "" ? related.children.length === 0 : start === head.contentId;
}

/** The number of the next child. */
export function childId(parent: Part | undefined, head: PartHead): string {
  if (parent === undefined) return head.type.startsWith("multipart/") ? "" : "1";
  const number = String(parent.children.length + 1);
  return parent.id === "" ? number : `${parent.id}.${number}`;
}

/** Whether the part, or one that it stands in, is of this type. */
export function isWithin(part: Part, type: string): boolean {
  for (let at = part.parent; at !== undefined; at = at.parent) if (at.head.type === type) return true;
  return false;
}
