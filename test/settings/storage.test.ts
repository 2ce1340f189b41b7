/** Where things are kept, as it may be written. */
import { describe, expect, test } from "vitest";
import { describeSettings, secretsOf } from "../../src/settings/index.ts";
import { load, refusal, tenantLines } from "./sample.ts";

const bucket = "{ type: s3, bucket: acme-mail }";

test("without a word everything lies in the data folder, for 90 days, and in quarantine for 30", () => {
  const { storage, former_storage, retention } = load(tenantLines);
  const day = 86_400_000;
  expect({ storage, former_storage }).toEqual({ storage: { type: "files" }, former_storage: [] });
  expect(retention).toMatchObject({ attachment: 90 * day, quarantined: 30 * day, preview: 30 * day });
});

test("a bucket needs its name alone, and what goes there is sealed", () => {
  expect(load(`storage: ${bucket}\n${tenantLines}`).storage).toEqual({
    type: "s3",
    bucket: "acme-mail",
    prefix: "",
    region: "us-east-1",
    sse: "none",
    sealed: true,
  });
});

test("a tenant may have a store of its own", () => {
  const settings = load(`${tenantLines}    storage: { type: gcs, bucket: acme-mail, prefix: mailwright/ }\n`);
  expect(settings.tenants[0]?.storage).toMatchObject({ type: "gcs", bucket: "acme-mail", prefix: "mailwright/" });
  expect(settings.storage).toEqual({ type: "files" });
});

test("secrets of a store are hidden where settings are shown, and blotted out of every log", () => {
  const keys = "access_key_id: AKIA, secret_access_key: hush-hush, session_token: tok-tok";
  const settings = load(
    `storage: { type: s3, bucket: b-b, ${keys} }\n${tenantLines}    storage: { type: gcs, bucket: acme-mail, credentials: "{json}" }\n`,
  );
  expect(secretsOf(settings).toSorted()).toEqual(["hush-hush", "tok-tok", "{json}"]);
  expect(JSON.stringify(describeSettings(settings))).not.toMatch(/hush-hush|tok-tok|\{json\}/);
});

describe("refused, with its place and what would do", () => {
  const wrong: readonly [string, string, RegExp][] = [
    ["a kind that there is not", "{ type: azure, bucket: acme-mail }", /storage\.type/],
    ["a key with a slip", "{ type: s3, bucket: acme-mail, regoin: eu-west-1 }", /regoin[\s\S]*region/],
    ["a bucket without a name", "{ type: s3 }", /storage\.bucket/],
    ["a bucket that is a path", "{ type: s3, bucket: ../else }", /storage\.bucket/],
    ["a prefix without its slash", "{ type: s3, bucket: acme-mail, prefix: mail }", /storage\.prefix/],
    ["a prefix that climbs", "{ type: s3, bucket: acme-mail, prefix: ../ }", /storage\.prefix/],
    ["an endpoint that is none", "{ type: s3, bucket: acme-mail, endpoint: minio:9000 }", /storage\.endpoint/],
    ["half of the credentials", "{ type: s3, bucket: acme-mail, access_key_id: AKIA }", /secret_access_key together/],
    ["a key for KMS without KMS", "{ type: s3, bucket: acme-mail, kms_key_id: k }", /sse: aws:kms/],
    [
      "both kinds of Google's keys",
      "{ type: gcs, bucket: acme-mail, key_file: k.json, credentials: x }",
      /one of the two/,
    ],
    ["a form of encryption that there is not", "{ type: s3, bucket: acme-mail, sse: rot13 }", /storage\.sse/],
  ];
  test.each(wrong)("%s", (_what, entry, said) => {
    const { message } = refusal(`storage: ${entry}\n${tenantLines}`);
    expect(message).toMatch(said);
    expect(message).toMatch(/:1:\d+/);
  });

  test("one name for two buckets, since nobody could say where a reference leads", () => {
    const other = "{ type: s3, bucket: acme-mail, endpoint: 'https://minio.example.com' }";
    const { message } = refusal(`storage: ${bucket}\n${tenantLines}    storage: ${other}\n`);
    expect(message).toContain("tenants[0].storage");
    expect(message).toContain("the store s3:acme-mail a second time, reached in another way");
    const named = other.replace("bucket:", "id: second, bucket:");
    expect(load(`storage: ${bucket}\n${tenantLines}    storage: ${named}\n`).tenants[0]?.storage).toMatchObject({
      id: "second",
    });
  });

  test("but one bucket with two prefixes is no clash", () => {
    const parted = "{ type: s3, bucket: acme-mail, prefix: acme/ }";
    expect(() => load(`storage: ${bucket}\n${tenantLines}    storage: ${parted}\n`)).not.toThrow();
  });
});
