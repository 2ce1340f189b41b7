/** ATTIC, swept: what lies in a store and is named by no row, and a trail that is older than anybody asks for. */
import type { BlobClass } from "./blob.ts";

/** One object of a store, as its key names it. */
export interface StoredObject {
  readonly storeKey: string;
  readonly class: BlobClass;
  readonly tenant: string;
  /** SHA-256 of a file, or the event that raw mail is of. */
  readonly name: string;
}

/** References, by what the ledger says of them. What is in none of the lists is needed. */
export interface Strays {
  /** No row names them, and nothing is lost with them. */
  readonly unneeded: readonly string[];
  /** Raw mail of which there is no row at all: it may be all that is left of it. Never deleted. */
  readonly unknownMail: readonly string[];
  /** Raw mail of messages that are open still: it is kept beyond any age. */
  readonly openMail: readonly string[];
}

export interface Sweeps {
  /** With `doom`, what is not needed is to be deleted from now on, unless somebody puts it again. */
  strays(query: { readonly objects: readonly StoredObject[]; readonly doom: boolean }): Promise<Strays>;
  /** Forgets entries of the audit trail that are older (epoch ms). Answers how many, at most `limit`. */
  auditRemoved(policy: { readonly before: number; readonly limit: number; readonly dryRun: boolean }): Promise<number>;
}
