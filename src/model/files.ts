/**
 * MEMORY: the attachments of messages. A row is written with the event that lists it, before any byte is put into a store, so that no file is
 * ever without a row that knows it; and nothing is served but what a row calls `stored`.
 */
import type { Lease, PreparedStep, RawPlace } from "./ledger.ts";
import type { Previews } from "./preview.ts";
import type { Sweeps } from "./sweep.ts";

/**
 * checking: not looked at whole yet. stored: kept, and a link serves it. quarantined: kept and not served, until a person decides. stripped: a
 * program or script; not kept beside the raw mail, and never served. refused: could not be kept (its bytes are gone). dropped: a person did not
 * want it. removed: past its age.
 */
export const fileStatuses = ["checking", "stored", "quarantined", "stripped", "refused", "dropped", "removed"] as const;
export type FileStatus = (typeof fileStatuses)[number];

/**
 * pending: not asked yet. unscanned: asked, and there was no verdict: never clean, and asked again. skipped: no scanner was configured when it was
 * kept; with a detail, one has been asked since and gave no verdict yet.
 */
export const scanStatuses = ["pending", "clean", "infected", "unscanned", "skipped"] as const;
export type ScanStatus = (typeof scanStatuses)[number];

export interface Scan {
  readonly status: ScanStatus;
  /** `ClamAV 1.4.6`; null before the first verdict. */
  readonly engine: string | null;
  /** Version of the signatures that it was looked at with. */
  readonly signatures: string | null;
  /** Epoch ms. */
  readonly at: number | null;
  /** The signature's name, or why there was no verdict: bounded, printable. */
  readonly detail: string | null;
}

/** What a look into the content found. Codes have one table: src/mail/inspect/findings.ts. */
export interface FileFinding {
  readonly code: string;
  /** `invoice.docm`, `word/vbaProject.bin`: bounded, printable, hostile. */
  readonly detail: string | null;
}

/** From the bytes alone, by a child: never trusted to be complete, and never enough for `stored` where a scanner is asked. */
export interface Inspection {
  readonly detectedType: string | null;
  readonly findings: readonly FileFinding[];
}

/** An attachment as its event lists it. `id` is computed from the mail alone, 32 hex: links outlive a rebuilt ledger. */
export interface NewFile {
  readonly id: string;
  readonly partId: string;
  readonly filename: string;
  readonly contentType: string;
  readonly detectedType: string | null;
  readonly size: number;
  readonly sha256: string;
  /** Shown by the html and a picture: part of the text more than a file of its own. */
  readonly inline: boolean;
}

export interface FileRow extends NewFile {
  readonly eventId: string;
  readonly tenant: string;
  readonly receivedAt: number;
  readonly status: FileStatus;
  /** Why it is not served, as a sentence without addresses; null for checking and stored. */
  readonly reason: string | null;
  /** Where its bytes are in the tenant's store; null where they are not. One key for the same content in many mails. */
  readonly storeKey: string | null;
  /** When they were put there last (epoch ms). */
  readonly storedAt: number | null;
  readonly inspection: Inspection | null;
  readonly scan: Scan;
  /** What a person said of it, which stands whatever a check says later. */
  readonly decision: "release" | "drop" | null;
  /** Who decided last: `mailwright`, or a person's name; and when (epoch ms). */
  readonly by: string;
  readonly at: number;
  readonly note: string | null;
}

/**
 * A message whose files are to be brought in line with what is known of them: they are not kept yet, or a verdict about one has changed. Those that
 * a person decided about, and those that are gone, are not among them.
 */
export interface FilesToKeep {
  readonly lease: Lease;
  readonly eventId: string;
  readonly tenant: string;
  /** Counts this one; it was committed before this was returned. */
  readonly attempts: number;
  readonly rawSize: number;
  readonly raw: RawPlace;
  readonly sealed?: Uint8Array;
  readonly files: readonly FileRow[];
}

/** A status that follows from what is known now. A change of one has what its message lists planned again: see filesToPlan. */
export interface FileJudged {
  readonly id: string;
  readonly status: FileStatus;
  readonly reason: string | null;
}

