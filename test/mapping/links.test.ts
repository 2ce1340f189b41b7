/** Signed links: what we made is read again, and nothing else is. */
import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openLinks } from "../../src/mapping/links.ts";
import type { LinkParts } from "../../src/model/links.ts";

const [one, two] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
const ttlMs = 365 * 86_400_000;
const at = Date.UTC(2026, 10, 28, 12);
const id = "0123456789abcdef0123456789abcdef";
const linksWith = (keyId = "1", keys: ReadonlyMap<string, Uint8Array> = new Map([["1", one]])) =>
  openLinks({ publicUrl: "https://mail.example.com", ttlMs, keyId, keys });
const links = linksWith();
const partsOf = (url: string): LinkParts => {
  const { pathname, searchParams } = new URL(url);
  const of = (name: string) => searchParams.get(name) ?? undefined;
  return { id: pathname.split("/").at(-1) ?? "", expiry: of("e"), keyId: of("k"), signature: of("s") };
};

describe("a link", () => {
  test("is HMAC-SHA256 over id, expiry and key id, as an outsider computes it", () => {
    const expiry = String((at + ttlMs) / 1000);
    const signature = createHmac("sha256", one).update(`mailwright link 1\n${id}\n${expiry}\n1`).digest("base64url");
    expect(links.of(id, at)).toBe(`https://mail.example.com/a/${id}?e=${expiry}&k=1&s=${signature}`);
    expect(links.of(id, at), "the same at every planning").toBe(links.of(id, at));
  });

  test("stands below a path where the public URL has one", () => {
    const below = openLinks({ publicUrl: "https://example.com/mail/", ttlMs, keyId: "1", keys: new Map([["1", one]]) });
    expect(below.of(id, at)).toMatch(/^https:\/\/example\.com\/mail\/a\/0123/);
    expect(below.read(partsOf(below.of(id, at)), at).kind).toBe("valid");
  });

  test("is valid until it expires, to the second", () => {
    const parts = partsOf(links.until(id, at + 1));
    const until = Math.ceil((at + 1) / 1000) * 1000;
    expect(links.read(parts, until - 1)).toEqual({ kind: "valid", id, until });
    expect(links.read(parts, until)).toEqual({ kind: "expired", id, until });
  });

  test("that was changed in any place, however slightly, is no link of ours", () => {
    const whole = partsOf(links.of(id, at));
    const changed = (text: string | undefined, place: number, to: string) => {
      const at = place % Math.max(1, text?.length ?? 1);
      return text === undefined ? to : text.slice(0, at) + to + text.slice(at + 1);
    };
    fc.assert(
      fc.property(
        fc.constantFrom("id", "expiry", "keyId", "signature"),
        fc.nat(),
        fc.oneof(fc.string({ maxLength: 3 }), fc.stringMatching(/^[0-9a-f]$/), fc.stringMatching(/^[\w-]$/)),
        (name, place, to) => {
          const parts = { ...whole, [name]: changed(String(whole[name as keyof LinkParts]), place, to) };
          fc.pre(parts[name as keyof LinkParts] !== whole[name as keyof LinkParts]);
          expect(links.read(parts, at)).toEqual({ kind: "forged" });
        },
      ),
      { numRuns: 500 },
    );
  });

  test.each([
    ["no parameters", {}],
    ["another spelling of the same second", { expiry: "01827403200" }],
    ["a signature with a line end", { signature: `${"A".repeat(43)}\n` }],
    ["a key id of the object's own", { keyId: "__proto__" }],
    ["an expiry that no double is exact for", { expiry: "9".repeat(30) }],
  ])("with %s is no link of ours", (_, more) => {
    const bare: LinkParts = { id, expiry: undefined, keyId: undefined, signature: undefined };
    const parts = Object.keys(more).length === 0 ? bare : { ...partsOf(links.of(id, at)), ...more };
    expect(links.read(parts, at)).toEqual({ kind: "forged" });
  });
});

describe("a new key", () => {
  const before = partsOf(links.of(id, at));
  const both = linksWith(
    "2",
    new Map([
      ["1", one],
      ["2", two],
    ]),
  );

  test("signs from now on, and former links are good until their key is taken away", () => {
    expect(both.of(id, at)).toContain("&k=2&");
    expect(both.read(before, at).kind).toBe("valid");
    expect(both.read(partsOf(both.of(id, at)), at).kind).toBe("valid");
    expect(linksWith("2", new Map([["2", two]])).read(before, at)).toEqual({ kind: "forged" });
  });

  test("does not take what another signed, and the other way round", () => {
    expect(both.read({ ...before, keyId: "2" }, at)).toEqual({ kind: "forged" });
    expect(linksWith("1", new Map([["1", two]])).read(before, at)).toEqual({ kind: "forged" });
  });

  test("that is not there signs nothing", () => {
    expect(() => linksWith("3")).toThrow(TypeError);
  });
});
