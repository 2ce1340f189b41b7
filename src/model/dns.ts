/** NAMES: what is asked of DNS, and the three kinds of answer that must never be mistaken for each other. */

export const recordTypes = ["A", "AAAA", "MX", "TXT", "PTR", "CNAME"] as const;
export type RecordType = (typeof recordTypes)[number];

export type Answer =
  /** As node:dns hands records of the type out. */
  | { readonly kind: "records"; readonly records: readonly unknown[] }
  /** The server says that there is none: ENOTFOUND (no such name) or ENODATA (none of this type). */
  | { readonly kind: "none"; readonly code: "ENOTFOUND" | "ENODATA" }
  /** Nobody knows: no answer, or none that can be read. `lasting`: nothing was asked, because DNS as a whole does not answer. */
  | { readonly kind: "failed"; readonly code: string; readonly lasting?: boolean };

export interface Dns {
  /** Never rejects, and answers within its own time-out. */
  ask(name: string, type: RecordType): Promise<Answer>;
}
