/** Each vendor's limits as its stand-in changes them: the lane's bucket follows what the answers tell, and old mail leaves the reserve to live mail. */
import { describe, expect, test } from "vitest";
import { destinations } from "../../src/destinations/index.ts";
import { Refused } from "../../src/model/outcome.ts";
import type { Wire, WireRequest } from "../../src/model/wire.ts";
import { createCloseSandbox, sandboxKey } from "../../src/sandbox/close.ts";
import { createHubspotSandbox, sandboxToken as hubspotToken } from "../../src/sandbox/hubspot.ts";
import { createPipedriveSandbox, sandboxToken as pipedriveToken } from "../../src/sandbox/pipedrive.ts";
import { createSalesforceSandbox, sandboxApp } from "../../src/sandbox/salesforce.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { createZohoSandbox, sandboxClient } from "../../src/sandbox/zoho.ts";
import { turn, VirtualTime } from "../simulation/clock.ts";
import { laneBefore } from "./lane.ts";

const lane = (name: string, settings: Readonly<Record<string, unknown>>, sandbox: Sandbox, time: VirtualTime) =>
  laneBefore(sandbox, name, settings, time.clock());

/** So many callers ask as fast as they may, for so long. Answers how many calls went out, and how many of them were refused. */
async function driven(time: VirtualTime, forMs: number, wire: Wire, request: WireRequest, sandbox: Sandbox) {
  const until = time.trueNow + forMs;
  const from = sandbox.log.length;
  const clock = time.clock();
  for (let caller = 0; caller < 6; caller++) {
    void (async () => {
      while (time.trueNow < until) {
        try {
          await wire.request(request);
        } catch (error) {
          if (!(error instanceof Refused)) throw error;
          await clock.sleep(Math.min(1_000, Math.max(1, until - time.trueNow)));
        }
      }
    })();
  }
  await turn();
  while (time.trueNow < until && time.wakeNext()) await turn();
  const log = sandbox.log.slice(from);
  return { calls: log.length, refused: log.filter(({ status }) => status === 429).length };
}

