/** A private Dovecot on loopback: one mailbox in a Maildir of its own, opened by a password and, where an issuer is named, by its tokens. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, chown, mkdir, mkdtemp, rename, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { listening } from "./listening.ts";
import { freePort } from "./postfix.ts";
import { hasTool, isRoot } from "./tools.ts";

const run = promisify(execFile);

export interface Dovecot {
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Where the inbox lies. */
  readonly maildir: string;
  /** Puts messages into a folder as a delivery would; `seen`: as old mail that was read. */
  deliver(
    messages: readonly string[],
    options?: { readonly folder?: string; readonly at?: number; readonly seen?: boolean },
  ): Promise<void>;
  doveadm(...args: string[]): Promise<string>;
  start(): Promise<void>;
  /** While it is halted: its index is lost, so that all messages get new UIDs under a new UIDVALIDITY. */
  renumber(): Promise<void>;
  /** Ends every session with it. */
  halt(signal?: NodeJS.Signals): Promise<void>;
  stop(): Promise<void>;
}

/** Debian's user without rights: Dovecot opens no mailbox as root. */
const nobody = 65_534;
const user = "ada@example.test";
const password = "correct_horse";

export const dovecotAvailable = (): boolean => isRoot && hasTool("dovecot") && hasTool("doveadm");

export async function startDovecot({ introspectUrl }: { readonly introspectUrl?: string } = {}): Promise<Dovecot> {
  const dir = await mkdtemp(join(tmpdir(), "mailwright-dovecot-"));
  await chmod(dir, 0o755);
  const port = await freePort();
  const home = join(dir, "home");
  const maildir = join(home, "Maildir");
  const config = join(dir, "dovecot.conf");
  for (const folder of ["", ".Sent", ".Archive"])
    for (const part of ["cur", "new", "tmp"]) await mkdir(join(maildir, folder, part), { recursive: true });
  await run("chown", ["-R", `${nobody}:${nobody}`, home]);
  await writeFile(config, settings({ dir, home, port, introspectUrl }));
  if (introspectUrl !== undefined) await writeFile(join(dir, "oauth2.conf"), oauthSettings(introspectUrl));

  let child: ChildProcess | undefined;
  let said = "";
  let number = 0;
  const endGroup = (): void => {
    try {
      if (child?.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // Nobody is left of it.
    }
  };
  const leaveNothing = (): void => {
    child?.kill("SIGKILL");
    endGroup();
  };
  process.once("exit", leaveNothing);

  const self: Dovecot = {
    port,
    user,
    password,
    maildir,
    async deliver(messages, { folder = "", at = Date.now(), seen = false } = {}) {
      const into = join(maildir, folder);
      for (const message of messages) {
        // INTERNALDATE is the file's time in a Maildir, and its order is that of the names.
        const name = `${Math.floor(at / 1_000)}.M${String(++number).padStart(8, "0")}.test`;
        const draft = join(into, "tmp", name);
        await writeFile(draft, message);
        await chown(draft, nobody, nobody);
        await utimes(draft, at / 1_000, at / 1_000);
        await rename(draft, seen ? join(into, "cur", `${name}:2,S`) : join(into, "new", name));
      }
    },
    async doveadm(...args) {
      return (await run("doveadm", ["-c", config, ...args])).stdout;
    },
    async start() {
      const started = spawn("dovecot", ["-F", "-c", config], {
        stdio: ["ignore", "pipe", "pipe"],
        // A group of its own, for its children may outlive it.
        detached: true,
      });
      child = started;
      for (const stream of [started.stdout, started.stderr])
        stream.setEncoding("utf8").on("data", (text: string) => (said += text));
      await listening({
        name: "dovecot",
        port,
        lives: () => started.exitCode === null,
        said: () => said,
        withinMs: 30_000,
      });
    },
    async renumber() {
      for (const name of [
        "dovecot-uidlist",
        "dovecot-uidvalidity",
        "dovecot.index",
        "dovecot.index.log",
        "dovecot.index.cache",
      ])
        await rm(join(maildir, name), { force: true });
      const found = await run("sh", ["-c", `rm -f "${maildir}"/dovecot-uidvalidity.*`]);
      if (found.stderr !== "") throw new Error(found.stderr);
    },
    async halt(signal = "SIGTERM") {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill(signal);
      await exited;
      // A session that lives on writes the index anew that `renumber` removes, under the UIDVALIDITY that it remembers.
      endGroup();
    },
    async stop() {
      await self.halt();
      process.off("exit", leaveNothing);
      await rm(dir, { recursive: true, force: true });
    },
  };
  await self.start();
  return self;
}

interface Places {
  readonly dir: string;
  readonly home: string;
  readonly port: number;
  readonly introspectUrl: string | undefined;
}

function settings({ dir, home, port, introspectUrl }: Places): string {
  const byToken = introspectUrl !== undefined;
  return `
base_dir = ${dir}/run
state_dir = ${dir}/state
log_path = ${dir}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login${byToken ? " xoauth2 oauthbearer" : ""}
auth_failure_delay = 0
mail_location = maildir:${home}/Maildir
first_valid_uid = 1
mail_fsync = optimized
namespace inbox {
  inbox = yes
  separator = /
  mailbox Sent {
    special_use = \\Sent
    auto = subscribe
  }
  mailbox Archive {
    special_use = \\Archive
    auto = subscribe
  }
}
${byToken ? `passdb {\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = ${dir}/oauth2.conf\n}` : ""}
passdb {
  driver = static
  mechanisms = plain login
  args = password=${password}
}
userdb {
  driver = static
  args = uid=${nobody} gid=${nobody} home=${home} allow_all_users=yes
}
service imap-login {
  chroot =
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
}
service anvil {
  chroot =
}
protocol imap {
  mail_max_userip_connections = 100
}
`;
}

const oauthSettings = (introspectUrl: string): string => `
introspection_mode = auth
introspection_url = ${introspectUrl}
username_attribute = username
active_attribute = active
active_value = true
use_grant_password = no
`;
