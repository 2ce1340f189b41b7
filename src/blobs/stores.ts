/** Every configured place for bytes: which tenant's go where, and where a reference leads. */
import type { BlobClass, Blobs, Store, Stores } from "../model/blob.ts";
import type { Clock, Log } from "../model/ports.ts";
import type { Bucket } from "./bucket.ts";
import { counted, find, fromSource, openBucketStore, type View } from "./bucket-store.ts";
import type { FileBlobs } from "./files.ts";
import { checkedKey, checkedPrefix, readReference, tenantOfRaw, withoutPlain, writeReference } from "./keys.ts";
import { openBucket, type RemoteBucket } from "./remote.ts";
import type { KeyRing } from "./seal.ts";
import { connectionOf, type RemoteStorage, type Storage, storeIdOf } from "./storage.ts";

export interface StorageSettings {
  /** For tenants that name none. */
  readonly storage: Storage;
  readonly tenants: readonly { readonly id: string; readonly storage?: Storage | undefined }[];
  /** Not put into any more; what lies there is still read and deleted. */
  readonly former_storage: readonly Storage[];
}

export interface StoredPlace {
  readonly title: string;
  /** A bucket may have rules by age of its own. */
  readonly hasRules: boolean;
  list(kind: BlobClass): AsyncIterable<{
    readonly key: string;
    readonly ref: string;
    readonly bytes: number;
    readonly at: number;
  }>;
  /** Puts the same bytes once more, so that a rule by age counts anew. Nothing where there is no such object any more. */
  renew(ref: string): Promise<void>;
}

/** A bucket in use, and whose. */
export interface UsedBucket {
  readonly storage: RemoteStorage;
  readonly bucket: RemoteBucket;
  readonly tenants: readonly string[];
}

export interface OpenStores extends Stores {
  /** Raw mail: sealed as it comes, in the store of the tenant that its key names. */
  readonly raw: Blobs & { sweepDrafts(olderThan: number): Promise<number> };
  /** Everything that may hold something of ours: the local files, and each prefix of each bucket, former ones too. */
  places(): readonly StoredPlace[];
  /** Those that are put into, without the local files. */
  used(): readonly UsedBucket[];
  /** Takes changed credentials; what is in flight ends with the old ones. */
  reload(settings: StorageSettings): void;
}

export interface StoresPorts {
  readonly files: FileBlobs;
  readonly ring: Pick<KeyRing, "sealing" | "openHeader">;
  readonly clock: Pick<Clock, "now">;
  readonly log: Log;
}

export function openStores(settings: StorageSettings, { files, ring, clock, log }: StoresPorts): OpenStores {
  let current = settings;
  const titles = new Map<Bucket, string>();
  const remote = new Map<string, { readonly connection: string; readonly bucket: RemoteBucket }>();

  /** Opened on use: a store that nobody asks costs nothing, and one that is ill is no reason not to start. */
  function remoteBucket(storage: RemoteStorage): RemoteBucket {
    const id = storeIdOf(storage) ?? "";
    const connection = connectionOf(storage);
    const known = remote.get(id);
    if (known?.connection === connection) return known.bucket;
    known?.bucket.close();
    const bucket = openBucket(storage, clock);
    titles.set(bucket, bucket.title);
    remote.set(id, { connection, bucket });
    return bucket;
  }

  const bucketFor = (storage: Storage): Bucket => (storage.type === "files" ? files : remoteBucket(storage));
  const configured = (): readonly Storage[] => [
    current.storage,
    ...current.tenants.flatMap(({ storage }) => storage ?? []),
    ...current.former_storage,
  ];

  function bucketOf(store: string | undefined): Bucket | undefined {
    if (store === undefined) return files;
    const storage = configured().find((each) => storeIdOf(each) === store);
    return storage === undefined ? undefined : bucketFor(storage);
  }

  /** A tenant that is not in the configuration any more has what those have that name none. */
  const storageOf = (tenant: string | undefined): Storage =>
    current.tenants.find(({ id }) => id === tenant)?.storage ?? current.storage;

  function viewOf(storage: Storage): View {
    const ours = storage.type === "files" ? { prefix: "", sealed: true } : storage;
    return { store: storeIdOf(storage), bucket: bucketFor(storage), prefix: ours.prefix, sealed: ours.sealed };
  }

  function of(tenant: string): Store {
    return openBucketStore(viewOf(storageOf(tenant)), bucketOf, ring);
  }

  /** Each place once, whatever many tenants use it. */
  function places(): readonly View[] {
    const all = [{ type: "files" } as const, ...configured()].map(viewOf);
    return [...new Map(all.map((view) => [`${view.store}\0${view.prefix}`, view])).values()];
  }

  const titleOf = ({ store, bucket, prefix }: View): string => {
    const title = store === undefined ? "the local files" : (titles.get(bucket) ?? store);
    return prefix === "" ? title : `${title}, below ${prefix}`;
  };

  function placeOn(view: View): StoredPlace {
    const { store, bucket, prefix } = view;
    return {
      title: titleOf(view),
      hasRules: store !== undefined,
      async *list(kind) {
        for await (const { key, bytes, at } of bucket.list(`${prefix}${kind}/`))
          yield { key: withoutPlain(key.slice(prefix.length)), ref: writeReference({ store, key }), bytes, at };
      },
      async renew(ref) {
        const { key } = readReference(ref);
        const found = await bucket.read(key);
        if (found !== undefined) await bucket.put(key, found.bytes);
      },
    };
  }

  const raw = openRawBlobs({
    viewFor: (key) => viewOf(storageOf(tenantOfRaw(key))),
    files,
    bucketOf,
    places,
    log,
  });

  return {
    of,
    raw,
    places: () => places().map(placeOn),
    used() {
      const ids = [...current.tenants.map(({ id }) => id)];
      const byPlace = Map.groupBy(ids, (id) => {
        const storage = storageOf(id);
        return storage.type === "files" ? "" : `${storeIdOf(storage)}\0${storage.prefix}`;
      });
      return [...byPlace.values()].flatMap((tenants) => {
        const storage = storageOf(tenants[0]);
        return storage.type === "files" ? [] : [{ storage, bucket: remoteBucket(storage), tenants }];
      });
    },
    reload(changed) {
      current = changed;
    },
    async close() {
      for (const { bucket } of remote.values()) bucket.close();
      remote.clear();
    },
  };
}

