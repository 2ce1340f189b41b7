/** Opens the SQLite ledger behind the asynchronous interface that the rest of the program knows. */
import { existsSync } from "node:fs";
import type { Ledger, NewMessage } from "../model/ledger.ts";
import type { Log } from "../model/ports.ts";
import { openBatches } from "./batch.ts";
import { refuse, StoreFailed } from "./failed.ts";
import { type Keeper, openKeeper } from "./keeper.ts";
import { mark, refuseMissing } from "./presence.ts";
import { inMemory } from "./sqlite/connection.ts";
import type { OperationName } from "./sqlite/operations.ts";
import { type Engine, openCalling, openWorker } from "./threads.ts";

export interface LedgerOptions {
  /** A file in the data folder, or `:memory:` (calling thread only). */
  readonly path: string;
  /**
   * worker: the daemon's, so that a commit never stalls a connection. calling: commands and simulations; every call has run to its end
   * when the microtask it started in is over. A second process may have the ledger open too: each write is one short transaction, and
   * waits up to five seconds for another's. Leases are only taken by whoever holds the data folder's lock.
   */
  readonly thread: "worker" | "calling";
  /** quick (the default) reads every page before anything is promised; none is for a command beside a daemon that has done so. */
  readonly check?: "quick" | "none";
  readonly log?: Log;
}

export interface SqliteLedger extends Ledger {
  /** Gives freed pages back to the file system and empties the write-ahead log, in short steps between other work. For quiet moments. */
  maintain(): Promise<void>;
}

/** Rejects with StoreFailed, whose message says what is wrong with which file and what to do. */
export async function openLedger(options: LedgerOptions): Promise<SqliteLedger> {
  const { path, thread, check = "quick", log } = options;
  const file = !inMemory(path);
  if (!file && thread === "worker") throw refuse("misuse", "An in-memory ledger lives on the calling thread only.");
  if (!file) return ledgerOn(openCalling({ path, check }), path, false);
  refuseMissing(path);
  const keeper = openKeeper(path);
  let engine: Engine | undefined;
  try {
    holdOldLog(keeper, path);
    engine = thread === "worker" ? await openWorker({ path, check }, log) : openCalling({ path, check });
    keeper.hold();
    mark(path, "open");
  } catch (error) {
    await engine?.close();
    keeper.release();
    throw error;
  }
  return ledgerOn(closedInOrder(engine, keeper, path, thread), path, thread === "worker");
}

/** A process that was killed left it. Opening takes a while and may be refused or broken off, which must not take that log away. */
function holdOldLog(keeper: Keeper, path: string): void {
  if (!existsSync(`${path}-wal`)) return;
  try {
    keeper.hold();
  } catch {
    // What is wrong with the file is said, in better words, by the engine that opens it next.
  }
}

/**
 * Posting to a thread costs some 100 µs a batch on a busy machine, and a commit an fsync, whatever they carry. Where calls come together, a
 * few milliseconds bring more of them into one batch; a lone caller waits for one turn of the event loop only. A batch of a full road (parsed
 * messages, intents, outcomes) waits longest: that nobody outside waits for, and it saves commits.
 */
const gathered = (before: number, urgent: boolean): Promise<void> =>
  new Promise((resolve) => {
    if (before <= 1) setImmediate(resolve);
    else setTimeout(resolve, urgent || before < fullRoad ? gatherMs : fullRoadMs);
  });
const gatherMs = 1;
const fullRoad = 8;
const fullRoadMs = 4;

function closedInOrder(engine: Engine, keeper: Keeper, path: string, thread: LedgerOptions["thread"]): Engine {
  const close = () => closeInOrder(engine, keeper, path);
  if (thread === "worker") return { run: engine.run, close };
  // A process that runs out of work closes its connections in any order: the keeper's perhaps before the writer's.
  const atExit = () => void close();
  process.once("exit", atExit);
  return {
    run: engine.run,
    close: () => {
      process.off("exit", atExit);
      return close();
    },
  };
}

/** Runs to the engine's own close without a pause: on the calling thread all of it is done when the call returns. */
async function closeInOrder(engine: Engine, keeper: Keeper, path: string): Promise<void> {
  try {
    // First the word, then the deed: a kill between the two must not look like a log that was taken away.
    mark(path, "closed");
    keeper.release();
  } finally {
    await engine.close();
    // Where the word could not be written, the log stays for the next start to find.
    keeper.release();
  }
  // The log outlives this connection when another process has the ledger too, or when the thread that would have closed it had ended.
  if (existsSync(`${path}-wal`)) mark(path, "open");
}

