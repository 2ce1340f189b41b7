/** The ledger's methods as the synchronous core offers them, and which of them only read. */
import type { Ledger } from "../../model/ledger.ts";

/** Whether a method may change anything. */
export const operations = {
  accept: "write",
  attempt: "write",
  prepare: "write",
  release: "write",
  claim: "write",
  renew: "write",
  bind: "write",
  note: "write",
  settle: "write",
  pause: "write",
  requeue: "write",
  archived: "write",
  purge: "write",
  decideSender: "write",
  reclaim: "write",
  acquainted: "read",
  namesakes: "read",
  decide: "write",
  lanes: "read",
  find: "read",
  story: "read",
  steps: "read",
  remembered: "read",
  raw: "read",
  deadLetters: "read",
  skips: "read",
  archivable: "read",
  stats: "read",
  around: "read",
  thread: "read",
  threads: "read",
  reviews: "read",
  reviewTally: "read",
  decisions: "read",
  registerMapping: "write",
  mappings: "read",
  mappingText: "read",
  dealsOf: "read",
  beginRun: "write",
  chooseForRun: "write",
  stateRun: "write",
  feedRun: "write",
  runs: "read",
  runTally: "read",
  runEvents: "read",
  runsOf: "read",
  runMade: "read",
  nextPass: "write",
  samples: "read",
  answerSample: "write",
  filesToKeep: "write",
  filesKept: "write",
  filesLater: "write",
  filesToScan: "write",
  filesScanned: "write",
  filesDueAt: "read",
  filesToPlan: "read",
  filesPlanned: "write",
  filesPlanLater: "write",
  files: "read",
  decideFile: "write",
  fileTally: "read",
  filesToRemove: "read",
  filesRemoved: "write",
  filesToDelete: "read",
  fileToDelete: "read",
  fileDeleted: "write",
  preview: "read",
  previewBegun: "write",
  previewDone: "write",
  previewsRemoved: "write",
  audit: "write",
  auditOpening: "write",
  auditTrail: "read",
} as const satisfies Record<Exclude<keyof Ledger, "close" | "probe">, "read" | "write">;

export type OperationName = keyof typeof operations;

/** The same methods, synchronous, inside a transaction that is already open. */
export type Operations = {
  readonly [Name in OperationName]: (...args: Parameters<Ledger[Name]>) => Awaited<ReturnType<Ledger[Name]>>;
};

/** One call on its way to the core. */
export type Call =
  | { readonly name: OperationName; readonly args: readonly unknown[] }
  | { readonly name: "probe"; readonly args: readonly [ms: number] }
  | { readonly name: "maintain"; readonly args: readonly [] };
