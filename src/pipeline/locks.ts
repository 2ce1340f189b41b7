/** One writer per key: two mails of a new sender must not both find nobody and both create a contact. */

export interface Locks {
  /** Runs `work` when everyone who asked for `key` before has finished. */
  with<T>(key: string, work: () => Promise<T>): Promise<T>;
}

export function openLocks(): Locks {
  const last = new Map<string, Promise<void>>();
  return {
    async with(key, work) {
      const before = last.get(key) ?? Promise.resolve();
      const done = Promise.withResolvers<void>();
      const mine = before.then(() => done.promise);
      last.set(key, mine);
      await before;
      try {
        return await work();
      } finally {
        done.resolve();
        if (last.get(key) === mine) last.delete(key);
      }
    },
  };
}