/** One whose bytes are durable in the store, or are not to be kept. */
export interface FileKept extends FileJudged {
  /** Under its own name and type. Null where it was decided without a look into it, or by that of another under the same. */
  readonly inspection: Inspection | null;
  /**
   * Where its bytes were put now, null where they were not: the content was known. Also of one that is not to be kept after all: the ledger has
   * them deleted where nobody needs them.
   */
  readonly storeKey: string | null;
  /** What it was judged by. Where another verdict has come meanwhile, it stays as it was, and its message is due again at once. */
  readonly scan: Scan;
}

export interface FilesKept {
  readonly eventId: string;
  readonly lease: Lease;
  readonly now: number;
  readonly kept: readonly FileKept[];
  /** When to go on with those that are not named (epoch ms); at once where it does not say. */
  readonly later?: Later;
}

export interface Later {
  readonly dueAt: number;
  /** The attempt is given back: it was not the message's fault. */
  readonly blameless: boolean;
}

/** One content of a tenant that a scanner is to look at, for the first time or again. */
export interface FileToScan {
  readonly lease: Lease;
  readonly tenant: string;
  readonly sha256: string;
  readonly size: number;
  readonly storeKey: string;
  /** Looks in a row that gave no verdict, this one included. */
  readonly attempts: number;
  readonly scan: Scan;
}

export interface FileScanned {
  readonly tenant: string;
  readonly sha256: string;
  readonly lease: Lease;
  readonly now: number;
  readonly scan: Scan;
  /** When to ask again (epoch ms); null: not before the signatures change. */
  readonly dueAt: number | null;
}

/** Contents that have a verdict, looked at last before `before` (epoch ms), with other signatures than these. */
export interface ScanAgain {
  /** null: whatever they were looked at with. */
  readonly signatures: string | null;
  readonly before: number;
}

/** One of a tenant's stores that does not answer. `store`: what references into it begin with. */
export interface StoreAway {
  readonly tenant: string;
  readonly store: string;
}

export interface FilesToPlan {
  readonly eventId: string;
  readonly tenant: string;
  /** Counts what became of its files. */
  readonly change: number;
}

export interface FilesPlanned {
  readonly eventId: string;
  /** As it was when the rows of its files were read, or before. */
  readonly change: number;
  readonly now: number;
  /** Without, it stays as it is. */
  readonly sealedEvent?: Uint8Array;
  /** Those that list something else now, by their numbers. */
  readonly deliveries: readonly {
    readonly delivery: number;
    readonly steps: readonly PreparedStep[];
    readonly sealedSteps: Uint8Array;
  }[];
}

export interface FileQuery {
  readonly id?: string;
  readonly event?: string;
  readonly tenant?: string;
  readonly status?: FileStatus;
  readonly sha256?: string;
  readonly limit: number;
  /** `id` of the last row of the page before. Newest first; those of one event in its own order, and not in pages. */
  readonly before?: string;
}

/** release: served from now on, whatever the checks say. drop: its bytes go, where no other message of the tenant has them stored. */
export interface FileDecision {
  readonly id: string;
  readonly answer: "release" | "drop";
  readonly by: string;
  readonly note: string | null;
  readonly now: number;
}

/** unknown: no such file. unfit: stripped, refused, removed or dropped, so there is nothing of it; or to be released before it was looked at. */
export type FileDecided = "done" | "unknown" | "unfit";

export interface FileTally {
  readonly tenant: string;
  readonly status: FileStatus;
  readonly files: number;
  /** Since when the oldest has this status. */
  readonly oldestAt: number;
}

/** What somebody did that must be answered for later: an opened link, a released file. Bounded, printable, no secrets. */
export interface AuditEntry {
  readonly at: number;
  /** `link.open`, `link.refresh`, `file.release`, `file.drop`, `operator.sign_in` … */
  readonly what: string;
  /** What it is about: a file's id, an event's. */
  readonly about: string;
  /** A person's name, or `link` for whoever holds one. */
  readonly who: string;
  readonly outcome: string;
  /** The client's address. */
  readonly from: string | null;
}

/** Bytes of one content that nobody needs any more; its rows say so already. */
export interface FileBytes {
  readonly tenant: string;
  readonly sha256: string;
  readonly storeKey: string;
}

export interface FilesOld extends FileBytes {
  readonly bytes: number;
  readonly files: number;
  /** Epoch ms; of its youngest mention. */
  readonly newestAt: number;
}

interface Taking {
  /** In the order of turns; each gets an equal share of the room. */
  readonly tenants: readonly string[];
  readonly room: number;
  readonly now: number;
  readonly leaseMs: number;
}

