/** CERTIFICATE: reads the STARTTLS certificate and key, proves that they fit, and notices when the files change. */
import { createHash, X509Certificate } from "node:crypto";
import { watch } from "node:fs";
import { readFile, realpath } from "node:fs/promises";
import type { Socket } from "node:net";
import { dirname } from "node:path";
import { createSecureContext, TLSSocket } from "node:tls";
import type { Clock, Log } from "../../model/ports.ts";

export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Changes whenever either file's content does. */
  readonly digest: string;
  /** Epoch ms after which peers that check will refuse it. */
  readonly validTo: number;
}

/** Rejects with a sentence when a file is missing, is no PEM, or the key is not the certificate's. */
export async function readCertificate(files: CertificateFiles): Promise<Certificate> {
  try {
    const [cert, key] = await Promise.all([readFile(files.cert), readFile(files.key)]);
    createSecureContext({ cert, key }); // throws where OpenSSL would later fail every handshake
    const validTo = Date.parse(new X509Certificate(cert).validTo);
    return { cert, key, validTo, digest: createHash("sha256").update(cert).update("\0").update(key).digest("hex") };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `smtp.tls: cannot use certificate ${files.cert} with key ${files.key}: ${reason}. ` +
        "Both must be PEM files readable by this process, and the key must belong to the certificate.",
      { cause: error },
    );
  }
}

export interface KeptCertificate {
  readonly certificate: Certificate;
  /** Reads the files again; what cannot be used is logged and the old certificate stays. */
  reload(): Promise<void>;
  /** Hears of every new certificate. */
  onRenewed(take: (certificate: Certificate) => void): void;
}

interface Ports {
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Rejects when the certificate cannot be used now; keeps it up to date until `signal` fires. */
export async function keepCertificate(files: CertificateFiles, ports: Ports): Promise<KeptCertificate> {
  let current = await readCertificate(files);
  let take: (certificate: Certificate) => void = () => {};
  let reading: Promise<void> = Promise.resolve();
  const read = async () => {
    try {
      const next = await readCertificate(files);
      if (next.digest === current.digest) return;
      take(next);
      current = next;
      ports.log.info({ valid_to: new Date(next.validTo).toISOString() }, "smtp: new certificate in use");
      warnWhenExpired(next, ports);
    } catch (error) {
      const kept = new Date(current.validTo).toISOString();
      ports.log.error(
        { error: asError(error), kept_valid_to: kept },
        "smtp: new certificate refused, the old one stays",
      );
    }
  };
  // One after the other, so that an older reading never overtakes a newer one.
  const reload = () => {
    reading = reading.then(read);
    return reading;
  };
  warnWhenExpired(current, ports);
  await watchFolders(files, reload, ports);
  return {
    certificate: current,
    reload,
    onRenewed: (listener) => {
      take = listener;
    },
  };
}

/** What STARTTLS agreed on; null for a plain connection. */
export function tlsOf(socket: Socket): { readonly version: string; readonly cipher: string } | null {
  if (!(socket instanceof TLSSocket)) return null;
  // Null once the socket is destroyed, which is before its connection hears of it: a command pipelined behind another may come in between.
  const cipher: ReturnType<TLSSocket["getCipher"]> | null = socket.getCipher();
  return {
    version: socket.getProtocol() ?? "unknown",
    cipher: cipher?.standardName ?? cipher?.name ?? "unknown",
  };
}

/** Senders that use TLS when they can (RFC 7435) mostly do not look at the date; those with MTA-STS or DANE do, and stop sending. */
function warnWhenExpired(certificate: Certificate, { clock, log }: Ports): void {
  if (certificate.validTo > clock.now()) return;
  const validTo = new Date(certificate.validTo).toISOString();
  log.warn(
    { valid_to: validTo },
    "smtp: the certificate has expired; senders that check it will not deliver. Renew it",
  );
}

/** Writers replace certificate and key one after the other; this much quiet is waited for before both are read. */
const quietMs = 250;

/**
 * Calls `changed` after something happened in the files' folders, once things have been quiet. Whole folders are watched, and those
 * behind symbolic links too, because renewal replaces the name (rename) or a link on the way to it (certbot, Kubernetes).
 */
async function watchFolders(files: CertificateFiles, changed: () => Promise<void>, ports: Ports): Promise<void> {
  let pending: AbortController | undefined;
  const touched = async () => {
    pending?.abort();
    const mine = new AbortController();
    pending = mine;
    await ports.clock.sleep(quietMs, AbortSignal.any([mine.signal, ports.signal]));
    if (!mine.signal.aborted && !ports.signal.aborted) await changed();
  };
  const failed = (error: unknown) =>
    ports.log.warn({ error: asError(error) }, "smtp: certificate folder is not watched; send SIGHUP after a renewal");
  for (const folder of await foldersOf(files)) {
    try {
      const watcher = watch(folder, { persistent: false }, () => void touched());
      watcher.on("error", failed);
      ports.signal.addEventListener("abort", () => watcher.close(), { once: true });
    } catch (error) {
      failed(error);
    }
  }
}

async function foldersOf(files: CertificateFiles): Promise<ReadonlySet<string>> {
  const paths = [files.cert, files.key];
  const real = await Promise.all(paths.map((path) => realpath(path)));
  return new Set([...paths, ...real].map((path) => dirname(path)));
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
