/** On the calling thread the ledger leaves nothing to chance, and nothing it does grows with what it holds. */
import { existsSync, statSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { openLedger } from "../../src/store/index.ts";
import { type Connection, openConnection } from "../../src/store/sqlite/connection.ts";
import { openCore } from "../../src/store/sqlite.ts";
import { bytes, message, preparedOf, skip } from "./contract/world.ts";
import { filledLedger } from "./damage.ts";
import { testFolder } from "./folder.ts";

describe("a ledger in memory on the calling thread", () => {
  it("has run a call to its end within microtasks, without a timer, calls of one turn in one commit", async () => {
    const ledger = await openLedger({ path: ":memory:", thread: "calling" });
    const timers = [vi.spyOn(globalThis, "setTimeout"), vi.spyOn(globalThis, "setImmediate")];
    const order: string[] = [];
    const calls = [
      ledger.accept([message("a")]).then(() => order.push("accept")),
      ledger.stats(0).then(({ messages }) => order.push(`stats ${messages}`)),
      ledger.probe(1).then(() => order.push("probe")),
    ];
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    expect(order).toEqual(["accept", "stats 1", "probe"]);
    await Promise.all(calls);
    for (const timer of timers) {
      expect(timer).not.toHaveBeenCalled();
      timer.mockRestore();
    }
    await ledger.maintain();
    await ledger.close();
  });

  it("lives the same life from the same calls", async () => {
    const life = async () => {
      const ledger = await openLedger({ path: ":memory:", thread: "calling" });
      await ledger.accept([message("a"), message("b")]);
      const attempts = await ledger.attempt({ tenants: ["acme"], room: 5, now: 5, leaseMs: 5 });
      await ledger.prepare(attempts.map((attempt) => preparedOf(attempt, { "acme/crm": skip() })));
      const told = JSON.stringify([attempts, await ledger.find({ limit: 5 }), await ledger.story("event-a")]);
      await ledger.close();
      return told;
    };
    expect(await life()).toBe(await life());
  });

  it("is not offered in a worker thread", async () => {
    await expect(openLedger({ path: ":memory:", thread: "worker" })).rejects.toThrow(/calling thread only/);
  });
});

describe("a write-ahead log and freed pages", () => {
  it("are given back in quiet moments", async () => {
    const path = testFolder().file("ledger.sqlite");
    const ledger = await openLedger({ path, thread: "worker" });
    await ledger.accept(
      Array.from({ length: 200 }, (_, n) =>
        message(`a${n}`, { raw: { kind: "inline", sealed: bytes("x".repeat(20_000)) } }),
      ),
    );
    await ledger.maintain();
    const full = statSync(path).size;
    const attempts = await ledger.attempt({ tenants: ["acme"], room: 200, now: 5, leaseMs: 5 });
    await ledger.prepare(attempts.map((attempt) => preparedOf(attempt, { "acme/crm": skip() })));
    await ledger.archived(attempts.map(({ eventId }) => ({ eventId, key: eventId })));
    await ledger.maintain();
    expect(statSync(path).size).toBeLessThan(full / 4);
    expect(statSync(`${path}-wal`).size).toBe(0);
    await ledger.close();
    expect(existsSync(`${path}-wal`)).toBe(false);
  });
});

/** Walks that are bounded by something else than the size of the ledger: one row, the lanes, the runs, the accounts, a list that was handed in, what is leased or sent, what waits for a person, whether anybody decided anything, and sorts of one delivery. */
const allowed =
  /^SCAN (ledger|lane|run|imap_account|lane_tally|file_tally|json_each|CONSTANT ROW)\b|USING (COVERING )?INDEX (event_leased|delivery_leased|filing_leased|content_leased|step_sent|event_unarchived|event_received|review_waiting|decision_standing)\b|^USE TEMP B-TREE FOR (ORDER|GROUP) BY/;

/** All of a run's deliveries, where it is not all of them that are counted: a report of 5,000 messages that did so for each took half an hour. */
const readsWholeRun = (sql: string, detail: string): boolean =>
  sql.includes("run_delivery") && /PRIMARY KEY \(run=\?\)/.test(detail) && !sql.includes("GROUP BY d.state");

describe("every statement", () => {
  it("finds its rows by an index, and shows SQLite no value to plan by", async () => {
    const path = await filledLedger(testFolder(), 20);
    const statements = new Set<string>();
    let db: Connection | undefined;
    const core = openCore({
      path,
      check: "none",
      connect(options) {
        const opened = openConnection(options);
        const prepare = opened.prepare.bind(opened) as (sql: string) => unknown;
        opened.prepare = ((sql: string) => {
          const statement = prepare(sql) as { readonly source: string };
          statements.add(statement.source);
          return statement;
        }) as unknown as Connection["prepare"];
        db = opened;
        return opened;
      },
    });
    for (const query of [
      { state: "failed" },
      { state: "received" },
      { spooled: true },
      { message: "x" },
      { event: "x" },
      { lane: "l", state: "pending" },
    ] as const) {
      core.run([{ name: "find", args: [{ ...query, limit: 5 }] }]);
    }
    const walks: string[] = [];
    const peeked: string[] = [];
    for (const sql of [...statements].filter((text) => /^(SELECT|UPDATE|DELETE)/.test(text))) {
      const bare = sql.replaceAll(/\$\w+/g, "?");
      // Or SQLite would compile it anew for every run (connection.ts).
      if (/[^+]\?/.test(bare)) peeked.push(sql);
      const values = new Array<number>(bare.split("?").length - 1).fill(1);
      const plan = db?.prepare<number[], { detail: string }>(`EXPLAIN QUERY PLAN ${bare}`).all(...values) ?? [];
      for (const { detail } of plan)
        if ((/^SCAN|TEMP B-TREE/.test(detail) && !allowed.test(detail)) || readsWholeRun(sql, detail))
          walks.push(`${sql}: ${detail}`);
    }
    core.close();
    expect(statements.size).toBeGreaterThan(60);
    expect(walks).toEqual([]);
    expect(peeked).toEqual([]);
  });
});
