import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import type { Metrics } from "../../src/model/ports.ts";
import { WireBroken } from "../../src/model/wire.ts";
import { type OpenWire, openWire, safeHeaderValue, type WireOptions } from "../../src/wire/http.ts";
import { manualClock } from "../destinations/fixtures.ts";

const get = { method: "GET", path: "/x", object: "thing" } as const;
const post = { method: "POST", path: "/x", object: "thing", body: { a: "ü" } } as const;

const open: (OpenWire | Server | HttpServer)[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) {
    if ("request" in one) await one.close();
    else await new Promise<void>((resolve) => one.close(() => resolve()));
  }
});

function counting(): { metrics: Metrics; counts: string[]; seconds: number[] } {
  const counts: string[] = [];
  const seconds: number[] = [];
  const metrics: Metrics = {
    count: (name, labels) => counts.push(`${name} ${JSON.stringify(labels)}`),
    observe: (_name, value) => seconds.push(value),
    gauge: () => undefined,
  };
  return { metrics, counts, seconds };
}

const clock = manualClock();

function wire(baseUrl: string, more: Partial<WireOptions> = {}): OpenWire {
  const opened = openWire({
    vendor: "test",
    baseUrl,
    headers: { authorization: "Bearer t" },
    clock,
    metrics: counting().metrics,
    ...more,
  });
  open.push(opened);
  return opened;
}

async function http(serve: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(serve);
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A server below HTTP. Answers its address and the connections it got. */
async function tcp(serve: (socket: Socket) => void): Promise<{ url: string; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const server = createTcpServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    serve(socket);
  });
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sockets };
}

async function broken(work: Promise<unknown>): Promise<WireBroken> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(WireBroken);
  return error as WireBroken;
}

describe("an exchange that comes to an answer", () => {
  test("has status, headers, text and JSON, and every status is an answer", async () => {
    const seen: string[] = [];
    const url = await http((request, response) => {
      let body = "";
      request.on("data", (chunk) => {
        body += chunk;
      });
      request.on("end", () => {
        seen.push(
          `${request.method} ${request.url} ${request.headers.authorization} ${request.headers["content-type"]} ${body}`,
        );
        response.writeHead(418, { "X-One": "1" }).end('{"b":2}');
      });
    });
    const answer = await wire(`${url}/prefix/`).request(post);
    expect(answer).toMatchObject({ status: 418, text: '{"b":2}', json: { b: 2 } });
    expect(answer.headers["x-one"]).toBe("1");
    expect(seen).toEqual(['POST /prefix/x Bearer t application/json {"a":"ü"}']);
  });

  test("that is no JSON has text and no json", async () => {
    const url = await http((_request, response) => response.end("<html>"));
    expect(await wire(url).request(get)).toMatchObject({ text: "<html>", json: undefined });
  });

  test("is not repeated and no redirect is followed", async () => {
    let calls = 0;
    const url = await http((_request, response) => {
      calls++;
      response.writeHead(307, { location: "/elsewhere" }).end();
    });
    expect((await wire(url).request(post)).status).toBe(307);
    expect(calls).toBe(1);
  });

  test("is unpacked when an edge compresses unasked", async () => {
    const url = await http((request, response) => {
      expect(request.headers["accept-encoding"]).toBe("identity");
      response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync('{"z":1}'));
    });
    expect((await wire(url).request(get)).json).toEqual({ z: 1 });
  });

  test("is counted with vendor, object and outcome, and timed", async () => {
    const statuses = [200, 201, 404, 429, 503];
    const url = await http((_request, response) => response.writeHead(statuses.shift() ?? 500).end("{}"));
    const { metrics, counts, seconds } = counting();
    const opened = wire(url, { metrics });
    for (let n = 0; n < 5; n++) await opened.request(get);
    expect(
      counts.map((line) => (JSON.parse(line.slice("crm_calls_total ".length)) as { outcome: string }).outcome),
    ).toEqual(["2xx", "2xx", "4xx", "429", "5xx"]);
    expect(seconds).toHaveLength(5);
  });

  test("takes fresh headers for each call and waits for its budget's turn", async () => {
    const seen: (string | undefined)[] = [];
    const url = await http((request, response) => {
      seen.push(request.headers.authorization);
      response.end("{}");
    });
    let n = 0;
    const budgets: string[] = [];
    const opened = wire(url, {
      headers: async () => ({ authorization: `Bearer ${++n}` }),
      beforeCall: async (budget) => {
        budgets.push(budget);
      },
    });
    await opened.request(get);
    await opened.request({ ...get, budget: "search" });
    expect(seen).toEqual(["Bearer 1", "Bearer 2"]);
    expect(budgets).toEqual(["default", "search"]);
  });
});

