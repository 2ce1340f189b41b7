/** What a parser says of a message, in the few fields that parsers can be compared by. */
import { readFileSync } from "node:fs";
import type { Address, Email } from "postal-mime";
import PostalMime from "postal-mime";
import type { CanonicalEvent } from "../../src/model/event.ts";

export interface Opinion {
  readonly subject: string | null;
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly cc: readonly string[];
  readonly text: string | null;
  readonly attachments: readonly {
    readonly filename: string | null;
    readonly type: string;
    readonly size: number | null;
  }[];
}
export type Said = Opinion | { readonly error: string };

const emails = (addresses: readonly { readonly email: string | null }[]): string[] =>
  addresses.flatMap(({ email }) => (email === null ? [] : [email]));

export function ours({ message }: CanonicalEvent): Opinion {
  return {
    subject: message.subject,
    from: message.from === null ? [] : emails([message.from]),
    to: emails(message.to),
    cc: emails(message.cc),
    // Python and postal-mime make no text of html.
    text: message.text_source === "derived_html" ? null : message.text,
    attachments: message.attachments.map(({ filename, content_type: type, size }) => ({ filename, type, size })),
  };
}

export async function postalMime(path: string): Promise<Said> {
  try {
    return opinionOf(await PostalMime.parse(readFileSync(path), { attachmentEncoding: "arraybuffer" }));
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

function opinionOf(email: Email): Opinion {
  return {
    subject: email.subject ?? null,
    from: flat(email.from === undefined ? [] : [email.from]),
    to: flat(email.to ?? []),
    cc: flat(email.cc ?? []),
    text: email.text ?? null,
    attachments: email.attachments.map(({ filename, mimeType: type, content }) => ({
      filename,
      type,
      size: typeof content === "string" ? content.length : content.byteLength,
    })),
  };
}

function flat(addresses: readonly Address[]): string[] {
  return addresses
    .flatMap(({ address, group }) => (group === undefined ? [address ?? ""] : flat(group)))
    .filter(Boolean);
}

const folded = (text: string): string =>
  text
    .normalize("NFC")
    .replace(/[\s\u00a0\p{Cc}\u200b\ufeff]+/gu, " ")
    .trim();

/** The fields in which two opinions differ; how text is folded and how addresses are cased is no difference. */
export function differences(one: Opinion, other: Opinion): (keyof Opinion)[] {
  const comparable = ({
    subject,
    from,
    to,
    cc,
    text,
    attachments,
  }: Opinion): Readonly<Record<keyof Opinion, string>> => ({
    subject: folded(subject ?? ""),
    from: from.join().toLowerCase(),
    to: to.join().toLowerCase(),
    cc: cc.join().toLowerCase(),
    text: folded(text ?? ""),
    attachments: attachments.map(({ type, size }) => `${type.toLowerCase()} ${size}`).join("; "),
  });
  const left = comparable(one);
  const right = comparable(other);
  return (Object.keys(left) as (keyof Opinion)[]).filter((field) => left[field] !== right[field]);
}
