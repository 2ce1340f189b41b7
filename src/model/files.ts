/**
 * MEMORY: the attachments of messages. A row is written with the event that lists it, before any byte is put into a store, so that no file is
 * ever without a row that knows it; and nothing is served but what a row calls `stored`.
 */
import type { Lease, RawPlace } from "./ledger.ts";

/**
 * checking: not looked at whole yet. stored: kept, and a link serves it. quarantined: kept and not served, until a person decides. stripped: a
 * program or script; not kept beside the raw mail, and never served. refused: could not be kept (its bytes are gone). dropped: a person did not
 * want it. removed: past its age.
 */
export const fileStatuses = ["checking", "stored", "quarantined", "stripped", "refused", "dropped", "removed"] as const;
export type FileStatus = (typeof fileStatuses)[number];

/** pending: not asked yet. unscanned: asked, and there was no verdict: never clean, and asked again. skipped: no scanner is configured. */
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
  readonly inspection: Inspection | null;
  readonly scan: Scan;
  /** Who decided last: `mailwright`, or a person's name; and when (epoch ms). */
  readonly by: string;
  readonly at: number;
  readonly note: string | null;
}

/** A message some of whose files are not kept yet. Its raw place is as an Attempt has it. */
export interface FilesToKeep {
  readonly lease: Lease;
  readonly eventId: string;
  readonly tenant: string;
  readonly attempts: number;
  readonly rawSize: number;
  readonly raw: RawPlace;
  readonly sealed?: Uint8Array;
  readonly files: readonly FileRow[];
}

/** A status that follows from what is known now. A change of one has its message planned again, in the same transaction. */
export interface FileJudged {
  readonly id: string;
  readonly status: FileStatus;
  readonly reason: string | null;
}

export interface FilesKept {
  readonly eventId: string;
  readonly lease: Lease;
  readonly now: number;
  /** Those whose bytes are durable in the store, or are not to be kept. */
  readonly kept: readonly (FileJudged & {
    readonly inspection: Inspection;
    readonly storeKey: string | null;
    readonly scan: Scan;
  })[];
}

/** One content of a tenant that a scanner is to look at, for the first time or again. */
export interface FileToScan {
  readonly lease: Lease;
  readonly tenant: string;
  readonly sha256: string;
  readonly size: number;
  readonly storeKey: string;
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
  /** Every message that carries it. */
  readonly judged: readonly FileJudged[];
}

export interface FileQuery {
  readonly id?: string;
  readonly event?: string;
  readonly tenant?: string;
  readonly status?: FileStatus;
  readonly sha256?: string;
  readonly limit: number;
  /** `id` of the last row of the page before. Newest first. */
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

/** unknown: no such file. unfit: stripped, refused or removed, so there is nothing to release; or dropped already. */
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

export interface Files {
  /** Messages with files that are not kept yet, oldest first, fair among the tenants in the order given; leased. */
  filesToKeep(request: {
    readonly tenants: readonly string[];
    readonly room: number;
    readonly now: number;
    readonly leaseMs: number;
  }): Promise<readonly FilesToKeep[]>;
  /** False when the lease was lost: nothing was written. Files that are not named stay to be kept, and the message is due again at once. */
  filesKept(kept: FilesKept): Promise<boolean>;
  /** Gives it back without a result, due then. */
  filesLater(eventId: string, lease: Lease, dueAt: number): Promise<void>;
  /** Kept contents whose scan is due; and those looked at with other signatures than these, the newest first, when nothing else is due. */
  filesToScan(request: {
    readonly room: number;
    readonly now: number;
    readonly leaseMs: number;
    readonly signatures: string | null;
  }): Promise<readonly FileToScan[]>;
  filesScanned(scanned: FileScanned): Promise<boolean>;
  /** The earliest time at which keeping or scanning is due; null when nothing waits. */
  filesDueAt(now: number): Promise<number | null>;
  files(query: FileQuery): Promise<readonly FileRow[]>;
  decideFile(decision: FileDecision): Promise<FileDecided>;
  fileTally(): Promise<readonly FileTally[]>;
  /** Contents whose every mention is older than its class allows (epoch ms of receipt; null keeps), a page of them. */
  filesToRemove(policy: {
    readonly storedBefore: number | null;
    readonly quarantinedBefore: number | null;
    readonly limit: number;
  }): Promise<
    readonly {
      readonly tenant: string;
      readonly sha256: string;
      readonly storeKey: string;
      readonly bytes: number;
      readonly files: number;
    }[]
  >;
  /** Their bytes are about to go: from now on their rows say removed. Before the delete, so that no link ever leads to nothing. */
  filesRemoved(contents: readonly { readonly tenant: string; readonly sha256: string }[], now: number): Promise<void>;
  /** Durable before it resolves. */
  audit(entry: AuditEntry): Promise<void>;
  /** Newest first. */
  auditTrail(query: {
    readonly about?: string;
    readonly limit: number;
    readonly before?: number;
  }): Promise<readonly (AuditEntry & { readonly id: number })[]>;
}
