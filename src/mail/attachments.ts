/** Makes the attachments of the event out of the parts that streamed by. */
import { createHash } from "node:crypto";
import type { Attachment } from "../model/event.ts";
import type { FileInText } from "./body.ts";
import type { Draft, InnerFile } from "./collect.ts";
import { type Detected, detectType } from "./detect.ts";
import { labelsOf, type Nameable } from "./filename.ts";
import { protectionOf } from "./protection.ts";
import { isWithin } from "./tree.ts";

/** What file each beginning is of. */
export type Types = ReadonlyMap<Buffer, Detected | null>;

/** Some types take reading on, so this is asked before the event is put together. */
export async function typesOf(drafts: readonly Draft[]): Promise<Types> {
  const types = new Map<Buffer, Detected | null>();
  for (const { head, found } of drafts) {
    for (const start of [head, ...(found.files ?? []).map((file) => file.head)])
      types.set(start, await detectType(start));
  }
  return types;
}

const containers = new Set(["application/ms-tnef", "application/vnd.ms-tnef"]);

/** A winmail.dat that was opened gives way to its files. */
const isOpened = ({ part, found }: Draft): boolean =>
  found.files !== undefined && (containers.has(part.head.type) || /^winmail\.dat$/i.test(part.head.filename ?? ""));

export function attachmentsOf(
  drafts: readonly Draft[],
  inText: readonly FileInText[],
  types: Types,
  html: string | null,
): { attachments: Attachment[]; anomalies: ReadonlySet<string> } {
  const hasIds = html !== null && drafts.some(({ part }) => part.head.contentId !== null);
  const cids = hasIds ? cidsIn(html) : new Set<string>();
  const found = drafts.flatMap((draft) => {
    const inner = (draft.found.files ?? []).map((file, index) =>
      ofInnerFile(file, `${draft.part.id}/${index + 1}`, types),
    );
    return isOpened(draft) ? inner : [ofDraft(draft, types, cids), ...inner];
  });
  for (const [index, file] of inText.entries()) found.push(ofFileInText(file, index));
  const { labels, anomalies } = labelsOf(found.map(({ name }) => name));
  // Both lists are of the same parts in the same order.
  const attachments = found.map(({ name: _, ...rest }, index) => ({ ...rest, ...(labels[index] ?? noLabel) }));
  return { attachments, anomalies };
}

const noLabel = { filename: "attachment", filename_original: null };

/** An attachment that is not labelled yet: no two of a message may have the same name. */
type Unnamed = Omit<Attachment, "filename" | "filename_original"> & { readonly name: Nameable };

const bare = {
  detected_type: null,
  disposition: null,
  content_id: null,
  related: false,
  referenced: false,
  inline: false,
  description: null,
  nested_message_id: null,
  nested: null,
  from_tnef: false,
  transfer_decoded: null,
  encrypted: false,
} satisfies Partial<Attachment>;

function ofDraft(draft: Draft, types: Types, cids: ReadonlySet<string>): Unnamed {
  const { part, size, sha256, head, transferDecoded, found } = draft;
  const { filename, contentId, disposition, description, declared, type } = part.head;
  const detected = types.get(head) ?? null;
  const content_type = declared === null || declared === "" ? impliedType(type, filename) : declared;
  const referenced = contentId !== null && cids.has(contentId.toLowerCase());
  return {
    ...bare,
    part_id: part.id,
    name: { original: filename, type: content_type, detected },
    content_type,
    size,
    sha256,
    content_id: contentId,
    disposition,
    detected_type: detected?.mime ?? null,
    related: isWithin(part, "multipart/related"),
    referenced,
    inline: disposition === "inline" || referenced,
    description,
    nested_message_id: found.nested?.message_id ?? null,
    nested: found.nested ?? null,
    transfer_decoded: transferDecoded,
    encrypted: protectionOf(part, head).encrypted,
  };
}

/** RFC 2045 §5.2 says text/plain; a file with a name and without a type is a file. */
const impliedType = (type: string, filename: string | null): string =>
  type === "text/plain" && filename !== null ? "application/octet-stream" : type;

function ofInnerFile(file: InnerFile, part_id: string, types: Types): Unnamed {
  const detected = types.get(file.head) ?? null;
  const content_type = file.contentType ?? detected?.mime ?? "application/octet-stream";
  return {
    ...bare,
    part_id,
    name: { original: file.name, type: content_type, detected },
    content_type,
    size: file.size,
    sha256: file.sha256,
    content_id: file.contentId,
    disposition: "attachment",
    detected_type: detected?.mime ?? null,
    from_tnef: true,
  };
}

function ofFileInText({ name, bytes, part }: FileInText, index: number): Unnamed {
  const content_type = "application/octet-stream";
  return {
    ...bare,
    part_id: `${part.id}/${index + 1}`,
    name: { original: name, type: content_type, detected: null },
    content_type,
    size: bytes.length,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    transfer_decoded: "uuencode",
  };
}

/** The ids of the parts that the html shows (RFC 2392), in lower case. */
function cidsIn(html: string): Set<string> {
  const cids = new Set<string>();
  for (const [, id = ""] of html.matchAll(/\bcid:([^"'\s<>()]{1,1000})/gi)) {
    cids.add(unescaped(id).toLowerCase());
  }
  return cids;
}

function unescaped(id: string): string {
  const plain = id.replaceAll("&amp;", "&");
  try {
    return decodeURIComponent(plain);
  } catch {
    return plain;
  }
}