describe("limits that the vendor changes", () => {
  test("HubSpot: a smaller plan slows the lane down after the first refusals, a larger one lets it go faster", async () => {
    const time = new VirtualTime();
    const limits = { burst: 100, searchPerSecond: 5, daily: 1_000_000 };
    const sandbox = createHubspotSandbox({ clock: time.trueClock(), options: { prepared: true, limits } });
    const { wire } = lane("hubspot", { token: hubspotToken }, sandbox, time);
    const request: WireRequest = { method: "GET", path: "/crm/owners/2026-03?limit=1", object: "owner" };
    const before = await driven(time, 40_000, wire, request, sandbox);
    expect(before.refused).toBe(0);
    expect(before.calls).toBeGreaterThan(340);
    limits.burst = 40;
    const smaller = await driven(time, 60_000, wire, request, sandbox);
    expect(smaller.refused, "those of the window in which it changed").toBeLessThan(60);
    expect((await driven(time, 60_000, wire, request, sandbox)).refused).toBeLessThan(15);
    limits.burst = 190;
    await driven(time, 20_000, wire, request, sandbox);
    const larger = await driven(time, 20_000, wire, request, sandbox);
    expect(larger.calls).toBeGreaterThan(310);
    expect(larger.refused).toBe(0);
  });

  test("HubSpot: what the operator set is a ceiling", async () => {
    const time = new VirtualTime();
    const sandbox = createHubspotSandbox({ clock: time.trueClock(), options: { prepared: true } });
    const { wire } = lane("hubspot", { token: hubspotToken, calls_per_10_seconds: 20 }, sandbox, time);
    const request: WireRequest = { method: "GET", path: "/crm/owners/2026-03?limit=1", object: "owner" };
    expect((await driven(time, 30_000, wire, request, sandbox)).calls).toBeLessThan(62);
  });

  test("Pipedrive: nine tenths of what it tells, and searches by themselves", async () => {
    const time = new VirtualTime();
    const limits = { burst: 20, searches: 10, dailyTokens: 10_000_000 };
    const sandbox = createPipedriveSandbox({ clock: time.trueClock(), options: { prepared: true, limits } });
    const { wire } = lane("pipedrive", { token: pipedriveToken }, sandbox, time);
    const me: WireRequest = { method: "GET", path: "/api/v1/users/me", object: "account" };
    const path = "/api/v2/persons/search?term=a@b.test&fields=email&exact_match=true";
    const search: WireRequest = { method: "GET", path, object: "person", budget: "search" };
    expect((await driven(time, 20_000, wire, me, sandbox)).refused).toBe(0);
    limits.burst = 80;
    await driven(time, 4_000, wire, me, sandbox);
    const [calls, searches] = await Promise.all([
      driven(time, 20_000, wire, me, sandbox),
      driven(time, 20_000, wire, search, sandbox),
    ]);
    expect(calls.calls).toBeGreaterThan(600);
    expect(searches.refused + calls.refused).toBe(0);
    limits.burst = 10;
    await driven(time, 4_000, wire, me, sandbox);
    expect((await driven(time, 20_000, wire, me, sandbox)).refused).toBe(0);
  });

  test("Close: of each kind of call what it tells of that kind", async () => {
    const time = new VirtualTime();
    const limits = { calls: 20, perMs: 5_000, early: 0 };
    const sandbox = createCloseSandbox({ clock: time.trueClock(), options: { prepared: true, limits } });
    const { session } = lane("close", { api_key: sandboxKey }, sandbox, time);
    const read = async (reads: number) => {
      let refused = 0;
      const all = (async () => {
        for (let n = 0; n < reads; n++)
          await session.read("person", "cont_none").catch((error: unknown) => {
            if (!(error instanceof Refused)) throw error;
            refused++;
          });
        return true;
      })();
      let isOver = false;
      void all.then(() => {
        isOver = true;
      });
      await turn();
      while (!isOver && time.wakeNext()) await turn();
      return { refused, over: sandbox.log.filter(({ status }) => status === 429).length };
    };
    expect(await read(60)).toEqual({ refused: 0, over: 0 });
    limits.calls = 3;
    expect((await read(20)).over).toBeLessThanOrEqual(1);
  });

  test("Zoho: too many at once halves the calls in flight, and credits are its own count where no answer tells", async () => {
    const time = new VirtualTime();
    const limits = { credits: 100_000, concurrent: 2 };
    const sandbox = createZohoSandbox({ clock: time.trueClock(), options: { prepared: true, limits } });
    const { wire, bucket } = lane("zoho", { ...sandboxClient, credits_per_day: 1_000 }, sandbox, time);
    sandbox.faults.plan({ route: "*", nth: 1, times: 999, fault: { kind: "slow_answer", ms: 50 } });
    const ask = () => wire.request({ method: "GET", path: "/crm/v8/org", object: "org", cost: 1 });
    const refusedIn = async () => {
      const all = Promise.all(Array.from({ length: 12 }, ask));
      await turn();
      while (time.wakeNext()) await turn();
      return (await all).filter(({ status }) => status === 429).length;
    };
    expect(await refusedIn(), "four at once, where two may be").toBeGreaterThan(0);
    expect(await refusedIn()).toBe(0);
    expect(bucket.day?.standing()).toEqual({ most: 1_000, left: 1_000 - 24 });
  });
});

describe("a refusal that names a time", () => {
  const reach = { base_url: "http://crm.invalid" };
  test.each([
    ["close", { api_key: sandboxKey }],
    ["hubspot", { token: hubspotToken }],
    ["pipedrive", { token: pipedriveToken }],
    ["salesforce", { ...reach, client_id: sandboxApp.clientId, client_secret: sandboxApp.clientSecret }],
    ["tryton", { ...reach, database: "crm", user: "mailwright", password: "tryton-test" }],
    ["zoho", sandboxClient],
  ])("%s: is kept by the calls that wait already, from the moment of the answer on", (name, settings) => {
    const bound = destinations.find((one) => one.name === name)?.bind(settings);
    const json = name === "salesforce" ? [{ errorCode: "TOO_MANY_REQUESTS", message: "slow down" }] : {};
    const answer = { status: 429, headers: { "retry-after": "7" }, text: JSON.stringify(json), json };
    expect(bound?.tells(answer, 1_000)).toMatchObject({ silence: { until: 8_000, reason: expect.any(String) } });
    expect(bound?.tells({ ...answer, status: 200 }, 1_000)?.silence).toBeUndefined();
  });
});

