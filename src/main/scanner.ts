/** The virus scanner and its limits, as the configuration says. */
import { openScanner } from "../blobs/index.ts";
import { defaultScanLimits, type ScanLimits, type Scanner } from "../model/checking.ts";
import type { Clock } from "../model/ports.ts";
import type { Settings } from "../settings/index.ts";

type Clamd = Pick<Settings, "clamd">;

/** Undefined where none is configured: then nothing is asked, and structure alone decides. */
export function scannerOf({ clamd }: Clamd, clock: Clock): Scanner | undefined {
  if (clamd === undefined) return undefined;
  const { socket, host = "127.0.0.1", port, timeout, connections } = clamd;
  const at = socket === undefined ? { host, port } : { socket };
  return openScanner({ at, timeoutMs: timeout, connections, clock });
}

export function scanLimitsOf({ clamd }: Clamd): ScanLimits {
  if (clamd === undefined) return defaultScanLimits;
  return { fileBytes: clamd.max_file_size, totalBytes: clamd.max_scan_size, depth: clamd.max_recursion };
}
