import { describe, expect, test } from "vitest";
import { LifecycleUnsupported } from "../../src/blobs/index.ts";
import { Refused } from "../../src/model/outcome.ts";
import { openS3Store } from "./open-s3.ts";
import { storeContract } from "./store-contract.ts";
import { collected, cut, patterned } from "./streams.ts";

storeContract("a bucket of S3", async () => {
  const { server, store } = await openS3Store();
  return {
    store,
    peek: async (key) => server.objects.get(`mw/${key}`)?.bytes,
    poke: async (key, bytes) =>
      void server.objects.set(`mw/${key}`, { bytes: Buffer.from(bytes), at: Date.now(), headers: {} }),
  };
});

const key = "attachment/acme/ab/ab12";
const some = (length = 10) => ReadableStream.from(cut(patterned(length), [100_000]));
const bucketOf = ({ stores }: Awaited<ReturnType<typeof openS3Store>>) => {
  const [used] = stores.used();
  if (used === undefined) throw new Error("no bucket is used");
  return used.bucket;
};

describe("a reference", () => {
  test("names store, prefix and key, and leads there after the prefix was changed", async () => {
    const opened = await openS3Store();
    const { ref } = await opened.store.put(key, some());
    expect(ref).toBe(`s3:acme-mail/mw/${key}`);
    opened.stores.reload({ ...opened.settings, storage: { ...opened.settings.storage, prefix: "" } });
    expect((await opened.stores.of("acme").open(ref))?.size).toBe(10);
  });

  test("leads to a store of before as long as that is in the configuration", async () => {
    const { stores, store, settings } = await openS3Store();
    const { ref } = await store.put(key, some());
    const files = { type: "files" } as const;
    stores.reload({ ...settings, storage: files, former_storage: [settings.storage] });
    expect((await stores.of("acme").open(ref))?.size).toBe(10);
    expect((await stores.of("acme").put(key, some())).ref).toBe(key);
    expect(await stores.of("acme").delete(ref)).toBe(true);
    stores.reload({ ...settings, storage: files });
    await expect(stores.of("acme").open(ref)).rejects.toThrow("put it back under former_storage");
  });
});

describe("raw mail in a bucket", () => {
  const raw = "raw/acme/ab/cd/e1";
  test("lies there as it was sealed, under a reference, and is found by its bare key too", async () => {
    const { server, stores } = await openS3Store({ sealed: false });
    const { ref } = await stores.raw.put(raw, ReadableStream.from([Buffer.from("sealed before")]));
    expect(ref).toBe(`s3:acme-mail/mw/${raw}`);
    expect(String(server.objects.get(`mw/${raw}`)?.bytes)).toBe("sealed before");
    for (const name of [ref ?? "", raw])
      expect(String(await collected((await stores.raw.get(name)) ?? some()))).toBe("sealed before");
    const listed: string[] = [];
    for await (const found of stores.raw.list("raw/")) listed.push(found.key);
    expect(listed).toEqual([ref]);
    expect([await stores.raw.delete(raw), await stores.raw.delete(raw)]).toEqual([true, false]);
  });
});

