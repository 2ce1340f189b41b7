/** What the ledger does when the disk, the lock or its own thread fails under it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import Database from "better-sqlite3";
import { afterEach, describe, expect, it, vi } from "vitest";
import { openLedger, StoreFailed } from "../../src/store/index.ts";
import { type Connection, openConnection } from "../../src/store/sqlite/connection.ts";
import type { Call } from "../../src/store/sqlite/operations.ts";
import { type Answer, type Core, openCore } from "../../src/store/sqlite.ts";
import { message } from "./contract/world.ts";
import { damagePages, filledLedger, pagesOf } from "./damage.ts";
import { testFolder } from "./folder.ts";

type Fault = "before" | "after";

/** A disk whose commits fail when told to: before anything is written, or after it was (the sync failed, the bytes are there). */
function openFaulty(path: string) {
  const faults: { commit: Fault | undefined; code: string; connects: number; refuseConnect: boolean } = {
    commit: undefined,
    code: "SQLITE_IOERR_FSYNC",
    connects: 0,
    refuseConnect: false,
  };
  const failure = () => new Database.SqliteError("disk I/O error", faults.code);
  const connect: typeof openConnection = (options) => {
    faults.connects++;
    if (faults.refuseConnect) throw failure();
    const db = openConnection(options);
    const prepare = db.prepare.bind(db) as (sql: string) => Database.Statement;
    const faulty = (sql: string): Database.Statement => {
      const statement = prepare(sql);
      if (sql !== "COMMIT") return statement;
      const run = statement.run.bind(statement);
      statement.run = () => {
        const fault = faults.commit;
        if (fault === "before") throw failure();
        const result = run();
        if (fault === "after") throw failure();
        return result;
      };
      return statement;
    };
    db.prepare = faulty as unknown as Connection["prepare"];
    return db;
  };
  return { core: openCore({ path, check: "quick", connect }), faults };
}

const accept = (name: string): Call => ({ name: "accept", args: [[message(name)]] });
const stats: Call = { name: "stats", args: [0] };
const one = (core: Core, call: Call): Answer => {
  const [answer] = core.run([call]);
  if (answer === undefined) throw new Error("no answer");
  return answer;
};
const codeOf = (answer: Answer | undefined) =>
  answer?.ok === false ? [answer.error.code, answer.error.mayBeDurable] : "ok";

describe("a commit that fails", () => {
  it.each(["before", "after"] as const)(
    "rejects every call of the batch as possibly durable, and a re-send is known (%s the bytes are written)",
    (fault) => {
      const { core, faults } = openFaulty(testFolder().file("ledger.sqlite"));
      faults.commit = fault;
      expect(core.run([accept("a"), accept("b")]).map(codeOf)).toEqual([
        ["SQLITE_IOERR_FSYNC", true],
        ["SQLITE_IOERR_FSYNC", true],
      ]);
      faults.commit = undefined;
      const again = one(core, accept("a"));
      expect(again).toMatchObject({
        ok: true,
        value: [{ eventId: "event-a", outcome: fault === "after" ? "duplicate" : "new" }],
      });
      expect(one(core, stats)).toMatchObject({ value: { messages: fault === "after" ? 2 : 1 } });
      core.close();
    },
  );

  it("opens the file again, and takes no message until a write has been read back", () => {
    const { core, faults } = openFaulty(testFolder().file("ledger.sqlite"));
    faults.commit = "before";
    core.run([accept("a")]);
    const before = faults.connects;
    faults.refuseConnect = true;
    expect(codeOf(one(core, accept("b")))).toEqual(["SQLITE_IOERR_FSYNC", false]);
    expect(codeOf(one(core, { name: "probe", args: [100] }))).toEqual(["SQLITE_IOERR_FSYNC", false]);
    faults.refuseConnect = false;
    faults.commit = undefined;
    expect(codeOf(one(core, { name: "probe", args: [100] }))).toBe("ok");
    // Opened again once, and once more to read back what was written.
    expect(faults.connects).toBe(before + 4);
    expect(codeOf(one(core, accept("c")))).toBe("ok");
    core.close();
  });

  it("keeps a failure of one call to itself, and of the disk to all", () => {
    const { core, faults } = openFaulty(testFolder().file("ledger.sqlite"));
    const bad: Call = { name: "accept", args: [[message("bad", { digest: null as unknown as string })]] };
    expect(core.run([accept("a"), bad, accept("b"), stats]).map(codeOf)).toEqual([
      "ok",
      ["SQLITE_CONSTRAINT_NOTNULL", false],
      "ok",
      "ok",
    ]);
    faults.code = "SQLITE_FULL";
    faults.commit = "before";
    const answers = core.run([accept("c"), stats]);
    expect(answers.map(codeOf)).toEqual([
      ["SQLITE_FULL", true],
      ["SQLITE_FULL", true],
    ]);
    expect(answers[0]?.ok === false && answers[0].error.message).toContain("disk is full");
    faults.commit = undefined;
    expect(one(core, stats)).toMatchObject({ value: { messages: 2 } });
    core.close();
  });

  it("does not make a batch of reads write", () => {
    const path = testFolder().file("ledger.sqlite");
    const { core, faults } = openFaulty(path);
    core.run([accept("a")]);
    // A reader beside a writer that never ends: reads go on.
    const other = new Database(path);
    other.exec("BEGIN IMMEDIATE");
    expect(core.run([stats, { name: "find", args: [{ limit: 5 }] }]).map(codeOf)).toEqual(["ok", "ok"]);
    other.exec("ROLLBACK");
    other.close();
    expect(faults.connects).toBe(1);
    core.close();
  });
});

