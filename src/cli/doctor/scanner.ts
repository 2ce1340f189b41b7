/** Examines the virus scanner, by asking it about a harmless file: where it gives no verdict, every attachment stays in quarantine. */
import { scannerOf } from "../../main.ts";
import type { Clock } from "../../model/ports.ts";
import type { Settings } from "../../settings/index.ts";
import { type Found, ok, problem, warning } from "./finding.ts";

export async function examineScanner(settings: Pick<Settings, "clamd">, clock: Clock): Promise<Found> {
  const scanner = scannerOf(settings, clock);
  if (scanner === undefined || settings.clamd === undefined) {
    return ok("clamd", "no virus scanner is configured: attachments are judged by their structure alone");
  }
  const { socket, host, port } = settings.clamd;
  const where = socket ?? `${host}:${port}`;
  try {
    const { status, engine, signatures, detail } = await scanner.scan(harmless());
    if (status !== "clean") {
      return problem(
        "clamd",
        `the virus scanner at ${where} gives no verdict: ${detail ?? status}; every attachment stays in quarantine`,
        "start clamd, or correct clamd.socket, clamd.host or clamd.port; files are scanned again by themselves",
      );
    }
    if (signatures === null) {
      return warning(
        "clamd",
        `${engine} at ${where} names no version of its signatures, so it has none but your own: what is linked is scanned again once a day`,
        "give it the official signatures (freshclam)",
      );
    }
    return ok("clamd", `attachments are scanned by ${engine} at ${where}, with signatures ${signatures}`);
  } finally {
    await scanner.close();
  }
}

async function* harmless(): AsyncGenerator<Uint8Array> {
  yield Buffer.from("a file that holds nothing but this line\n");
}
