/** Links to files: what is stored is served to whoever holds its link, nothing else ever is, and every opening is on record. */
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import type { FileStatus } from "../../src/model/files.ts";
import { manualClock } from "../destinations/fixtures.ts";
import { bytes, dayMs, fileId, memoryStore, openDoor, operator, rowWith } from "./rig.ts";

const read = async (answer: Response): Promise<Buffer> => Buffer.from(await answer.arrayBuffer());
const soon = (check: () => boolean): Promise<void> =>
  new Promise((resolve) => {
    const look = () => (check() ? resolve() : void setImmediate(look));
    look();
  });

describe("a stored file", () => {
  test("comes whole, as a download that no browser shows, and its opening is on record before", async () => {
    const { get, link, audited, clock, counted } = await openDoor();
    const answer = await get(link);
    expect(answer.status).toBe(200);
    expect(await read(answer)).toEqual(bytes);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "content-type": "application/pdf",
      "content-length": String(bytes.length),
      "content-disposition": `attachment; filename="offer.pdf"; filename*=UTF-8''offer.pdf`,
      "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
      "x-content-type-options": "nosniff",
      "cross-origin-resource-policy": "same-origin",
      "referrer-policy": "no-referrer",
      "cache-control": "private, no-store",
      "accept-ranges": "bytes",
      etag: `"${rowWith().sha256}"`,
    });
    expect(audited).toEqual([
      { at: clock.now(), what: "link.open", about: fileId, who: "link", outcome: "served", from: "127.0.0.1" },
    ]);
    expect(counted).toEqual(['file_openings_total {"outcome":"served"}']);
  });

  test("that cannot be put on record is not served", async () => {
    const { get, link, store } = await openDoor({ audit: () => Promise.reject(new Error("the disk is full")) });
    const answer = await get(link);
    expect(answer.status).toBe(503);
    expect(answer.headers.get("content-disposition")).toBeNull();
    expect(await answer.text()).toContain("cannot be read at the moment");
    expect(store.pulled).toBe(0);
  });

  test.each<[string, RequestInit, object]>([
    ["whole", {}, {}],
    ["in part", { headers: { range: "bytes=1-2" } }, {}],
    ["beyond its end", { headers: { range: "bytes=900000-" } }, {}],
    ["in its heads", { method: "HEAD" }, {}],
    ["by way of its bucket", {}, { presign: async () => "https://bucket.example.com/o?signature=abc" }],
  ])("that was dropped while it was being opened %s is not served any more", async (_, init, changes) => {
    const store = Object.assign(memoryStore(), changes);
    const rowsLater = [rowWith({ status: "dropped", storeKey: null })];
    const { get, link, audited, counted } = await openDoor({ rowsLater, store });
    const answer = await get(link, init);
    expect(answer.status).toBe(410);
    for (const header of ["location", "content-disposition", "content-range", "etag", "accept-ranges"])
      expect(answer.headers.get(header), header).toBeNull();
    if (init.method !== "HEAD") expect(await answer.text()).toContain("This file was dropped");
    expect([store.pulled, store.cancelled]).toEqual([0, store.opened.length]);
    expect(audited.map(({ outcome }) => outcome)).toEqual(["dropped"]);
    expect(counted).toEqual(['file_openings_total {"outcome":"dropped"}']);
  });

  test("comes in the range that was asked for, and is begun anew where it is another file", async () => {
    const { get, link, store, audited } = await openDoor();
    const part = await get(link, { headers: { range: "bytes=100-299", "if-range": `"${rowWith().sha256}"` } });
    expect(part.status).toBe(206);
    expect(part.headers.get("content-range")).toBe(`bytes 100-299/${bytes.length}`);
    expect(part.headers.get("content-length")).toBe("200");
    expect(await read(part)).toEqual(bytes.subarray(100, 300));
    expect(store.opened).toEqual(["here/offer 100-299"]);
    const other = await get(link, { headers: { range: "bytes=100-299", "if-range": '"another"' } });
    expect(other.status).toBe(200);
    expect(await read(other)).toEqual(bytes);
    const beyond = await get(link, { headers: { range: "bytes=200000-" } });
    expect(beyond.status).toBe(416);
    expect(beyond.headers.get("content-range")).toBe(`bytes */${bytes.length}`);
    expect(audited.map(({ outcome }) => outcome)).toEqual(["served_part", "served", "range_unsatisfiable"]);
  });

  test("answers HEAD without reading a byte", async () => {
    const { get, link, store, audited } = await openDoor();
    const answer = await get(link, { method: "HEAD" });
    expect([answer.status, answer.headers.get("content-length"), await answer.text()]).toEqual([200, "200000", ""]);
    expect(store.opened).toEqual([]);
    expect(audited[0]?.outcome).toBe("head");
  });

  test("is opened so often by one client in a minute, that the trail cannot fill the disk", async () => {
    const clock = manualClock();
    const { get, link, audited } = await openDoor({ clock, limits: { openingsForOne: 3 } });
    const statuses: number[] = [];
    for (let n = 0; n < 6; n++) statuses.push((await get(link, { method: "HEAD" })).status);
    expect(statuses).toEqual([200, 200, 200, 503, 503, 503]);
    expect(audited).toHaveLength(3);
    await clock.advance(60_000);
    expect((await get(link, { method: "HEAD" })).status).toBe(200);
  });

  test("without bytes is a download without bytes", async () => {
    const empty = rowWith({ size: 0 });
    const { get, link } = await openDoor({ rows: [empty], store: memoryStore(Buffer.alloc(0)) });
    const answer = await get(link);
    expect([answer.status, answer.headers.get("content-length"), (await read(answer)).length]).toEqual([200, "0", 0]);
  });

  test("of a type that a browser could run is only ever bytes", async () => {
    for (const type of ["text/html", "image/svg+xml", null]) {
      const { get, link } = await openDoor({
        rows: [rowWith({ detectedType: type, contentType: "text/html", filename: "x.html" })],
      });
      const answer = await get(link);
      expect(answer.headers.get("content-type")).toBe("application/octet-stream");
      expect(answer.headers.get("content-disposition")).toMatch(/^attachment;/);
    }
  });

  test("is fetched from the bucket itself where that gives a short link", async () => {
    const asked: unknown[] = [];
    const presign = async (ref: string, download: object) => {
      asked.push([ref, download]);
      return "https://bucket.example.com/o?signature=abc";
    };
    const { get, link, audited, store } = await openDoor({ store: { presign } });
    const answer = await get(link);
    expect([answer.status, answer.headers.get("location")]).toEqual([
      302,
      "https://bucket.example.com/o?signature=abc",
    ]);
    expect(asked).toEqual([["here/offer", { filename: "offer.pdf", contentType: "application/pdf", seconds: 60 }]]);
    expect(audited[0]?.outcome).toBe("redirected");
    expect(store.opened).toEqual([]);
    const { get: getSealed, link: sealed } = await openDoor({ store: { presign: async () => undefined } });
    expect((await getSealed(sealed)).status).toBe(200);
  });

  test.each([
    ["is gone from its store", "missing", async () => undefined],
    ["has another size there", "missing", async () => ({ plain: new Blob(["x"]).stream(), size: 1 })],
    ["cannot be opened", "unreadable", () => Promise.reject(new Error("SealBroken"))],
  ])("that %s is a page, on record and a line in the log, never other bytes", async (_, outcome, open) => {
    const { get, link, lines, audited } = await openDoor({ store: { open } });
    const answer = await get(link);
    expect(answer.status).toBe(503);
    expect(answer.headers.get("content-type")).toContain("text/html");
    for (const header of ["content-disposition", "etag", "accept-ranges"])
      expect(answer.headers.get(header)).toBeNull();
    expect(lines.filter(({ level }) => level === "error")).toHaveLength(1);
    expect(await answer.text()).not.toContain("SealBroken");
    expect(audited).toMatchObject([{ what: "link.open", about: fileId, outcome }]);
  });

  test.each([
    ["fewer", bytes.length - 1],
    ["more", bytes.length + 1],
  ])("whose store gives %s bytes than it has breaks off, and is never whole", async (_, length) => {
    const other = Buffer.concat([bytes, Buffer.alloc(10)]).subarray(0, length);
    const open = async () => ({ plain: new Blob([other]).stream(), size: null });
    const { get, link, lines } = await openDoor({ store: { open } });
    await expect(get(link).then(read)).rejects.toThrow();
    expect(lines.map(({ message }) => message)).toEqual(["http: a download broke off"]);
  });
});