describe("a page that turns out to be damaged while the ledger is open", () => {
  it("is named with the file and `mailwright recover`, and no message is taken after it", async () => {
    const path = await filledLedger(testFolder(), 400);
    // Without the check, so that the damage is met and not held back by what has been read before it.
    const core = openCore({ path, check: "none" });
    damagePages(path, pagesOf(path, "event"));
    const answer = one(core, { name: "find", args: [{ limit: 400 }] });
    expect(codeOf(answer)).toEqual(["damaged", false]);
    for (const call of [accept("new"), stats]) {
      const refused = one(core, call);
      expect(refused.ok === false && refused.error).toMatchObject({ code: "damaged" });
      expect(refused.ok === false && refused.error.message).toMatch(/mailwright recover/);
    }
    core.close();
  });
});

describe("a ledger locked by another process", () => {
  const holder = async (path: string) => {
    const child = spawn(process.execPath, [new URL("./children/hold-write.ts", import.meta.url).pathname, path], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    return async () => {
      child.kill("SIGKILL");
      await once(child, "exit");
    };
  };

  it.each(["calling", "worker"] as const)("answers a probe within its time (%s thread)", async (thread) => {
    const path = testFolder().file("ledger.sqlite");
    const ledger = await openLedger({ path, thread });
    const letGo = await holder(path);
    const began = performance.now();
    await expect(ledger.probe(200)).rejects.toBeInstanceOf(StoreFailed);
    expect(performance.now() - began).toBeLessThan(3_000);
    await letGo();
    await expect(ledger.probe(5_000)).resolves.toBeUndefined();
    await ledger.close();
  });

  it("answers a probe while an accept ahead of it waits for the lock, and reads go on", async () => {
    const path = testFolder().file("ledger.sqlite");
    const ledger = await openLedger({ path, thread: "worker" });
    const letGo = await holder(path);
    const waiting = ledger.accept([message("a")]);
    await expect(ledger.probe(100)).rejects.toMatchObject({ code: "timeout" });
    await letGo();
    await expect(waiting).resolves.toMatchObject([{ outcome: "new" }]);
    await ledger.close();
  });
});

describe("a worker thread that dies", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it("rejects what was waiting, says so in the log, and is started again with the next call", async () => {
    const path = testFolder().file("ledger.sqlite");
    const posted = vi.spyOn(Worker.prototype, "postMessage");
    const errors: string[] = [];
    const log = {
      debug() {},
      info() {},
      warn() {},
      error: (_: unknown, text: string) => errors.push(text),
      with: () => log,
    };
    const ledger = await openLedger({ path, thread: "worker", log });
    await ledger.accept([message("a")]);
    const thread = posted.mock.contexts[0] as Worker;
    const letGo = new Database(path);
    letGo.exec("BEGIN IMMEDIATE");
    const waiting = [ledger.accept([message("b")]), ledger.stats(0)];
    await new Promise((resolve) => setImmediate(resolve));
    await thread.terminate();
    letGo.exec("ROLLBACK");
    letGo.close();
    for (const call of waiting)
      await expect(call).rejects.toMatchObject({ name: "StoreFailed", code: "thread", mayBeDurable: true });
    expect(errors).toHaveLength(1);
    await expect(ledger.accept([message("a"), message("c")])).resolves.toMatchObject([
      { outcome: "duplicate" },
      { outcome: "new" },
    ]);
    await ledger.close();
  });
});