function ledgerOn(engine: Engine, path: string, threaded: boolean): SqliteLedger {
  const batches = openBatches((calls) => engine.run(calls), path, threaded ? gathered : undefined);
  let closing: Promise<void> | undefined;

  const guarded = (call: Parameters<typeof batches.call>[0]): Promise<unknown> =>
    closing === undefined ? batches.call(call) : Promise.reject(refuse("closed", `The ledger ${path} was closed.`));

  const method = <Name extends OperationName>(name: Name): Ledger[Name] =>
    // The core runs the method of this very name on these very arguments (sqlite/operations.ts).
    ((...args: unknown[]) => guarded({ name, args })) as Ledger[Name];

  const accept = method("accept");

  async function close(): Promise<void> {
    await batches.drained();
    await engine.close();
  }

  return {
    accept: (items) => (items.some(isSpent) ? Promise.reject(spent()) : accept(items)),
    attempt: method("attempt"),
    prepare: method("prepare"),
    release: method("release"),
    claim: method("claim"),
    renew: method("renew"),
    bind: method("bind"),
    note: method("note"),
    settle: method("settle"),
    pause: method("pause"),
    requeue: method("requeue"),
    archived: method("archived"),
    purge: method("purge"),
    reclaim: method("reclaim"),
    acquainted: method("acquainted"),
    decideSender: method("decideSender"),
    namesakes: method("namesakes"),
    lanes: method("lanes"),
    find: method("find"),
    story: method("story"),
    steps: method("steps"),
    remembered: method("remembered"),
    unclear: method("unclear"),
    raw: method("raw"),
    deadLetters: method("deadLetters"),
    skips: method("skips"),
    archivable: method("archivable"),
    stats: method("stats"),
    around: method("around"),
    thread: method("thread"),
    threads: method("threads"),
    reviews: method("reviews"),
    reviewTally: method("reviewTally"),
    decide: method("decide"),
    decisions: method("decisions"),
    registerMapping: method("registerMapping"),
    mappings: method("mappings"),
    mappingText: method("mappingText"),
    dealsOf: method("dealsOf"),
    beginRun: method("beginRun"),
    chooseForRun: method("chooseForRun"),
    stateRun: method("stateRun"),
    feedRun: method("feedRun"),
    giveUpInRun: method("giveUpInRun"),
    runs: method("runs"),
    runProgress: method("runProgress"),
    runTally: method("runTally"),
    runEvents: method("runEvents"),
    runsOf: method("runsOf"),
    runMade: method("runMade"),
    nextPass: method("nextPass"),
    retryRun: method("retryRun"),
    samples: method("samples"),
    answerSample: method("answerSample"),
    filesToKeep: method("filesToKeep"),
    filesKept: method("filesKept"),
    filesLater: method("filesLater"),
    filesToScan: method("filesToScan"),
    filesScanned: method("filesScanned"),
    filesDueAt: method("filesDueAt"),
    filesToPlan: method("filesToPlan"),
    filesPlanned: method("filesPlanned"),
    filesPlanLater: method("filesPlanLater"),
    files: method("files"),
    decideFile: method("decideFile"),
    fileTally: method("fileTally"),
    filesToRemove: method("filesToRemove"),
    filesRemoved: method("filesRemoved"),
    filesToDelete: method("filesToDelete"),
    fileToDelete: method("fileToDelete"),
    fileDeleted: method("fileDeleted"),
    preview: method("preview"),
    previewBegun: method("previewBegun"),
    previewLeft: method("previewLeft"),
    previewDone: method("previewDone"),
    previewsRemoved: method("previewsRemoved"),
    holdAccount: method("holdAccount"),
    releaseAccount: method("releaseAccount"),
    blockAccount: method("blockAccount"),
    folders: method("folders"),
    openFolder: method("openFolder"),
    renameFolder: method("renameFolder"),
    folderNews: method("folderNews"),
    knownUids: method("knownUids"),
    uidsToAct: method("uidsToAct"),
    acted: method("acted"),
    fates: method("fates"),
    uidsIn: method("uidsIn"),
    waitingUids: method("waitingUids"),
    giveUp: method("giveUp"),
    retryQuarantined: method("retryQuarantined"),
    accountTally: method("accountTally"),
    laneBudget: method("laneBudget"),
    keepLaneBudget: method("keepLaneBudget"),
    tokenRow: method("tokenRow"),
    keepToken: method("keepToken"),
    takeTokenTurn: method("takeTokenTurn"),
    dropToken: method("dropToken"),
    audit: method("audit"),
    auditOpening: method("auditOpening"),
    auditTrail: method("auditTrail"),
    auditRemoved: method("auditRemoved"),
    strays: method("strays"),
    async probe(ms) {
      const answer = guarded({ name: "probe", args: [ms] });
      // A batch ahead of it may be waiting for a lock; the thread that asks is free to give up. On one thread nothing can be ahead.
      await (threaded ? within(answer, ms, path) : answer);
    },
    async maintain() {
      while ((await guarded({ name: "maintain", args: [] })) === true);
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
}

/** Nothing is left of such a message, and it would be stored as empty. */
const isSpent = ({ raw }: NewMessage): boolean =>
  raw.kind === "inline" && raw.sealed.buffer instanceof ArrayBuffer && raw.sealed.buffer.detached;

const spent = () =>
  refuse("misuse", "The memory of the sealed bytes was given away before they were given to the ledger.");

async function within<T>(answer: Promise<T>, ms: number, path: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const message = `The ledger ${path} did not commit within ${ms} ms: it is locked or the disk is slow.`;
      reject(new StoreFailed({ code: "timeout", message, mayBeDurable: false }));
    }, ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
    // Whatever it still says is no longer waited for.
    answer.catch(() => undefined);
  }
}