describe("a link that is not ours", () => {
  test("is refused in the same words whether there is such a file or not", async () => {
    const { get, link, links, local } = await openDoor();
    const unknown = local(links.of("f".repeat(32), 0)).replace(/.$/, "");
    const paths = [
      link.replace(/s=./, (found) => `${found.slice(0, -1)}${found.endsWith("A") ? "B" : "A"}`),
      link.replace("k=1", "k=2"),
      link.replace(/e=\d/, "e=2"),
      `${link}&s=again`,
      `/a/${fileId}`,
      unknown,
      local(links.of("f".repeat(32), Date.UTC(2026, 10, 1))),
      "/a/..%2f..%2fetc%2fpasswd?e=1&k=1&s=1",
      "/a/__proto__?e=1&k=__proto__&s=constructor",
    ];
    const answers = await Promise.all(paths.map((path) => get(path)));
    const seen = await Promise.all(
      answers.map(async (answer) => [answer.status, await answer.text(), [...answer.headers.keys()].sort()]),
    );
    for (const one of seen) expect(one).toEqual(seen[0]);
    expect(seen[0]?.[0]).toBe(403);
  });

  test("is on record where it names a file that there is, and a flood of them is bounded", async () => {
    const { get, link, audited, counted } = await openDoor({ limits: { refusalsAudited: 3 } });
    for (let n = 0; n < 5; n++) await get(link.replace(/s=.{9}/, "s=AAAAAAAAA"));
    await get(`/a/${"f".repeat(32)}?e=1&k=1&s=1`);
    await soon(() => audited.length === 3);
    expect(audited.map(({ outcome, about }) => [outcome, about])).toEqual(
      Array.from({ length: 3 }, () => ["wrong_signature", fileId]),
    );
    expect(counted).toHaveLength(3);
  });
});

