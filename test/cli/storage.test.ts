/** `mailwright storage apply-lifecycle`, and what doctor says of stores. */
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { examineStores } from "../../src/cli/doctor/stores.ts";
import { openGround } from "../../src/main.ts";
import { silentLog } from "../blobs/silent.ts";
import { folder, load, tenantLines, written } from "../settings/sample.ts";
import { type S3Server, startS3 } from "../support/s3-server.ts";
import { command } from "./stage.ts";

async function server(): Promise<S3Server> {
  const s3 = await startS3();
  onTestFinished(() => s3.stop());
  return s3;
}

const entry = (s3: S3Server, more = "") =>
  `{ type: s3, bucket: ${s3.bucket}, prefix: mw/, endpoint: "${s3.url}", access_key_id: ${s3.account.accessKeyId}, secret_access_key: "${s3.account.secretAccessKey}"${more} }`;

const configured = (storage: string) => `data_dir: ${join(folder(), "data")}\nstorage: ${storage}\n${tenantLines}`;

describe("storage apply-lifecycle", () => {
  const apply = (text: string, ...more: string[]) =>
    command(["storage", "apply-lifecycle", "--config", written(text), ...more]);

  test("says first what it would write, then writes it: retention plus a margin, a year for raw mail", async () => {
    const s3 = await server();
    const text = `retention: { raw: 10d, attachment: 20d, quarantined: 25d, preview: 1d }\n${configured(entry(s3))}`;
    const dry = await apply(text, "--dry-run");
    expect([dry.code, dry.err]).toEqual([0, ""]);
    expect(dry.out).toContain("would get these rules");
    expect(s3.lifecycle).toBeUndefined();
    const done = await apply(text, "--json");
    expect(done.json()).toMatchObject({
      dry_run: false,
      buckets: [
        {
          tenants: ["acme"],
          before: [],
          after: [
            expect.stringContaining("mw/raw/ is deleted after 375 days"),
            expect.stringContaining("mw/attachment/ is deleted after 85 days"),
            expect.stringContaining("mw/preview/ is deleted after 61 days"),
          ],
          unsupported: null,
        },
      ],
    });
    expect(s3.lifecycle?.match(/<Rule>/g)).toHaveLength(3);
    expect((await apply(text)).out).toContain("has these rules already");
  });

  test("ends with 4 and a sentence where the service knows no such rules", async () => {
    const s3 = await server();
    s3.trouble = ({ url, method }) =>
      url.includes("lifecycle") && method === "PUT" ? [400, "MalformedXML"] : undefined;
    const { code, err } = await apply(configured(entry(s3)));
    expect(code).toBe(4);
    expect(err).toMatch(/takes no rules by age \(MalformedXML: .*\): the daemon's own sweep deletes there/);
  });

  test("ends with 1 where the bucket refuses, and shows no secret", async () => {
    const s3 = await server();
    const { code, err } = await apply(configured(entry(s3).replace("a secret of the test", "a wrong one")));
    expect(code).toBe(1);
    expect(err).toContain("mend `secret_access_key`");
    expect(err).not.toContain("a wrong one");
  });

  test("has nothing to do for local files, and knows no strange tenants", async () => {
    const text = configured("{ type: files }");
    expect(await apply(text)).toMatchObject({ code: 0, out: expect.stringContaining("nothing is kept in a bucket") });
    expect(await apply(text, "--tenant", "gone")).toMatchObject({
      code: 2,
      err: expect.stringContaining("no tenant gone"),
    });
  });
});

describe("doctor", () => {
  async function examined(storage: string) {
    const ground = await openGround(load(configured(storage)), { thread: "calling", log: silentLog });
    onTestFinished(() => ground.close());
    return await examineStores(ground);
  }

  test("puts, gets, gets in part and deletes, in local files and in a bucket, and leaves nothing", async () => {
    const s3 = await server();
    const done = expect.stringMatching(/: put, got, got in part, deleted$/);
    expect(await examined("{ type: files }")).toMatchObject([{ level: "ok", about: "storage", what: done }]);
    const large = expect.stringMatching(/: put, got, got in part, deleted; the same with one of 9 MiB$/);
    expect(await examined(entry(s3))).toMatchObject([{ level: "ok", about: "storage", what: large }]);
    expect([s3.objects.size, s3.uploads.size]).toEqual([0, 0]);
    // A service, or a policy, that knows no parts would be found out by the first large file.
    s3.trouble = ({ url }) => (url.includes("partNumber=") ? [400, "InvalidRequest"] : undefined);
    expect(await examined(entry(s3))).toMatchObject([
      { level: "problem", what: expect.stringContaining("look at `sse`, `kms_key_id` and `checksums`") },
    ]);
    expect([s3.objects.size, s3.uploads.size]).toEqual([0, 0]);
  });

  test("signs a link and follows it, where links lead to the bucket", async () => {
    const s3 = await server();
    const found = await examined(entry(s3, ", sealed: false"));
    expect(found[0]?.what).toMatch(/: put, got, got in part, signed a link, deleted; the same/);
    s3.trouble = ({ url }) => (url.includes("X-Amz-Signature") ? [403, "AccessDenied"] : undefined);
    expect(await examined(entry(s3, ", sealed: false"))).toMatchObject([
      { level: "problem", what: expect.stringContaining("a signed link to the bucket is answered with 403") },
    ]);
    expect(s3.objects.size).toBe(0);
  });

  test("says what to mend", async () => {
    const s3 = await server();
    expect(await examined(entry(s3).replace(s3.bucket, "gone"))).toMatchObject([
      {
        level: "problem",
        what: expect.stringMatching(/NoSuchBucket.*make the bucket/),
        mend: expect.stringContaining("stays in the ledger"),
      },
    ]);
  });

  test("warns of old versions that stay, and of rules in the bucket that are not the configuration's", async () => {
    const s3 = await server();
    s3.versioning = true;
    s3.lifecycle = await (async () => {
      await command([
        "storage",
        "apply-lifecycle",
        "--config",
        written(`retention: { raw: 1d }\n${configured(entry(s3))}`),
      ]);
      return s3.lifecycle;
    })();
    expect(await examined(entry(s3))).toMatchObject([
      { level: "ok" },
      { level: "warning", what: expect.stringContaining("keeps old versions") },
      {
        level: "warning",
        what: expect.stringContaining("deletes by other ages"),
        mend: "mailwright storage apply-lifecycle",
      },
    ]);
  });
});
