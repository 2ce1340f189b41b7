/**
 * The composition root: the only part that knows everyone. Commands start here with settings in hand. What serves, delivers or reads
 * mailboxes is loaded by who asks for it: with it a command that only looks at the ledger would take twice as long to begin.
 */
export { isLocal, LifecycleUnsupported } from "./blobs/index.ts";
export { hashPassword } from "./http/password.ts";
export type { Daemon, Works } from "./main/daemon.ts";
export { openSettingsPreviewer } from "./main/file-room.ts";
export {
  dataPaths,
  type Ground,
  type GroundOptions,
  hideSecrets,
  openCommandLog,
  openFileLog,
  openGround,
  openSettingsLog,
} from "./main/ground.ts";
export { openGroundIntake } from "./main/intake.ts";
export type { OpenLane } from "./main/lanes.ts";
export { lifecycleRules } from "./main/lifecycle.ts";
export { mailboxesNamed, mailboxName, signsInByCode, type Unread, unreadOf } from "./main/mailbox-names.ts";
export type { FolderLooked, Looked } from "./main/mailbox-visits.ts";
export { diffMappings, UnknownVersion, type Version } from "./main/mapping-diff.ts";
export { type CaseResult, type CaseSubject, subjectOf, testMapping } from "./main/mapping-test.ts";
export { knownVersions, openRules, registerMapping, type Versions } from "./main/mappings.ts";
export { unopenedMail } from "./main/other-key.ts";
export { peopleFor } from "./main/people.ts";
export { laneId, tenantPlans } from "./main/plans.ts";
export { isDaemonUp, poke } from "./main/poke.ts";
export { openPreview, type Preview } from "./main/preview.ts";
export { scanLimitsOf, scannerOf } from "./main/scanner.ts";
export type { Scrub } from "./main/scrub.ts";
export { stopGraceMs } from "./main/stopping.ts";
export { type Stranded, strandedWork } from "./main/stranded.ts";
export { diskOf, systemClock, systemRandom } from "./main/system.ts";
export { senderDecisions } from "./main/teach.ts";
export { replyAddress } from "./main/thread-address.ts";
export { threadsOf } from "./main/threader.ts";
export { checkRules } from "./mapping/check.ts";
export { explainSteps } from "./mapping/explain.ts";
export { rulesRead, versionFor } from "./mapping/plan.ts";
export { type CompiledMapping, compileMapping } from "./mapping/rules/compile.ts";
export type { ImapAccount } from "./sources/imap/context.ts";
export { type CoverageTally, type Covered, coverageKinds, emptyTally, percentOf } from "./sources/imap/coverage.ts";
export type { TakenAs } from "./sources/imap/old-mail.ts";
export { pathsNamed } from "./sources/imap/selecting.ts";
export { ImapTrouble, OtherNumbers } from "./sources/imap/trouble.ts";
export {
  backupLedger,
  backupLocalRecords,
  lockDataFolder,
  openLedger,
  type Recovered,
  recoverLedger,
  type SqliteLedger,
  verifyLedger,
} from "./store/index.ts";
export type { DeviceCode } from "./wire/oauth/device.ts";

const daemon = () => import("./main/daemon.ts");
export const startDaemon = later(async () => (await daemon()).startDaemon);
export const startWorks = later(async () => (await daemon()).startWorks);

const lanes = () => import("./main/lanes.ts");
export const openLanes = later(async () => (await lanes()).openLanes);

const lookout = () => import("./main/lookout.ts");
export const openLookingLanes = later(async () => (await lookout()).openLookingLanes);
export const rememberedBy = later(async () => (await lookout()).rememberedBy);

const scrub = () => import("./main/scrub.ts");
export const openScrub = later(async () => (await scrub()).openScrub);

const visits = () => import("./main/mailbox-visits.ts");
export const lookAt = later(async () => (await visits()).lookAt);
export const lookThrough = later(async () => (await visits()).lookThrough);
export const signIn = later(async () => (await visits()).signIn);

function later<A extends unknown[], R>(
  load: () => Promise<(...given: A) => R | Promise<R>>,
): (...given: A) => Promise<R> {
  return async (...given) => await (await load())(...given);
}
