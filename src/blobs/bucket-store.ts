/** A tenant's store over one bucket: seals what it puts, names it, and opens by reference. */
import type { Store } from "../model/blob.ts";
import { Refused } from "../model/outcome.ts";
import type { Bucket, ByteRange } from "./bucket.ts";
import {
  checkedPrefix,
  checkedStoreKey,
  isPlainName,
  plainName,
  readReference,
  withoutPlain,
  writeReference,
} from "./keys.ts";
import type { KeyRing } from "./seal.ts";
import { SealBroken } from "./seal-format.ts";
import { checkRange, openSealed } from "./seal-range.ts";

/** How a tenant uses a bucket. */
export interface View {
  /** `s3:mail`; undefined for local files. */
  readonly store: string | undefined;
  readonly bucket: Bucket;
  /** Before every key, empty or with a slash at its end. */
  readonly prefix: string;
  /** False: the bytes are put as they are, and the bucket encrypts them. */
  readonly sealed: boolean;
}

type Ring = Pick<KeyRing, "sealing" | "openHeader">;
/** Undefined for a store that is not configured any more. */
export type BucketOf = (store: string | undefined) => Bucket | undefined;

export function openBucketStore({ store, bucket, prefix, sealed }: View, bucketOf: BucketOf, ring: Ring): Store {
  const nameOf = (key: string) => {
    const named = `${prefix}${checkedStoreKey(key)}`;
    return { named, name: sealed ? named : plainName(named) };
  };
  return {
    refOf: (key) => writeReference({ store, key: nameOf(key).name }),
    async put(key, plain) {
      const { named, name } = nameOf(key);
      const source = counted(plain);
      await fromSource(source, () =>
        bucket.put(name, sealed ? seal(source.bytes, ring, labelOf(named)) : source.bytes),
      );
      return { ref: writeReference({ store, key: name }), bytes: source.total() };
    },
    async open(ref, range) {
      const { bucket: place, key } = find(ref, bucketOf);
      const read = (part?: ByteRange) => place.read(key, part);
      if (isPlainName(key)) return await openPlain(read, range);
      const open = () => openSealed(read, ring, labelOf(key), range);
      if (range === undefined) return await open();
      // A part takes two reads. Where the object was put again between them, they do not fit together.
      return await open().catch((error: unknown) => {
        if (error instanceof SealBroken) return open();
        throw error;
      });
    },
    async presign(ref, download) {
      const { bucket: place, key } = find(ref, bucketOf);
      return isPlainName(key) ? await place.presign?.(key, download) : undefined;
    },
    async delete(ref) {
      const { bucket: place, key } = find(ref, bucketOf);
      return await place.delete(key);
    },
    async *list(wanted) {
      for await (const { key, bytes, at } of bucket.list(`${prefix}${checkedPrefix(wanted)}`)) {
        yield { key: withoutPlain(key.slice(prefix.length)), ref: writeReference({ store, key }), bytes, at };
      }
    },
  };
}

/** Under the seal, so that one object cannot be put in another's place. */
const labelOf = (key: string): string => `blob ${key}`;

export function find(ref: string, bucketOf: BucketOf): { bucket: Bucket; key: string } {
  const { store, key } = readReference(ref);
  const bucket = bucketOf(store);
  if (bucket !== undefined) return { bucket, key };
  const reason = `the file is in the store ${store}, which is not in the configuration any more: put it back under former_storage`;
  throw new Refused({ kind: "blocked", reason });
}

interface Source {
  readonly bytes: AsyncIterable<Uint8Array>;
  total(): number;
  /** What the bytes' own end was, where it was an error. */
  fault(): { readonly error: unknown } | undefined;
}

export function counted(plain: AsyncIterable<Uint8Array>): Source {
  let total = 0;
  let fault: { error: unknown } | undefined;
  async function* counting(): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of plain) {
        total += piece.length;
        yield piece;
      }
    } catch (error) {
      fault = { error };
      throw error;
    }
  }
  return { bytes: counting(), total: () => total, fault: () => fault };
}

/** A library says of every error that the upload failed. Where it was the source that did, the store has no part in it. */
export async function fromSource<T>(source: Source, put: () => Promise<T>): Promise<T> {
  try {
    return await put();
  } catch (error) {
    const fault = source.fault();
    throw fault === undefined ? error : fault.error;
  }
}

async function* seal(plain: AsyncIterable<Uint8Array>, ring: Ring, label: string): AsyncGenerator<Uint8Array> {
  const { header, push, end } = ring.sealing(label);
  let sealed: Uint8Array[] = [header];
  const emit = (bytes: Uint8Array) => void sealed.push(bytes);
  for await (const piece of plain) {
    push(piece, emit);
    yield* sealed;
    sealed = [];
  }
  end(emit);
  yield* sealed;
}

async function openPlain(
  read: (range?: ByteRange) => ReturnType<Bucket["read"]>,
  range: ByteRange | undefined,
): ReturnType<Store["open"]> {
  if (range !== undefined) checkRange(range);
  const found = await read(range);
  if (found === undefined) return undefined;
  if (range !== undefined && range.start >= found.total) {
    await found.bytes.cancel();
    throw new RangeError(`the range begins at ${range.start}, and there are ${found.total} bytes`);
  }
  return { plain: found.bytes, size: found.total };
}
