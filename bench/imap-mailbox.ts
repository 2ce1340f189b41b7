/** The mailbox of the IMAP bench: filled as a delivery agent leaves it, and pulled by mbsync into a Maildir with everything fsynced. */
import { execFile } from "node:child_process";
import { chown, mkdir, mkdtemp, readdir, rename, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Dovecot } from "../test/real/dovecot.ts";
import { benchMails } from "./mail.ts";

const run = promisify(execFile);
/** Debian's user without rights, as whom the test's Dovecot opens mailboxes. */
const nobody = 65_534;
const atOnce = 100;

/** Adds messages to the inbox, numbered from `from`, and has Dovecot take them into its index. Their bytes as IMAP counts them. */
export async function fillInbox(dovecot: Dovecot, from: number, to: number): Promise<number> {
  let bytes = 0;
  let writing: Promise<void>[] = [];
  let index = from;
  const at = Date.now() / 1_000 - 3_600;
  for (const { data } of benchMails(to - from, 500, `box${from}`, "small")) {
    bytes += data.length;
    writing.push(put(dovecot.maildir, data, index++, at));
    if (writing.length < atOnce) continue;
    await Promise.all(writing);
    writing = [];
  }
  await Promise.all(writing);
  await dovecot.doveadm("index", "-u", dovecot.user, "INBOX");
  return bytes;
}

/** As Dovecot's own delivery does: LF on disk, and both sizes in the name, so that no reader has them counted first. */
async function put(maildir: string, data: Buffer, index: number, at: number): Promise<void> {
  const text = Buffer.from(data.toString("latin1").replaceAll("\r\n", "\n"), "latin1");
  const name = `${Math.floor(at)}.M${String(index).padStart(8, "0")}.bench,S=${text.length},W=${data.length}`;
  const draft = join(maildir, "tmp", name);
  await writeFile(draft, text);
  await chown(draft, nobody, nobody);
  await utimes(draft, at, at);
  await rename(draft, join(maildir, "cur", `${name}:2,S`));
}

/** Seconds until mbsync has pulled the inbox into a new Maildir; rejects where it did not pull all. */
export async function pullByMbsync({ port, user, password }: Dovecot, messages: number): Promise<number> {
  const dir = await mkdtemp(join(tmpdir(), "mailwright-mbsync-"));
  try {
    await mkdir(join(dir, "box"));
    const config = join(dir, "mbsyncrc");
    await writeFile(config, settings({ dir, port, user, password }), { mode: 0o600 });
    const start = performance.now();
    await run("mbsync", ["--config", config, "--quiet", "--all"]);
    const seconds = (performance.now() - start) / 1_000;
    const inbox = join(dir, "box", "INBOX");
    const pulled = (await Promise.all(["new", "cur"].map((part) => readdir(join(inbox, part))))).flat();
    const found = pulled.filter((name) => !name.startsWith(".")).length;
    if (found !== messages) throw new Error(`mbsync pulled ${found} messages of ${messages}`);
    return seconds;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function settings({
  dir,
  port,
  user,
  password,
}: Record<"dir" | "user" | "password", string> & { port: number }): string {
  return `
FSync yes

IMAPAccount far
Host 127.0.0.1
Port ${port}
User ${user}
Pass ${password}
SSLType None
AuthMechs LOGIN

IMAPStore far
Account far

MaildirStore near
Path ${dir}/box/
Inbox ${dir}/box/INBOX
SubFolders Verbatim

Channel inbox
Far :far:
Near :near:
Sync Pull New
Create Near
Expunge None
SyncState *
`;
}
