/** Keeps the one who puts a content and the one who deletes it apart, and two who put the same one from doing so twice. */

export interface Held {
  /** Runs `put` unless somebody who holds the same content has done so meanwhile; resolves with where its bytes are. */
  put(put: () => Promise<string>): Promise<string>;
  release(): void;
}

export interface BytesInUse {
  /** Until it is released nobody deletes this content. Waits for one who is about to. */
  hold(tenant: string, sha256: string): Promise<Held>;
  /** False, and nothing is done, while somebody holds it. */
  deleting(tenant: string, sha256: string, work: () => Promise<void>): Promise<boolean>;
}

interface Entry {
  holders: number;
  ref: string | undefined;
  /** The last of those who put it. */
  last: Promise<unknown>;
}

export function openBytesInUse(): BytesInUse {
  const entries = new Map<string, Entry>();
  const deletions = new Map<string, Promise<void>>();

  function heldOf(key: string, entry: Entry): Held {
    let released = false;
    return {
      async put(put) {
        const mine = entry.last.then(async () => {
          entry.ref ??= await put();
          return entry.ref;
        });
        // What failed for one is tried by the next with bytes of his own.
        entry.last = mine.catch(() => undefined);
        return await mine;
      },
      release() {
        if (released) return;
        released = true;
        entry.holders--;
        if (entry.holders === 0) entries.delete(key);
      },
    };
  }

  return {
    async hold(tenant, sha256) {
      const key = `${tenant}/${sha256}`;
      const entry = entries.get(key) ?? { holders: 0, ref: undefined, last: Promise.resolve() };
      entry.holders++;
      entries.set(key, entry);
      await deletions.get(key);
      return heldOf(key, entry);
    },
    async deleting(tenant, sha256, work) {
      const key = `${tenant}/${sha256}`;
      if (entries.has(key) || deletions.has(key)) return false;
      const done = Promise.withResolvers<void>();
      deletions.set(key, done.promise);
      try {
        await work();
      } finally {
        deletions.delete(key);
        done.resolve();
      }
      return true;
    },
  };
}
