/** Pipedrive by an app's grant in the place of an API token. */
import { describe, expect, test } from "vitest";
import { ownApi } from "../../src/destinations/pipedrive/auth.ts";
import { pipedrive } from "../../src/destinations/pipedrive.ts";
import type { Refs, Session } from "../../src/model/destination.ts";
import type { Wire, WireRequest } from "../../src/model/wire.ts";
import { createPipedriveSandbox, sandboxApp } from "../../src/sandbox/pipedrive.ts";
import { wireTo } from "../../src/sandbox/wire.ts";
import { memoryTokens } from "../support/tokens.ts";
import { bring, failureIn } from "./contract.ts";
import { activity, manualClock, person, portsFor, recordingLog, refsOf } from "./fixtures.ts";

const none: Refs = new Map();
const { clientId: client_id, clientSecret: client_secret, refreshToken: refresh_token } = sandboxApp;
const grant = { client_id, client_secret, refresh_token };

function opened(more: object = {}) {
  const clock = manualClock();
  const sandbox = createPipedriveSandbox({ clock, options: { prepared: true, limits: "off" } });
  const tokens = memoryTokens();
  const asked: { origin: string; request: WireRequest }[] = [];
  const { log, lines } = recordingLog();
  const settings = pipedrive.settings.parse({ ...grant, ...more });
  const direct = wireTo({ sandbox, clock, headers: pipedrive.reach(settings)?.headers ?? {} });
  const to = (origin: string): Wire => ({
    request(request) {
      asked.push({ origin, request });
      return direct.request(request);
    },
  });
  const ports = { ...portsFor(clock, to("lane"), undefined, log), tokens, wireTo: to };
  const open = (): Session => pipedrive.open(settings, ports);
  return { clock, sandbox, tokens, asked, lines, open, session: open() };
}

describe("a grant of an app", () => {
  test("is renewed by HTTP Basic, goes as a bearer token to the company's own host, and what rotates is kept before it is used", async () => {
    const { session, asked, tokens, lines } = opened();
    expect(await session.account()).toBe("pipedrive:7000001");
    const [first, second] = asked;
    expect(first?.origin).toBe("https://oauth.pipedrive.com");
    expect(first?.request.headers?.authorization).toMatch(/^Basic /);
    expect(String(first?.request.body)).not.toContain("secret");
    expect(second).toMatchObject({
      origin: "https://acme.pipedrive.com",
      request: { headers: { authorization: "Bearer v1u:access-1" } },
    });
    expect(tokens.rows.get("acme/crm")?.obtained?.token.refreshToken).toBe("v1:refresh-1");
    expect(lines.join("\n")).not.toMatch(/access-1|refresh-1|sandbox-secret/);
    for (const { request } of asked) expect(request.path).not.toMatch(/token=|access|secret/);
  });

  test("whose token ends in mid-queue: the call goes once more, also where it writes, and makes one record", async () => {
    const { session, sandbox } = opened();
    const who = person();
    const refs = refsOf([who, await bring(session, who, none)]);
    sandbox.grants.expireAll();
    await session.put(activity([who.key]), refs);
    expect(sandbox.state().counts).toMatchObject({ persons: 1, activities: 1 });
    expect(sandbox.grants.issued).toBe(2);
  });

  test("goes on in another session, and after an hour, with the refresh token that was kept", async () => {
    const { session, open, clock, sandbox } = opened();
    await session.account();
    const other = open();
    expect(await other.account()).toBe("pipedrive:7000001");
    expect(sandbox.grants.issued, "the same access token").toBe(1);
    await clock.advance(2 * 3_600_000);
    const third = open();
    await Promise.all([third.account(), third.find(person(), none), third.find(person("bo@example.test"), none)]);
    expect(sandbox.grants.issued, "one request for all").toBe(2);
  });

  test("that was taken back blocks the lane in words, which doctor shows, and no mail becomes a dead letter", async () => {
    const { session, sandbox } = opened();
    await session.account();
    sandbox.grants.revoke();
    const failure = await failureIn(() => session.put(person(), none));
    expect(failure).toMatchObject({ kind: "blocked", reason: expect.stringContaining("invalid_grant") });
    expect(failure.reason).not.toContain("refresh-");
    const { open } = opened({ refresh_token: "an-old-one" });
    const { findings } = await open().check();
    expect(findings).toMatchObject([{ level: "problem", what: expect.stringContaining("invalid_grant") }]);
  });

  test("goes to a base_url that is given, tokens and all, whatever the answer names", async () => {
    const { session, asked } = opened({ base_url: "http://127.0.0.1:8077" });
    await session.account();
    expect(new Set(asked.map(({ origin }) => origin))).toEqual(new Set(["http://127.0.0.1:8077", "lane"]));
  });

  test.each([
    ["https://acme.pipedrive.com", "https://acme.pipedrive.com"],
    ["https://acme.pipedrive.com/api", "https://acme.pipedrive.com"],
    ["http://acme.pipedrive.com", undefined],
    ["https://evil.test", undefined],
    ["https://acme.pipedrive.com.evil.test", undefined],
    ["https://acme.pipedrive.com:8443", undefined],
    ["https://a@evil.test#.pipedrive.com", undefined],
    [undefined, undefined],
  ])("is sent to %s: %s", (named, origin) => expect(ownApi(named)).toBe(origin));

  test("is given whole, or a token in its place, and never both", () => {
    const wrong = [
      {},
      { client_id },
      { client_id, refresh_token },
      { ...grant, token: "x" },
      { token: "x", client_id },
    ];
    for (const settings of wrong) expect(pipedrive.settings.safeParse(settings).success).toBe(false);
    for (const settings of [grant, { token: "x" }]) expect(pipedrive.settings.safeParse(settings).success).toBe(true);
  });
});
