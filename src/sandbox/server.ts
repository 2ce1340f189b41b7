/** Puts a sandbox behind a loopback HTTP port, with a side door under `/_sandbox/` through which another process sees and steers it. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type FaultPlan, faultPlanSchema } from "./faults.ts";
import { page } from "./page.ts";
import type { Sandbox, SandboxReply } from "./sandbox.ts";

export interface RunningSandbox {
  /** `http://127.0.0.1:PORT`: the `base_url` of a destination. */
  readonly url: string;
  close(): Promise<void>;
}

export interface SandboxServerOptions {
  /** Default 127.0.0.1. The side door has no lock: keep it on loopback. */
  readonly host?: string;
  /** Default 0: a free one. */
  readonly port?: number;
}

const maxBodyBytes = 10 * 1024 * 1024;

export async function startSandbox(sandbox: Sandbox, options: SandboxServerOptions = {}): Promise<RunningSandbox> {
  const host = options.host ?? "127.0.0.1";
  const server = createServer((request, response) => {
    void serve(request, response).catch(() => response.destroy());
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    if (body === undefined) return write(response, { status: 413, headers: {}, body: "" });
    const path = request.url ?? "/";
    if (path.startsWith("/_sandbox/"))
      return write(response, await sideDoor(sandbox, request.method ?? "GET", path, body));
    const headers = request.headers as Record<string, string | undefined>;
    write(response, await sandbox.handle({ method: request.method ?? "GET", path, headers, body }));
  }

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    async close() {
      sandbox.release();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

function write(response: ServerResponse, reply: SandboxReply): void {
  if (response.destroyed) return;
  if ("drop" in reply) {
    response.socket?.resetAndDestroy();
    return;
  }
  // The length of the whole answer even where it is cut: a truncated body comes as a complete answer of broken JSON.
  response.writeHead(reply.status, { ...reply.headers, "content-length": Buffer.byteLength(reply.body) });
  response.end(reply.body);
}

async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > maxBodyBytes) return undefined;
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}

const json = (status: number, body: unknown): SandboxReply => ({
  status,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});
const done: SandboxReply = { status: 204, headers: {}, body: "" };

/**
 * GET nothing (a page for people), state, log; GET held?count=N (answers when N answers are held back); POST faults (a plan or a list), DELETE faults;
 * POST release, reset.
 */
async function sideDoor(sandbox: Sandbox, method: string, path: string, body: string): Promise<SandboxReply> {
  const url = new URL(path, "http://sandbox.invalid");
  switch (`${method} ${url.pathname.slice("/_sandbox/".length)}`) {
    case "GET ":
      return page(sandbox.tables(), sandbox.log);
    case "GET state":
      return json(200, sandbox.state());
    case "GET log":
      return json(200, sandbox.log);
    case "GET held": {
      const count = Number(url.searchParams.get("count") ?? 1);
      await sandbox.whenHeld(count);
      return json(200, { held: count });
    }
    case "POST faults": {
      const plans = plansOf(body);
      if (typeof plans === "string") return json(400, { message: plans });
      for (const plan of plans) sandbox.faults.plan(plan);
      return done;
    }
    case "DELETE faults":
      sandbox.faults.clear();
      return done;
    case "POST release":
      return json(200, { released: sandbox.release() });
    case "POST reset":
      sandbox.reset();
      return done;
    default:
      return json(404, { message: `the sandbox has no ${method} ${url.pathname}` });
  }
}

/** The plans, or what is wrong with them. */
function plansOf(body: string): FaultPlan[] | string {
  try {
    const given: unknown = JSON.parse(body);
    return (Array.isArray(given) ? given : [given]).map((plan) => faultPlanSchema.parse(plan));
  } catch (error) {
    return error instanceof Error ? error.message : "not JSON";
  }
}
