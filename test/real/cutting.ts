/** A proxy before a peer on loopback: it takes each call there, and by plan cuts the answer off after the peer has given it, or answers in its place. */
import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";

/** What a call meets; undefined where it passes. */
export type Meeting =
  /** It is carried out, and the connection is reset before the answer. */
  | { readonly kind: "cut" }
  /** It never gets there. */
  | { readonly kind: "unsent" }
  /** It is carried out, and the answer is held for good. */
  | { readonly kind: "hold" }
  /** It is carried out, or not, and this is answered. */
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body: string;
      readonly carriedOut: boolean;
    };

export interface Cutting {
  readonly url: string;
  /** Asked for each call, with the RPC method that it names. */
  meet: (method: string) => Meeting | undefined;
  /** Calls wait for it. */
  before: Promise<unknown>;
  /** Methods of all calls so far. */
  readonly calls: string[];
  /** When the last call came, epoch ms. */
  lastAt(): number;
  held(): number;
  close(): Promise<void>;
}

export async function startCutting(port: number): Promise<Cutting> {
  const calls: string[] = [];
  let lastAt = Date.now();
  let held = 0;

  const forwarded = async (incoming: IncomingMessage, body: Buffer) =>
    await new Promise<{ status: number; headers: IncomingMessage["headers"]; body: Buffer }>((resolve, reject) => {
      const { method, url, headers } = incoming;
      const out = request({ host: "127.0.0.1", port, method, path: url, headers, agent: false }, (answer) => {
        bytesOf(answer).then(
          (bytes) => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: bytes }),
          reject,
        );
      });
      out.on("error", reject);
      out.end(body);
    });

  const server = createServer((incoming, outgoing) => {
    void serve().catch(() => outgoing.destroy());
    async function serve(): Promise<void> {
      const body = await bytesOf(incoming);
      const method = /"method":"([\w.]+)"/.exec(body.toString("utf8"))?.[1] ?? "";
      calls.push(method);
      lastAt = Date.now();
      await self.before;
      const met = self.meet(method);
      if (met?.kind === "unsent") return void outgoing.socket?.resetAndDestroy();
      if (met?.kind === "answer" && !met.carriedOut)
        return void outgoing.writeHead(met.status, met.headers).end(met.body);
      const answer = await forwarded(incoming, body);
      switch (met?.kind) {
        case undefined:
          outgoing.writeHead(answer.status, answer.headers).end(answer.body);
          return;
        case "cut":
          outgoing.socket?.resetAndDestroy();
          return;
        case "hold":
          held++;
          return;
        case "answer":
          outgoing.writeHead(met.status, met.headers).end(met.body);
          return;
        default:
          return met satisfies never;
      }
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const self: Cutting = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    meet: () => undefined,
    before: Promise.resolve(),
    calls,
    lastAt: () => lastAt,
    held: () => held,
    async close() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
  return self;
}

async function bytesOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
