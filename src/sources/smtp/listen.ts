/** LISTEN: the options that make smtp-server an MX, and a port to listen on, or a sentence why not. */
import type { Server } from "node:net";
import { hostname } from "node:os";
import type { SmtpSettings } from "./settings.ts";
import type { Certificate } from "./tls.ts";

/** smtp-server reads lines longer than ours, so that they can be answered 500; one over this closes the connection. */
export const maxLineBytes = 16 * 1024;

/** What smtp-server is told: no log-in, no relay commands, nothing offered that is not done, no DNS look-up of the peer. */
export function serverOptions(settings: SmtpSettings, maxBytes: number, certificate: Certificate | undefined) {
  const off = ["AUTH", "WIZ", "SHELL", "KILL"];
  return {
    name: settings.name ?? hostname(),
    heloResponse: "%s",
    size: maxBytes,
    logger: false,
    authOptional: true,
    disableReverseLookup: true,
    hideENHANCEDSTATUSCODES: false,
    // Hidden is not enough: without a certificate of ours the command would hand out smtp-server's published test key.
    hideSTARTTLS: certificate === undefined,
    disabledCommands: certificate ? off : [...off, "STARTTLS"],
    minVersion: "TLSv1.2" as const, // RFC 8996 §2
    // Ours come first (Session.overdue); this one ends a connection whose handshake hangs.
    socketTimeout: settings.limits.idle_seconds * 1000 + 30_000,
    ...(certificate && { cert: certificate.cert, key: certificate.key }),
  };
}

/** Resolves with where it listens; rejects with what to do about it when it cannot. */
export async function listen(server: Server, settings: SmtpSettings): Promise<{ host: string; port: number }> {
  const { host, port } = settings;
  await new Promise<void>((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => reject(new Error(explain(error, host, port), { cause: error }));
    server.once("error", failed);
    server.listen({ host, port }, () => {
      server.off("error", failed);
      resolve();
    });
  });
  const bound = server.address();
  return { host, port: bound !== null && typeof bound === "object" ? bound.port : port };
}

function explain(error: NodeJS.ErrnoException, host: string, port: number): string {
  const where = `smtp: cannot listen on ${host} port ${port}`;
  switch (error.code) {
    case "EADDRINUSE":
      return `${where}: the port is taken. Stop the other program or set smtp.port.`;
    case "EACCES":
      return `${where}: not permitted. Ports below 1024 need the right to bind them (CAP_NET_BIND_SERVICE), or set smtp.port.`;
    case "EADDRNOTAVAIL":
      return `${where}: this machine has no such address. Set smtp.host.`;
    default:
      return `${where}: ${error.message}.`;
  }
}
