/** The token in an address like `deals+t.<token>@`: it names one thread of one tenant, and nobody without the key can make one. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Anomaly } from "../model/event.ts";

/** 80 bits: who guesses a thousand times a second for a year has a chance of one in 10^13. */
const macBytes = 10;
/** RFC 5321 §4.5.3.1.1. */
const maxLocalOctets = 64;
const mark = "+t.";

export interface ThreadTokens {
  /** Lower-case letters and digits. `threadId`: lower-case hex, as all of them are; undefined for anything else. */
  token(tenant: string, threadId: string): string | undefined;
  /** The id of the thread, by a token that was made here for this tenant; letters in any case. */
  threadOf(tenant: string, token: string): string | undefined;
}

/** `key`: 32 bytes that are used for nothing else. */
export function openThreadTokens(key: Uint8Array): ThreadTokens {
  const secret = Buffer.from(key);
  const macOf = (tenant: string, id: Uint8Array): Buffer => {
    const name = Buffer.from(tenant, "utf8");
    // The length keeps a longer tenant and a shorter id apart from a shorter tenant and a longer id.
    const mac = createHmac("sha256", secret).update(`${name.length}:`).update(name).update(id).digest();
    return mac.subarray(0, macBytes);
  };
  return {
    token(tenant, threadId) {
      const id = Buffer.from(threadId, "hex");
      if (id.length === 0 || id.toString("hex") !== threadId) return undefined;
      return base32(Buffer.concat([id, macOf(tenant, id)]));
    },
    threadOf(tenant, token) {
      const bytes = fromBase32(token);
      if (bytes === undefined || bytes.length <= macBytes) return undefined;
      const id = bytes.subarray(0, -macBytes);
      const given = bytes.subarray(-macBytes);
      return timingSafeEqual(given, macOf(tenant, id)) ? id.toString("hex") : undefined;
    },
  };
}

/** The address to put into Reply-To. Undefined where the local part would be longer than mail allows, or the address is none. */
export function addressWithToken(address: string, token: string): string | undefined {
  const at = address.lastIndexOf("@");
  if (at < 1) return undefined;
  const local = `${address.slice(0, at)}${mark}${token}`;
  return Buffer.byteLength(local) > maxLocalOctets ? undefined : `${local}${address.slice(at)}`;
}

/** Nobody writes to more of our addresses in one mail, and each costs an HMAC. */
const mostTried = 20;

export interface FoundToken {
  /** Null without a valid token. */
  readonly threadId: string | null;
  readonly anomalies: readonly Anomaly[];
}

/**
 * `addresses`: those of the envelope, of To and of Cc that are the tenant's own inbound ones; what a tag says on another host means nothing
 * here. Tokens of two threads in one mail name none. Whoever has the address can write to it: who may join a thread is the judge's to say.
 */
export function findThreadToken(tenant: string, addresses: readonly string[], tokens: ThreadTokens): FoundToken {
  const written = [...new Set(addresses.flatMap(tagOf))].slice(0, mostTried);
  const threads = new Set<string>();
  let invalid = false;
  for (const token of written) {
    const threadId = tokens.threadOf(tenant, token);
    if (threadId === undefined) invalid = true;
    else threads.add(threadId);
  }
  const [threadId] = threads;
  const detail =
    threads.size > 1
      ? "recipients hold tokens of several threads"
      : "a recipient holds a token that was not made here for this tenant";
  const anomalies: Anomaly[] = invalid || threads.size > 1 ? [{ code: "thread_token_invalid", detail }] : [];
  return { threadId: threads.size === 1 && threadId !== undefined ? threadId : null, anomalies };
}

/** What stands behind `+t.` in the local part. */
function tagOf(address: string): string[] {
  const at = address.lastIndexOf("@");
  const local = address.slice(0, Math.max(0, at)).toLowerCase();
  const from = local.lastIndexOf(mark);
  return from < 1 ? [] : [local.slice(from + mark.length).replace(/"$/, "")];
}

/** RFC 4648 §6, in lower case and without padding: local parts lose their case on the way (RFC 5321 §2.4). */
const alphabet = "abcdefghijklmnopqrstuvwxyz234567";

function base32(bytes: Uint8Array): string {
  let text = "";
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += alphabet[(held >> (bits - 5)) & 31];
    held &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + alphabet[(held << (5 - bits)) & 31];
}

/** Undefined for what `base32` would have written otherwise, so that a token has one spelling but for its case. */
function fromBase32(written: string): Buffer | undefined {
  if (written.length > maxLocalOctets) return undefined;
  const text = written.toLowerCase();
  const bytes: number[] = [];
  let held = 0;
  let bits = 0;
  for (const letter of text) {
    const value = alphabet.indexOf(letter);
    if (value < 0) return undefined;
    held = (held << 5) | value;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((held >> bits) & 255);
    held &= (1 << bits) - 1;
  }
  const decoded = Buffer.from(bytes);
  return base32(decoded) === text ? decoded : undefined;
}