interface RawPlaces {
  viewFor(key: string): View;
  readonly files: FileBlobs;
  bucketOf(store: string | undefined): Bucket | undefined;
  places(): readonly View[];
  readonly log: Log;
}

/**
 * Raw mail stays under the seal that it was accepted with, whatever the store is told of sealing: its label says whose it is, which is what a
 * lost ledger is rebuilt from, and nobody is ever given a link to it.
 */
function openRawBlobs({ viewFor, files, bucketOf, places, log }: RawPlaces): OpenStores["raw"] {
  /** A bare key is that of a message whose move the ledger has not heard of yet; or it is a local file. */
  function* where(ref: string): Generator<{ store: string | undefined; bucket: Bucket; key: string }> {
    const { store } = readReference(ref);
    if (store !== undefined) return yield { store, ...find(ref, bucketOf) };
    yield { store, bucket: files, key: ref };
    const view = viewFor(ref);
    if (view.bucket !== files) yield { store: view.store, bucket: view.bucket, key: `${view.prefix}${ref}` };
  }

  return {
    async put(key, sealed) {
      const { store, bucket, prefix } = viewFor(key);
      const named = `${prefix}${key}`;
      const source = counted(sealed);
      const { bytes } = await fromSource(source, () => bucket.put(checkedKey(named), source.bytes));
      return { bytes, ref: writeReference({ store, key: named }) };
    },
    async get(ref) {
      for (const { bucket, key } of where(ref)) {
        const found = await bucket.read(key);
        if (found !== undefined) return found.bytes;
      }
      return undefined;
    },
    async refOf(ref) {
      for (const { store, bucket, key } of where(ref)) {
        const found = await bucket.read(key);
        if (found === undefined) continue;
        await found.bytes.cancel();
        return writeReference({ store, key });
      }
      return undefined;
    },
    async delete(ref) {
      for (const { bucket, key } of where(ref)) if (await bucket.delete(key)) return true;
      return false;
    },
    async *list(wanted) {
      for (const { store, bucket, prefix } of places()) {
        for await (const { key, bytes, at } of bucket.list(`${prefix}${checkedPrefix(wanted)}`)) {
          yield { key: writeReference({ store, key }), bytes, at };
        }
      }
    },
    async sweepDrafts(olderThan) {
      let swept = 0;
      for (const { store, bucket } of places()) {
        try {
          swept += await bucket.sweepDrafts(olderThan);
        } catch (error) {
          if (store === undefined) throw error;
          // What it keeps costs money and nothing else; the other places are swept all the same.
          log.warn({ store, err: asError(error) }, "a store could not be swept of what was never put to its end");
        }
      }
      return swept;
    },
  };
}

const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));