describe("an exchange that breaks says whether anything was sent", () => {
  test("connection refused: not sent", async () => {
    const { url } = await tcp(() => undefined);
    const server = open.pop();
    if (server !== undefined && !("request" in server))
      await new Promise<void>((resolve) => server.close(() => resolve()));
    const { metrics, counts } = counting();
    expect(await broken(wire(url, { metrics }).request(post))).toMatchObject({
      sent: false,
      message: expect.stringContaining("ECONNREFUSED"),
    });
    expect(counts[0]).toContain('"outcome":"not_sent"');
  });

  test("a name that does not exist: not sent", async () => {
    expect((await broken(wire("http://no-such-host.invalid").request(post))).sent).toBe(false);
  });

  test("TLS that does not come about: not sent", async () => {
    const { url } = await tcp((socket) => socket.once("data", () => socket.end("this is not TLS at all\r\n")));
    expect((await broken(wire(url.replace("http:", "https:")).request(post))).sent).toBe(false);
  });

  test("a path or body that cannot be written: not sent", async () => {
    const url = await http((_request, response) => response.end("{}"));
    expect((await broken(wire(url).request({ ...get, path: "/a b\r\nX: y" }))).sent).toBe(false);
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    expect((await broken(wire(url).request({ ...post, body: circular }))).sent).toBe(false);
  });

  test("a connection that closes without an answer: may have been sent", async () => {
    const { url } = await tcp((socket) => socket.once("data", () => socket.destroy()));
    const { metrics, counts } = counting();
    expect((await broken(wire(url, { metrics }).request(post))).sent).toBe(true);
    expect(counts[0]).toContain('"outcome":"no_answer"');
  });

  test("a reset in the middle of the answer: may have been sent", async () => {
    const { url } = await tcp((socket) =>
      socket.once("data", () => {
        socket.write('HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\n{"id":', () => socket.resetAndDestroy());
      }),
    );
    expect((await broken(wire(url).request(post))).sent).toBe(true);
  });

  test("an answer that is no HTTP: may have been sent", async () => {
    const { url } = await tcp((socket) => socket.once("data", () => socket.end("220 mail.example.test ESMTP\r\n")));
    expect((await broken(wire(url).request(post))).sent).toBe(true);
  });

  test("endless headers: may have been sent, and it ends", async () => {
    const { url } = await tcp((socket) =>
      socket.once("data", () => {
        socket.write("HTTP/1.1 200 OK\r\n");
        socket.write(`x: ${"y".repeat(100_000)}\r\n`);
      }),
    );
    expect((await broken(wire(url).request(post))).sent).toBe(true);
  });

  test("a kept-alive connection that the server closes as the next request arrives: may have been sent, one attempt, no repeat", async () => {
    let requests = 0;
    const { url, sockets } = await tcp((socket) => {
      socket.on("data", () => {
        requests++;
        if (requests === 1) socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\n{}");
        else socket.resetAndDestroy();
      });
    });
    const opened = wire(url, { connections: 1 });
    await opened.request(get);
    expect((await broken(opened.request(post))).sent).toBe(true);
    expect(requests, "the second request was written once").toBe(2);
    expect(sockets, "on the kept connection").toHaveLength(1);
  });

  test("a call waiting for a connection when its time ends: not sent, now or later", async () => {
    let served = 0;
    const { url, sockets } = await tcp((socket) =>
      socket.on("data", () => {
        served++;
      }),
    );
    const time = manualClock();
    const opened = wire(url, { connections: 1, clock: time, deadlineMs: 1_000 });
    const first = broken(opened.request(post));
    while (served === 0) await new Promise((resolve) => setImmediate(resolve));
    await time.advance(500);
    const second = broken(opened.request(post));
    await time.advance(500);
    expect((await first).sent).toBe(true);
    await time.advance(500);
    // The second may have got the freed connection, in the half second between; either way it was written at most once.
    const { sent } = await second;
    await new Promise((resolve) => setImmediate(resolve));
    expect(served).toBe(sent ? 2 : 1);
    for (const socket of sockets) socket.destroy();
  });

  test("closing the wire ends what is in flight", async () => {
    const { url } = await tcp((socket) => socket.resume());
    const opened = wire(url);
    const call = broken(opened.request(post));
    await new Promise((resolve) => setImmediate(resolve));
    await opened.close();
    await call;
    expect((await broken(opened.request(post))).sent).toBe(false);
  });

  test("a budget that refuses is passed on as it is", async () => {
    const refusal = new Error("paused");
    const opened = wire("http://127.0.0.1:1", { beforeCall: () => Promise.reject(refusal) });
    await expect(opened.request(get)).rejects.toBe(refusal);
  });
});

