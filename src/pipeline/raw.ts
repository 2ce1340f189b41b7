/** Finds the raw bytes of a message again, wherever they are by now, and unseals them. */
import type { Blobs, Spool } from "../model/blob.ts";
import type { RawPlace } from "../model/ledger.ts";
import type { Sealer } from "../model/ports.ts";

export interface RawPorts {
  readonly spool: Spool;
  readonly blobs: Blobs;
  readonly sealer: Sealer;
}

/** A message as its raw bytes are named by. */
export interface RawOf {
  readonly tenant: string;
  readonly eventId: string;
}

/**
 * Where the attic keeps a message: the tenant says in which store, and two levels of folders come from the random end of the id, since its
 * beginning is the time.
 */
export function rawKey({ tenant, eventId }: RawOf): string {
  const tail = eventId.replaceAll("-", "").slice(-4);
  return `raw/${tenant}/${tail.slice(0, 2)}/${tail.slice(2)}/${eventId}`;
}

/** The bytes are not where the ledger says: removed by hand, or a volume that is not mounted. */
export class RawMissing extends Error {
  override readonly name = "RawMissing";
}

/**
 * The message as received. `inline` are the sealed bytes where the ledger holds them. A message moved to the attic since its place was
 * read is found there too. Rejects with RawMissing, or with what the store or the seal had to say.
 */
export async function openRaw(
  of: RawOf,
  place: RawPlace,
  inline: Uint8Array | undefined,
  ports: RawPorts,
): Promise<AsyncIterable<Uint8Array>> {
  if (inline !== undefined) return once(ports.sealer.open(inline).plain);
  const sealed =
    (place.kind === "spool" ? await ports.spool.read(place.name) : undefined) ??
    (await ports.blobs.get(place.kind === "blob" ? place.key : rawKey(of)));
  if (sealed === undefined) throw new RawMissing(`the raw bytes of event ${of.eventId} are not there (${place.kind})`);
  return sealed.pipeThrough(ports.sealer.openStream());
}

export async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
