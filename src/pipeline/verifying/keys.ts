/** KEYS: keeps parsed public keys for the verifying thread, since the same domains sign mail after mail. */
import type { KeyObject } from "node:crypto";
import crypto from "node:crypto";

/** Some 5 KiB each. A flood of new ones pushes out those that were not asked for longest. */
export const maxKeys = 1_000;
/** DER of an RSA key of 16,384 bits, the largest that OpenSSL verifies with, is 2 KiB. */
const maxKeyBytes = 4 * 1024;

type CreatePublicKey = typeof crypto.createPublicKey;
type Verify = typeof crypto.verify;

/** What of node:crypto is changed. */
export interface Crypto {
  createPublicKey: CreatePublicKey;
  verify: Verify;
}

interface Kept {
  readonly key: KeyObject;
  /** By format and type. */
  readonly texts: Map<string, string>;
}

/**
 * For every signature mailauth 7.1.0 parses the key from its record, writes it as PEM, and has OpenSSL parse that again: a fifth of what a mail
 * costs this thread, and it has no place to hand in a key. It asks its `node:crypto` for both, and a thread has one of its own: there, the same bytes
 * get the same key. What is checked, and what comes out, does not change; what is refused is refused anew each time.
 */
export function keepKeys(used: Crypto = crypto): void {
  const { createPublicKey, verify } = used;
  const kept = new Map<string, Kept>();
  const byText = new Map<string, KeyObject>();

  function remember(id: string, known: Kept): void {
    kept.delete(id);
    kept.set(id, known);
    if (kept.size <= maxKeys) return;
    for (const [oldest, { texts }] of kept) {
      kept.delete(oldest);
      for (const text of texts.values()) byText.delete(text);
      return;
    }
  }

  used.createPublicKey = ((...given: Parameters<CreatePublicKey>): KeyObject => {
    const id = idOf(given[0]);
    const known = id === undefined ? undefined : kept.get(id);
    if (id === undefined) return createPublicKey(...given);
    if (known !== undefined) {
      remember(id, known);
      return known.key;
    }
    const fresh: Kept = { key: createPublicKey(...given), texts: new Map() };
    keepTexts(fresh, byText);
    remember(id, fresh);
    return fresh.key;
  }) as CreatePublicKey;

  used.verify = ((...given: Parameters<Verify>) => {
    const [algorithm, data, key, ...rest] = given;
    return verify(algorithm, data, (typeof key === "string" && byText.get(key)) || key, ...rest);
  }) as Verify;
}

/** Undefined for what is not kept: anything but a key in DER of a size that keys have. */
function idOf(given: Parameters<CreatePublicKey>[0]): string | undefined {
  if (typeof given !== "object" || !("format" in given) || given.format !== "der") return undefined;
  const { key, type } = given;
  if (!Buffer.isBuffer(key) || key.length > maxKeyBytes) return undefined;
  return `${String(type)}:${key.toString("latin1")}`;
}

/** A key writes itself once for each form that it is asked for; by that text it is found when it is to verify. */
function keepTexts({ key, texts }: Kept, byText: Map<string, KeyObject>): void {
  const write = key.export.bind(key) as (options?: unknown) => unknown;
  const exported = (options?: { readonly type?: string; readonly format?: string }): unknown => {
    const form = `${options?.type} ${options?.format}`;
    const known = texts.get(form);
    if (known !== undefined) return known;
    const text = write(options);
    if (typeof text !== "string") return text;
    texts.set(form, text);
    byText.set(text, key);
    return text;
  };
  Object.defineProperty(key, "export", { value: exported });
}