describe("limits", () => {
  test("a server that never answers is given up at the deadline", async () => {
    const time = manualClock();
    const { promise: heard, resolve: asked } = Promise.withResolvers<void>();
    const { url, sockets } = await tcp((socket) => socket.once("data", () => asked()));
    const call = broken(wire(url, { clock: time }).request(post));
    await heard;
    await time.advance(29_999);
    await time.advance(1);
    expect(await call).toMatchObject({ sent: true, message: expect.stringContaining("30000 ms") });
    for (const socket of sockets) socket.destroy();
  });

  test("a dripped answer is given up at the deadline too", async () => {
    const time = manualClock();
    const { promise: dripping, resolve: started } = Promise.withResolvers<void>();
    const { url, sockets } = await tcp((socket) =>
      socket.once("data", () => {
        socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n", () => started());
      }),
    );
    const call = broken(wire(url, { clock: time }).request(get));
    await dripping;
    for (let n = 0; n < 30; n++) {
      for (const socket of sockets) socket.write("x");
      await time.advance(1_000);
    }
    expect((await call).sent).toBe(true);
    for (const socket of sockets) socket.destroy();
  });

  test("an answer over the cap is cut off", async () => {
    const url = await http((_request, response) => response.end("x".repeat(2_000)));
    expect(await broken(wire(url, { maxResponseBytes: 1_000 }).request(get))).toMatchObject({
      sent: true,
      message: expect.stringContaining("1000 bytes"),
    });
  });

  test("a small answer that unpacks to a large one is cut off", async () => {
    const url = await http((_request, response) =>
      response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("x".repeat(1_000_000))),
    );
    expect((await broken(wire(url, { maxResponseBytes: 10_000 }).request(get))).sent).toBe(true);
  });

  test("an encoding nobody asked for and nobody knows is a broken answer", async () => {
    const url = await http((_request, response) => response.writeHead(200, { "content-encoding": "br" }).end("x"));
    expect((await broken(wire(url).request(get))).sent).toBe(true);
  });
});

describe("what goes out", () => {
  test("header values from hostile mail neither break the call nor smuggle a line in", async () => {
    const seen: (string | string[] | undefined)[] = [];
    const url = await http((request, response) => {
      seen.push(request.headers["x-correlation"], request.headers["x-evil"]);
      response.end("{}");
    });
    await wire(url).request({ ...get, headers: { "X-Correlation": "<ü\r\nX-Evil: 1@example.test>" } });
    expect(seen).toEqual(["<%C3%BC%0D%0AX-Evil: 1@example.test>", undefined]);
  });

  test("any text makes a header value that is printable ASCII", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(safeHeaderValue(text)).toMatch(/^[\x20-\x7e]*$/);
      }),
    );
  });

  test.each([
    "ftp://example.test",
    "nonsense",
    "http://user:pw@example.test",
    "https://example.test/?a=1",
    "https://example.test/#a",
  ])("a base URL like %s is refused", (baseUrl) => {
    expect(() => wire(baseUrl)).toThrow(TypeError);
  });
});
