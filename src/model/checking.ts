/** THE ROAD and EARS of a file: what takes the files out of a message, what asks a scanner about them, and what a tenant wants done. */
import type { FileStatus, Inspection, Scan } from "./files.ts";

export interface ExtractedFile {
  readonly partId: string;
  /** Of the bytes that were handed over: the caller compares both with what the event lists. */
  readonly sha256: string;
  readonly size: number;
  readonly inspection: Inspection;
}

/**
 * message: the child died of it, or worked longer than it may: count an attempt. raw: its bytes could not be read. closed: the daemon is
 * stopping, or the child was stopped for another reason than this message.
 */
export class ExtractFailed extends Error {
  readonly kind: "message" | "raw" | "closed";
  constructor(kind: ExtractFailed["kind"], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "ExtractFailed";
    this.kind = kind;
  }
}

export interface FileExtractor {
  /**
   * Hands over the files of a message one after the other, in the order in which they stand in it: those of `parts`, as its event lists them
   * (FileRow.partId). One that is no longer found is missing from the answer. What `each` leaves of the bytes is thrown away; what it
   * rejects with is what this rejects with. Everything else is an ExtractFailed.
   */
  extract(
    raw: () => Promise<AsyncIterable<Uint8Array>>,
    parts: readonly string[],
    each: (file: { readonly partId: string; readonly bytes: AsyncIterable<Uint8Array> }) => Promise<void>,
  ): Promise<readonly ExtractedFile[]>;
  close(): Promise<void>;
}

export interface Scanner {
  /**
   * Never rejects for what the scanner says or does: that is `unscanned`, with the reason as its detail. Rejects when `bytes` does. Only a
   * full answer of the scanner over all of the bytes is `clean`.
   */
  scan(bytes: AsyncIterable<Uint8Array>): Promise<Scan>;
  /** The version of the signatures that it would look with now; null where it has only such as have none, undefined while it does not answer. */
  signatures(): Promise<string | null | undefined>;
  close(): Promise<void>;
}

/** What can be wrong with a file, as a tenant's policy calls it. */
export const fileDangers = [
  "executables",
  "macros",
  "encrypted",
  "archives_with_executables",
  "archives_unlisted",
  "mismatch",
  "active_documents",
  "active_content",
  "unscanned",
] as const;
export type FileDanger = (typeof fileDangers)[number];

/** allow: served. strip: never kept and never served. quarantine: kept, and not served until a person decides. */
export const fileActions = ["allow", "strip", "quarantine"] as const;
export type FileAction = (typeof fileActions)[number];
export type FilePolicy = Readonly<Record<FileDanger, FileAction>>;

export const defaultFilePolicy: FilePolicy = {
  executables: "strip",
  macros: "quarantine",
  encrypted: "quarantine",
  archives_with_executables: "quarantine",
  archives_unlisted: "quarantine",
  mismatch: "quarantine",
  active_documents: "quarantine",
  active_content: "allow",
  unscanned: "quarantine",
};

/** What the scanner looks at of an archive's content; beyond, its OK says nothing. Bytes. */
export interface ScanLimits {
  readonly fileBytes: number;
  readonly totalBytes: number;
  readonly depth: number;
}

/** As Debian sets clamd up: MaxFileSize, MaxScanSize, MaxRecursion. Its own defaults are larger. */
export const defaultScanLimits: ScanLimits = {
  fileBytes: 25 * 1024 * 1024,
  totalBytes: 100 * 1024 * 1024,
  depth: 16,
};

/** What is known of a file when it is judged. */
export interface FileToJudge {
  readonly filename: string;
  /** As declared. */
  readonly contentType: string;
  /** Null: its content was not looked at yet. */
  readonly inspection: Inspection | null;
  readonly scan: Scan;
  /** What a person decided, which stands; null where nobody did. */
  readonly decision: "release" | "drop" | null;
}

export interface Judgement {
  readonly status: FileStatus;
  /** A sentence without addresses; null for checking and stored. */
  readonly reason: string | null;
}

export type Judge = (file: FileToJudge, policy: FilePolicy, limits: ScanLimits) => Judgement;
