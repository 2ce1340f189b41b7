/** What a seed brings: how much goes wrong, where, and for how long. */
import type { HubspotSandboxOptions } from "../../src/sandbox/hubspot.ts";
import type { Chance } from "./chance.ts";
import type { Moment } from "./life.ts";

const minute = 60_000;
const hour = 60 * minute;

export interface Weather {
  readonly mails: number;
  /** Mail comes, and things go wrong, for this long; afterwards the sky is clear. */
  readonly stormMs: number;
  readonly crashes: {
    /** Chance of dying at a call. */
    readonly rate: number;
    /** Calls whose name starts so are deadlier. */
    readonly focus: string | undefined;
    readonly focusRate: number;
    /** Whatever the rates, the process dies there once. */
    readonly aim: { readonly call: string; readonly moment: Moment; readonly nth: number };
    readonly most: number;
  };
  /** Share of ledger calls that fail, and of writes to spool and attic. */
  readonly ledgerFaults: number;
  readonly diskFaults: number;
  /** Share of scans without a verdict. */
  readonly scanFaults: number;
  /** Times at which the disk is full, each for a while. */
  readonly diskFull: readonly number[];
  readonly http: {
    readonly drop: number;
    readonly lostAnswer: number;
    readonly edgeError: number;
    readonly serverError: number;
    readonly tooMany: number;
    readonly locked: number;
    readonly garbled: number;
    readonly slowCommit: number;
    readonly slowAnswer: number;
    /** Times at which the token is refused for a few calls. */
    readonly unauthorized: readonly number[];
  };
  readonly account: Partial<HubspotSandboxOptions>;
  /** `inCall`: not at that time, but while the next call to the vendor waits for its answer. */
  readonly jumps: readonly { readonly at: number; readonly byMs: number; readonly inCall: boolean }[];
  /** Whether globex lets mail make contacts; else its mail is held where the sender is not known. */
  readonly globexMakesContacts: boolean;
  readonly humans: number;
  /** Orderly restarts. */
  readonly restarts: readonly number[];
  readonly retention: { readonly rawMs: number | null; readonly eventMs: number | null };
}

/** Every kind of call that can be the last one. */
const focuses = [
  "ledger.accept",
  "ledger.attempt",
  "ledger.prepare",
  "ledger.claim",
  "ledger.note",
  "ledger.settle",
  "ledger.pause",
  "ledger.release",
  "ledger.archiv",
  "ledger.purge",
  "ledger.reclaim",
  "spool.",
  "spool.link",
  "spool.remove",
  "draft.",
  "draft.commit",
  "blobs.",
  "blobs.delete",
  "wire.",
  "records.",
  "pool.",
  "clock.",
  "sender.",
  "ledger.files",
  "store.",
  "scanner.",
];

/** Every call at which a process has to have died, before it and after it. */
export const deadlyCalls = [
  "ledger.accept",
  "ledger.attempt",
  "ledger.prepare",
  "ledger.claim",
  "ledger.note",
  "ledger.settle",
  "ledger.pause",
  "ledger.archivable",
  "ledger.archived",
  "ledger.purge",
  "ledger.reclaim",
  "ledger.stats",
  "ledger.probe",
  "spool.create",
  "spool.read",
  "spool.link",
  "spool.remove",
  "spool.list",
  "draft.write",
  "draft.commit",
  "blobs.put",
  "wire.request",
  "records.create",
  "records.findByKey",
  "pool.parse",
  "ledger.filesToKeep",
  "ledger.filesKept",
  "ledger.filesToScan",
  "ledger.filesScanned",
  "store.put",
  "store.open",
  "extractor.extract",
  "scanner.scan",
  "clock.sleep",
  "sender.chunk",
] as const;

/** Each seed aims at one call and one moment, so that a run over a few hundred seeds has died at all of them, however rare they are. */
function aimOf(seed: number, chance: Chance): Weather["crashes"]["aim"] {
  const call = deadlyCalls[Math.floor(seed / 2) % deadlyCalls.length] ?? deadlyCalls[0];
  const nth = chance.between(1, 3);
  // Few worlds have a large mail for two tenants at all, and hardly any has three.
  const isRare = call === "spool.link" || /^(store|scanner|extractor|ledger.files)/.test(call);
  return { call, moment: seed % 2 === 0 ? "before" : "after", nth: isRare ? 1 : nth };
}

export function drawWeather(seed: number, chance: Chance, vendor = "hubspot"): Weather {
  const stormMs = chance.pick([5 * minute, 30 * minute, 3 * hour, 12 * hour]);
  const times = (probability: number, most: number): number[] =>
    chance.flip(probability)
      ? Array.from({ length: chance.between(1, most) }, () => Math.floor(chance.unit() * stormMs))
      : [];
  const rate = (probability: number, most: number): number => (chance.flip(probability) ? chance.unit() * most : 0);
  const emailsUnique = chance.pick(["yes", "yes", "no", "propertiesForbidden"] as const);
  const jumps = times(0.2, 3).map((at) => ({ at, byMs: jumpOf(chance), inCall: chance.flip(0.5) }));
  // A vendor that carries out a call minutes later is told from one that never does by waiting. Under a clock that leaps ahead nobody can
  // know how long was waited; only a unique key keeps the record single then.
  const lateAllowed = jumps.length === 0 || (vendor === "hubspot" && emailsUnique === "yes");
  return {
    mails: chance.between(2, 7),
    stormMs,
    crashes: {
      rate: chance.pick([0, 0.001, 0.004, 0.01, 0.03]),
      focus: chance.flip(0.75) ? chance.pick(focuses) : undefined,
      focusRate: chance.pick([0.05, 0.2, 0.5]),
      aim: aimOf(seed, chance),
      most: chance.between(1, 8),
    },
    ledgerFaults: rate(0.4, 0.04),
    diskFaults: rate(0.3, 0.15),
    scanFaults: rate(0.3, 0.5),
    diskFull: times(0.15, 2),
    http: {
      drop: rate(0.3, 0.15),
      lostAnswer: rate(0.5, 0.35),
      edgeError: rate(0.3, 0.2),
      serverError: rate(0.3, 0.15),
      tooMany: rate(0.25, 0.1),
      locked: rate(0.2, 0.15),
      garbled: rate(0.2, 0.15),
      slowCommit: lateAllowed ? rate(0.3, 0.25) : 0,
      slowAnswer: rate(0.2, 0.1),
      unauthorized: times(0.15, 2),
    },
    account: {
      emailsUnique,
      limits: chance.flip(0.2) ? { burst: chance.between(8, 30), daily: 100_000, searchPerSecond: 5 } : "off",
      conflictShape: chance.pick(["text", "context"]),
      uniqueConflictStatus: chance.pick([400, 409]),
      secondaryFoundByEmail: chance.flip(0.5),
    },
    jumps,
    globexMakesContacts: chance.flip(0.85),
    humans: chance.flip(0.4) ? chance.between(1, 4) : 0,
    restarts: times(0.2, 2),
    retention: chance.flip(0.4) ? { rawMs: 2 * hour, eventMs: 4 * hour } : { rawMs: null, eventMs: null },
  };
}

function jumpOf(chance: Chance): number {
  const size = chance.pick([5 * minute, 20 * minute, 3 * hour, 30 * hour, 240 * hour]);
  return chance.flip(0.5) ? size : -size;
}
