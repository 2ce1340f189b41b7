/** Who comes first when there is more than room: tenants in equal shares, and live mail before replays of old mail. */
/** Of what is handed out while live mail waits, one in so many is a replay: it never ends otherwise, and live mail hardly waits for it. */
const replayShare = 8;

export interface Turns<T> {
  live(room: number): readonly T[];
  replays(room: number): readonly T[];
}

/** Live mail first; replays have the room that it leaves, and their share where it leaves none. Counted by name, in memory. */
export function openReplayShare(): <T>(name: string, room: number, turns: Turns<T>) => readonly T[] {
  const credits = new Map<string, number>();
  return (name, room, { live, replays }) => {
    const share = room / replayShare;
    const credit = Math.min((credits.get(name) ?? 0) + share, Math.max(1, share));
    const mostOwed = Math.floor(credit);
    const owed = mostOwed === 0 ? [] : replays(mostOwed);
    const first = live(room - owed.length);
    const others = first.length + owed.length < room ? replays(room - first.length) : owed;
    credits.set(name, credit - Math.min(mostOwed, others.length));
    return others.length === 0 ? first : [...first, ...others];
  };
}

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
