import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { openFiles, openKeyRing, openStores } from "../../src/blobs/index.ts";
import { folder } from "./disk.ts";
import { silentLog } from "./silent.ts";
import { collected } from "./streams.ts";

const ring = openKeyRing({ key: Buffer.alloc(32, 7) });
const elsewhere = {
  type: "s3",
  bucket: "acme-mail",
  prefix: "mw/",
  // Nobody listens there.
  endpoint: "http://127.0.0.1:9",
  region: "us-east-1",
  access_key_id: "id",
  secret_access_key: "secret",
  sse: "none",
  sealed: true,
} as const;

async function open(more: Partial<Parameters<typeof openStores>[0]> = {}) {
  const dir = folder();
  const files = await openFiles(dir);
  const settings = { storage: { type: "files" } as const, tenants: [], former_storage: [], ...more };
  const ports = { files, ring, clock: { now: () => 0 }, log: silentLog };
  const stores = openStores(settings, ports);
  const lay = (key: string, bytes: string) => {
    mkdirSync(dirname(join(dir, key)), { recursive: true });
    writeFileSync(join(dir, key), bytes);
  };
  return { stores, lay };
}

const some = () => ReadableStream.from([Buffer.from("sealed before")]);

test("raw mail lies under the seal that it came with, and the ledger is told its key", async () => {
  const { stores } = await open();
  const key = "raw/acme/ab/cd/e1";
  expect(await stores.raw.put(key, some())).toEqual({ bytes: 13, ref: key });
  expect(String(await collected((await stores.raw.get(key)) ?? some()))).toBe("sealed before");
  expect(await stores.raw.delete(key)).toBe(true);
  expect(await stores.raw.get(key)).toBeUndefined();
});

test("what to write down for raw mail that is there already is the reference of where it is", async () => {
  const { stores, lay } = await open();
  lay("raw/acme/ab/cd/e2", "of yesterday");
  expect(await stores.raw.refOf?.("raw/acme/ab/cd/e2")).toBe("raw/acme/ab/cd/e2");
  expect(await stores.raw.refOf?.("raw/acme/ab/cd/e3")).toBeUndefined();
});

test("raw mail of before, whose key names no tenant, is found in the local files whatever the store is now", async () => {
  const { stores, lay } = await open({ storage: elsewhere });
  lay("raw/ab/cd/e1", "of before");
  lay("raw/acme/ab/cd/e2", "of yesterday");
  expect(String(await collected((await stores.raw.get("raw/ab/cd/e1")) ?? some()))).toBe("of before");
  expect(String(await collected((await stores.raw.get("raw/acme/ab/cd/e2")) ?? some()))).toBe("of yesterday");
  expect(await stores.raw.delete("raw/ab/cd/e1")).toBe(true);
});

test("a store is not asked before it is used, and one that is away is no reason to reject another's file", async () => {
  const { stores } = await open({ tenants: [{ id: "acme", storage: elsewhere }, { id: "other" }] });
  const { ref } = await stores.of("other").put("attachment/other/ab/1", some());
  expect(ref).toBe("attachment/other/ab/1");
  // Whoever asks: the reference says where.
  expect((await stores.of("acme").open(ref))?.size).toBe(13);
  expect(stores.used().map(({ tenants, storage }) => [tenants, storage.bucket])).toEqual([[["acme"], "acme-mail"]]);
  await stores.close();
});

test("a tenant that is gone from the configuration has the store of those that name none", async () => {
  const { stores } = await open();
  expect((await stores.of("gone").put("attachment/gone/ab/1", some())).ref).toBe("attachment/gone/ab/1");
});

test.each(["../x", "raw/../../x", "s3:acme-mail/../x", "/etc/passwd", ""])(
  "refuses %j as a reference to raw mail",
  async (ref) => {
    const { stores } = await open({ storage: elsewhere });
    await expect(stores.raw.get(ref)).rejects.toBeInstanceOf(RangeError);
    await expect(stores.raw.delete(ref)).rejects.toBeInstanceOf(RangeError);
  },
);
