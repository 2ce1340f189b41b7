/** Bare imapflow, in a process of its own: fetches every message of the inbox whole, in one FETCH, and keeps nothing. Told to by its parent over IPC. */
import { ImapFlow } from "imapflow";

export interface BareOrder {
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

export interface BareRead {
  readonly seconds: number;
  readonly messages: number;
  readonly bytes: number;
  /** Of the whole process, in microseconds. */
  readonly cpu: number;
}

async function read({ port, user, password }: BareOrder): Promise<BareRead> {
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
  let messages = 0;
  let bytes = 0;
  for await (const { source } of client.fetch("1:*", { uid: true, source: true }, { uid: true })) {
    messages += 1;
    bytes += source?.length ?? 0;
  }
  const seconds = (performance.now() - start) / 1_000;
  client.close();
  const { user: userAfter, system } = process.cpuUsage();
  return { seconds, messages, bytes, cpu: userAfter - userBefore + system - systemBefore };
}

process.on("disconnect", () => process.exit(0));
process.on("message", (order: BareOrder) => {
  void read(order).then((found) => process.send?.(found));
});
process.send?.({ ready: true });
