/** The side road of a mail's files: kept, scanned, told to the plans and deleted beside the mail itself, which never waits for them. */
import type { Stores } from "../model/blob.ts";
import type { FileExtractor, FileToJudge, Judgement, Scanner } from "../model/checking.ts";
import { type BytesInUse, openBytesInUse } from "./bytes-in-use.ts";
import { type DeletingPorts, startDeleting } from "./deleting.ts";
import { type KeepingPorts, startKeeping } from "./keeping.ts";
import { type RefilingPorts, startRefiling } from "./refiling.ts";
import { type ScanningPorts, startScanning } from "./scanning.ts";
import type { Taker } from "./taking.ts";

/** What it needs beside what the road has anyway. */
export interface FileRoom {
  readonly stores: Stores;
  readonly extractor: Pick<FileExtractor, "extract">;
  /** Undefined where none is configured. */
  readonly scanner: Scanner | undefined;
  /** By the policy of the tenant. */
  readonly judge: (tenant: string, file: FileToJudge) => Judgement;
  /** Contents with the scanner at once. */
  readonly scanWidth: number;
  /** Shared with whoever else puts bytes of files. */
  readonly bytes?: BytesInUse;
  /** Called by whoever else leaves bytes to be deleted, once there is somebody who deletes them. */
  readonly doomed?: { call(): void };
}

export type FilesPorts = Omit<
  KeepingPorts & ScanningPorts & DeletingPorts & RefilingPorts,
  "kept" | "scanned" | "scans" | "bytes"
> &
  FileRoom;

export interface FilesRoad {
  readonly parts: readonly Taker[];
  /** A message with files was prepared. */
  listed(): void;
  /** A message came out of somebody's hands. */
  freed(): void;
}

/** Messages whose files are in hand at once: live mail is parsed and delivered on the same processor and the same line. */
const keepWidth = 2;

/** `planAgain` is called when messages may be due to be planned anew: those whose plans retention has taken. */
export function startFiles(
  tenants: readonly string[],
  ports: FilesPorts,
  planAgain: () => void = () => undefined,
): FilesRoad {
  const bytes = ports.bytes ?? openBytesInUse();
  const deleting = startDeleting({ ...ports, bytes });
  if (ports.doomed !== undefined) ports.doomed.call = deleting.wake;
  const refiling = startRefiling(tenants, ports);
  const scanning = startScanning(tenants, ports.scanWidth, { ...ports, scanned: () => keeping.wake() });
  const keeping = startKeeping(tenants, keepWidth, {
    ...ports,
    bytes,
    scans: ports.scanner !== undefined,
    kept() {
      refiling.wake();
      planAgain();
      scanning.wake();
      deleting.wake();
    },
  });
  return {
    parts: [keeping, scanning, refiling, deleting],
    listed: () => keeping.wake(),
    freed: () => refiling.freed(),
  };
}
