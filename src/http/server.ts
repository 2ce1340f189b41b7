/** The HTTP door: limits, security headers and error answers for all routes, which are plugins of it. */
import { type FastifyInstance, type FastifyReply, fastify } from "fastify";
import type { Log } from "../model/ports.ts";
import { type FileOptions, files } from "./routes/files.ts";
import { type HealthOptions, health } from "./routes/health.ts";
import { type OperatorOptions, operators } from "./routes/operators.ts";

export interface HttpOptions extends HealthOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly log: Log;
  /** Addresses and networks whose X-Forwarded-For is believed. */
  readonly trustedProxies?: readonly string[];
  /** Undefined without links to files. */
  readonly files?: FileOptions | undefined;
  /** Undefined where nobody can sign in. */
  readonly operators?: OperatorOptions | undefined;
}

export interface HttpServer {
  readonly address: { readonly host: string; readonly port: number };
  /** Takes no new connection and ends idle ones at once; requests in flight have `graceMs`, then they are cut. */
  stop(graceMs: number): Promise<void>;
}

/** What a plugin may expect at most; a route that takes more (a webhook with a mail in it) says so itself. */
const limits = {
  bodyBytes: 16 * 1024,
  headerBytes: 8 * 1024,
  connections: 256,
  /** A whole request, from its first byte to its last; an answer has limits of its own (files/stream.ts). Node looks every `checkMs`. */
  requestMs: 10_000,
  headersMs: 5_000,
  checkMs: 2_000,
  keepAliveMs: 5_000,
  requestsPerConnection: 1_000,
} as const;

/** No script, frame, cache or other site has any business here. Pages and files set a policy of their own (page.ts, files/download.ts). */
const securityHeaders = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
} as const;

/** Rejects with a sentence when it cannot listen there. */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const app = openApp(options);
  await app.register(health(options));
  if (options.files !== undefined) await app.register(files(options.files));
  if (options.operators !== undefined) await app.register(operators(options.operators));
  try {
    await app.listen({ host: options.host, port: options.port });
  } catch (error) {
    await app.close();
    throw new Error(cannotListen(options, error), { cause: error });
  }
  const bound = app.server.address();
  if (bound === null || typeof bound === "string") throw new Error("the HTTP server listens on no port");
  return { address: { host: bound.address, port: bound.port }, stop: (graceMs) => stop(app, graceMs) };
}

function openApp({ log, trustedProxies = [] }: HttpOptions): FastifyInstance {
  const app = fastify({
    logger: false,
    trustProxy: trustedProxies.length === 0 ? false : [...trustedProxies],
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    maxRequestsPerSocket: limits.requestsPerConnection,
    forceCloseConnections: "idle",
    return503OnClosing: true,
    http: {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersMs,
      connectionsCheckingInterval: limits.checkMs,
    },
    // A path that cannot be decoded is no route, and its text goes into no answer.
    frameworkErrors: (_error, _request, reply: FastifyReply) => {
      void reply.code(400).headers(securityHeaders).send({ error: "bad request" });
    },
  });
  app.server.maxConnections = limits.connections;
  app.addHook("onRequest", async (_request, reply) => {
    reply.headers(securityHeaders);
  });
  app.setNotFoundHandler(async (_request, reply) => await reply.code(404).send({ error: "not found" }));
  app.setErrorHandler(async (thrown, _request, reply) => {
    const status = statusOf(thrown);
    if (status < 500) return await reply.code(status).send({ error: refusals.get(status) ?? "bad request" });
    const err = thrown instanceof Error ? thrown : new Error(String(thrown));
    log.error({ err }, "http: a request could not be answered");
    return await reply.code(500).send({ error: "internal error; the log says more" });
  });
  return app;
}

const refusals: ReadonlyMap<number, string> = new Map([
  [413, "the body is too large"],
  [415, "this content type is not taken here"],
]);

function statusOf(thrown: unknown): number {
  const status = thrown instanceof Error && "statusCode" in thrown ? thrown.statusCode : undefined;
  return typeof status === "number" && status >= 400 && status <= 599 ? status : 500;
}

async function stop(app: FastifyInstance, graceMs: number): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), graceMs);
  try {
    await app.close();
  } finally {
    clearTimeout(cut);
  }
}

function cannotListen({ host, port }: HttpOptions, error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const where = `HTTP cannot listen on ${host} port ${port}`;
  switch (code) {
    case "EADDRINUSE":
      return `${where}: another program has it; set http.port to a free one (0 picks one)`;
    case "EACCES":
      return `${where}: this user may not use it; set http.port to 1024 or higher`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return `${where}: this machine has no such address; set http.host to one that it has`;
    default:
      return `${where}: ${error instanceof Error ? error.message : String(error)}`;
  }
}