describe("without our seal", () => {
  const bytes = patterned(200_000);
  async function unsealed() {
    const opened = await openS3Store({ sealed: false });
    return { ...opened, ...(await opened.store.put(key, ReadableStream.from(cut(bytes, [50_000])))) };
  }

  test("bytes lie in the bucket as they are, under a name that says so, and are read whole and in part", async () => {
    const { server, store, ref } = await unsealed();
    expect(ref).toBe(`s3:acme-mail/mw/${key}.plain`);
    expect(server.objects.get(`mw/${key}.plain`)?.bytes.equals(bytes)).toBe(true);
    expect((await collected((await store.open(ref))?.plain ?? some())).equals(bytes)).toBe(true);
    const part = await store.open(ref, { start: 100, end: 300_000 });
    expect(part?.size).toBe(200_000);
    expect((await collected(part?.plain ?? some())).equals(bytes.subarray(100))).toBe(true);
    await expect(store.open(ref, { start: 200_000, end: 200_001 })).rejects.toBeInstanceOf(RangeError);
    for await (const listed of store.list("attachment/")) expect(listed).toMatchObject({ key, ref });
  });

  test("what was sealed stays sealed to the reader: plain bytes in its place are refused", async () => {
    const opened = await openS3Store();
    const { ref } = await opened.store.put(key, some());
    opened.server.objects.set(`mw/${key}`, { bytes: Buffer.from("plain"), at: 0, headers: {} });
    opened.stores.reload({ ...opened.settings, storage: { ...opened.settings.storage, sealed: false } });
    await expect(opened.stores.of("acme").open(ref)).rejects.toThrow("cut off");
  });

  test("a link leads to the bucket, gives a download with the file's name, and dies", async () => {
    const { server, store, ref } = await unsealed();
    const download = { filename: 'Angebot "März"\r\n.pdf', contentType: "application/pdf", seconds: 60 };
    const url = (await store.presign?.(ref, download)) ?? "";
    const found = await fetch(url);
    expect(found.status).toBe(200);
    expect(found.headers.get("content-type")).toBe("application/pdf");
    expect(found.headers.get("content-disposition")).toBe(
      `attachment; filename="Angebot _M_rz___.pdf"; filename*=UTF-8''Angebot%20%22M%C3%A4rz%22__.pdf`,
    );
    expect(Buffer.from(await found.arrayBuffer()).equals(bytes)).toBe(true);
    const changed = url.replace("attachment%3B", "inline%3B");
    expect(changed).not.toBe(url);
    expect((await fetch(changed)).status).toBe(403);
    expect((await fetch(url.replace("ab12", "ab13"))).status).toBe(403);
    server.now = () => Date.now() + 61_000;
    expect((await fetch(url)).status).toBe(403);
  });

  test("there is no such link to what we sealed", async () => {
    const { store } = await openS3Store();
    const { ref } = await store.put(key, some());
    expect(await store.presign?.(ref, { filename: "a", contentType: "a/b", seconds: 60 })).toBeUndefined();
  });
});

describe("what goes wrong is told as what it is", () => {
  const refusals: readonly [number, string, "blocked" | "retryable", RegExp][] = [
    [403, "AccessDenied", "blocked", /let these credentials put, get, list and delete/],
    [403, "InvalidAccessKeyId", "blocked", /mend `access_key_id`/],
    [403, "SignatureDoesNotMatch", "blocked", /mend `secret_access_key`/],
    [403, "RequestTimeTooSkewed", "blocked", /set the clock/],
    [400, "ExpiredToken", "blocked", /credentials that are not over/],
    [301, "PermanentRedirect", "blocked", /mend `region` or `endpoint`/],
    [501, "NotImplemented", "blocked", /look at `sse` and `checksums`/],
    [404, "NoSuchBucket", "blocked", /make the bucket, or mend `bucket`/],
    [503, "SlowDown", "retryable", /gave no good answer/],
    [500, "InternalError", "retryable", /gave no good answer/],
    [418, "Teapot", "retryable", /failed \(Teapot/],
  ];
  test.each(refusals)("%i %s: %s", async (status, code, kind, sentence) => {
    const { server, store } = await openS3Store();
    server.trouble = () => [status, code];
    const refused = await store.put(key, some()).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Refused);
    expect((refused as Refused).failure.kind).toBe(kind);
    expect((refused as Refused).failure.reason).toMatch(sentence);
    expect((refused as Refused).failure.reason).toContain(`the bucket acme-mail (s3:acme-mail, ${server.url})`);
    await expect(store.open(`s3:acme-mail/mw/${key}`)).rejects.toThrow(code);
  });

  test("a bucket that is not there is no missing file, also where only a HEAD is answered", async () => {
    const { store, stores, settings } = await openS3Store();
    const { ref } = await store.put(key, some());
    stores.reload({ ...settings, storage: { ...settings.storage, bucket: "gone", id: "acme-mail" } });
    const gone = stores.of("acme");
    for (const work of [() => gone.open(ref), () => gone.delete(ref), () => gone.put(key, some())])
      await expect(work()).rejects.toThrow(/blocked: the bucket gone .*NoSuchBucket/);
  });

  test("a port where nobody listens is worth another try", async () => {
    const { server, store } = await openS3Store();
    await server.stop();
    await expect(store.put(key, some())).rejects.toThrow(/retryable: .*ECONNREFUSED/);
  });

  test("a passing refusal is passed over by the library", async () => {
    const { server, store } = await openS3Store();
    let refusals = 2;
    server.trouble = () => (refusals-- > 0 ? [503, "SlowDown"] : undefined);
    await store.put(key, some());
    expect(server.seen).toHaveLength(3);
  });

  test("an upload that fails in the middle is taken back, and nothing of it can be seen", async () => {
    const { server, store } = await openS3Store();
    server.trouble = ({ url }) => (url.includes("partNumber=2") ? [403, "AccessDenied"] : undefined);
    await expect(store.put(key, some(20_000_000))).rejects.toThrow("AccessDenied");
    expect([server.objects.size, server.uploads.size]).toEqual([0, 0]);
  });

  test("uploads that a killed process left are swept when they are old, and only ours", async () => {
    const { server, stores } = await openS3Store();
    const upload = (at: number, name: string) => ({ key: name, at, parts: new Map(), sums: undefined, headers: {} });
    const uploads = server.uploads as Map<string, ReturnType<typeof upload>>;
    uploads.set("old", upload(1_000, `mw/${key}`));
    uploads.set("young", upload(9_000, `mw/${key}`));
    uploads.set("other", upload(1_000, "theirs/big"));
    expect(await stores.raw.sweepDrafts(5_000)).toBe(1);
    expect([...uploads.keys()]).toEqual(["young", "other"]);
  });

  test("a listing longer than a page is read to its end", async () => {
    const { server, store } = await openS3Store();
    server.pageSize = 2;
    for (const name of ["1", "2", "3", "4", "5"]) await store.put(`attachment/acme/ab/${name}`, some());
    const keys: string[] = [];
    for await (const listed of store.list("attachment/")) keys.push(listed.key.slice(-1));
    expect(keys).toEqual(["1", "2", "3", "4", "5"]);
  });
});

