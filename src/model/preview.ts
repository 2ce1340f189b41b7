/** EYES on a file: a small picture of a picture, made by a child that can be killed, and kept beside the original for a while. */
import type { FileRow } from "./files.ts";

/** By content alone. Never SVG, which is a program; and nothing whose reader is large and seldom needed (TIFF, HEIF). */
export const previewTypes: ReadonlySet<string> = new Set(["image/jpeg", "image/png", "image/gif", "image/webp"]);

/** Of every preview. */
export const previewContentType = "image/webp";

/** Why there is none, as people read it. */
export const noPreviewReasons = {
  not_a_picture: "It is no picture of a kind that small pictures are made of.",
  too_large: "The file is larger than is looked at for a small picture.",
  too_many_pixels: "The picture has more pixels than are looked at.",
  unreadable: "The picture is damaged, or is not what its first bytes say.",
  too_slow: "Making the small picture took too long.",
  too_much_memory: "Making the small picture took too much memory.",
  crashed: "The program that makes small pictures ended on it.",
  given_up: "The small picture was tried several times, and never came to an end.",
} as const;
export type NoPreview = keyof typeof noPreviewReasons;

export type Preview =
  | { readonly kind: "made"; readonly bytes: Uint8Array }
  | { readonly kind: "none"; readonly reason: NoPreview };

/** Undefined: of a file that is not served, and so has none to show. Rejects where the store, the ledger or the library fails. */
export type PreviewOfFile = (file: FileRow) => Promise<Preview | undefined>;

export const isPicture = ({ detectedType, inspection }: Pick<FileRow, "detectedType" | "inspection">): boolean =>
  previewTypes.has(inspection?.detectedType ?? detectedType ?? "");

/** The program or its library cannot be started, or gave up for a reason of its own: no fault of any picture. */
export class PreviewerBroken extends Error {
  override readonly name = "PreviewerBroken";
}

/** It was ended by somebody else, or did not come to its end in time without being at work: the picture or the machine, nobody knows. */
export class PreviewStopped extends Error {
  override readonly name = "PreviewStopped";
}

export interface Previewer {
  /** Never rejects for what the bytes are. Rejects as `picture` does, and with PreviewerBroken or PreviewStopped. */
  make(picture: AsyncIterable<Uint8Array>, size: number): Promise<Preview>;
  close(): Promise<void>;
}

/** What the ledger knows of the preview of one content. */
export interface PreviewRow {
  /** making: a process began with it, and has not said yet what came of it. */
  readonly state: "making" | "made" | "none";
  /** Where its bytes are, or will be. */
  readonly storeKey: string;
  readonly reason: NoPreview | null;
  /** How often it was begun in a row. */
  readonly attempts: number;
  /** Epoch ms. */
  readonly at: number;
}

export interface PreviewOf {
  readonly tenant: string;
  readonly sha256: string;
}

export interface Previews {
  preview(of: PreviewOf): Promise<PreviewRow | undefined>;
  /**
   * Written down before any byte is put, so that bytes are never without a row that knows them. Answers the attempts, this one included;
   * undefined where no file that is served has this content.
   */
  previewBegun(of: PreviewOf & { readonly storeKey: string; readonly now: number }): Promise<number | undefined>;
  /** What came of it says nothing of the picture (its store is away, say): this attempt is not counted. */
  previewLeft(of: PreviewOf): Promise<void>;
  /** False when the original has gone meanwhile: then the bytes are to be deleted, and the ledger knows of it. */
  previewDone(
    of: PreviewOf & { readonly storeKey: string; readonly reason: NoPreview | null; readonly now: number },
  ): Promise<boolean>;
  /** Forgets those that were made before (epoch ms), and has their bytes deleted. Answers which. */
  previewsRemoved(policy: {
    readonly before: number;
    readonly limit: number;
    readonly dryRun: boolean;
  }): Promise<readonly PreviewOf[]>;
}
