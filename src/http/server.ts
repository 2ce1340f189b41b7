/** The HTTP door: health and metrics now; webhooks and the REST API are plugins of the same server. */
import { fastify } from "fastify";
import type { Log } from "../model/ports.ts";

export interface HttpOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
  /** Whether the process is worth keeping: false asks a supervisor to restart it. */
  live(): boolean;
  /** Whether mail can be taken now, and if not why. */
  ready(): Promise<{ ready: boolean; reasons: readonly string[] }>;
  readonly log: Log;
}

export interface HttpServer {
  readonly address: { readonly host: string; readonly port: number };
  stop(graceMs: number): Promise<void>;
}

/** Rejects when the port is taken. */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const server = fastify({
    logger: false,
    bodyLimit: 64 * 1024,
    requestTimeout: 10_000,
    keepAliveTimeout: 5_000,
    forceCloseConnections: true,
  });
  server.addHook("onSend", async (_request, reply) => {
    reply.headers({
      "x-content-type-options": "nosniff",
      "content-security-policy": "default-src 'none'",
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
    });
  });
  server.setNotFoundHandler(async (_request, reply) => reply.code(404).send({ error: "not found" }));
  server.setErrorHandler(async (error, _request, reply) => {
    options.log.error({ err: error instanceof Error ? error : new Error(String(error)) }, "an HTTP request failed");
    return reply.code(500).send({ error: "internal error" });
  });
  server.get("/livez", async (_request, reply) => {
    const live = options.live();
    return reply.code(live ? 200 : 503).send({ live });
  });
  server.get("/readyz", async (_request, reply) => {
    const { ready, reasons } = await options.ready();
    return reply.code(ready ? 200 : 503).send({ ready, reasons });
  });
  server.get("/metrics", async (_request, reply) =>
    reply.type(options.metrics.contentType).send(await options.metrics.text()),
  );
  await server.listen({ host: options.host, port: options.port });
  const address = server.server.address();
  if (address === null || typeof address === "string") throw new Error("the HTTP server listens on no port");
  return {
    address: { host: address.address, port: address.port },
    async stop() {
      await server.close();
    },
  };
}
