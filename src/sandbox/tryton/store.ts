/** The records of the sandbox database. A call that fails has changed nothing; its numbers are used up all the same, as PostgreSQL's are. */
import type { Clock } from "../../model/ports.ts";
import type { TrytonSandboxOptions } from "./options.ts";

export type Values = Readonly<Record<string, unknown>>;

export interface Row {
  readonly id: number;
  readonly values: Values;
  readonly createdAt: number;
  /** As `_timestamp` shows it: grows with every change. */
  readonly stamp: string;
}

export interface Store {
  all(model: string): Row[];
  get(model: string, id: unknown): Row | undefined;
  insert(model: string, values: Values): Row;
  change(model: string, id: number, values: Values): void;
  remove(model: string, id: number): void;
  /** The next of a sequence of Tryton's own: codes of parties, numbers of opportunities. */
  next(sequence: string): string;
  /** All or nothing. */
  transaction<T>(work: () => T): T;
}

export function openStore(clock: Pick<Clock, "now">, { firstIds }: TrytonSandboxOptions): Store {
  const tables = new Map<string, Map<number, Row>>();
  /** What takes the changes of the running transaction back, the latest first. */
  let undo: (() => void)[] = [];
  const lastIds = new Map<string, number>(Object.entries(firstIds).map(([model, id]) => [model, id - 1]));
  const sequences = new Map<string, number>();
  let changes = 0;
  function table(model: string): Map<number, Row> {
    const rows = tables.get(model) ?? new Map<number, Row>();
    tables.set(model, rows);
    return rows;
  }
  const stamp = (): string => `${Math.floor(clock.now() / 1_000)}.${String(++changes).padStart(6, "0")}`;
  function keep(model: string, row: Row): Row {
    const rows = table(model);
    const before = rows.get(row.id);
    rows.set(row.id, row);
    undo.unshift(() => (before === undefined ? rows.delete(row.id) : rows.set(row.id, before)));
    return row;
  }

  return {
    all: (model) => [...table(model).values()],
    get: (model, id) => (typeof id === "number" ? table(model).get(id) : undefined),
    insert(model, values) {
      const id = (lastIds.get(model) ?? 0) + 1;
      lastIds.set(model, id);
      return keep(model, { id, values, createdAt: clock.now(), stamp: stamp() });
    },
    change(model, id, values) {
      const row = table(model).get(id);
      if (row !== undefined) keep(model, { ...row, values: { ...row.values, ...values }, stamp: stamp() });
    },
    remove(model, id) {
      const rows = table(model);
      const before = rows.get(id);
      if (before === undefined) return;
      rows.delete(id);
      undo.unshift(() => rows.set(id, before));
    },
    next(sequence) {
      const number = (sequences.get(sequence) ?? 0) + 1;
      sequences.set(sequence, number);
      return String(number);
    },
    transaction(work) {
      undo = [];
      try {
        return work();
      } catch (error) {
        for (const back of undo) back();
        throw error;
      } finally {
        undo = [];
      }
    },
  };
}
