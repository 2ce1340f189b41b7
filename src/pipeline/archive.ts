/** Moves the raw bytes of settled messages out of ledger and spool into the store of their tenant, which keeps the ledger small. */
import type { Ledger, RawPlace } from "../model/ledger.ts";
import { Refused } from "../model/outcome.ts";
import { asError } from "./faults.ts";
import { rawKey } from "./raw.ts";
import type { RetainPorts } from "./retain.ts";

const batch = 64;
/** A bucket answers in tens of ms, and there may be thousands to move. */
const putsAtOnce = 8;

/** What could not be moved, and when that was (epoch ms): it is left out for a while, and nobody else waits for it. */
export interface SetAside {
  /** Messages whose own file is ill. */
  readonly events: Map<string, number>;
  /** Tenants whose store takes nothing. */
  readonly tenants: Map<string, number>;
}
export const nothingSetAside = (): SetAside => ({ events: new Map(), tenants: new Map() });
export const eventAsideMs = 3600_000;
export const tenantAsideMs = 60_000;
/** With more of them than this it is not the files that are ill: the next run begins anew. */
export const mostSetAside = 1_000;

/** Moves the raw bytes of settled messages to the attic until none are left or `go` says stop. Returns how many moved. */
export async function archiveSettled(
  ports: RetainPorts,
  go: () => boolean = () => true,
  aside: SetAside = nothingSetAside(),
): Promise<number> {
  const now = ports.clock.now();
  forget(aside.events, now, eventAsideMs);
  forget(aside.tenants, now, tenantAsideMs);
  let moved = 0;
  while (go() && aside.events.size <= mostSetAside) {
    const found = await ports.ledger.archivable(batch + aside.events.size, [...aside.tenants.keys()]);
    const items = found.filter(({ eventId }) => !aside.events.has(eventId)).slice(0, batch);
    if (items.length === 0) break;
    moved += await archiveBatch(items, ports, aside);
  }
  return moved;
}

function forget(aside: Map<string, number>, now: number, afterMs: number): void {
  for (const [id, at] of aside) if (now - at >= afterMs || at > now) aside.delete(id);
}

interface Move {
  readonly eventId: string;
  readonly key: string;
  readonly raw: RawPlace;
}

async function archiveBatch(items: readonly Archivable[], ports: RetainPorts, aside: SetAside): Promise<number> {
  const moves: Move[] = [];
  const one = async (item: Archivable): Promise<void> => {
    const { eventId, tenant, raw } = item;
    if (aside.tenants.has(tenant)) return;
    try {
      const key = await putInAttic(item, ports);
      if (key === undefined) aside.events.set(eventId, ports.clock.now());
      else moves.push({ eventId, key, raw });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      aside.tenants.set(tenant, ports.clock.now());
      const fields = { tenant, kind: error.failure.kind, err: error };
      ports.log.error(
        fields,
        "a tenant's store takes nothing: its mail stays in the ledger, and is tried again in a minute",
      );
    }
  };
  for (let at = 0; at < items.length; at += putsAtOnce) {
    await allOrFirstError(items.slice(at, at + putsAtOnce).map(one));
  }
  // First the attic, then the ledger, then the spool: at every moment one of them has the bytes.
  if (moves.length > 0) await ports.ledger.archived(moves.map(({ eventId, key }) => ({ eventId, key })));
  for (const { raw } of moves) if (raw.kind === "spool") await removeSpooled(raw.name, ports);
  return moves.length;
}

/** Waits for all, so that none goes on behind the back of whoever is told of the failure. */
async function allOrFirstError(works: readonly Promise<void>[]): Promise<void> {
  for (const settled of await Promise.allSettled(works)) if (settled.status === "rejected") throw settled.reason;
}

type Archivable = Awaited<ReturnType<Ledger["archivable"]>>[number];

/**
 * What the ledger is to write down. Undefined, and told in the log, where the file of this one message cannot be read or is not there: it stays
 * where the ledger says it is. Rejects with Refused when its tenant's store takes nothing; and when bytes from the ledger cannot be put away,
 * which is the attic's trouble and so everybody's.
 */
async function putInAttic(item: Archivable, ports: RetainPorts): Promise<string | undefined> {
  const { eventId, raw, sealed } = item;
  const key = rawKey(item);
  if (sealed !== undefined) return (await ports.blobs.put(key, oneChunk(sealed))).ref ?? key;
  try {
    const bytes = raw.kind === "spool" ? await ports.spool.read(raw.name) : undefined;
    if (bytes !== undefined) return (await ports.blobs.put(key, bytes)).ref ?? key;
    // A spool file that is gone was moved before a crash kept the ledger from hearing of it; or somebody took it away.
    // By the name of its store: a bare key is looked for in the tenant's present store, which may be another one day.
    const there = await refOf(key, ports);
    if (there !== undefined) return there;
    ports.log.error({ event_id: eventId }, "the raw bytes of a message are neither in the spool nor in the attic");
  } catch (error) {
    if (error instanceof Refused) throw error;
    ports.log.error({ event_id: eventId, err: asError(error) }, "the raw bytes of a message could not be archived");
  }
  ports.metrics.count("defects_total", { where: "retain" });
  return undefined;
}

async function refOf(key: string, { blobs }: RetainPorts): Promise<string | undefined> {
  if (blobs.refOf !== undefined) return await blobs.refOf(key);
  const there = await blobs.get(key);
  await there?.cancel();
  return there === undefined ? undefined : key;
}

/** What stays behind has no row any more, and is swept another day. */
export async function removeSpooled(name: string, { spool, log }: RetainPorts): Promise<boolean> {
  try {
    await spool.remove(name);
    return true;
  } catch (error) {
    log.error({ err: asError(error) }, "a spool file could not be removed; it is tried again tomorrow");
    return false;
  }
}

async function* oneChunk(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
