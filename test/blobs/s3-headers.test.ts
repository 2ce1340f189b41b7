/** What goes over the wire to S3, by the headers that a server sees: encryption, checksums, where the bucket is named. */
import * as sdk from "@aws-sdk/client-s3";
import { describe, expect, test } from "vitest";
import { clientOptions } from "../../src/blobs/s3/client.ts";
import { openS3 } from "../../src/blobs/s3.ts";
import type { S3Storage } from "../../src/blobs/storage.ts";
import { startS3 } from "../support/s3-server.ts";
import { openS3Store } from "./open-s3.ts";
import { collected, cut, patterned } from "./streams.ts";

const key = "attachment/acme/ab/ab12";
const some = (length = 10) => ReadableStream.from(cut(patterned(length), [100_000]));

async function putSeen(changes: Partial<S3Storage>, length?: number) {
  const { server, store } = await openS3Store(changes);
  await store.put(key, some(length));
  return server.seen;
}

const sse = "x-amz-server-side-encryption";
const kms = "x-amz-server-side-encryption-aws-kms-key-id";

describe("encryption by the bucket", () => {
  test("is not asked for without a word", async () => {
    const [put] = await putSeen({});
    expect(put?.headers[sse]).toBeUndefined();
  });

  test("AES256 is asked for with every object, also with one in parts", async () => {
    const [put] = await putSeen({ sse: "AES256" });
    expect(put?.headers[sse]).toBe("AES256");
    const [begun, ...parts] = await putSeen({ sse: "AES256" }, 9_000_000);
    expect(begun?.url).toContain("uploads");
    expect(begun?.headers[sse]).toBe("AES256");
    expect(parts.every(({ headers }) => headers[sse] === undefined)).toBe(true);
  });

  test("aws:kms goes with the key's name, or without where the bucket has its own", async () => {
    const [named] = await putSeen({ sse: "aws:kms", kms_key_id: "arn:aws:kms:eu-west-1:1:key/k" });
    expect([named?.headers[sse], named?.headers[kms]]).toEqual(["aws:kms", "arn:aws:kms:eu-west-1:1:key/k"]);
    const [unnamed] = await putSeen({ sse: "aws:kms" });
    expect([unnamed?.headers[sse], unnamed?.headers[kms]]).toEqual(["aws:kms", undefined]);
  });
});

test("nothing of ours is ever shown inside a page, whatever leads there", async () => {
  for (const length of [10, 9_000_000]) {
    const [put] = await putSeen({}, length);
    expect(put?.headers).toMatchObject({
      "content-type": "application/octet-stream",
      "content-disposition": "attachment",
    });
  }
});

describe("checksums", () => {
  const sums = (seen: Awaited<ReturnType<typeof putSeen>>) =>
    seen.flatMap(({ headers }) =>
      Object.keys(headers).filter((name) => /^x-amz-(sdk-)?checksum|^x-amz-trailer/.test(name)),
    );

  test("are left out for a service that is not AWS, which may refuse them", async () => {
    expect(sums(await putSeen({}))).toEqual([]);
    expect(sums(await putSeen({}, 9_000_000))).toEqual([]);
  });

  test("travel with every part where they are wanted, and the whole is put together by them", async () => {
    const seen = await putSeen({ checksums: "when_supported" }, 9_000_000);
    // AWS refuses parts with a checksum of an upload that was begun without, and so does the server of this test.
    expect(seen[0]?.headers["x-amz-checksum-algorithm"]).toBe("CRC32");
    const parts = seen.filter(({ method, url }) => method === "PUT" && url.includes("partNumber"));
    expect(parts.map(({ headers }) => typeof headers["x-amz-checksum-crc32"])).toEqual(["string", "string"]);
    const [one] = await putSeen({ checksums: "when_supported" });
    expect(one?.headers["x-amz-checksum-crc32"]).toBeTypeOf("string");
  });

  test("are asked of AWS itself without a word", () => {
    const storage = { type: "s3", bucket: "b-b", prefix: "", region: "eu-west-1", sse: "none", sealed: true } as const;
    expect(clientOptions(storage)).toMatchObject({
      requestChecksumCalculation: "WHEN_SUPPORTED",
      forcePathStyle: false,
    });
    expect(clientOptions({ ...storage, checksums: "when_required" })).toMatchObject({
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
    });
    expect(clientOptions({ ...storage, endpoint: "https://r2.example.com" })).toMatchObject({
      requestChecksumCalculation: "WHEN_REQUIRED",
      forcePathStyle: true,
    });
    // Nothing is said of credentials, so the library looks for them itself.
    expect(clientOptions(storage)).not.toHaveProperty("credentials");
  });

  test("one that does not fit what came is an error, and not bytes", async () => {
    const { server, store } = await openS3Store();
    const { ref } = await store.put(key, some());
    server.trouble = ({ method }) => (method === "GET" ? "half" : undefined);
    const found = store.open(ref).then((opened) => collected(opened?.plain ?? some()));
    await expect(found).rejects.toThrow(/retryable: the bucket acme-mail/);
  });
});

/** What the library would send, caught before any name is looked up. */
async function hostAndPath(changes: Partial<S3Storage>): Promise<string> {
  let caught = "";
  const requestHandler = {
    async handle(request: { hostname: string; path: string }) {
      caught = `${request.hostname}${request.path}`;
      throw Object.assign(new Error("caught"), { name: "AccessDenied", $metadata: { httpStatusCode: 403 } });
    },
  };
  class Caught extends sdk.S3Client {
    constructor(options: sdk.S3ClientConfig) {
      super({
        ...options,
        requestHandler: requestHandler as unknown as NonNullable<sdk.S3ClientConfig["requestHandler"]>,
      });
    }
  }
  const storage: S3Storage = {
    type: "s3",
    bucket: "acme-mail",
    prefix: "",
    region: "eu-central-1",
    access_key_id: "id",
    secret_access_key: "secret",
    sse: "none",
    sealed: true,
    ...changes,
  };
  const bucket = openS3(storage, async () => ({ ...sdk, S3Client: Caught }));
  await expect(bucket.put("raw/x", some())).rejects.toThrow("AccessDenied");
  return caught;
}

describe("the bucket is named", () => {
  test("in the host for AWS", async () => {
    expect(await hostAndPath({})).toBe("acme-mail.s3.eu-central-1.amazonaws.com/raw/x");
  });
  test("in the path for others", async () => {
    expect(await hostAndPath({ endpoint: "https://minio.example.com" })).toBe("minio.example.com/acme-mail/raw/x");
  });
  test("as the configuration says, where it says it", async () => {
    expect(await hostAndPath({ path_style: true })).toBe("s3.eu-central-1.amazonaws.com/acme-mail/raw/x");
    expect(await hostAndPath({ endpoint: "https://s3.example.com", path_style: false })).toBe(
      "acme-mail.s3.example.com/raw/x",
    );
  });
});

test("the server of these tests refuses what is not signed by the right secret", async () => {
  const server = await startS3({ secretAccessKey: "another" });
  const { store } = await openS3Store({ endpoint: server.url });
  await expect(store.put(key, some())).rejects.toThrow(/SignatureDoesNotMatch.*mend `secret_access_key`/);
  expect((await fetch(`${server.url}/${server.bucket}/mw/${key}`)).status).toBe(403);
  expect(server.objects.size).toBe(0);
  await server.stop();
});
