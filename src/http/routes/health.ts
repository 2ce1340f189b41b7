/** What supervisors, balancers and Prometheus ask: is it alive, can it take mail, and how is it doing. */
import type { FastifyPluginAsync } from "fastify";

export interface HealthOptions {
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
  /** Whether the process is worth keeping: false asks a supervisor to restart it. */
  live(): boolean;
  /** Whether mail can be taken now, and if not why, in sentences without names or addresses. */
  ready(): Promise<{ readonly ready: boolean; readonly reasons: readonly string[] }>;
}

export function health({ metrics, live, ready }: HealthOptions): FastifyPluginAsync {
  return async (app) => {
    app.get("/livez", async (_request, reply) => {
      const isLive = live();
      return await reply.code(isLive ? 200 : 503).send({ live: isLive });
    });
    app.get("/readyz", async (_request, reply) => {
      const answer = await ready();
      if (!answer.ready) reply.code(503).header("retry-after", "5");
      return await reply.send({ ready: answer.ready, reasons: answer.reasons });
    });
    app.get("/metrics", async (_request, reply) => {
      // Before the first await: a scrape that fails must not be labelled as metrics.
      const text = await metrics.text();
      return await reply.type(metrics.contentType).send(text);
    });
  };
}
