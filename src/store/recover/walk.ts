/** Reads a table whose pages may be damaged: on from wherever the next readable row is. */
import type { Connection } from "../sqlite/connection.ts";
import type { Table } from "./tables.ts";

export type Row = Readonly<Record<string, unknown>>;

interface Seek {
  /** Rows from `low` up to and including `high`, in order. */
  from(low: number, high: number): IterableIterator<Row & { walk: number }>;
}

/** Hands every readable row to `keep`; the answer counts the numbers that fell into unreadable stretches. */
export function salvage(source: Connection, table: Table, keep: (row: Row) => void): { lost: number } {
  return table.key === undefined ? byNumber(source, table, keep) : fromBothEnds(source, table, table.key, keep);
}

/**
 * By row number. A damaged page stops a scan; from there the stretch ahead is halved again and again, so that only what lies on the page
 * itself is given up. Stretches of a single number that cannot be read are counted as lost, as far as rows were still to come.
 */
function byNumber(source: Connection, table: Table, keep: (row: Row) => void): { lost: number } {
  const seek = openSeek(source, table);
  const last = lastNumber(source, table, seek);
  let kept = 0;
  let lost = 0;
  let reached = 0;
  const pending: [number, number][] = [[1, last]];
  for (let range = pending.pop(); range !== undefined; range = pending.pop()) {
    let [low] = range;
    const [, high] = range;
    if (low > high) continue;
    try {
      for (const row of seek.from(low, high)) {
        keep(row);
        kept++;
        reached = Math.max(reached, row.walk);
        low = row.walk + 1;
      }
    } catch {
      if (low >= high) {
        lost++;
        continue;
      }
      const middle = low + Math.floor((high - low) / 2);
      // The nearer half first: rows come out in order.
      pending.push([middle + 1, high], [low, middle]);
    }
  }
  return { lost: Math.min(lost, Math.max(0, last - kept)) };
}

function openSeek(source: Connection, { name, columns }: Table): Seek {
  const names = columns.join(", ");
  const select = source.prepare<[number, number], Row & { walk: number }>(
    `SELECT rowid AS walk, ${names} FROM ${name} NOT INDEXED WHERE rowid BETWEEN ? AND ? ORDER BY rowid`,
  );
  return { from: (low, high) => select.iterate(low, high) };
}

/** The highest row number: as the table says, or as the counter of its kind does; at worst as far as a power of two reads. */
function lastNumber(source: Connection, { name }: Table, seek: Seek): number {
  const asked = [
    `SELECT max(rowid) FROM ${name} NOT INDEXED`,
    `SELECT seq FROM sqlite_sequence WHERE name = '${name}'`,
    "SELECT seq FROM sqlite_sequence WHERE name = 'step'",
  ];
  for (const sql of asked) {
    try {
      const found = source.prepare<[], number | null>(sql).pluck().get();
      if (typeof found === "number" && Number.isSafeInteger(found) && found > 0) return found;
      if (found === null) return 0;
    } catch {
      // The next way of asking reads other pages.
    }
  }
  for (let power = 2 ** 24; power > 1; power /= 2) {
    try {
      for (const { walk } of seek.from(power / 2, power)) return Math.max(power, walk);
    } catch {
      return power;
    }
  }
  return 0;
}

/** A table without row numbers: read from its beginning, and from its end, until damage stops either. */
function fromBothEnds(
  source: Connection,
  { name, columns }: Table,
  key: readonly string[],
  keep: (row: Row) => void,
): { lost: number } {
  const names = columns.join(", ");
  let stopped = false;
  for (const order of ["ASC", "DESC"]) {
    const keys = key.map((column) => `${column} ${order}`);
    try {
      for (const row of source.prepare<[], Row>(`SELECT ${names} FROM ${name} ORDER BY ${keys.join(", ")}`).iterate())
        keep(row);
      if (!stopped) return { lost: 0 };
    } catch {
      stopped = true;
    }
  }
  return { lost: 1 };
}
