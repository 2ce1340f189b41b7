/** Our store over a real S3 interface that checks every signature: OpenStack Swift. */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import * as sdk from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LifecycleUnsupported, openFiles, openKeyRing, openStores } from "../../src/blobs/index.ts";
import type { S3Storage } from "../../src/blobs/storage.ts";
import { Refused } from "../../src/model/outcome.ts";
import { silentLog } from "../blobs/silent.ts";
import { storeContract } from "../blobs/store-contract.ts";
import { collected, cut, patterned } from "../blobs/streams.ts";
import { type Swift, startSwift, swiftAvailable } from "./swift.ts";

const bucket = "acme-mail";
const key = "attachment/acme/ab/ab12";
const some = (length = 10) => ReadableStream.from(cut(patterned(length), [100_000]));
const ring = openKeyRing({ key: Buffer.alloc(32, 7) });
let swift: Swift;
let starting: Promise<Swift> | undefined;
let client: sdk.S3Client;
let folder: string;

function entryOf(changes: Partial<S3Storage> = {}): S3Storage {
  return {
    type: "s3",
    bucket,
    // Each test is alone in the bucket.
    prefix: `${randomUUID()}/`,
    endpoint: swift.url,
    region: swift.region,
    access_key_id: swift.accessKeyId,
    secret_access_key: swift.secretAccessKey,
    sse: "none",
    sealed: true,
    ...changes,
  };
}

async function open(changes: Partial<S3Storage> = {}) {
  const storage = entryOf(changes);
  const settings = { storage, tenants: [{ id: "acme" }], former_storage: [] };
  const ports = { files: await openFiles(folder), ring, clock: { now: () => Date.now() }, log: silentLog };
  const stores = openStores(settings, ports);
  return { storage, stores, store: stores.of("acme") };
}

async function keysOf({ stores }: Awaited<ReturnType<typeof open>>): Promise<string[]> {
  const keys: string[] = [];
  for await (const listed of stores.of("acme").list("attachment/")) keys.push(listed.key);
  return keys;
}

describe.skipIf(!swiftAvailable())("a bucket of OpenStack Swift", () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "mailwright-swift-files-"));
    starting = startSwift();
    swift = await starting;
    const { accessKeyId, secretAccessKey } = swift;
    const credentials = { accessKeyId, secretAccessKey };
    client = new sdk.S3Client({ endpoint: swift.url, region: swift.region, forcePathStyle: true, credentials });
    await client.send(new sdk.CreateBucketCommand({ Bucket: bucket }));
    // Fourteen starts of Python: some 5 s on a quiet machine, and minutes on a busy one.
  }, 400_000);
  afterAll(async () => {
    client?.destroy();
    // Also one that was not up in time: nothing else ends its servers.
    await (await starting?.catch(() => undefined))?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  storeContract("Swift", async () => {
    const { storage, store } = await open();
    return {
      store,
      async peek(name) {
        const found = await client.send(new sdk.GetObjectCommand({ Bucket: bucket, Key: `${storage.prefix}${name}` }));
        return Buffer.from((await found.Body?.transformToByteArray()) ?? []);
      },
      async poke(name, bytes) {
        await client.send(new sdk.PutObjectCommand({ Bucket: bucket, Key: `${storage.prefix}${name}`, Body: bytes }));
      },
    };
  });

  describe.each(["when_required", "when_supported"] as const)("with checksums %s", (checksums) => {
    test.each([100, 13_000_000])("takes %i bytes and gives them back", async (length) => {
      const { store } = await open({ checksums });
      const { ref } = await store.put(key, some(length));
      expect((await collected((await store.open(ref))?.plain ?? some())).equals(patterned(length))).toBe(true);
    });
  });

  test("a signed link is good as it is, for as long as it says, and in no other way", async () => {
    const { store } = await open({ sealed: false });
    const { ref } = await store.put(key, some(5_000));
    const download = { filename: "März.pdf", contentType: "application/pdf", seconds: 60 };
    const url = (await store.presign?.(ref, download)) ?? "";
    const found = await fetch(url);
    expect([found.status, found.headers.get("content-disposition")]).toEqual([
      200,
      `attachment; filename="M_rz.pdf"; filename*=UTF-8''M%C3%A4rz.pdf`,
    ]);
    expect(Buffer.from(await found.arrayBuffer()).equals(patterned(5_000))).toBe(true);
    const changes: readonly [string, string][] = [
      ["attachment%3B", "inline%3B"],
      ["ab12", "ab13"],
      ["X-Amz-Expires=60", "X-Amz-Expires=600"],
    ];
    for (const [from, to] of changes) {
      const changed = await fetch(url.replace(from, to));
      expect([to, changed.status, await changed.text()]).toEqual([
        to,
        403,
        expect.stringContaining("SignatureDoesNotMatch"),
      ]);
    }
    expect((await fetch(url.replace(/\?.*/, ""))).ok).toBe(false);
    const short = (await store.presign?.(ref, { ...download, seconds: 1 })) ?? "";
    await pause(3_000);
    expect((await fetch(short)).status).toBe(403);
  });

  test("a wrong secret, a wrong id and a bucket that is not there are told as what they are", async () => {
    const cases: readonly [Partial<S3Storage>, RegExp][] = [
      [{ secret_access_key: "wrong" }, /blocked: .*SignatureDoesNotMatch.*mend `secret_access_key`/],
      [
        { access_key_id: "test:nobody" },
        /blocked: .*mend `(access_key_id|secret_access_key)`|blocked: .*let these credentials/,
      ],
      [{ bucket: "gone" }, /blocked: .*NoSuchBucket.*make the bucket/],
    ];
    for (const [changes, sentence] of cases) {
      const { store } = await open(changes);
      await expect(store.put(key, some())).rejects.toThrow(sentence);
    }
  });

  test("rules by age are not known there, and KMS is refused in a sentence", async () => {
    const { stores } = await open();
    const rules = [{ class: "raw", prefix: "raw/", days: 455 }] as const;
    await expect(stores.used()[0]?.bucket.applyLifecycle("", rules, false)).rejects.toBeInstanceOf(
      LifecycleUnsupported,
    );
    const { store } = await open({ sse: "aws:kms" });
    await expect(store.put(key, some())).rejects.toThrow(/blocked: .*look at `sse`/);
  });

  test("kill -9 of the daemon in the middle of a put leaves nothing to be seen, and what it left is swept", async () => {
    const opened = await open();
    const args = [JSON.stringify(opened.storage), key, folder];
    const child = spawn(process.execPath, [join(import.meta.dirname, "swift-putting.ts"), ...args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(await keysOf(opened)).toEqual([]);
    const sweep = () => opened.stores.raw.sweepDrafts(Date.now() + 60_000);
    expect(await sweep()).toBe(1);
    expect(await sweep()).toBe(0);
    expect((await opened.store.put(key, some())).bytes).toBe(10);
    expect(await keysOf(opened)).toEqual([key]);
  });

  test("kill -9 of the service in the middle of a put is worth another try, and leaves nothing to be seen", async () => {
    const opened = await open();
    async function* withDeath(): AsyncGenerator<Uint8Array> {
      yield* cut(patterned(18_000_000), [1_000_000]);
      await swift.kill();
      yield* cut(patterned(18_000_000), [1_000_000]);
    }
    const refused = await opened.store.put(key, withDeath()).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Refused);
    expect((refused as Refused).failure.kind).toBe("retryable");
    await swift.start();
    expect(await keysOf(opened)).toEqual([]);
    await opened.store.put(key, some(13_000_000));
    expect(await keysOf(opened)).toEqual([key]);
  });
});
