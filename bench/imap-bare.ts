/**
 * imapflow without Mailwright around it, in a process of its own: fetches every message of the inbox whole. `bare`: in one FETCH, and keeps nothing.
 * `sized`: asks for each window's sizes first, as a reader must that downloads nothing too large. `kept`: that, each message sealed and in a
 * bare ledger when it is done. Told to by its parent over IPC.
 */
import { hash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ImapFlow } from "imapflow";
import { openKeyRing } from "../src/blobs/index.ts";
import { type BareLedger, openBareLedger } from "./bare-ledger.ts";

export type BareHow = "bare" | "sized" | "kept";

export interface BareOrder {
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly messages: number;
}

export interface BareRead {
  readonly seconds: number;
  readonly messages: number;
  readonly bytes: number;
  /** Of the whole process, in microseconds. */
  readonly cpu: number;
}

const how = process.argv[2] as BareHow;
const window = 1_000;
/** On their way into the ledger at once: as many as the product has. */
const mostInFlight = 256;

async function* sources(client: ImapFlow, messages: number): AsyncGenerator<Buffer> {
  const whole = { uid: true, source: true } as const;
  if (how === "bare") {
    for await (const { source } of client.fetch("1:*", whole, { uid: true })) if (source !== undefined) yield source;
    return;
  }
  for (let from = 1; from <= messages; from += window) {
    const range = `${from}:${from + window - 1}`;
    const sizes = new Map<number, number>();
    const facts = { uid: true, size: true, flags: true, internalDate: true } as const;
    for await (const { uid, size } of client.fetch(range, facts, { uid: true })) sizes.set(uid, size ?? 0);
    for await (const { uid, source } of client.fetch(range, whole, { uid: true })) {
      if (source !== undefined && source.length === sizes.get(uid)) yield source;
    }
  }
}

async function readAll(client: ImapFlow, expected: number, ledger: BareLedger | undefined) {
  const sealer = openKeyRing({ key: "00".repeat(32) });
  const label = "x".repeat(300);
  let messages = 0;
  let bytes = 0;
  const inFlight: Promise<unknown>[] = [];
  for await (const source of sources(client, expected)) {
    messages += 1;
    bytes += source.length;
    if (ledger === undefined) continue;
    const key = hash("sha256", source, "hex");
    inFlight.push(ledger.call({ what: "keep", n: messages, key, sealed: sealer.seal(source, label) }));
    if (inFlight.length >= mostInFlight) await inFlight.shift();
  }
  await Promise.all(inFlight);
  return { messages, bytes };
}

async function read({ port, user, password, messages: expected }: BareOrder): Promise<BareRead> {
  const dir = mkdtempSync(join(tmpdir(), "mailwright-imap-bare-"));
  const ledger = how === "kept" ? await openBareLedger(join(dir, "bare.sqlite")) : undefined;
  const { user: userBefore, system: systemBefore } = process.cpuUsage();
  const start = performance.now();
  const client = new ImapFlow({
    host: "127.0.0.1",
    port,
    secure: false,
    doSTARTTLS: false,
    auth: { user, pass: password },
    logger: false,
    disableAutoIdle: true,
    disableCompression: true,
  });
  await client.connect();
  await client.mailboxOpen("INBOX", { readOnly: true });
  const { messages, bytes } = await readAll(client, expected, ledger);
  const seconds = (performance.now() - start) / 1_000;
  client.close();
  const { user: userAfter, system } = process.cpuUsage();
  await ledger?.close();
  rmSync(dir, { recursive: true, force: true });
  return { seconds, messages, bytes, cpu: userAfter - userBefore + system - systemBefore };
}

process.on("disconnect", () => process.exit(0));
process.on("message", (order: BareOrder) => {
  void read(order).then((found) => process.send?.(found));
});
process.send?.({ ready: true });
