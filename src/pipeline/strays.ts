/** Sweeps the stores: what lies there, is older than any put can be on its way, and is named by no row, is deleted; mail that nobody knows is told of. */
import type { BlobClass } from "../model/blob.ts";
import { blobClasses } from "../model/blob.ts";
import type { Ledger } from "../model/ledger.ts";
import type { Clock, Log } from "../model/ports.ts";
import type { StoredObject } from "../model/sweep.ts";
import { asError } from "./faults.ts";

/** Everything below one prefix of one bucket, or the local files. */
export interface StorePlace {
  /** As people know it: `the bucket acme-mail (s3:acme-mail)`. */
  readonly title: string;
  /** Its own rules by age may take away what is older. */
  readonly hasRules: boolean;
  list(kind: BlobClass): AsyncIterable<{
    /** `attachment/acme/ab/ab12…`, without the place's prefix. */
    readonly key: string;
    readonly ref: string;
    readonly bytes: number;
    readonly at: number;
  }>;
  /** Puts the same bytes once more, so that they are as new. */
  renew(ref: string): Promise<void>;
}

export interface StraysPorts {
  readonly ledger: Pick<Ledger, "strays">;
  readonly places: () => readonly StorePlace[];
  readonly clock: Clock;
  readonly log: Log;
}

export interface Stray {
  readonly ref: string;
  readonly bytes: number;
  /** When it was put (epoch ms). */
  readonly at: number;
}

export interface StraysReport {
  /** Deleted, or to be: bounded by `mostListed`. */
  readonly strays: readonly Stray[];
  readonly unneeded: number;
  readonly bytes: number;
  /** Raw mail without a row. */
  readonly unknownMail: number;
  /** Places that were left alone, each with why. */
  readonly leftAlone: readonly string[];
}

/** A put takes minutes, its row comes at once, and a restart takes it up again; a week is far beyond all that. */
export const strayAfterMs = 7 * 24 * 3600_000;
/** Half of the least margin that a rule of a bucket leaves for raw mail of a message that is still open (main/lifecycle.ts). */
const renewMailAfterMs = 180 * 24 * 3600_000;
const page = 500;
const mostListed = 1_000;
/** More than this and more than half of what is there: that is another installation's store, or a lost ledger. */
const mostOfStrangers = 100;
/** Found in one walk over one place; the next day goes on. */
const mostFound = 100_000;

export async function sweepStores(dryRun: boolean, ports: StraysPorts): Promise<StraysReport> {
  const total = { strays: [] as Stray[], unneeded: 0, bytes: 0, unknownMail: 0, leftAlone: [] as string[] };
  for (const place of ports.places()) {
    try {
      const found = await walk(place, ports, dryRun);
      total.unknownMail += found.unknownMail;
      if (found.strays.length > mostOfStrangers && found.strays.length * 2 > found.looked) {
        const figures = `${found.strays.length} of ${found.looked} objects in ${place.title} are named by no row`;
        total.leftAlone.push(
          `${figures}: is it another installation's, or was the ledger lost? None of them was deleted.`,
        );
        continue;
      }
      if (found.strays.length > 0 && found.unknownMail > 0) {
        total.leftAlone.push(
          `${place.title} holds ${found.unknownMail} mails that the ledger knows nothing of, and their files may be among what no row names: run mailwright recover first. None was deleted.`,
        );
        continue;
      }
      if (!dryRun) await doom(found.strays, found.objects, ports);
      total.strays.push(...found.strays.slice(0, mostListed - total.strays.length));
      total.unneeded += found.strays.length;
      total.bytes += found.strays.reduce((sum, { bytes }) => sum + bytes, 0);
    } catch (error) {
      ports.log.warn({ err: asError(error) }, `${place.title} could not be swept; it is tried again tomorrow`);
      total.leftAlone.push(`${place.title} could not be swept: ${asError(error).message.slice(0, 300)}`);
    }
  }
  for (const why of total.leftAlone) ports.log.warn({ reason: why }, "a store was not swept of what no row names");
  if (total.unknownMail > 0)
    ports.log.warn(
      { messages: total.unknownMail },
      "raw mail lies in a store and the ledger knows nothing of it: mailwright recover takes it in again",
    );
  return total;
}

interface Found {
  readonly strays: Stray[];
  readonly objects: Map<string, StoredObject>;
  looked: number;
  unknownMail: number;
}

async function walk(place: StorePlace, ports: StraysPorts, dryRun: boolean): Promise<Found> {
  const found: Found = { strays: [], objects: new Map(), looked: 0, unknownMail: 0 };
  const now = ports.clock.now();
  for (const kind of blobClasses) {
    let batch: (StoredObject & Stray)[] = [];
    for await (const { key, ref, bytes, at } of place.list(kind)) {
      found.looked++;
      const [, tenant = "", ...rest] = key.split("/");
      if (now - at < strayAfterMs) continue;
      batch.push({ storeKey: ref, ref, class: kind, tenant, name: rest.at(-1) ?? "", bytes, at });
      if (batch.length === page) {
        await judge(batch, found, place, ports, dryRun);
        batch = [];
      }
      if (found.strays.length >= mostFound) return found;
    }
    await judge(batch, found, place, ports, dryRun);
  }
  return found;
}

async function judge(
  batch: readonly (StoredObject & Stray)[],
  found: Found,
  place: StorePlace,
  { ledger, clock }: StraysPorts,
  dryRun: boolean,
): Promise<void> {
  if (batch.length === 0) return;
  const { unneeded, unknownMail, openMail } = await ledger.strays({ objects: batch, doom: false });
  const byRef = new Map(batch.map((one) => [one.ref, one]));
  found.unknownMail += unknownMail.length;
  for (const ref of unneeded) {
    const one = byRef.get(ref);
    if (one === undefined) continue;
    found.strays.push({ ref, bytes: one.bytes, at: one.at });
    found.objects.set(ref, one);
  }
  if (!place.hasRules || dryRun) return;
  for (const ref of openMail)
    if (clock.now() - (byRef.get(ref)?.at ?? clock.now()) >= renewMailAfterMs) await place.renew(ref);
}

/** Asked once more in the transaction that gives them up: a mail that came since may live on one. */
async function doom(strays: readonly Stray[], objects: Found["objects"], { ledger }: StraysPorts): Promise<void> {
  for (let at = 0; at < strays.length; at += page) {
    const some = strays.slice(at, at + page).flatMap(({ ref }) => objects.get(ref) ?? []);
    await ledger.strays({ objects: some, doom: true });
  }
}
