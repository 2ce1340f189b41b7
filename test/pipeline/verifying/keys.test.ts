/** Parsed keys are kept for the next signature of the same domain, and nothing is verified otherwise than without that. */
import crypto, { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { verify as verifySender } from "../../../src/mail/trust.ts";
import { type Crypto, keepKeys, maxKeys } from "../../../src/pipeline/verifying/keys.ts";
import { chunks, fromPeer, goodZone, mail, signedMail } from "../../mail/trust/mails.ts";

/** What is really parsed is counted. */
function counted(): Crypto & { readonly parsed: unknown[]; readonly verifiedWith: unknown[] } {
  const parsed: unknown[] = [];
  const verifiedWith: unknown[] = [];
  const { createPublicKey, verify } = crypto;
  return {
    parsed,
    verifiedWith,
    createPublicKey: ((given: Parameters<Crypto["createPublicKey"]>[0]) => {
      parsed.push(given);
      return createPublicKey(given);
    }) as Crypto["createPublicKey"],
    verify: ((...given: Parameters<Crypto["verify"]>) => {
      verifiedWith.push(given[2]);
      return verify(...given);
    }) as Crypto["verify"],
  };
}

const rsa = () => generateKeyPairSync("rsa", { modulusLength: 1024 });
const der = (key: KeyObject) =>
  ({ key: key.export({ type: "spki", format: "der" }), format: "der", type: "spki" }) as const;
const pem = { type: "pkcs1", format: "pem" } as const;

test("the same bytes are parsed once, and the text a key was written as is not parsed again", () => {
  const used = counted();
  keepKeys(used);
  const { publicKey, privateKey } = rsa();
  const data = Buffer.from("a mail");
  const signature = sign("RSA-SHA256", data, privateKey);
  for (let round = 0; round < 3; round++) {
    const key = used.createPublicKey(der(publicKey));
    const text = key.export(pem);
    expect(text).toBe(publicKey.export(pem));
    expect(key.export({ type: "spki", format: "der" })).toEqual(der(publicKey).key);
    expect(used.verify("RSA-SHA256", data, text, signature)).toBe(true);
    expect(used.verify("RSA-SHA256", Buffer.from("another"), text, signature)).toBe(false);
  }
  expect(used.parsed).toHaveLength(1);
  expect(new Set(used.verifiedWith.map((key) => typeof key))).toEqual(new Set(["object"]));
});

test("another key's signature does not pass, also where both are kept", () => {
  const used = counted();
  keepKeys(used);
  const [one, other] = [rsa(), rsa()];
  const data = Buffer.from("a mail");
  const texts = [one, other].map(({ publicKey }) => used.createPublicKey(der(publicKey)).export(pem));
  const signature = sign("RSA-SHA256", data, one.privateKey);
  expect(texts.map((text) => used.verify("RSA-SHA256", data, text, signature))).toEqual([true, false]);
});

test("what cannot be parsed is refused each time, and other ways to give a key are left alone", () => {
  const used = counted();
  keepKeys(used);
  const broken = { key: Buffer.from("not a key"), format: "der", type: "spki" } as const;
  for (let round = 0; round < 2; round++) expect(() => used.createPublicKey(broken)).toThrow();
  const text = rsa().publicKey.export(pem).toString();
  for (let round = 0; round < 2; round++) expect(used.createPublicKey(text).asymmetricKeyType).toBe("rsa");
  expect(used.parsed).toHaveLength(4);
});

test("the number of keys is bounded, and what is asked for again stays", () => {
  const used = counted();
  keepKeys(used);
  const wanted = der(rsa().publicKey);
  const others = Array.from({ length: maxKeys }, () => {
    const { publicKey } = generateKeyPairSync("ed25519");
    return der(publicKey);
  });
  used.createPublicKey(wanted);
  for (const other of others.slice(0, -1)) used.createPublicKey(other);
  used.createPublicKey(wanted);
  for (const other of others.slice(-1)) used.createPublicKey(other);
  used.createPublicKey(wanted);
  expect(used.parsed).toHaveLength(maxKeys + 1);
  // The first of the others was the longest unseen.
  for (const other of others.slice(0, 1)) used.createPublicKey(other);
  expect(used.parsed).toHaveLength(maxKeys + 2);
});

test("mailauth's own verification asks for a key once, and says the same of good and of changed mail", async () => {
  const { createPublicKey, verify } = crypto;
  onTestFinished(() => void Object.assign(crypto, { createPublicKey, verify }));
  const used = counted();
  const zone = goodZone();
  const results: unknown[] = [];
  const good = signedMail(mail());
  const changed = Buffer.from(good.toString("latin1").replace(/\r\n\r\n/, "\r\n\r\nChanged. "), "latin1");
  const judged = async () => {
    for (const bytes of [good, changed, good]) {
      const { dkim } = await verifySender(chunks(bytes), fromPeer(), (name, type) => zone.resolve(name, type));
      results.push(dkim.map(({ result }) => result));
    }
  };
  await judged();
  const without = results.splice(0);
  Object.assign(crypto, { createPublicKey: used.createPublicKey, verify: used.verify });
  keepKeys(crypto);
  await judged();
  expect(results).toEqual(without);
  expect(results[0]).toEqual(["pass"]);
  expect(used.parsed).toHaveLength(1);
});
