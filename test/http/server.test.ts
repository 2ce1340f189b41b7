import { connect } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { type HttpOptions, startHttp } from "../../src/http/index.ts";
import type { Log, LogFields } from "../../src/model/ports.ts";

function keptLog(): { log: Log; lines: { level: string; fields: LogFields; message: string }[] } {
  const lines: { level: string; fields: LogFields; message: string }[] = [];
  const at = (level: string) => (fields: LogFields, message: string) => void lines.push({ level, fields, message });
  const log: Log = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error"), with: () => log };
  return { log, lines };
}

async function started(changes: Partial<HttpOptions> = {}) {
  const { log, lines } = keptLog();
  const server = await startHttp({
    host: "127.0.0.1",
    port: 0,
    metrics: { contentType: "text/plain; version=0.0.4", text: async () => "up 1\n" },
    live: () => true,
    ready: async () => ({ ready: true, reasons: [] }),
    log,
    ...changes,
  });
  onTestFinished(() => server.stop(0));
  const base = `http://127.0.0.1:${server.address.port}`;
  return {
    server,
    lines,
    get: (path: string, init?: RequestInit) => fetch(base + path, init),
    port: server.address.port,
  };
}

/** Sends bytes as they are and gives everything that comes back until the server closes. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    socket.on("data", (bytes) => {
      answer += bytes.toString("latin1");
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(answer));
  });
}

describe("health", () => {
  test("port 0 picks a free one and says which", async () => {
    const { server } = await started();
    expect(server.address.host).toBe("127.0.0.1");
    expect(server.address.port).toBeGreaterThan(0);
  });

  test("/livez says whether the process is worth keeping", async () => {
    let live = true;
    const { get } = await started({ live: () => live });
    expect(await (await get("/livez")).json()).toEqual({ live: true });
    live = false;
    const answer = await get("/livez");
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({ live: false });
  });

  test("/readyz says whether mail can be taken, and why not", async () => {
    let reasons: string[] = [];
    const { get } = await started({ ready: async () => ({ ready: reasons.length === 0, reasons }) });
    const fine = await get("/readyz");
    expect(fine.status).toBe(200);
    expect(await fine.json()).toEqual({ ready: true, reasons: [] });
    reasons = ["shutting down", "the ledger is locked or cannot be written"];
    const busy = await get("/readyz");
    expect(busy.status).toBe(503);
    expect(busy.headers.get("retry-after")).toBe("5");
    expect(await busy.json()).toEqual({ ready: false, reasons });
  });

  test("/metrics answers in the type that the metrics name", async () => {
    const { get } = await started();
    const answer = await get("/metrics");
    expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4");
    expect(await answer.text()).toBe("up 1\n");
  });

  test("answers HEAD, as some balancers ask", async () => {
    const { get } = await started();
    expect((await get("/readyz", { method: "HEAD" })).status).toBe(200);
  });

  test.each(["/readyz", "/metrics", "/livez"])(
    "%s that breaks is a 500 which tells nothing, and a line in the log",
    async (path) => {
      const broken = () => {
        throw new Error("password in the connection string");
      };
      const later = async () => broken();
      const { get, lines } = await started({
        live: broken,
        ready: later,
        metrics: { contentType: "text/plain; x", text: later },
      });
      const answer = await get(path);
      expect(answer.status).toBe(500);
      expect(await answer.json()).toEqual({ error: "internal error; the log says more" });
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatchObject({ level: "error", fields: { err: expect.any(Error) } });
    },
  );
});

describe("the door", () => {
  test.each(["/", "/nothing", "/livez/", "/../etc/passwd", "/%00", "/__proto__", "/livez?x=<script>"])(
    "answers %s as JSON and without what was asked",
    async (path) => {
      const { get } = await started();
      const answer = await get(path);
      expect(answer.headers.get("content-type")).toBe("application/json; charset=utf-8");
      if (!path.startsWith("/livez?")) expect(answer.status).toBe(404);
      const text = await answer.text();
      for (const part of ["passwd", "script", "proto"]) expect(text).not.toContain(part);
    },
  );

  test.each(["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])("takes no %s", async (method) => {
    const { get } = await started();
    expect((await get("/readyz", { method })).status).toBe(404);
  });

  test("refuses a path that cannot be decoded, in JSON", async () => {
    const { port } = await started();
    const answer = await raw(port, "GET /%zz<script> HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('{"error":"bad request"}');
    expect(answer).toContain("x-content-type-options: nosniff");
    expect(answer).not.toContain("script>");
  });

  test.each(["/livez", "/metrics", "/nothing"])("sends security headers and no banner with %s", async (path) => {
    const { get } = await started();
    const { headers } = await get(path);
    expect(Object.fromEntries(headers)).toMatchObject({
      "cache-control": "no-store",
      "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
      "cross-origin-resource-policy": "same-origin",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    });
    for (const banner of ["server", "x-powered-by", "access-control-allow-origin"])
      expect(headers.has(banner)).toBe(false);
  });

  test("refuses a body, and headers, beyond what its routes need", async () => {
    const { get, port } = await started();
    const post = async (body: string) =>
      await get("/livez", { method: "POST", headers: { "content-type": "application/json" }, body });
    const large = await post(JSON.stringify({ x: "x".repeat(20_000) }));
    expect([large.status, await large.json()]).toEqual([413, { error: "the body is too large" }]);
    const broken = await post("{<script>");
    expect([broken.status, await broken.json()]).toEqual([400, { error: "bad request" }]);
    const long = await raw(port, `GET /livez HTTP/1.1\r\nHost: x\r\nX-Long: ${"x".repeat(9_000)}\r\n\r\n`);
    expect(long).toMatch(/^HTTP\/1\.1 431 /);
  });

  test("refuses what is no HTTP and goes on", async () => {
    const { get, port } = await started();
    expect(await raw(port, "EHLO mail.example.com\r\n")).toMatch(/^HTTP\/1\.1 400 /);
    expect((await get("/livez")).status).toBe(200);
  });
});

describe("stopping", () => {
  test("lets a request in flight end within the grace, and takes no new one", async () => {
    const asked = Promise.withResolvers<void>();
    const answerNow = Promise.withResolvers<void>();
    const { server, get } = await started({
      ready: async () => {
        asked.resolve();
        await answerNow.promise;
        return { ready: true, reasons: [] };
      },
    });
    const pending = get("/readyz");
    await asked.promise;
    const stopped = server.stop(60_000);
    await expect(get("/livez")).rejects.toThrow();
    answerNow.resolve();
    expect((await pending).status).toBe(200);
    await stopped;
  });

  test("cuts what has not ended when the grace is over", async () => {
    const asked = Promise.withResolvers<void>();
    const { server, get } = await started({
      ready: () => {
        asked.resolve();
        return new Promise(() => undefined);
      },
    });
    const pending = get("/readyz").catch(() => "cut");
    await asked.promise;
    await server.stop(0);
    expect(await pending).toBe("cut");
  });

  test("does not wait for a connection that is kept alive without a request", async () => {
    const { server, port } = await started();
    const idle = raw(port, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
    await new Promise<void>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => socket.write("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"));
      socket.once("data", () => resolve());
      socket.on("error", () => undefined);
    });
    await server.stop(60_000);
    expect(await idle).toContain('{"live":true}');
  });
});

describe("a place where it cannot listen", () => {
  test("is named with what to change when another has it", async () => {
    const { port } = await started();
    await expect(started({ port })).rejects.toThrow(
      `HTTP cannot listen on 127.0.0.1 port ${port}: another program has it; set http.port to a free one (0 picks one)`,
    );
  });

  test("is named with what to change when the machine has no such address", async () => {
    await expect(started({ host: "192.0.2.1" })).rejects.toThrow(/set http\.host to one that it has/);
  });
});
