import { describe, expect, onTestFinished, test } from "vitest";
import { openFiles, openKeyRing, openStores } from "../../src/blobs/index.ts";
import type { GcsStorage } from "../../src/blobs/storage.ts";
import { Refused } from "../../src/model/outcome.ts";
import { startGcs } from "../support/gcs-server.ts";
import { folder } from "./disk.ts";
import { silentLog } from "./silent.ts";
import { storeContract } from "./store-contract.ts";
import { collected, cut, patterned } from "./streams.ts";

const ring = openKeyRing({ key: Buffer.alloc(32, 7) });
const key = "attachment/acme/ab/ab12";
const some = (length = 10) => ReadableStream.from(cut(patterned(length), [100_000]));

async function openGcsStore(changes: Partial<GcsStorage> = {}) {
  const server = await startGcs();
  onTestFinished(() => server.stop());
  const { bucket, url: endpoint, credentials } = server;
  const storage: GcsStorage = { type: "gcs", bucket, prefix: "mw/", endpoint, credentials, sealed: true, ...changes };
  const files = await openFiles(folder());
  const settings = { storage, tenants: [{ id: "acme" }], former_storage: [] };
  const stores = openStores(settings, { files, ring, clock: { now: () => Date.now() }, log: silentLog });
  onTestFinished(() => stores.close());
  return { server, settings, stores, store: stores.of("acme") };
}

storeContract("a bucket of Google's", async () => {
  const { server, store } = await openGcsStore();
  return {
    store,
    peek: async (name) => server.objects.get(`mw/${name}`)?.bytes,
    poke: async (name, bytes) => void server.objects.set(`mw/${name}`, { bytes: Buffer.from(bytes), at: Date.now() }),
  };
});

describe("a signed link of Google's", () => {
  const download = { filename: "März.pdf", contentType: "application/pdf", seconds: 60 };

  test("is right by the account's public key, gives the file as a download, and dies", async () => {
    const { server, store } = await openGcsStore({ sealed: false });
    const { ref } = await store.put(key, some(5_000));
    expect(ref).toBe(`gcs:acme-mail/mw/${key}.plain`);
    const url = (await store.presign?.(ref, download)) ?? "";
    const found = await fetch(url);
    expect(found.status).toBe(200);
    expect(found.headers.get("content-type")).toBe("application/pdf");
    expect(found.headers.get("content-disposition")).toBe(
      `attachment; filename="M_rz.pdf"; filename*=UTF-8''M%C3%A4rz.pdf`,
    );
    expect(Buffer.from(await found.arrayBuffer()).equals(patterned(5_000))).toBe(true);
    const changes: readonly [string, string][] = [
      ["attachment%3B", "inline%3B"],
      ["ab12", "ab13"],
      ["X-Goog-Expires=60", "X-Goog-Expires=600"],
      ["X-Goog-Signature=", "X-Goog-Signature=00"],
    ];
    for (const [from, to] of changes) {
      const changed = url.replace(from, to);
      expect(changed).not.toBe(url);
      expect((await fetch(changed)).status).toBe(403);
    }
    server.now = () => Date.now() + 61_000;
    expect((await fetch(url)).status).toBe(400);
    expect((await fetch(url.replace(/\?.*/, ""))).status).toBe(403);
  });

  test("is not made for what we sealed", async () => {
    const { store } = await openGcsStore();
    const { ref } = await store.put(key, some());
    expect(await store.presign?.(ref, download)).toBeUndefined();
  });
});

describe("what goes wrong at Google's is told as what it is", () => {
  const refusals: readonly [number, string, "blocked" | "retryable", RegExp][] = [
    [403, "mailwright does not have storage.objects.create access", "blocked", /let this account create, get, list/],
    [401, "Invalid Credentials", "blocked", /mend `key_file` or `credentials`/],
    [404, "The specified bucket does not exist.", "blocked", /make the bucket, or mend `bucket`/],
    [418, "teapot", "retryable", /gave no good answer/],
  ];
  test.each(refusals)("%i %s: %s", async (status, message, kind, sentence) => {
    const { server, store } = await openGcsStore();
    const { ref } = await store.put(key, some());
    server.trouble = () => [status, message];
    for (const work of [() => store.put(key, some()), () => store.open(ref), () => store.delete(ref)]) {
      const refused = await work().catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(Refused);
      expect((refused as Refused).failure).toMatchObject({ kind, reason: expect.stringMatching(sentence) });
    }
  });

  test("a passing refusal is passed over by the library", async () => {
    const { server, store } = await openGcsStore();
    let refusals = 1;
    server.trouble = () => (refusals-- > 0 ? [503, "Backend Error"] : undefined);
    const { ref } = await store.put(key, some());
    expect(String(await collected((await store.open(ref))?.plain ?? some()))).toBe(String(patterned(10)));
  });

  test("credentials that are none are told of before anybody is asked", async () => {
    const { server, store } = await openGcsStore({ credentials: "{}" });
    await expect(store.put(key, some())).rejects.toThrow(/blocked: .*mend `credentials`/);
    expect(server.seen).toEqual([]);
  });
});

test("a listing longer than a page is read to its end", async () => {
  const { server, store } = await openGcsStore();
  server.pageSize = 2;
  for (const name of ["1", "2", "3", "4", "5"]) await store.put(`attachment/acme/ab/${name}`, some());
  const keys: string[] = [];
  for await (const listed of store.list("attachment/")) keys.push(listed.key.slice(-1));
  expect(keys).toEqual(["1", "2", "3", "4", "5"]);
});

test("rules by age are written beside those of others, and replace only ours", async () => {
  const { server, stores } = await openGcsStore();
  const theirs = [
    { action: { type: "Delete" }, condition: { age: 7, matchesPrefix: ["logs/"] } },
    { action: { type: "Delete" }, condition: { age: 7, matchesPrefix: ["mw/raw/"], isLive: false } },
    {
      action: { type: "SetStorageClass", storageClass: "COLDLINE" },
      condition: { age: 30, matchesPrefix: ["mw/raw/"] },
    },
  ];
  const old = { action: { type: "Delete" }, condition: { age: 1, matchesPrefix: ["mw/raw/"] } };
  server.metadata = { lifecycle: { rule: [...theirs, old] }, versioning: { enabled: true } };
  const rules = [{ class: "raw", prefix: "mw/raw/", days: 455 }] as const;
  const bucket = stores.used()[0]?.bucket;
  const dry = await bucket?.applyLifecycle("mw/", rules, true);
  expect(dry).toEqual({
    before: ["mw/raw/ is deleted after 1 days"],
    after: ["mw/raw/ is deleted after 455 days"],
    others: 3,
  });
  expect(server.metadata).toMatchObject({ lifecycle: { rule: [...theirs, old] } });
  await bucket?.applyLifecycle("mw/", rules, false);
  const ours = { action: { type: "Delete" }, condition: { age: 455, matchesPrefix: ["mw/raw/"] } };
  expect(server.metadata).toMatchObject({ lifecycle: { rule: [...theirs, ours] } });
  expect((await bucket?.remarks())?.[0]).toMatch(/keeps old versions/);
});