describe("a batch that cannot be sent to the ledger's thread", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it.each(["pack", "post"] as const)("rejects alone: the next one gets its own answers (%s fails)", async (what) => {
    const ledger = await openLedger({ path: testFolder().file("ledger.sqlite"), thread: "worker" });
    // A bigint has no JSON, which is how a message is packed; a function is nothing that can be posted.
    const refused =
      what === "pack"
        ? ledger.accept([message("bad", { rawSize: 1n as unknown as number })])
        : ledger.find({ limit: (() => 1) as unknown as number });
    await expect(refused).rejects.toMatchObject({ name: "StoreFailed", code: "misuse", mayBeDurable: false });
    await expect(ledger.accept([message("a")])).resolves.toMatchObject([{ eventId: "event-a", outcome: "new" }]);
    await expect(ledger.stats(0)).resolves.toMatchObject({ messages: 1 });
    await ledger.close();
  });

  it("rejects when its report cannot be read, and the thread that sent it is replaced", async () => {
    const posted = vi.spyOn(Worker.prototype, "postMessage");
    const ledger = await openLedger({ path: testFolder().file("ledger.sqlite"), thread: "worker" });
    await ledger.accept([message("a")]);
    const thread = posted.mock.contexts[0] as Worker;
    posted.mockImplementationOnce(function (this: Worker) {
      setImmediate(() => this.emit("messageerror", new Error("not a report")));
    });
    const waiting = ledger.accept([message("b")]);
    await expect(waiting).rejects.toMatchObject({ code: "thread", mayBeDurable: true });
    // Sent while the old thread is still ending, a batch is told so as well.
    const send = () => ledger.accept([message("b"), message("c")]);
    const answered = await send().catch(send);
    expect(answered.map(({ eventId }) => eventId)).toEqual(["event-b", "event-c"]);
    expect(posted.mock.contexts.at(-1)).not.toBe(thread);
    await ledger.close();
  });
});

describe("sealed bytes", () => {
  it("reach the ledger's thread as a copy: the caller may do with its own what it likes", async () => {
    const ledger = await openLedger({ path: testFolder().file("ledger.sqlite"), thread: "worker" });
    const sealed = new Uint8Array(50_000).fill(7);
    const accepted = ledger.accept([message("a", { raw: { kind: "inline", sealed } }), message("b")]);
    await accepted;
    sealed.fill(0);
    expect(await ledger.raw("event-a")).toEqual(new Uint8Array(50_000).fill(7));
    await ledger.close();
  });
});

describe("a disk that is full", () => {
  it("rejects with words, stays whole, and takes mail again when there is room", async () => {
    const path = testFolder().file("ledger.sqlite");
    let room = 0;
    const connect: typeof openConnection = (options) => {
      const db = openConnection(options);
      if (room > 0) db.pragma(`max_page_count = ${room}`);
      return db;
    };
    const core = openCore({ path, check: "quick", connect });
    const big = (name: string): Call => ({
      name: "accept",
      args: [[message(name, { raw: { kind: "inline", sealed: new Uint8Array(60_000) } })]],
    });
    expect(codeOf(one(core, big("first")))).toBe("ok");
    core.close();
    room = 70;
    const small = openCore({ path, check: "quick", connect });
    const answers = Array.from({ length: 30 }, (_, n) => one(small, big(`n${n}`)));
    const taken = answers.filter(({ ok }) => ok).length;
    expect(taken).toBeLessThan(30);
    expect(codeOf(answers.at(-1))).toEqual(["SQLITE_FULL", false]);
    room = 0;
    // The connection that met the full disk was given up; the next one has room.
    expect(codeOf(one(small, big("later")))).toBe("ok");
    expect(one(small, stats)).toMatchObject({ value: { messages: taken + 2 } });
    small.close();
    const whole = await openLedger({ path, thread: "calling" });
    await whole.close();
  });
});
