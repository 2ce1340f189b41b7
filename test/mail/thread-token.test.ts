/** Tokens of threads: made and known again under one key, for one tenant, in any case of letters, and by nobody else. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { derivedKey } from "../../src/blobs/index.ts";
import { addressWithToken, findThreadToken, openThreadTokens } from "../../src/mail/thread-token.ts";
import { compileRoutes } from "../../src/settings/index.ts";

const tokens = openThreadTokens(derivedKey("11".repeat(32), "thread token"));
const others = openThreadTokens(derivedKey("22".repeat(32), "thread token"));
const anyId = fc.uint8Array({ minLength: 1, maxLength: 24 }).map((bytes) => Buffer.from(bytes).toString("hex"));
const anyTenant = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,20}$/);
const id = Buffer.alloc(16, 7).toString("hex");

function made(tenant: string, threadId: string): string {
  const token = tokens.token(tenant, threadId);
  if (token === undefined) throw new Error(`no token for ${threadId}`);
  return token;
}
const mixed = (text: string, upper: readonly boolean[]): string =>
  [...text].map((letter, index) => (upper[index % upper.length] === true ? letter.toUpperCase() : letter)).join("");

describe("a token", () => {
  test("names the thread it was made for, whatever becomes of the case of its letters on the way", () => {
    fc.assert(
      fc.property(anyTenant, anyId, fc.array(fc.boolean(), { minLength: 1 }), (tenant, threadId, upper) => {
        const token = made(tenant, threadId);
        expect(token).toMatch(/^[a-z2-7]+$/);
        expect(tokens.threadOf(tenant, mixed(token, upper))).toBe(threadId);
      }),
    );
  });

  test("says nothing under another key, to another tenant, or with any letter changed, left out or added", () => {
    fc.assert(
      fc.property(
        anyTenant,
        anyTenant,
        anyId,
        fc.nat(),
        fc.constantFrom(..."abcdefghijklmnopqrstuvwxyz234567"),
        (tenant, other, threadId, at, letter) => {
          const token = made(tenant, threadId);
          expect(others.threadOf(tenant, token)).toBeUndefined();
          if (other !== tenant) expect(tokens.threadOf(other, token)).toBeUndefined();
          const place = at % token.length;
          const changed = token.slice(0, place) + letter + token.slice(place + 1);
          if (changed !== token) expect(tokens.threadOf(tenant, changed)).toBeUndefined();
          expect(tokens.threadOf(tenant, token.slice(0, place) + token.slice(place + 1))).toBeUndefined();
          expect(tokens.threadOf(tenant, token.slice(0, place) + letter + token.slice(place))).toBeUndefined();
        },
      ),
    );
  });

  test("of a tenant whose name is longer by what an id begins with is another", () => {
    const rest = Buffer.from("rest-of-the-id!");
    const token = made("acme", Buffer.concat([Buffer.from("x"), rest]).toString("hex"));
    expect(tokens.threadOf("acmex", token)).toBeUndefined();
    expect(tokens.token("acmex", rest.toString("hex"))).not.toContain(token.slice(-16));
  });

  test("is not found in what somebody makes up", () => {
    fc.assert(
      fc.property(anyTenant, fc.oneof(fc.string(), fc.stringMatching(/^[a-z2-7]{0,70}$/)), (tenant, text) => {
        expect(tokens.threadOf(tenant, text)).toBeUndefined();
      }),
    );
  });

  test("is not made for what is no id of a thread", () => {
    for (const wrong of ["", "a b", "AB", "a", "xy", "0g"]) expect(tokens.token("acme", wrong)).toBeUndefined();
  });

  test("of an id of 128 bits has 42 letters", () => {
    expect(made("acme", id)).toHaveLength(42);
  });
});

describe("an address with a token", () => {
  test("is taken by the recipient table, and has no more than 64 octets before the @", () => {
    const route = compileRoutes([{ id: "acme", recipients: ["deals@in.example.com", "*@all.example.com"] }]);
    for (const base of ["deals@in.example.com", "deals+us-east@in.example.com", "anybody@all.example.com"]) {
      const address = addressWithToken(base, made("acme", id)) ?? "";
      expect(address.split("@")[0]?.length).toBeLessThanOrEqual(64);
      expect(route(address)).toEqual({ kind: "accepted", tenant: "acme" });
      expect(route(address.toUpperCase())).toEqual({ kind: "accepted", tenant: "acme" });
      expect(findThreadToken("acme", [address], tokens)).toEqual({ threadId: id, anomalies: [] });
    }
  });

  test("is not made where there is no room for it", () => {
    const room = 64 - "+t.".length - 42;
    expect(addressWithToken(`${"d".repeat(room)}@in.example.com`, made("acme", id))).toBeDefined();
    expect(addressWithToken(`${"d".repeat(room + 1)}@in.example.com`, made("acme", id))).toBeUndefined();
    expect(addressWithToken("@in.example.com", made("acme", id))).toBeUndefined();
    expect(addressWithToken("nobody", made("acme", id))).toBeUndefined();
  });
});

describe("the recipients of a mail", () => {
  const other = Buffer.alloc(16, 9).toString("hex");
  const at = (token: string): string => `deals+t.${token}@in.example.com`;
  const invalid = [{ code: "thread_token_invalid", detail: expect.any(String) }];

  test("without a token name no thread, and nothing is odd about that", () => {
    for (const address of [
      "deals@in.example.com",
      "deals+us@in.example.com",
      "deals+tt.x@in.example.com",
      "+t.x@in.example.com",
      "x",
      "",
    ])
      expect(findThreadToken("acme", [address], tokens)).toEqual({ threadId: null, anomalies: [] });
    expect(findThreadToken("acme", [], tokens)).toEqual({ threadId: null, anomalies: [] });
  });

  test("name one thread however often they hold its token, in To, Cc and the envelope", () => {
    const address = at(made("acme", id));
    expect(findThreadToken("acme", [address, address.toUpperCase(), "deals@in.example.com"], tokens)).toEqual({
      threadId: id,
      anomalies: [],
    });
  });

  test("with a token that is forged, cut or another tenant's name no thread, and say so", () => {
    const token = made("acme", id);
    for (const wrong of [token.slice(1), token.slice(0, -1), made("umbrella", id), "x", "", "%", "ä".repeat(20)])
      expect(findThreadToken("acme", [at(wrong)], tokens), wrong).toEqual({ threadId: null, anomalies: invalid });
  });

  test("with a forged token beside a good one name the good one's thread, and say so", () => {
    expect(findThreadToken("acme", [at("forged"), at(made("acme", id))], tokens)).toEqual({
      threadId: id,
      anomalies: invalid,
    });
  });

  test("with tokens of two threads name neither, and say so", () => {
    expect(findThreadToken("acme", [at(made("acme", id)), at(made("acme", other))], tokens)).toEqual({
      threadId: null,
      anomalies: invalid,
    });
  });

  test("cost no more than a few looks, however many they are", () => {
    let asked = 0;
    const counting = { ...tokens, threadOf: () => void asked++ };
    findThreadToken(
      "acme",
      Array.from({ length: 5_000 }, (_, n) => at(`a${n}`)),
      counting,
    );
    expect(asked).toBeLessThanOrEqual(20);
  });
});

describe("the key of the tokens", () => {
  test("is the same for the same master key in any spelling, and another for every purpose and master key", () => {
    const master = "ab".repeat(32);
    const key = derivedKey(master, "thread token");
    expect(key).toHaveLength(32);
    expect(Buffer.from(derivedKey(Buffer.from(master, "hex"), "thread token")).equals(key)).toBe(true);
    const all = [
      key,
      derivedKey(master, "thread facts"),
      derivedKey("cd".repeat(32), "thread token"),
      Buffer.from(master, "hex"),
    ];
    expect(new Set(all.map((each) => Buffer.from(each).toString("hex"))).size).toBe(all.length);
  });

  test("is refused from what is no master key", () => {
    expect(() => derivedKey("short", "thread token")).toThrow(/32 bytes/);
    expect(() => derivedKey(new Uint8Array(31), "thread token")).toThrow(/32 bytes/);
  });
});
