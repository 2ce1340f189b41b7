import { afterEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { hubspot } from "../../src/destinations/hubspot.ts";
import { destinations } from "../../src/destinations/index.ts";
import type { Clock } from "../../src/model/ports.ts";
import { WireBroken } from "../../src/model/wire.ts";
import {
  createHubspotSandbox,
  type HubspotSandboxOptions,
  type SandboxState,
  sandboxToken,
} from "../../src/sandbox/hubspot.ts";
import { type RunningSandbox, startSandbox } from "../../src/sandbox/server.ts";
import { vendors } from "../../src/sandbox/vendors.ts";
import { type OpenWire, openWire } from "../../src/wire/http.ts";
import { failureIn } from "../destinations/contract.ts";
import { activity, manualClock, noMetrics, person, portsFor, refsOf } from "../destinations/fixtures.ts";

const closing: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0).reverse()) await one.close();
});

async function start(options: Partial<HubspotSandboxOptions> = {}, clock: Clock = manualClock()) {
  const sandbox = createHubspotSandbox({ clock, options: { prepared: true, limits: "off", ...options } });
  const server = await startSandbox(sandbox);
  const settings = hubspot.settings.parse({ base_url: server.url, token: sandboxToken });
  const wire = openWire({
    vendor: "hubspot",
    baseUrl: server.url,
    headers: hubspot.reach(settings)?.headers ?? {},
    clock,
    metrics: noMetrics,
  });
  closing.push(server, wire);
  return { server, wire, session: hubspot.open(settings, portsFor(clock, wire)) };
}

async function door(
  server: RunningSandbox,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; json: unknown }> {
  const response = await fetch(`${server.url}/_sandbox/${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, json: text === "" ? undefined : JSON.parse(text) };
}
const stateOf = async (server: RunningSandbox) => (await door(server, "GET", "state")).json as SandboxState;

test("every vendor in the list opens, shows a page of what it holds, and has its line for a configuration", async () => {
  for (const vendor of vendors) {
    const server = await startSandbox(vendor.open({ clock: manualClock(), prepared: true }));
    closing.push(server);
    const page = await fetch(`${server.url}/_sandbox/`);
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(await page.text(), vendor.name).toContain("What this sandbox holds");
    const found = destinations.find(({ name }) => name === vendor.name);
    const entry = parse(`{ ${vendor.entry(server.url)} }`) as unknown;
    expect(found?.bind(entry).reach?.baseUrl, vendor.name).toBe(server.url);
  }
  expect(vendors.map(({ name }) => name)).toEqual(vendors.map(({ name }) => name).sort());
});

test("the page escapes what was written, and cuts it", async () => {
  const { server, session } = await start();
  await session.put(person("x@example.test", { name: `<script>alert(1)</script> ${"long ".repeat(200)}` }), new Map());
  const page = await (await fetch(`${server.url}/_sandbox/`)).text();
  expect(page).toContain("&#60;script&#62;");
  expect(page).not.toContain("<script");
  expect(page).toContain("contacts (1)");
});

describe("a sandbox behind a port", () => {
  test("takes a contact and its mail over real HTTP, and shows them at the side door", async () => {
    const { server, session } = await start();
    const who = person();
    const ref = await session.put(who, new Map());
    await session.put(activity([who.key]), refsOf([who, ref]));
    const state = await stateOf(server);
    expect(state.counts).toMatchObject({ contacts: 1, emails: 1 });
    expect(Object.values(state.keys.emails ?? {})).toEqual([1]);
    expect(state.emails[0]?.associations.contacts).toEqual([ref.id]);
    expect((await door(server, "GET", "log")).json).toContainEqual(
      expect.objectContaining({ route: "emails.create", status: 201 }),
    );
  });

  test.each([
    ["drop", 0],
    ["commit_then_drop", 1],
  ])("a planned %s is a reset connection with %i mails written", async (kind, count) => {
    const { server, session } = await start();
    const who = person();
    const refs = refsOf([who, await session.put(who, new Map())]);
    expect((await door(server, "POST", "faults", [{ route: "emails.create", fault: { kind } }])).status).toBe(204);
    expect((await failureIn(() => session.put(activity([who.key]), refs))).kind).toBe("ambiguous");
    expect((await stateOf(server)).counts.emails).toBe(count);
    expect((await session.put(activity([who.key]), refs)).adopted).toBe(count === 1);
    expect((await stateOf(server)).counts.emails).toBe(1);
  });

  test("a held answer is announced, can outlive its caller, and the record is there", async () => {
    const { server, session, wire } = await start();
    const who = person();
    const refs = refsOf([who, await session.put(who, new Map())]);
    await door(server, "POST", "faults", { route: "emails.create", fault: { kind: "commit_then_hang" } });
    const put = failureIn(() => session.put(activity([who.key]), refs));
    expect((await door(server, "GET", "held?count=1")).json).toEqual({ held: 1 });
    await wire.close();
    expect((await put).kind, "as if the daemon had died").toBe("ambiguous");
    expect(await stateOf(server)).toMatchObject({ held: 1, counts: { emails: 1 } });
    expect((await door(server, "POST", "release")).json).toEqual({ released: 1 });
  });

  test("a truncated answer is a whole answer of broken JSON", async () => {
    const { server, wire } = await start();
    await door(server, "POST", "faults", { route: "account.get", fault: { kind: "commit_then_truncate" } });
    const answer = await wire.request({ method: "GET", path: "/account-info/2026-03/details", object: "account" });
    expect(answer).toMatchObject({ status: 200, json: undefined });
    expect(answer.text.length).toBeGreaterThan(0);
  });

  test("a fault plan that cannot be read is refused with what is wrong", async () => {
    const { server } = await start();
    expect(await door(server, "POST", "faults", { route: "x", fault: { kind: "explode" } })).toMatchObject({
      status: 400,
    });
    expect((await door(server, "GET", "nothing")).status).toBe(404);
    expect((await door(server, "DELETE", "faults")).status).toBe(204);
    expect((await door(server, "POST", "reset")).status).toBe(204);
  });

  test("closing ends calls that hang", async () => {
    const { server, wire }: { server: RunningSandbox; wire: OpenWire } = await start();
    await door(server, "POST", "faults", { route: "*", fault: { kind: "hang" } });
    const call = wire
      .request({ method: "GET", path: "/account-info/2026-03/details", object: "account" })
      .catch((error: unknown) => error);
    await door(server, "GET", "held");
    await server.close();
    const outcome = await call;
    if (outcome instanceof Error) expect(outcome).toBeInstanceOf(WireBroken);
  });
});

describe("the instant sandbox", () => {
  test("does the warm and the cold road and counts", async () => {
    const { server, session } = await start({ instant: true });
    const who = person();
    expect(await session.find(who, new Map())).toBeUndefined();
    const ref = await session.put(who, new Map());
    expect((await session.find(who, new Map()))?.note).toBeUndefined();
    expect((await session.put(who, new Map())).id).toBe(ref.id);
    const refs = refsOf([who, ref]);
    const made = await session.put(activity([who.key], { text: '"mailwright_key":"forged"' }), refs);
    expect((await session.put(activity([who.key]), refs)).id).toBe(made.id);
    expect((await stateOf(server)).counts).toMatchObject({ contacts: 1, emails: 1 });
  });
});
