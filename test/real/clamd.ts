/** A private clamd for tests: Debian's program with a signature base of our own on loopback, started, stopped and killed by its caller. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { tar } from "../support/dangerous/zip.ts";
import { freePort } from "./postfix.ts";

export interface Clamd {
  readonly at: { readonly host: string; readonly port: number };
  readonly socket: string;
  /** Where it keeps what it is sent. */
  readonly temporary: string;
  signal(name: NodeJS.Signals): void;
  /** What it finds from the next reload on. */
  learn(signatures: Signatures): Promise<void>;
  /** Resolves when it looks with them. */
  reload(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
  exited(): Promise<unknown>;
}

export interface Signatures {
  /** As the official base counts them. */
  readonly version: number;
  /** Whole contents, by the name that they are found under. */
  readonly contents: Readonly<Record<string, Uint8Array>>;
}

/** A base that nobody signed (`daily.cud`): a header of 512 bytes with the version, and a tar with a list of what is in it. */
function database({ version, contents }: Signatures): Buffer {
  const lines = Object.entries(contents).map(([name, bytes]) => {
    const md5 = createHash("md5").update(bytes).digest("hex");
    return `${md5}:${bytes.length}:${name}\n`;
  });
  const signatures = Buffer.from(lines.join(""));
  const sha256 = createHash("sha256").update(signatures).digest("hex");
  const header = `ClamAV-VDB:28 Nov 2026 09-00 +0000:${version}:${lines.length}:90:X:X:test:1795856400`;
  const list = Buffer.from(`${header}\ndaily.hdb:${signatures.length}:${sha256}\n`);
  const files = [
    { name: "daily.info", bytes: list },
    { name: "daily.hdb", bytes: signatures },
  ];
  return Buffer.concat([Buffer.from(header.padEnd(512)), gzipSync(tar(files))]);
}

/** `streamMaxLength`: as clamd.conf says it; small by default, so that a test need not send much to be beyond it. */
export async function startClamd(signatures: Signatures, streamMaxLength = "2M"): Promise<Clamd> {
  const dir = await mkdtemp(join(tmpdir(), "mailwright-clamd-"));
  const port = await freePort();
  const at = { host: "127.0.0.1", port };
  const socket = join(dir, "clamd.sock");
  const temporary = join(dir, "tmp");
  await mkdir(temporary);
  const lines = [
    `DatabaseDirectory ${dir}`,
    "OfficialDatabaseOnly no",
    `LocalSocket ${socket}`,
    `TCPSocket ${port}`,
    "TCPAddr 127.0.0.1",
    "Foreground yes",
    "MaxThreads 4",
    `StreamMaxLength ${streamMaxLength}`,
    "MaxScanTime 10000",
    "AlertExceedsMax yes",
    `TemporaryDirectory ${temporary}`,
  ];
  await writeFile(join(dir, "clamd.conf"), `${lines.join("\n")}\n`);
  const learn = (known: Signatures): Promise<void> => writeFile(join(dir, "daily.cud"), database(known));
  await learn(signatures);
  let child: ChildProcess | undefined;
  let exited: Promise<unknown> = Promise.resolve();
  let said = "";
  const leaveNothing = (): void => void child?.kill("SIGKILL");
  process.once("exit", leaveNothing);

  const start = async (): Promise<void> => {
    const started = spawn("clamd", ["--config-file", join(dir, "clamd.conf")], { stdio: ["ignore", "pipe", "pipe"] });
    child = started;
    exited = once(started, "exit");
    for (const pipe of [started.stdout, started.stderr]) {
      pipe?.setEncoding("utf8").on("data", (text: string) => {
        said = (said + text).slice(-4_000);
      });
    }
    while ((await asked(at, "PING")) !== "PONG") {
      if (started.exitCode !== null) throw new Error(`clamd did not start: ${said}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  await start();
  return {
    at,
    socket,
    signal: (name) => void child?.kill(name),
    learn,
    async reload() {
      const before = said.length === 0 ? 0 : countOf(said, "Database correctly reloaded");
      await asked(at, "RELOAD");
      while (countOf(said, "Database correctly reloaded") <= before)
        await new Promise((resolve) => setTimeout(resolve, 50));
    },
    start,
    temporary,
    async stop() {
      process.off("exit", leaveNothing);
      child?.kill("SIGKILL");
      await exited;
      await rm(dir, { recursive: true });
    },
    exited: () => exited,
  };
}

const countOf = (text: string, words: string): number => text.split(words).length - 1;

/** The answer to one command; undefined where nobody answers. */
export function asked(
  at: { readonly host: string; readonly port: number },
  command: string,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(at, () => socket.write(`z${command}\0`));
    let answer = "";
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      answer += text;
    });
    socket.on("error", () => resolve(undefined));
    socket.on("close", () => resolve(answer.replace(/\0$/, "")));
  });
}