/** Files whose every mention was received before these (epoch ms) are too old; null keeps them. */
export interface FileAges {
  readonly storedBefore: number | null;
  readonly quarantinedBefore: number | null;
}

export interface Files extends Previews, Sweeps {
  /** Oldest first, fair among the tenants; leased. */
  filesToKeep(request: Taking): Promise<readonly FilesToKeep[]>;
  /** False when the lease was lost: nothing was written. */
  filesKept(kept: FilesKept): Promise<boolean>;
  /** Gives it back without a result. */
  filesLater(eventId: string, lease: Lease, later: Later): Promise<void>;
  /**
   * Kept contents whose scan is due, new ones and those that gave no verdict yet in turns, without those in stores that are `away`; only when there are none, with `skipped` those that were kept while no scanner was configured; and only when
   * there are none of them either, those of `again`, in the order in which they were looked at.
   */
  filesToScan(
    request: Taking & { readonly away?: readonly StoreAway[]; readonly skipped?: boolean; readonly again?: ScanAgain },
  ): Promise<readonly FileToScan[]>;
  /**
   * False when the lease was lost. Where the verdict is another one, every message that carries the content is to be brought in line: at once, or
   * within minutes where other files of it are being scanned still, so that it is planned again once and not once for each.
   */
  filesScanned(scanned: FileScanned): Promise<boolean>;
  /**
   * The earliest time after this at which keeping, or scanning, comes due or a lease ends; null when nothing waits for a time. planning: when the
   * first of those that filesToPlan may give is due or was; null when there is none.
   */
  filesDueAt(
    now: number,
  ): Promise<{ readonly keeping: number | null; readonly scanning: number | null; readonly planning: number | null }>;
  /** Messages whose plans do not say yet what became of their files; not leased. Without those that are planned anew or worked by a lane now. */
  filesToPlan(request: Omit<Taking, "leaseMs">): Promise<readonly FilesToPlan[]>;
  /**
   * Puts these in the place of the event and the plans that the message has, of which nothing changes but the files: its steps are merged, a
   * delivery that is held or failed stays so, and keeps the version of the rules that decided. False, and nothing was written, where something
   * changed again, or the message is planned anew or worked by a lane.
   */
  filesPlanned(planned: FilesPlanned): Promise<boolean>;
  /** It is not to be given before this (epoch ms). */
  filesPlanLater(eventId: string, dueAt: number): Promise<void>;
  files(query: FileQuery): Promise<readonly FileRow[]>;
  /** With its entry in the audit trail. */
  decideFile(decision: FileDecision): Promise<FileDecided>;
  fileTally(): Promise<readonly FileTally[]>;
  /** Contents of a tenant whose every mention is older than its class allows (epoch ms of receipt; null keeps), oldest first. */
  filesToRemove(policy: FileAges & { readonly tenant: string; readonly limit: number }): Promise<readonly FilesOld[]>;
  /**
   * From now on their rows say removed, and their bytes are to be deleted: in this order, so that no link ever leads to nothing. Passes over those that
   * were mentioned again, and those that these ages do not fit any more: a person may have released one meanwhile. Answers how many went.
   */
  filesRemoved(contents: readonly FilesOld[], now: number, ages: FileAges): Promise<number>;
  /** In the order of their keys, after this one. */
  filesToDelete(query: { readonly limit: number; readonly after?: string }): Promise<readonly FileBytes[]>;
  /** Whether they are still to be deleted. */
  fileToDelete(storeKey: string): Promise<boolean>;
  /** They are gone. */
  fileDeleted(storeKey: string): Promise<void>;
  /** Durable before it resolves. */
  audit(entry: AuditEntry): Promise<void>;
  /**
   * Puts the opening of a file (`about`) on record, and says how the file stands in the same transaction: what a person or a scan said since its row
   * was read counts. Where it is not to be served, `checking` for one whose verdict is bad and not judged yet, that is what the record says, in
   * place of the entry's own outcome. Undefined where there is no such file. Durable before it resolves.
   */
  auditOpening(entry: AuditEntry): Promise<FileRow | undefined>;
  /** Newest first. */
  auditTrail(query: {
    readonly about?: string;
    readonly limit: number;
    readonly before?: number;
  }): Promise<readonly (AuditEntry & { readonly id: number })[]>;
}
