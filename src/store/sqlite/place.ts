/** Where the raw bytes of a message are, from the two columns that say so. */
import type { RawPlace } from "../../model/ledger.ts";

export function rawPlace(kind: string, name: string | null): RawPlace {
  switch (kind) {
    case "inline":
    case "gone":
      return { kind };
    case "spool":
      return { kind, name: named(kind, name) };
    case "blob":
      return { kind, key: named(kind, name) };
    default:
      throw new TypeError(`the ledger names a place for raw bytes that is not known: ${kind}`);
  }
}

function named(kind: string, name: string | null): string {
  if (name === null) throw new TypeError(`raw bytes in the ${kind} have no name`);
  return name;
}
