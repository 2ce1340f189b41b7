/** One of each tenant in turn, until the room is full or nobody has any more: one tenant's flood never starves another. */
export function fairShares<T>(
  { tenants, room }: { readonly tenants: readonly string[]; readonly room: number },
  waiting: (tenant: string, room: number) => readonly T[],
): T[] {
  const queues = [...new Set(tenants)].map((tenant) => ({ tenant, waiting: undefined as readonly T[] | undefined }));
  const taken: T[] = [];
  for (let round = 0; taken.length < room; round++) {
    const before = taken.length;
    for (const queue of queues) {
      if (taken.length >= room) break;
      queue.waiting ??= waiting(queue.tenant, room);
      const next = queue.waiting[round];
      if (next !== undefined) taken.push(next);
    }
    if (taken.length === before) break;
  }
  return taken;
}