describe("a file that is not served", () => {
  const expected: Record<Exclude<FileStatus, "stored">, [number, RegExp]> = {
    checking: [202, /is being checked.*Reload this page in a minute/s],
    quarantined: [403, /held back.*an operator can release it.*Why: it holds macros/s],
    stripped: [403, /taken out.*Programs and scripts/s],
    refused: [404, /could not be kept/],
    dropped: [410, /A person decided on 2026-11-02/],
    removed: [410, /removed on 2026-11-02/],
  };
  test.each(Object.entries(expected))(
    "because it is %s says so, opens nothing, and is on record",
    async (status, [code, words]) => {
      const row = rowWith({
        status: status as FileStatus,
        reason: status === "quarantined" ? "it holds macros" : null,
      });
      const { get, link, store, audited } = await openDoor({ rows: [row] });
      for (const method of ["GET", "HEAD"]) {
        const answer = await get(link, { method });
        expect(answer.status).toBe(code);
        if (method === "GET") expect(await answer.text()).toMatch(words);
        expect(answer.headers.get("retry-after")).toBe(status === "checking" ? "60" : null);
      }
      expect(store.opened).toEqual([]);
      expect(audited.map(({ outcome }) => outcome)).toEqual([status, status]);
    },
  );

  test("has a page without a script, whose names and reasons are only text", async () => {
    const row = rowWith({
      status: "quarantined",
      filename: `"><script>alert(1)</script>\u202e.pdf`,
      contentType: "<b>",
      reason: "<img src=x onerror=alert(1)>",
    });
    const { get, link } = await openDoor({ rows: [row] });
    const answer = await get(link);
    const page = await answer.text();
    expect(page).toContain("&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;.pdf");
    expect(page).not.toMatch(/<script|<img|<b>|\u202e/);
    const policy = answer.headers.get("content-security-policy");
    expect(policy).toMatch(
      /^default-src 'none'; style-src 'sha256-[\w+/=]{44}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
    );
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });
});

describe("a link that has expired", () => {
  test("says so, and tells nothing of its file", async () => {
    const { get, expired, audited } = await openDoor();
    const answer = await get(expired);
    expect(answer.status).toBe(410);
    const page = await answer.text();
    expect(page).toMatch(/has expired.*Ask whoever runs Mailwright/s);
    expect(page).not.toContain("offer");
    expect(audited[0]).toMatchObject({ outcome: "expired", who: "link" });
  });

  test("leads operators to the sign-in where there are some", async () => {
    const { get, expired } = await openDoor({ operators: [operator] });
    const page = await (await get(expired)).text();
    expect(page).toContain(`href="/sign-in?to=${encodeURIComponent(expired)}"`);
  });

  test("is good for a fresh one while the file is young, where that is wanted, and for no longer than that", async () => {
    const { get, expired, links, local, audited, clock } = await openDoor({ refreshDays: 28 });
    const page = await (await get(expired)).text();
    const until = rowWith().receivedAt + 28 * dayMs;
    const fresh = links.until(fileId, until);
    expect(page).toContain(`<a href="${fresh.replaceAll("&", "&amp;")}">`);
    expect(audited).toMatchObject([{ what: "link.refresh", who: "link", outcome: "fresh", about: fileId }]);
    expect((await get(local(fresh))).status).toBe(200);
    await (clock as ReturnType<typeof manualClock>).advance(until - clock.now());
    const late = await get(expired);
    expect(await late.text()).not.toContain(`/a/${fileId}?`);
    expect((await get(local(fresh))).status).toBe(410);
  });
});

