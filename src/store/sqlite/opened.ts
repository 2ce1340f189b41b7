/** An open connection with every statement prepared: what the core runs its batches on. */
import { openAccept } from "./accept.ts";
import { openBind } from "./account.ts";
import { openAcquainted } from "./acquaintance.ts";
import { openAttempt } from "./attempt.ts";
import { openBackstep } from "./backstep.ts";
import { openClaim } from "./claim.ts";
import type { Connection } from "./connection.ts";
import { openDecide, openDecisions } from "./decisions.ts";
import { openAudit, openDecideFile } from "./file-decide.ts";
import { openFilesKept, openFilesToKeep } from "./file-keep.ts";
import { openPlanFiles } from "./file-plan.ts";
import { openFilesRetire } from "./file-retire.ts";
import { openFileList } from "./file-rows.ts";
import { openFilesDueAt, openFilesScanned, openFilesToScan } from "./file-scan.ts";
import { openDeadLetters, openFind } from "./find.ts";
import { openImap } from "./imap.ts";
import { openImapRead } from "./imap-read.ts";
import { openLanes } from "./lanes.ts";
import { openMappings } from "./mappings.ts";
import type { Operations } from "./operations.ts";
import { openPrepare } from "./prepare.ts";
import { openPreviews } from "./previews.ts";
import { openRemembered } from "./remembered.ts";
import { openRenew } from "./renew.ts";
import { openReclaim, openRequeue } from "./requeue.ts";
import { openArchive, openPurge } from "./retire.ts";
import { openReviews } from "./reviews.ts";
import { openRetry } from "./run-again.ts";
import { openGiveUp } from "./run-given-up.ts";
import { openNextPass, openRunMade } from "./run-made.ts";
import { openRuns } from "./runs.ts";
import { openRunsRead } from "./runs-read.ts";
import { openSamples } from "./samples.ts";
import { openSettle } from "./settle.ts";
import { openSkips } from "./skips.ts";
import { openStats } from "./stats.ts";
import { readStory } from "./story.ts";
import { openSweep } from "./sweep.ts";
import { openAround } from "./thread-around.ts";
import { openThread } from "./thread-find.ts";
import { openThreadList } from "./thread-list.ts";
import { openTokenRows } from "./tokens.ts";
import { openUnclear } from "./unclear.ts";

export interface Opened {
  readonly db: Connection;
  readonly does: Operations;
  readonly begin: { readonly read: () => void; readonly write: () => void };
  readonly commit: () => void;
  readonly rollback: () => void;
  readonly save: () => void;
  readonly release: () => void;
  readonly undo: () => void;
}

export function openedOn(db: Connection): Opened {
  const backstep = openBackstep(db);
  const read = db.prepare("BEGIN");
  const write = db.prepare("BEGIN IMMEDIATE");
  const commit = db.prepare("COMMIT");
  const rollback = db.prepare("ROLLBACK");
  const save = db.prepare("SAVEPOINT one");
  const release = db.prepare("RELEASE one");
  const undo = db.prepare("ROLLBACK TO one");
  return {
    db,
    does: {
      accept: openAccept(db),
      ...openAttempt(db, backstep),
      prepare: openPrepare(db),
      claim: openClaim(db, backstep),
      renew: openRenew(db),
      bind: openBind(db),
      ...openSettle(db),
      ...openAcquainted(db),
      ...openLanes(db),
      ...openFind(db),
      story: readStory(db),
      remembered: openRemembered(db),
      unclear: openUnclear(db),
      deadLetters: openDeadLetters(db),
      skips: openSkips(db),
      requeue: openRequeue(db),
      ...openArchive(db),
      purge: openPurge(db),
      stats: openStats(db),
      reclaim: openReclaim(db),
      around: openAround(db),
      thread: openThread(db),
      threads: openThreadList(db),
      ...openReviews(db),
      decide: openDecide(db),
      decisions: openDecisions(db),
      ...openMappings(db),
      ...openRuns(db),
      ...openRunsRead(db),
      giveUpInRun: openGiveUp(db),
      runMade: openRunMade(db),
      nextPass: openNextPass(db),
      retryRun: openRetry(db),
      ...openSamples(db),
      filesToKeep: openFilesToKeep(db),
      ...openFilesKept(db),
      filesToScan: openFilesToScan(db),
      filesScanned: openFilesScanned(db),
      filesDueAt: openFilesDueAt(db),
      ...openPlanFiles(db),
      ...openFileList(db),
      decideFile: openDecideFile(db),
      ...openFilesRetire(db),
      ...openPreviews(db),
      ...openImap(db),
      ...openImapRead(db),
      ...openTokenRows(db),
      ...openAudit(db),
      ...openSweep(db),
    },
    begin: { read: () => void read.run(), write: () => void write.run() },
    commit() {
      commit.run();
      backstep.ended(true);
    },
    rollback() {
      backstep.ended(false);
      rollback.run();
    },
    save() {
      save.run();
      backstep.saved();
    },
    release: () => void release.run(),
    undo() {
      backstep.undone();
      undo.run();
    },
  };
}
