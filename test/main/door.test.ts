/** What the door is given of the settings: nothing without a public URL, and operators only where there are some. */
import { describe, expect, test } from "vitest";
import { openDoor } from "../../src/main/door.ts";
import { openSettingsLinks } from "../../src/main/links.ts";
import type { Settings } from "../../src/settings/index.ts";
import { configuration } from "../../src/settings/schema.ts";
import { manualClock, noMetrics, recordingLog } from "../destinations/fixtures.ts";

const master = Buffer.alloc(32, 5);
const hash = `scrypt$15$8$3$${"A".repeat(22)}$${"B".repeat(43)}`;
const files = { files: async () => [], audit: async () => undefined, auditOpening: async () => undefined };
const stores = {
  of: () => {
    throw new Error("nothing is opened here");
  },
};
const settingsOf = (given: object): Settings => {
  const tenants = [{ id: "acme", recipients: ["*@in.test"] }];
  return configuration.parse({ tenants, ...given }) as unknown as Settings;
};
function doorOf(given: object) {
  const settings = settingsOf(given);
  const ground = { settings, links: openSettingsLinks(settings, master), operatorKey: master, clock: manualClock() };
  const rest = { log: recordingLog().log, metrics: noMetrics };
  return openDoor({ ...ground, ...rest } as unknown as Parameters<typeof openDoor>[0], files, stores);
}
const publicUrl = "https://example.com/mail/";

describe("the door", () => {
  test("hands out nothing and lets nobody sign in without a public URL", () => {
    const door = doorOf({ http: { port: 0, operators: [{ name: "Ada", password_hash: hash }] } });
    expect(door).toEqual({ host: "127.0.0.1", port: 0, trustedProxies: [] });
  });

  test("knows where it is, for how long links are good, and whom to let in", () => {
    const operators = [{ name: "Ada", password_hash: hash }];
    const links = { ttl: "30d", refresh_days: 7 };
    const door = doorOf({ http: { public_url: publicUrl, trusted_proxies: ["10.0.0.0/8"], operators }, links });
    expect(door.trustedProxies).toEqual(["10.0.0.0/8"]);
    expect(door.files).toMatchObject({ base: "/mail", refreshMs: 7 * 86_400_000, freshMs: 30 * 86_400_000 });
    expect(door.operators?.operators).toEqual([{ name: "Ada", passwordHash: hash }]);
    expect(door.files?.sessions?.open("Ada")).toMatch(
      /^__Secure-mailwright=.*; Path=\/mail; HttpOnly; SameSite=Strict; Secure$/,
    );
    expect(door.files?.links.of("a".repeat(32), 0)).toMatch(
      /^https:\/\/example\.com\/mail\/a\/a{32}\?e=2592000&k=1&s=/,
    );
  });

  test("has no sign-in where there are no operators", () => {
    const door = doorOf({ http: { public_url: publicUrl } });
    expect(door.operators).toBeUndefined();
    expect(door.files?.sessions).toBeUndefined();
  });
});

test("a former key's links are still read, and each key id has a key of its own", () => {
  const of = (links: object) => openSettingsLinks(settingsOf({ http: { public_url: publicUrl }, links }), master);
  const id = "a".repeat(32);
  const made = new URL(of({})?.of(id, 0) ?? "").searchParams;
  const parts = { id, expiry: made.get("e") ?? "", keyId: made.get("k") ?? "", signature: made.get("s") ?? "" };
  expect(of({ key_id: "2", former_key_ids: ["1"] })?.read(parts, 0).kind).toBe("valid");
  expect(of({ key_id: "2" })?.read(parts, 0).kind).toBe("forged");
  expect(of({ key_id: "2", former_key_ids: ["1"] })?.read({ ...parts, keyId: "2" }, 0).kind).toBe("forged");
});
