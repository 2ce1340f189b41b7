/** A private Postfix for tests and benches: its own folders and ports, loopback only, started and stopped by its caller. Needs root. */
import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface Postfix {
  readonly port: number;
  /** Messages in its queue, any state. */
  queued(): Promise<number>;
  /** Try deferred mail now. */
  flush(): Promise<void>;
  clear(): Promise<void>;
  log(): string;
  stop(): Promise<void>;
}

export interface PostfixOptions {
  /** `hold`: every message is fsynced into the queue and stays there, for yardsticks. `relay`: mail goes on to a port of ours. */
  readonly role: { readonly kind: "hold" } | { readonly kind: "relay"; readonly toPort: number };
  /** The domain it takes mail for. */
  readonly domain: string;
  /** More of main.cf. */
  readonly settings?: Readonly<Record<string, string>>;
}

export async function postfixAvailable(): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  return await run("postfix", ["-c", "/etc/postfix", "status"]).then(
    () => true,
    // Exit 1 with "not running" is an installed Postfix; ENOENT is none.
    (error: unknown) => !(error instanceof Error && "code" in error && error.code === "ENOENT"),
  );
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}

export async function startPostfix({ role, domain, settings = {} }: PostfixOptions): Promise<Postfix> {
  const dir = await mkdtemp(join(tmpdir(), "mailwright-postfix-"));
  await chmod(dir, 0o755);
  const port = await freePort();
  for (const name of ["etc", "queue", "data"]) await mkdir(join(dir, name));
  await run("chown", ["postfix", join(dir, "data")]);
  const etc = join(dir, "etc");
  const logFile = join(dir, "mail.log");
  await writeFile(join(etc, "main.cf"), mainConfiguration(dir, logFile, { role, domain, settings }));
  await writeFile(join(etc, "master.cf"), masterConfiguration(port));
  await run("postfix", ["-c", etc, "start"]);
  return {
    port,
    async queued() {
      const { stdout } = await run("postqueue", ["-c", etc, "-j"], { maxBuffer: 1 << 28 });
      return stdout === "" ? 0 : stdout.trim().split("\n").length;
    },
    flush: async () => void (await run("postqueue", ["-c", etc, "-f"])),
    clear: async () => void (await run("postsuper", ["-c", etc, "-d", "ALL"])),
    log: () => logFile,
    async stop() {
      await run("postfix", ["-c", etc, "stop"]);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function mainConfiguration(dir: string, logFile: string, { role, domain, settings }: Required<PostfixOptions>): string {
  const common = {
    compatibility_level: "3.6",
    queue_directory: join(dir, "queue"),
    data_directory: join(dir, "data"),
    inet_interfaces: "127.0.0.1",
    inet_protocols: "ipv4",
    mydestination: "",
    local_recipient_maps: "",
    relay_domains: domain,
    smtpd_relay_restrictions: "reject_unauth_destination",
    smtp_dns_support_level: "disabled",
    smtp_host_lookup: "native",
    smtp_tls_security_level: "none",
    smtpd_peername_lookup: "no",
    maillog_file: logFile,
    maillog_file_prefixes: dir,
    import_environment: "MAIL_CONFIG",
    message_size_limit: "200000000",
    mailbox_size_limit: "0",
    // A fair yardstick: as many processes as connections, and no artificial delays (in_flow_delay throttles a full queue).
    default_process_limit: "100",
    smtpd_client_connection_count_limit: "0",
    in_flow_delay: "0",
    smtpd_recipient_restrictions: "reject_unauth_destination",
  };
  const own =
    role.kind === "hold"
      ? { smtpd_recipient_restrictions: `check_recipient_access inline:{ ${domain}=HOLD }, reject_unauth_destination` }
      : {
          relayhost: `[127.0.0.1]:${role.toPort}`,
          minimal_backoff_time: "2s",
          maximal_backoff_time: "5s",
          queue_run_delay: "2s",
          smtp_connection_cache_on_demand: "no",
        };
  return Object.entries({ ...common, ...own, ...settings })
    .map(([key, value]) => `${key} = ${value}\n`)
    .join("");
}

/** Every service without chroot, so that nothing needs a copy of the system's files. */
function masterConfiguration(port: number): string {
  return [
    `127.0.0.1:${port} inet n - n - 100 smtpd`,
    "pickup unix n - n 60 1 pickup",
    "cleanup unix n - n - 0 cleanup",
    "qmgr unix n - n 300 1 qmgr",
    "rewrite unix - - n - - trivial-rewrite",
    "bounce unix - - n - 0 bounce",
    "defer unix - - n - 0 bounce",
    "trace unix - - n - 0 bounce",
    "verify unix - - n - 1 verify",
    "flush unix n - n 1000? 0 flush",
    "proxymap unix - - n - - proxymap",
    "smtp unix - - n - - smtp",
    "relay unix - - n - - smtp",
    "showq unix n - n - - showq",
    "error unix - - n - - error",
    "retry unix - - n - - error",
    "discard unix - - n - - discard",
    "anvil unix - - n - 1 anvil",
    "scache unix - - n - 1 scache",
    "postlog unix-dgram n - n - 1 postlogd",
    "",
  ].join("\n");
}
