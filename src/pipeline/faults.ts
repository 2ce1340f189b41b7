/** What can go wrong on our own side of the road, told apart from what a vendor did. */

/** The ledger did not take what it was told. It may or may not be on disk: the caller leaves everything as it is and comes back. */
export class LedgerFailed extends Error {
  override readonly name = "LedgerFailed";
}

/** Marks a rejection as the ledger's. */
export async function viaLedger<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (cause) {
    throw new LedgerFailed("the ledger did not answer", { cause });
  }
}

export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
