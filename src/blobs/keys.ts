/** Names of what is stored: keys that no text from outside can turn into something else, and references that say in which store a key is. */

/** Segments of letters, digits and `._=-` that do not begin with a dot: no `..`, no hidden file, no empty segment, nothing absolute. */
const segment = "[A-Za-z0-9_][A-Za-z0-9._=-]{0,199}";
const keyPattern = new RegExp(`^${segment}(?:/${segment})*$`);
const prefixPattern = new RegExp(`^(?:${segment}/)*(?:${segment})?$`);
const maxKeyLength = 512;

export function isKey(key: string): boolean {
  return key.length <= maxKeyLength && keyPattern.test(key);
}

/** Throws RangeError, so that no text from outside becomes a path or the name of another object. */
export function checkedKey(key: string): string {
  if (!isKey(key)) throw new RangeError("this is not a key of the blob store");
  return key;
}

export function checkedPrefix(prefix: string): string {
  if (prefix.length > maxKeyLength || !prefixPattern.test(prefix)) throw new RangeError("this is not a prefix of keys");
  return prefix;
}

/**
 * What lies in the bucket as it came, because the bucket encrypts it, has a name of its own: whoever may write to the bucket could otherwise
 * put plain bytes in the place of sealed ones, and they would be served.
 */
const plainEnding = ".plain";

/** Throws RangeError. */
export function checkedStoreKey(key: string): string {
  if (key.endsWith(plainEnding)) throw new RangeError(`a key of the store must not end in ${plainEnding}`);
  return checkedKey(key);
}

export const plainName = (key: string): string => `${key}${plainEnding}`;
export const isPlainName = (name: string): boolean => name.endsWith(plainEnding);
export const withoutPlain = (name: string): string => (isPlainName(name) ? name.slice(0, -plainEnding.length) : name);

/** Where an object is. Without `store`: a local file, whose reference is its key alone. */
export interface Reference {
  /** `s3:mail`, `gcs:acme-mail`. */
  readonly store: string | undefined;
  /** With the prefix that the store's objects have in its bucket. */
  readonly key: string;
}

const referencePattern = /^(?<store>(?:s3|gcs):[A-Za-z0-9][A-Za-z0-9._-]{0,199})\/(?<key>.+)$/s;

export function writeReference({ store, key }: Reference): string {
  return store === undefined ? key : `${store}/${key}`;
}

/** Throws RangeError for what is none. */
export function readReference(ref: string): Reference {
  const { store, key = ref } = referencePattern.exec(ref)?.groups ?? {};
  return { store, key: checkedKey(key) };
}

/** Throws RangeError for what is no reference: then it is no path either. */
export const isLocal = (ref: string): boolean => readReference(ref).store === undefined;

/** The tenant of `raw/acme/ab/cd/<event id>`; undefined for keys of before tenants were named in them, which only local files have. */
export function tenantOfRaw(key: string): string | undefined {
  const parts = key.split("/");
  return parts.length === 5 ? parts[1] : undefined;
}