describe("who opened it", () => {
  test("is whom a trusted proxy names, and never whom a stranger names", async () => {
    const headers = { "x-forwarded-for": "198.51.100.9, 203.0.113.7" };
    const direct = await openDoor();
    await read(await direct.get(direct.link, { headers }));
    expect(direct.audited[0]?.from).toBe("127.0.0.1");
    const behind = await openDoor({ trustedProxies: ["127.0.0.0/8", "::1"] });
    await read(await behind.get(behind.link, { headers }));
    expect(behind.audited[0]?.from, "the last one that the proxy saw itself").toBe("203.0.113.7");
  });
});

describe("many readers", () => {
  /** Asks, and takes nothing of the answer. */
  function idleReader(port: number, path: string) {
    const socket = connect(port, "127.0.0.1", () => socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`));
    socket.pause();
    socket.on("error", () => undefined);
    return socket;
  }
  const big = Buffer.alloc(20_000_000, 7);
  const bigRow = rowWith({ size: big.length });

  test("a reader that takes nothing holds back the store, and is cut when its time is over", async () => {
    const clock = manualClock(Date.UTC(2026, 10, 28, 12));
    const store = memoryStore(big);
    const { port, link, audited } = await openDoor({ rows: [bigRow], store, clock });
    const socket = idleReader(port, link);
    await soon(() => audited.length === 1);
    let before = -1;
    while (store.pulled !== before) {
      before = store.pulled;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(store.pulled * 10_000, "kernel and our own buffers, and no more").toBeLessThan(big.length / 2);
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("data", () => undefined);
    socket.pause();
    await clock.advance(30_000);
    await clock.advance(30_000);
    await soon(() => store.cancelled === 1);
    socket.resume();
    await closed;
  });

  test("one that goes away stops the reading of the store", async () => {
    const store = memoryStore(big);
    const { port, link, audited } = await openDoor({ rows: [bigRow], store });
    const socket = idleReader(port, link);
    await soon(() => audited.length === 1 && store.pulled > 0);
    socket.destroy();
    await soon(() => store.cancelled === 1);
  });

  test("one that has gone before its row was read takes no seat, and holds nothing of the store open", async () => {
    let row = Promise.withResolvers<void>();
    let asked = 0;
    const store = memoryStore(big);
    const { server, port, link, get } = await openDoor({
      rows: [bigRow],
      store,
      limits: { downloads: 2 },
      ledger: () => (++asked > 4 ? Promise.resolve() : row.promise),
    });
    for (let n = 1; n <= 4; n++) {
      row = Promise.withResolvers();
      const reader = idleReader(port, link);
      await soon(() => asked === n);
      reader.resetAndDestroy();
      // Answered on another connection: by then the door has seen that the reader is gone.
      await get("/livez");
      await get("/livez");
      row.resolve();
    }
    await soon(() => store.cancelled === store.opened.length);
    const free = await get(link);
    expect(free.status).toBe(200);
    await free.body?.cancel();
    await server.stop(0);
  });

  test("have so many seats and no more, in all and for one client, and health is still answered", async () => {
    const store = memoryStore(big);
    const { port, link, get, audited } = await openDoor({
      rows: [bigRow],
      store,
      limits: { downloads: 3, downloadsForOne: 2 },
    });
    const readers = [idleReader(port, link), idleReader(port, link)];
    await soon(() => audited.length === 2);
    const third = await get(link);
    expect([third.status, third.headers.get("retry-after")]).toEqual([503, "10"]);
    expect(audited.at(-1)?.outcome).toBe("busy");
    expect((await get("/livez")).status).toBe(200);
    expect((await get(link, { method: "HEAD" })).status).toBe(200);
    for (const reader of readers) reader.destroy();
    await soon(() => store.cancelled === 2);
    const free = await get(link);
    expect(free.status).toBe(200);
    await free.body?.cancel();
  });
});