describe("rules of the bucket by age", () => {
  const rules = [
    { class: "raw", prefix: "mw/raw/", days: 150 },
    { class: "attachment", prefix: "mw/attachment/", days: 150 },
  ] as const;

  test("are written beside those of others, replace only ours, and are shown first by a dry run", async () => {
    const opened = await openS3Store();
    const { server } = opened;
    const theirs =
      "<Rule><ID>theirs</ID><Filter><Prefix>logs/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>7</Days></Expiration></Rule>";
    const elsewhere = theirs.replace("theirs", "mailwright-raw-01234567").replace("logs/", "else/raw/");
    server.lifecycle = `<LifecycleConfiguration>${theirs}${elsewhere}</LifecycleConfiguration>`;
    const before = server.lifecycle;
    const dry = await bucketOf(opened).applyLifecycle("mw/", rules, true);
    expect(dry).toMatchObject({ before: [], others: 2 });
    expect(dry.after[0]).toMatch(/^mailwright-raw-[0-9a-f]{8}: mw\/raw\/ is deleted after 150 days$/);
    expect(server.lifecycle).toBe(before);
    await bucketOf(opened).applyLifecycle("mw/", rules, false);
    expect(server.lifecycle).toContain("<ID>theirs</ID>");
    expect(server.lifecycle).toContain("<ID>mailwright-raw-01234567</ID>");
    expect(server.lifecycle?.match(/<Rule>/g)).toHaveLength(4);
    expect(server.lifecycle).toMatch(/<DaysAfterInitiation>2</);
    const again = await bucketOf(opened).applyLifecycle("mw/", [{ ...rules[0], days: 60 }], false);
    expect(again).toMatchObject({ before: dry.after, others: 2 });
    expect(server.lifecycle?.match(/<Rule>/g)).toHaveLength(3);
  });

  test("are not written again where they stand already", async () => {
    const opened = await openS3Store();
    await bucketOf(opened).applyLifecycle("mw/", rules, false);
    const puts = () => opened.server.seen.filter(({ method }) => method === "PUT").length;
    const before = puts();
    await bucketOf(opened).applyLifecycle("mw/", rules, false);
    expect(puts()).toBe(before);
  });

  test.each(["MalformedXML", "NotImplemented"])("a service that answers %s has none", async (code) => {
    const opened = await openS3Store();
    opened.server.trouble = ({ url, method }) =>
      url.includes("lifecycle") && method === "PUT" ? [code === "NotImplemented" ? 501 : 400, code] : undefined;
    const applied = bucketOf(opened).applyLifecycle("mw/", rules, false);
    await expect(applied).rejects.toBeInstanceOf(LifecycleUnsupported);
    await expect(applied).rejects.toThrow(/takes no rules by age .*: the daemon's own sweep deletes there/);
  });
});

test("a bucket that keeps old versions is told of", async () => {
  const opened = await openS3Store();
  expect(await bucketOf(opened).remarks()).toEqual([]);
  opened.server.versioning = true;
  expect((await bucketOf(opened).remarks())[0]).toMatch(/keeps old versions/);
});
