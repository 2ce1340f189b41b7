/** Reads what mailing lists say of themselves: List-Id (RFC 2919), List-Unsubscribe and List-Post (RFC 2369), one click (RFC 8058). */
import type { Message } from "../model/event.ts";
import { unfold } from "./header.ts";
import { clean, decodeWords } from "./words.ts";

const maxUris = 10;
const maxUriChars = 2000;
const maxIdChars = 255;
const maxFieldChars = 32 * 1024;

/** Raw values as they stood on the wire; undefined where there is no such field. */
export interface ListFields {
  readonly id: string | undefined;
  readonly unsubscribe: string | undefined;
  readonly unsubscribePost: string | undefined;
  readonly post: string | undefined;
}

/** Null where no field says that this is a list. */
export function listFacts(fields: ListFields): Message["list"] {
  const { id, unsubscribe, unsubscribePost, post } = fields;
  if (id === undefined && unsubscribe === undefined && post === undefined) return null;
  const uris = unsubscribe === undefined ? [] : urisIn(unsubscribe);
  return {
    id: id === undefined ? null : listId(id),
    unsubscribe: uris,
    // RFC 2369 §3.4: "NO" is a list that nobody may post to.
    post: post === undefined ? null : (urisIn(post)[0] ?? null),
    one_click:
      // RFC 8058 §3.1: only together with an https URI.
      unsubscribePost !== undefined &&
      /^list-unsubscribe=one-click$/i.test(unfold(unsubscribePost)) &&
      uris.some((uri) => /^https:/i.test(uri)),
  };
}

/** RFC 2919 §3: compared without regard to case. The phrase before it is for people. */
function listId(raw: string): string | null {
  const value = unfold(raw.slice(0, maxFieldChars));
  const open = value.lastIndexOf("<");
  const close = value.indexOf(">", open);
  const inner = open === -1 || close === -1 ? value : value.slice(open + 1, close);
  const id = clean(decodeWords(inner).text).toLowerCase();
  // Without brackets, and more than one word: a phrase that somebody took for the id.
  return id === "" || (open === -1 && /\s/.test(id)) ? null : id.slice(0, maxIdChars);
}

const uriLike = /^[a-z][a-z0-9+.-]{1,20}:[\x21-\x7e]+$/i;

/**
 * RFC 2369 §2: blanks within the brackets are folds and mean nothing; what stands outside of brackets is a comment. Many senders leave
 * the brackets away.
 */
function urisIn(raw: string): string[] {
  const value = raw.slice(0, maxFieldChars);
  const uris = new Set<string>();
  for (const uri of value.includes("<") ? bracketed(value) : value.split(/[\s,]+/)) {
    if (uris.size === maxUris) break;
    if (uri.length <= maxUriChars && uriLike.test(uri)) uris.add(uri);
  }
  return [...uris];
}

function* bracketed(value: string): Generator<string> {
  for (let open = value.indexOf("<"); open !== -1; ) {
    const close = value.indexOf(">", open);
    if (close === -1) return;
    yield value.slice(value.lastIndexOf("<", close) + 1, close).replace(/\s+/g, "");
    open = value.indexOf("<", close);
  }
}
