/** The composition root: the only part that knows everyone. Commands start here with settings in hand. */
export { isLocal, LifecycleUnsupported } from "./blobs/index.ts";
export { hashPassword } from "./http/index.ts";
export { type Daemon, startDaemon, startWorks, stopGraceMs, type Works } from "./main/daemon.ts";
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
export { laneId, type OpenLane, openLanes, tenantPlans } from "./main/lanes.ts";
export { lifecycleRules } from "./main/lifecycle.ts";
export {
  type CoverageTally,
  type Covered,
  coverageKinds,
  type DeviceCode,
  emptyTally,
  type FolderLooked,
  type ImapAccount,
  ImapTrouble,
  lookAt,
  lookThrough,
  mailboxesNamed,
  mailboxName,
  percentOf,
  signIn,
  signsInByCode,
  type TakenAs,
} from "./main/mailbox-visits.ts";
export { diffMappings, UnknownVersion, type Version } from "./main/mapping-diff.ts";
export { type CaseResult, type CaseSubject, subjectOf, testMapping } from "./main/mapping-test.ts";
export { knownVersions, mappingSha256, openRules } from "./main/mappings.ts";
export { peopleFor } from "./main/people.ts";
export { isDaemonUp, poke } from "./main/poke.ts";
export { openPreview, type Preview } from "./main/preview.ts";
export { scanLimitsOf, scannerOf } from "./main/scanner.ts";
export { type Stranded, strandedWork } from "./main/stranded.ts";
export { diskOf, systemClock, systemRandom } from "./main/system.ts";
export { senderDecisions } from "./main/teach.ts";
export { replyAddress } from "./main/thread-address.ts";
export { threadsOf } from "./main/threader.ts";
export { checkRules } from "./mapping/check.ts";
export { explainSteps } from "./mapping/explain.ts";
export { rulesRead, versionOf } from "./mapping/plan.ts";
export { type CompiledMapping, compileMapping } from "./mapping/rules/compile.ts";
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
