/** Signs the links to files and reads them again: pure, with the keys handed in. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { LinkParts, Links, ReadLink } from "../model/links.ts";

export interface LinkSettings {
  /** `https://mail.example.com`, or below a path; what follows it is ours. */
  readonly publicUrl: string;
  readonly ttlMs: number;
  /** Signs. */
  readonly keyId: string;
  /** Of each key id that is still good, former ones among them. */
  readonly keys: ReadonlyMap<string, Uint8Array>;
}

/** 32 hex digits (src/model/files.ts). */
const idShape = /^[0-9a-f]{32}$/;
/** Seconds since 1970: ten digits until the year 2286, and never so many that a double is not exact. */
const expiryShape = /^[1-9]\d{0,11}$/;
/** 32 bytes as base64url, in its only spelling: the last digit carries four bits and two zeros. */
const signatureShape = /^[\w-]{42}[AEIMQUYcgkosw048]$/;

/** Throws TypeError when there is no key to sign with. */
export function openLinks({ publicUrl, ttlMs, keyId, keys }: LinkSettings): Links {
  const own = keys.get(keyId);
  if (own === undefined) throw new TypeError(`there is no key to sign links with under the id ${keyId}`);
  const base = publicUrl.replace(/\/+$/, "");

  /** Whole seconds, rounded up: a link never ends before it should. */
  function link(of: string, untilMs: number): string {
    const expiry = String(Math.ceil(untilMs / 1000));
    const signature = sign(own ?? new Uint8Array(), of, expiry, keyId).toString("base64url");
    return `${base}/a/${of}?e=${expiry}&k=${encodeURIComponent(keyId)}&s=${signature}`;
  }

  return {
    of: (id, receivedAt) => link(id, receivedAt + ttlMs),
    previewOf: (id, receivedAt) => link(previewPath(id), receivedAt + ttlMs),
    previewUntil: (id, until) => link(previewPath(id), until),
    until: link,
    read: (parts, now) => readLink(parts, now, keys),
  };
}

/** No id of a file has a slash: no signature of a file is one of a preview. */
const previewPath = (id: string): string => `${id}/preview`;

function readLink(
  { id, preview, expiry, keyId, signature }: LinkParts,
  now: number,
  keys: LinkSettings["keys"],
): ReadLink {
  const forged = { kind: "forged" } as const;
  const key = keyId === undefined ? undefined : keys.get(keyId);
  if (key === undefined || keyId === undefined || expiry === undefined || signature === undefined) return forged;
  if (!idShape.test(id) || !expiryShape.test(expiry) || !signatureShape.test(signature)) return forged;
  const signed = preview === true ? previewPath(id) : id;
  if (!timingSafeEqual(Buffer.from(signature, "base64url"), sign(key, signed, expiry, keyId))) return forged;
  const until = Number(expiry) * 1000;
  return { kind: now < until ? "valid" : "expired", id, until };
}

/** The parts hold no line end each, so that no two links have one text. The key id is in it: a signature is good under its own key alone. */
const sign = (key: Uint8Array, id: string, expiry: string, keyId: string): Buffer =>
  createHmac("sha256", key).update(`mailwright link 1\n${id}\n${expiry}\n${keyId}`).digest();
