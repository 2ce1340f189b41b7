/** Operators: who is signed in, who is not, and that guessing gets nobody there. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clientOf } from "../../src/http/client.ts";
import { openLimiter } from "../../src/http/operators/limiter.ts";
import { openSessions } from "../../src/http/operators/sessions.ts";
import { hashPassword, isPassword } from "../../src/http/password.ts";
import { type ManualClock, manualClock } from "../destinations/fixtures.ts";
import { fileId, openDoor, operator } from "./rig.ts";

const opened = (more: Parameters<typeof openDoor>[0] = {}) => openDoor({ operators: [operator], ...more });
type Door = Awaited<ReturnType<typeof opened>>;

async function tokenFrom(door: Door, path = "/sign-in"): Promise<string> {
  const page = await (await door.get(path)).text();
  return /name="form" value="([\w-]+)"/.exec(page)?.[1] ?? "";
}
const post = (door: Door, path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
  door.get(path, { method: "POST", body: new URLSearchParams(fields), headers });
async function signIn(door: Door, fields: Record<string, string> = {}) {
  const form = await tokenFrom(door);
  return await post(door, "/sign-in", { form, name: operator.name, password: operator.password, to: "", ...fields });
}

describe("an operator", () => {
  test("who signs in gets a fresh link in the place of an expired one, and both are on record under the name", async () => {
    const door = await opened({ isPassword });
    const answer = await signIn(door, { to: door.expired });
    expect([answer.status, answer.headers.get("location")]).toEqual([303, door.expired]);
    const page = await (await door.get(door.expired)).text();
    const fresh = /href="([^"]+)"/.exec(page)?.[1]?.replaceAll("&amp;", "&") ?? "";
    expect(page).toContain("You are signed in as Ada");
    expect((await door.get(door.local(fresh))).status).toBe(200);
    expect(door.audited.map(({ what, who, outcome, about }) => [what, who, outcome, about])).toEqual([
      ["operator.sign_in", "Ada", "signed_in", "operator"],
      ["link.refresh", "Ada", "fresh", fileId],
      ["link.open", "Ada", "served", fileId],
    ]);
  });

  test("has a cookie that no script, no other site and no plain connection gets, for 12 hours", async () => {
    for (const [publicUrl, name, path] of [
      ["http://mail.example.com", "mailwright", "/"],
      ["https://mail.example.com", "__Host-mailwright", "/"],
      ["https://example.com/mail/", "__Secure-mailwright", "/mail"],
    ] as const) {
      const door = await opened({ publicUrl });
      const cookie = (await signIn(door)).headers.getSetCookie()[0] ?? "";
      const secure = publicUrl.startsWith("https") ? "; Secure" : "";
      expect(cookie).toMatch(
        new RegExp(`^${name}=[\\w.-]+; Max-Age=43200; Path=${path}; HttpOnly; SameSite=Strict${secure}$`),
      );
      expect(await (await door.get("/sign-in")).text()).toContain("You are signed in as Ada");
      await (door.clock as ManualClock).advance(12 * 3_600_000 + 1_000);
      expect(await (await door.get("/sign-in")).text()).not.toContain("signed in as");
    }
  });

  test("signs out", async () => {
    const door = await opened();
    await signIn(door);
    const form = await tokenFrom(door);
    expect((await post(door, "/sign-out", { form: "x" })).headers.getSetCookie()).toEqual([]);
    const answer = await post(door, "/sign-out", { form });
    expect(answer.headers.getSetCookie()[0]).toMatch(/^mailwright=; Max-Age=0/);
    expect(await (await door.get("/sign-in")).text()).not.toContain("signed in as");
    expect(door.audited.at(-1)).toMatchObject({ what: "operator.sign_out", who: "Ada" });
  });

  test.each([
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "/a/x",
    `/a/${fileId}?e=1\r\nx: y`,
    "javascript:alert(1)",
  ])("is sent back to a link of ours and never to %j", async (to) => {
    const door = await opened();
    expect((await signIn(door, { to })).headers.get("location")).toBe("/sign-in");
    const home = await door.get(`/sign-in?to=${encodeURIComponent(to)}`);
    expect([home.status, home.headers.get("location")]).toEqual([200, null]);
  });

  test("who is signed in already goes on at once: the cookie does not come along from another site", async () => {
    const door = await opened();
    await signIn(door);
    const answer = await door.get(`/sign-in?to=${encodeURIComponent(door.expired)}`);
    expect([answer.status, answer.headers.get("location")]).toEqual([303, door.expired]);
  });
});

describe("a stranger", () => {
  test("is refused in the same words for a wrong name and a wrong password, and what was typed as a name is not written down", async () => {
    const door = await opened();
    const wrong = await signIn(door, { password: "guess" });
    const nobody = await signIn(door, { name: "my-secret-password" });
    const bare = async (answer: Response) => (await answer.text()).replace(/value="[^"]*"/g, "");
    expect([wrong.status, nobody.status]).toEqual([401, 401]);
    expect(await bare(wrong)).toBe(await bare(nobody));
    expect(door.audited.map(({ who, outcome, from }) => [who, outcome, from])).toEqual([
      ["Ada", "refused", "127.0.0.1"],
      ["(unknown name)", "refused", "127.0.0.1"],
    ]);
    expect(JSON.stringify([door.audited, door.lines])).not.toMatch(/my-secret-password|guess/);
  });

  test("cannot sign somebody in from another site, without the cookie of the form, or with another's form", async () => {
    const door = await opened();
    const form = await tokenFrom(door);
    const fields = { form, name: operator.name, password: operator.password };
    expect((await post(door, "/sign-in", fields, { "sec-fetch-site": "cross-site" })).status).toBe(403);
    expect((await post(door, "/sign-in", { ...fields, form: "" })).status).toBe(403);
    door.jar.clear();
    expect((await post(door, "/sign-in", fields)).status).toBe(403);
    expect(door.audited).toEqual([]);
    expect([...door.jar.keys()]).toEqual(["mailwright_visitor"]);
  });

  test("has ten guesses in a quarter of an hour, and the right one after them does not help", async () => {
    const door = await opened();
    const form = await tokenFrom(door);
    const guess = (password: string) => post(door, "/sign-in", { form, name: operator.name, password });
    const statuses: number[] = [];
    for (let n = 0; n < 10; n++) statuses.push((await guess("x")).status);
    expect(statuses).toEqual(Array.from({ length: 10 }, () => 401));
    const late = await guess(operator.password);
    expect(late.status).toBe(429);
    expect(Number(late.headers.get("retry-after"))).toBe(900);
    await (door.clock as ManualClock).advance(15 * 60_000);
    expect((await guess(operator.password)).status).toBe(303);
  });

  test.each([
    ["of one /48", (n: number) => `2001:db8:7:${n.toString(16)}::1`, "2001:db8:8::1"],
    ["of one /24", (n: number) => `198.51.100.${n}`, "198.51.101.1"],
  ])(
    "from ever new addresses %s has forty guesses, whatever the names; others are not held up",
    async (_what, from, other) => {
      const door = await opened({ trustedProxies: ["127.0.0.1"], isPassword: async () => false });
      const form = await tokenFrom(door);
      const guess = async (address: string, name: string) =>
        (await post(door, "/sign-in", { form, name, password: "x" }, { "x-forwarded-for": address })).status;
      const statuses: number[] = [];
      for (let n = 1; n <= 41; n++) statuses.push(await guess(from(n), `name${n}`));
      expect(statuses).toEqual([...Array.from({ length: 40 }, () => 401), 429]);
      expect(await guess(other, "somebody")).toBe(401);
    },
  );

  test("who guesses at once from many addresses is turned away before it costs anything", async () => {
    const guesses: ((right: boolean) => void)[] = [];
    const waits = () => new Promise<boolean>((resolve) => guesses.push(resolve));
    const door = await opened({ trustedProxies: ["127.0.0.1"], isPassword: waits });
    const form = await tokenFrom(door);
    const statuses: number[] = [];
    const many = Array.from({ length: 40 }, async (_, n) => {
      const headers = { "x-forwarded-for": `198.51.100.${n}` };
      statuses.push((await post(door, "/sign-in", { form, name: `n${n}`, password: "x" }, headers)).status);
    });
    const turnedAway = new Promise<void>((resolve) => {
      const look = () => (statuses.length === 22 ? resolve() : void setImmediate(look));
      look();
    });
    await turnedAway;
    expect(new Set(statuses)).toEqual(new Set([503]));
    expect(guesses, "computed at once").toHaveLength(2);
    const done = Promise.all(many);
    const answer = () => {
      for (const guess of guesses.splice(0)) guess(false);
      if (statuses.length < 40) setImmediate(answer);
    };
    answer();
    await done;
    expect(statuses.slice(22)).toEqual(Array.from({ length: 18 }, () => 401));
  });

  test("finds no sign-in where nobody can sign in", async () => {
    const door = await openDoor();
    expect((await door.get("/sign-in")).status).toBe(404);
  });
});

describe("a session", () => {
  const clock = manualClock();
  const settings = { key: Buffer.alloc(32, 3), operators: [operator], secure: false, path: "/" };
  const sessions = openSessions(settings, clock);
  const cookie = sessions.open("Ada").split(";")[0] ?? "";

  test("is read again, and no change of it is", () => {
    expect(sessions.read(`a=b; ${cookie}; c=d`)).toMatchObject({ name: "Ada" });
    fc.assert(
      fc.property(fc.nat(cookie.length - 1), fc.stringMatching(/^[\w.-]$/), (at, to) => {
        fc.pre(at > "mailwright=".length && cookie[at] !== to);
        const other = cookie.slice(0, at) + to + cookie.slice(at + 1);
        const found = sessions.read(other);
        // base64url has unused bits at the end of the name: the same name in another spelling is the same person.
        expect(found === undefined || (at < cookie.indexOf(".") && found.name === "Ada")).toBe(true);
      }),
    );
  });

  test("ends when its password changes, its operator is taken away, or the key is another", () => {
    const changed = { ...operator, passwordHash: `${operator.passwordHash.slice(0, -1)}k` };
    for (const more of [{ operators: [changed] }, { operators: [] }, { key: Buffer.alloc(32, 4) }])
      expect(openSessions({ ...settings, ...more }, clock).read(cookie)).toBeUndefined();
  });

  test("has forms that are good in it alone", () => {
    const session = sessions.read(cookie);
    if (session === undefined) throw new TypeError("it was just opened");
    const token = sessions.tokenOf(session);
    expect(sessions.isOurs(token, cookie)).toBe(true);
    expect(sessions.isOurs(token, sessions.open("Ada").split(";")[0])).toBe(false);
    expect(sessions.isOurs(token, undefined)).toBe(false);
  });
});

describe("a password", () => {
  test("is known by its hash, in whichever form its letters are typed", async () => {
    const hash = await hashPassword("pässwörd");
    expect(hash).toMatch(/^scrypt\$15\$8\$3\$[\w-]{22}\$[\w-]{43}$/);
    expect(await isPassword("pässwörd".normalize("NFD"), hash)).toBe(true);
    expect(await isPassword("passwörd", hash)).toBe(false);
    expect(await isPassword("", undefined)).toBe(false);
    expect(await hashPassword("pässwörd"), "salted").not.toBe(hash);
  });
});

describe("limits", () => {
  test("count within a window, forget, and lock nobody out longer when the clock is set back", async () => {
    const clock = manualClock();
    const limiter = openLimiter(2, 1_000, clock);
    limiter.failed("a");
    expect(limiter.waitMs("a")).toBe(0);
    limiter.failed("a");
    expect(limiter.waitMs("a")).toBe(1_000);
    expect(limiter.waitMs("b")).toBe(0);
    limiter.forget("a");
    expect(limiter.waitMs("a")).toBe(0);
    const back = { now: () => 10_000 };
    const set = openLimiter(1, 1_000, back);
    set.failed("a");
    back.now = () => 5_000;
    expect(set.waitMs("a")).toBe(0);
  });

  test.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["2001:db8:0:0:1:2:3:4", "2001:db8:0:0::/64"],
    ["2001:0db8:0001::", "2001:db8:1:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["<script>", "unknown"],
    ["::ffff:999.1.1.1", "unknown"],
  ])("%s is counted as %s", (address, client) => {
    expect(clientOf(address)).toBe(client);
  });
});
