/** What letting one mail through teaches about its sender: bound to the domains that vouched for it. */
import { describe, expect, test } from "vitest";
import { openHasher } from "../../src/blobs/index.ts";
import { senderDecisions } from "../../src/main.ts";
import { noEvidence } from "../../src/model/event.ts";
import { authOf, eventWith } from "../mapping/fakes.ts";
import { load, tenantLines } from "../settings/sample.ts";

const hasher = openHasher("11".repeat(32));
const said = { by: "ada", at: 4_000 };
const pass = {
  result: "pass",
  selector: "s1",
  algorithm: "rsa-sha256",
  aligned: null,
  short_body: false,
  by: "mailwright",
  detail: null,
} as const;
const signedBy = (...domains: string[]) =>
  eventWith({ auth: { ...authOf("suspicious"), ...noEvidence, dkim: domains.map((domain) => ({ ...pass, domain })) } });

describe("a mail that is let through", () => {
  test("teaches its sender's address with each domain that vouched for it, as hashes", () => {
    const ground = { settings: load(tenantLines), hasher };
    const [decision, ...others] = senderDecisions(ground, signedBy("mailer.example.net"), "trust", said);
    expect(others).toEqual([]);
    expect(decision).toMatchObject({ kind: "trust", tenant: "acme", by: "ada", at: 4_000 });
    expect(JSON.stringify(decision)).not.toMatch(/example|ada@/);
    expect(senderDecisions(ground, signedBy("a.example", "b.example"), "revoke", said).map(({ kind }) => kind)).toEqual(
      ["revoke", "revoke"],
    );
    // Taken back is what was given.
    const [back] = senderDecisions(ground, signedBy("mailer.example.net"), "revoke", said);
    expect({ ...back, kind: "trust" }).toEqual(decision);
  });

  test("teaches nothing where nothing vouched for it, and nothing to a tenant that is gone", () => {
    expect(senderDecisions({ settings: load(tenantLines), hasher }, signedBy(), "trust", said)).toEqual([]);
    const other = { settings: load(tenantLines.replace("acme", "umbrella")), hasher };
    expect(senderDecisions(other, signedBy("mailer.example.net"), "trust", said)).toEqual([]);
  });
});
