/** Deletes from the stores what no file lives on any more: after the rows say so, and never under the hands of somebody who puts it again. */
import type { Stores } from "../model/blob.ts";
import type { FileBytes } from "../model/files.ts";
import type { Ledger } from "../model/ledger.ts";
import type { Clock, Log, Metrics, Random } from "../model/ports.ts";
import type { BytesInUse } from "./bytes-in-use.ts";
import { asError } from "./faults.ts";
import { openStoreTrouble, placeOf } from "./store-trouble.ts";
import { startTaking, type Taker } from "./taking.ts";

export interface DeletingPorts {
  readonly ledger: Pick<Ledger, "filesToDelete" | "fileToDelete" | "fileDeleted">;
  readonly stores: Stores;
  readonly bytes: BytesInUse;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** What was in use, or whose store did not answer, is come back to. */
const againMs = 5 * 60_000;

export function startDeleting(ports: DeletingPorts): Taker {
  const { clock, ledger, log } = ports;
  const trouble = openStoreTrouble("delete", ports);
  /** Where this walk over what is to be deleted stands; the next begins anew. */
  let after = "";
  let left = 0;
  let dueAt: number | null = null;

  async function take(room: number): Promise<readonly FileBytes[]> {
    try {
      const found = await ledger.filesToDelete({ limit: room, after });
      after = found.at(-1)?.storeKey ?? "";
      if (found.length > 0) return found;
      dueAt = left > 0 ? clock.now() + againMs : null;
      left = 0;
      return [];
    } catch (error) {
      log.error({ err: asError(error) }, "the ledger did not say which files are to be deleted; asking again");
      dueAt = clock.now() + againMs;
      return [];
    }
  }

  async function work(bytes: FileBytes): Promise<void> {
    const { tenant, sha256, storeKey } = bytes;
    try {
      const open = trouble.mayAsk(placeOf(tenant, storeKey));
      const free = open && (await ports.bytes.deleting(tenant, sha256, () => remove(bytes)));
      if (!free) left++;
    } catch (error) {
      left++;
      trouble.failed(placeOf(tenant, storeKey), storeKey, error);
    }
  }

  async function remove({ tenant, storeKey }: FileBytes): Promise<void> {
    // A mail that came since may live on it.
    if (!(await ledger.fileToDelete(storeKey))) return;
    await ports.stores.of(tenant).delete(storeKey);
    await ledger.fileDeleted(storeKey);
    trouble.succeeded(placeOf(tenant, storeKey));
    log.debug({ tenant }, "the bytes of a file were deleted");
  }

  return startTaking(clock, { width: () => 1, take, dueAt: () => dueAt, work });
}
