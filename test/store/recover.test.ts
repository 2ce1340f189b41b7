/** What can be read of a damaged ledger is saved, what cannot is said, and the damaged file stays as it is. */
import { copyFileSync, existsSync, readFileSync, rmSync, statSync } from "node:fs";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import type { Ledger } from "../../src/model/ledger.ts";
import { openLedger, recoverLedger, type TableReport } from "../../src/store/index.ts";
import { facts } from "./contract/threads.ts";
import { hold, lane, message, preparedOf, steps } from "./contract/world.ts";
import { damagePages, filledLedger, pageKind, pagesOf } from "./damage.ts";
import { testFolder } from "./folder.ts";

const messages = 300;

async function look(path: string) {
  const ledger = await openLedger({ path, thread: "calling" });
  try {
    const rows = await ledger.find({ limit: 10_000 });
    return { rows, stats: await ledger.stats(0), ids: new Set(rows.map(({ eventId }) => eventId)) };
  } finally {
    await ledger.close();
  }
}

const savedOf = (reports: readonly TableReport[], name: string) => reports.find(({ table }) => table === name);

describe("recover", () => {
  it("saves everything of a ledger that is whole, leases and counts put right", async () => {
    const folder = testFolder();
    const path = await filledLedger(folder, messages);
    const before = await look(path);
    const heard: TableReport[] = [];
    const done = await recoverLedger(path, folder.file("new.sqlite"), (report) => heard.push(report));
    expect(heard).toEqual(done.tables);
    expect(done.tables.every(({ lost }) => lost === 0)).toBe(true);
    expect(done).toMatchObject({ orphans: [], rawLost: 0, replanned: before.stats.deliveries.pending });
    const after = await look(folder.file("new.sqlite"));
    expect(after.ids).toEqual(before.ids);
    expect(after.stats.deliveries).toEqual(before.stats.deliveries);
    // Whatever was still to be delivered is planned again as well.
    expect(after.stats.received).toBe(before.stats.received + before.stats.deliveries.pending);
    expect(
      after.rows
        .flatMap(({ deliveries }) => deliveries.flatMap(({ steps: all }) => all.map(({ key, ref }) => `${key} ${ref}`)))
        .sort(),
    ).toEqual(
      before.rows
        .flatMap(({ deliveries }) => deliveries.flatMap(({ steps: all }) => all.map(({ key, ref }) => `${key} ${ref}`)))
        .sort(),
    );
  });

  it("saves runs, what they made and took back, and what waits to be gone on with", async () => {
    const folder = testFolder();
    const path = await filledLedger(folder, 30);
    const run = {
      tenant: "acme",
      kind: "apply",
      of: null,
      mappingVersion: 100,
      cohort: {},
      by: "kim",
      note: null,
    } as const;
    const seen = async (file: string) => {
      const ledger = await openLedger({ path: file, thread: "calling" });
      try {
        return {
          runs: await ledger.runs({ limit: 9 }),
          tally: await ledger.runTally(1),
          undo: await ledger.runTally(2),
        };
      } finally {
        await ledger.close();
      }
    };
    const ledger = await openLedger({ path, thread: "calling" });
    await ledger.beginRun({ ...run, now: 1 });
    await ledger.chooseForRun(1, ["event-m1", "event-m2", "event-m3"]);
    await ledger.feedRun({ run: 1, limit: 2, now: 2 });
    await ledger.beginRun({ ...run, kind: "undo", of: 1, now: 3 });
    await ledger.close();
    const before = await seen(path);
    expect(before.tally).toMatchObject({ given: 2, waiting: 1 });
    await recoverLedger(path, folder.file("new.sqlite"));
    const after = await seen(folder.file("new.sqlite"));
    expect(after.runs).toEqual(before.runs);
    expect(after.tally).toMatchObject({ given: 0, waiting: 3 });
    expect(after.undo).toEqual(before.undo);
  });

  it.each([
    "event",
    "raw",
    "body",
    "delivery",
    "step",
    "plan",
    "record",
    "story",
    "lane",
    "delivery_state",
    "event_identity",
    "threaded",
    "thread_key",
  ])("loses no more than what lay on overwritten pages of %s", async (table) => {
    const folder = testFolder();
    const path = await filledLedger(folder, messages);
    const pages = pagesOf(path, table);
    const broken =
      pages.length < 3 ? pages : [pages[0], pages[Math.floor(pages.length / 2)]].filter((page) => page !== undefined);
    damagePages(path, broken);
    const original = readFileSync(path);
    const done = await recoverLedger(path, folder.file("new.sqlite"));
    expect(readFileSync(path).equals(original)).toBe(true);
    const { stats, rows } = await look(folder.file("new.sqlite"));
    const saved = savedOf(done.tables, "event")?.saved ?? 0;
    expect(stats.messages).toBe(saved);
    if (table !== "event") expect(saved).toBe(messages);
    else {
      expect(saved).toBeGreaterThan(messages / 2);
      expect(saved + (savedOf(done.tables, "event")?.lost ?? 0)).toBe(messages);
      // The bytes of a message whose row is lost are kept as files.
      expect(done.orphans.length).toBe(messages - saved);
      expect(done.orphans.every((file) => statSync(file).size > 0)).toBe(true);
    }
    if (table === "raw") {
      expect(done.rawLost).toBeGreaterThan(0);
      expect(rows.filter(({ raw }) => raw.kind === "gone")).toHaveLength(done.rawLost);
    }
    // Refs come back from the steps, even when the page that remembered them is gone.
    if (table === "record") expect(await remembered(folder.file("new.sqlite"))).toBe(true);
    // A delivery or step that is lost is planned again.
    if (table === "delivery")
      for (const { stage, deliveries } of rows) expect(stage === "accepted" || deliveries.length > 0).toBe(true);
  });

  it("saves what it can when pages all over the file are damaged", async () => {
    const folder = testFolder();
    const path = await filledLedger(folder, messages);
    const schema = new Set(pagesOf(path, "sqlite_schema"));
    const leaves = Array.from({ length: statSync(path).size / 4096 }, (_, n) => n + 1).filter(
      (page) => pageKind(path, page) === 13 && !schema.has(page),
    );
    damagePages(
      path,
      leaves.filter((page, n) => n % 6 === 3 && page > 20),
    );
    const done = await recoverLedger(path, folder.file("new.sqlite"));
    expect(savedOf(done.tables, "event")?.saved).toBeGreaterThan(messages / 2);
    const { stats, rows } = await look(folder.file("new.sqlite"));
    expect(stats.messages).toBe(rows.length);
  });

  it("goes on with a recovered ledger without doing anything twice", async () => {
    const folder = testFolder();
    const path = await filledLedger(folder, messages);
    damagePages(path, pagesOf(path, "step").slice(0, 2));
    await recoverLedger(path, folder.file("new.sqlite"));
    const ledger = await openLedger({ path: folder.file("new.sqlite"), thread: "calling" });
    expect(await ledger.accept([message("m3")])).toMatchObject([{ outcome: "duplicate" }]);
    const attempts = await ledger.attempt({ tenants: ["acme"], room: messages, now: 9_000, leaseMs: 1_000 });
    await ledger.prepare(
      attempts.map((attempt) => preparedOf(attempt, { [lane]: steps("person-p", `activity-${attempt.eventId}`) })),
    );
    const { claims } = await ledger.claim({ lane, room: messages, now: 9_100, leaseMs: 1_000 });
    for (const { steps: all } of claims)
      for (const step of all) if (step.key === "person-p") expect(step.ref).toBe("ref-of-person-p");
    expect((await ledger.stats(0)).backlog).toBe(claims.length);
    await ledger.close();
  });

  it.each(["plan", "step"])("delivers what waited and lost its %s, once it is planned again", async (table) => {
    const folder = testFolder();
    const path = await filledLedger(folder, messages);
    damagePages(path, pagesOf(path, table));
    await recoverLedger(path, folder.file("new.sqlite"));
    const ledger = await openLedger({ path: folder.file("new.sqlite"), thread: "calling" });
    // A lane is at work as soon as the parse is; it can do nothing with what is not whole.
    const { claims } = await ledger.claim({ lane, room: messages, now: 9_000, leaseMs: 1_000 });
    for (const claim of claims) {
      expect(claim.sealedSteps.length).toBeGreaterThan(0);
      const settlement = { state: "failed", reason: "defect", detail: "a step is missing" } as const;
      await ledger.settle({ claim, at: 9_000, settlement });
    }
    const attempts = await ledger.attempt({ tenants: ["acme"], room: messages, now: 9_100, leaseMs: 1_000 });
    await ledger.prepare(
      attempts.map((attempt) => preparedOf(attempt, { [lane]: steps("person-p", `activity-${attempt.eventId}`) })),
    );
    expect((await ledger.stats(0)).deliveries.failed).toBe(0);
    await ledger.close();
  });

  it("saves a ledger of an older program, which has not all the columns", async () => {
    const folder = testFolder();
    const path = await filledLedger(folder, 30);
    const db = new Database(path);
    for (const column of ["budget", "old_until", "old_reason"]) db.exec(`ALTER TABLE lane DROP COLUMN ${column}`);
    db.pragma("user_version = 18");
    db.close();
    const done = await recoverLedger(path, folder.file("new.sqlite"));
    expect(savedOf(done.tables, "lane")).toEqual({ table: "lane", saved: 1, lost: 0 });
    expect(savedOf(done.tables, "event")?.saved).toBe(30);
  });

  it("takes no ref of an account that a lane has left for one of the account that it has now", async () => {
    const folder = testFolder();
    const path = folder.file("ledger.sqlite");
    const ledger = await openLedger({ path, thread: "calling" });
    await ledger.bind({ lane, account: "the first" });
    await ledger.accept([message("a")]);
    const attempts = await ledger.attempt({ tenants: ["acme"], room: 1, now: 1_500, leaseMs: 1_000 });
    await ledger.prepare(attempts.map((attempt) => preparedOf(attempt, { [lane]: steps("person-p", "activity-a") })));
    const { claims } = await ledger.claim({ lane, room: 1, now: 3_000, leaseMs: 1_000 });
    for (const claim of claims) {
      const notes = claim.steps.map(({ id, key }) => {
        return { step: id, state: "confirmed", at: 3_000, ref: `ref-of-${key}`, adopted: false } as const;
      });
      await ledger.settle({ claim, at: 3_000, settlement: { state: "processed" }, steps: notes });
    }
    await ledger.bind({ lane, account: "the second" });
    await ledger.close();
    await recoverLedger(path, folder.file("new.sqlite"));
    const recovered = await openLedger({ path: folder.file("new.sqlite"), thread: "calling" });
    expect(await recovered.remembered(lane, [{ kind: "person", key: "person-p" }])).toEqual([null]);
    expect(await recovered.bind({ lane, account: "the second" })).toBe(false);
    expect(await recovered.bind({ lane, account: "the third" })).toBe(true);
    await recovered.close();
  });

  it("saves what waits for a person, and what persons decided", async () => {
    const folder = testFolder();
    const path = folder.file("ledger.sqlite");
    const ledger = await openLedger({ path, thread: "calling" });
    await ledger.accept(["a", "b", "c"].map((name) => message(name)));
    const attempts = await ledger.attempt({ tenants: ["acme"], room: 3, now: 1_500, leaseMs: 1_000 });
    await ledger.prepare(attempts.map((attempt) => preparedOf(attempt, { [lane]: hold() })));
    const answer = { kind: "join", withEventId: "event-b" } as const;
    await ledger.decide([
      { eventId: "event-a", answer: { kind: "reject" }, by: "ada", note: "spam", now: 4_000 },
      { eventId: "event-a", answer, by: "ada", note: null, now: 4_000 },
    ]);
    const [reviews, decisions] = await seen(ledger);
    await ledger.close();
    await recoverLedger(path, folder.file("new.sqlite"));
    const recovered = await openLedger({ path: folder.file("new.sqlite"), thread: "calling" });
    // The rejected one is held until it is planned again, and says so once more.
    const [after, decided] = await seen(recovered);
    expect(decided).toEqual(decisions);
    expect(after).toEqual(expect.arrayContaining([...reviews]));
    expect(after.length).toBeLessThanOrEqual(reviews.length + 1);
    await recovered.close();
  });

  const seen = async (ledger: Ledger) =>
    [await ledger.reviews({ which: "all", limit: 10 }), await ledger.decisions("event-a")] as const;

  it("reads what is left when the write-ahead log is gone", async () => {
    const folder = testFolder();
    const path = folder.file("ledger.sqlite");
    const ledger = await openLedger({ path, thread: "calling" });
    await ledger.accept([message("a")]);
    await ledger.maintain();
    await ledger.accept([message("b")]);
    copyFileSync(path, folder.file("killed.sqlite"));
    await ledger.close();
    const done = await recoverLedger(folder.file("killed.sqlite"), folder.file("new.sqlite"));
    expect(savedOf(done.tables, "event")).toEqual({ table: "event", saved: 1, lost: 0 });
  });

  it("uses the write-ahead log when there is one", async () => {
    const folder = testFolder();
    const path = folder.file("ledger.sqlite");
    const ledger = await openLedger({ path, thread: "calling" });
    await ledger.maintain();
    await ledger.accept([message("b")]);
    for (const end of ["", "-wal"]) copyFileSync(`${path}${end}`, `${folder.file("killed.sqlite")}${end}`);
    await ledger.close();
    expect(
      savedOf((await recoverLedger(folder.file("killed.sqlite"), folder.file("new.sqlite"))).tables, "event")?.saved,
    ).toBe(1);
    expect(statSync(`${folder.file("killed.sqlite")}-wal`).size).toBeGreaterThan(0);
  });

  it.each([[1], [1, 2, 3, 4, 5]])(
    "says that nothing can be read when the beginning of the file is garbage (%s)",
    async (...pages) => {
      const folder = testFolder();
      const path = await filledLedger(folder, 30);
      damagePages(path, pages);
      await expect(recoverLedger(path, folder.file("new.sqlite"))).rejects.toThrow(/Nothing can be read.*restore/);
      expect(existsSync(folder.file("new.sqlite"))).toBe(false);
    },
  );

  it.each([false, true])(
    "keeps where messages stand, and what they are found by; its index lost: %s",
    async (isLost) => {
      const folder = testFolder();
      const path = await filledLedger(folder, 30);
      if (isLost) damagePages(path, pagesOf(path, "thread_key"));
      await recoverLedger(path, folder.file("new.sqlite"));
      const ledger = await openLedger({ path: folder.file("new.sqlite"), thread: "calling" });
      try {
        for (let n = 0; n < 18; n += 3) {
          const expected = [`event-m${n}`, `event-m${n + 1}`, `event-m${n + 2}`];
          const thread = await ledger.thread({ event: `event-m${n + 1}` });
          expect(thread?.threadId).toBe(`thread-m${n}`);
          expect(thread?.messages.map(({ eventId }) => eventId)).toEqual(expected);
          const late = facts("late", { names: [`id-m${n + 2}`] });
          const around = await ledger.around({ tenant: "acme", facts: [late], window: 1_000 });
          expect(around.messages.map(({ eventId }) => eventId).sort()).toEqual(expected.toSorted());
        }
      } finally {
        await ledger.close();
      }
    },
  );

  it("never overwrites a file", async () => {
    const folder = testFolder();
    const path = await filledLedger(folder, 5);
    copyFileSync(path, folder.file("new.sqlite"));
    await expect(recoverLedger(path, folder.file("new.sqlite"))).rejects.toThrow(/never overwrites/);
    rmSync(path);
    await expect(recoverLedger(path, folder.file("other.sqlite"))).rejects.toThrow(/no file/);
  });
});

async function remembered(path: string): Promise<boolean> {
  const ledger = await openLedger({ path, thread: "calling" });
  try {
    await ledger.accept([message("fresh")]);
    const attempts = await ledger.attempt({ tenants: ["acme"], room: 1_000, now: 9_000, leaseMs: 1_000 });
    const fresh = attempts.filter(({ eventId }) => eventId === "event-fresh");
    await ledger.prepare(
      fresh.map((attempt) => preparedOf(attempt, { "acme/crm": steps("person-p", "activity-fresh") }, { now: 1 })),
    );
    const { claims } = await ledger.claim({ lane, room: 1_000, now: 9_100, leaseMs: 1_000 });
    return claims.some(({ eventId, steps: all }) => eventId === "event-fresh" && all[0]?.ref === "ref-of-person-p");
  } finally {
    await ledger.close();
  }
}