describe("the reserve of live mail", () => {
  test("may not be, with what is left to others, all of a day: old mail would wait for ever", () => {
    const bind = (name: string, settings: object) => () =>
      destinations.find((one) => one.name === name)?.bind(settings);
    const app = { base_url: "http://crm.invalid", client_id: sandboxApp.clientId, client_secret: "secret" };
    const kept = /live_reserve_percent and \w+ add up to 100 %/;
    expect(bind("salesforce", { ...app, daily_reserve_percent: 60, live_reserve_percent: 40 })).toThrow(kept);
    expect(bind("salesforce", { ...app, daily_reserve_percent: 60, live_reserve_percent: 39 })).not.toThrow();
    const pipedrive = { token: pipedriveToken, tokens_per_day: 10_000, live_reserve_percent: 20 };
    expect(bind("pipedrive", { ...pipedrive, reserve_tokens: 8_000 })).toThrow(kept);
    expect(bind("pipedrive", { ...pipedrive, reserve_tokens: 7_999 })).not.toThrow();
    expect(bind("hubspot", { token: hubspotToken, live_reserve_percent: 100 })).toThrow();
  });

  test.each([
    [
      "hubspot",
      { token: hubspotToken },
      (time: VirtualTime) =>
        createHubspotSandbox({
          clock: time.trueClock(),
          options: { prepared: true, limits: { burst: 1_000, searchPerSecond: 50, daily: 200 } },
        }),
      { method: "GET", path: "/crm/owners/2026-03?limit=1", object: "owner" } as const,
    ],
    [
      "pipedrive",
      { token: pipedriveToken },
      (time: VirtualTime) =>
        createPipedriveSandbox({
          clock: time.trueClock(),
          options: { prepared: true, limits: { burst: 1_000, searches: 1_000, dailyTokens: 200 } },
        }),
      { method: "GET", path: "/api/v1/users/me", object: "account", cost: 2 } as const,
    ],
    [
      "zoho",
      { ...sandboxClient, credits_per_day: 200 },
      (time: VirtualTime) => createZohoSandbox({ clock: time.trueClock(), options: { prepared: true } }),
      { method: "GET", path: "/crm/v8/org", object: "org", cost: 1 } as const,
    ],
  ])("%s: at a fifth of the day old mail waits, and live mail goes on", async (name, settings, open, request) => {
    const time = new VirtualTime();
    const sandbox = open(time);
    const { wire, bucket } = lane(name, settings, sandbox, time);
    let made = 0;
    const call = async () => {
      made++;
      const asked = wire.request(request);
      await turn();
      while (time.wakeNext()) await turn();
      return (await asked).status;
    };
    while (bucket.day?.oldMailWaits() === undefined && made < 250) await call();
    const used = made * ("cost" in request ? request.cost : 1);
    expect(used).toBeGreaterThanOrEqual(150);
    expect(used).toBeLessThanOrEqual(162);
    expect(await call()).not.toBe(429);
  });

  test("salesforce: other apps' calls count, and their part is not live mail's either", async () => {
    const time = new VirtualTime();
    const sandbox = createSalesforceSandbox({
      clock: time.trueClock(),
      options: { prepared: true, dailyCalls: 1_000 },
    });
    const settings = {
      base_url: "http://salesforce.invalid",
      client_id: sandboxApp.clientId,
      client_secret: sandboxApp.clientSecret,
    };
    const { session, bucket } = lane("salesforce", settings, sandbox, time);
    const asked = async () => {
      const asked = session.read("person", "003000000000001AAA");
      await turn();
      while (time.wakeNext()) await turn();
      await asked;
    };
    await asked();
    expect(bucket.day?.oldMailWaits()).toBeUndefined();
    sandbox.othersCall(710);
    await asked();
    expect(bucket.day?.oldMailWaits()?.reason).toContain("kept for live mail (20 %)");
  });
});
