/** A mailbox at a real Dovecot with a daemon and commands beside it: what several tests of it need. Whatever is opened is closed after the test. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterEach } from "vitest";
import { openLocalRecords } from "../../src/store/index.ts";
import { mailwright, type Ran } from "../process/command.ts";
import { bin, type Home, makeHome, type RunningDaemon, startDaemon } from "../process/daemon.ts";
import type { Dovecot } from "./dovecot.ts";

export const day = 86_400_000;
export const mail = (name: string, at = Date.now()): string =>
  `From: Bo <${name}@client.example>\r\nTo: ada@example.test\r\nSubject: About ${name}\r\nMessage-ID: <${name}@client.example>\r\nDate: ${new Date(at).toUTCString()}\r\n\r\nThis is ${name}.\r\n`;

export const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  ms = 60_000,
): Promise<T> {
  const until = Date.now() + ms;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > until) throw new Error(`it did not come: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export async function homeFor(dovecot: Dovecot, credentials: Record<string, unknown>): Promise<Home> {
  const account = {
    id: "ada",
    host: "127.0.0.1",
    port: dovecot.port,
    tls: "none",
    user: dovecot.user,
    poll_seconds: 5,
    ...credentials,
  };
  const tenant = {
    id: "acme",
    imap: [{ folders: ["INBOX"], ...account }],
    destinations: [{ id: "crm", type: "local" }],
  };
  const home = await makeHome([], { tenants: [tenant] });
  open.push(() => home.remove());
  return home;
}

export async function daemonOn(home: Home): Promise<RunningDaemon> {
  const daemon = await startDaemon(home);
  open.push(() => daemon.kill("SIGKILL"));
  await daemon.parsing;
  return daemon;
}

/** Subjects of the activities, each as often as it is there. */
export function logged({ dataDir }: Home): string[] {
  const records = openLocalRecords(join(dataDir, "crm.sqlite"));
  try {
    return records
      .list("activity", { limit: 100_000 })
      .map(({ fields }) => String(fields.subject))
      .sort();
  } finally {
    records.close();
  }
}

export const hasLogged = (home: Home, subject: string) => (logged(home).includes(subject) ? true : undefined);
export const metric = async ({ httpPort }: RunningDaemon, name: string): Promise<number> => {
  const text = await (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text();
  return Number(new RegExp(`^${name}\\{[^}]*\\} (\\S+)$`, "m").exec(text)?.[1]);
};

export const run = (home: Home, ...args: string[]): Promise<Ran> =>
  mailwright([...args, "--config", home.config, "--json"]);

/** A command that is still at work. */
export interface AtWork {
  readonly code: Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
}

/** `onText` hears what it says of its progress. */
export function begin(home: Home, args: readonly string[], onText: (text: string) => void = () => undefined): AtWork {
  const child = spawn(process.execPath, [bin, ...args, "--config", home.config], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  open.push(async () => void child.kill("SIGKILL"));
  child.stderr.setEncoding("utf8").on("data", onText);
  const code = once(child, "close").then(([ended]) => ended as number | null);
  return { code, kill: (signal) => void child.kill(signal) };
}
