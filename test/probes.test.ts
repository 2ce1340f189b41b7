/** The probes of live accounts, put to our own stand-ins: each asks, is answered as the stand-in is made, and leaves nothing behind. */
import { describe, expect, test } from "vitest";
import { idAt, type ProbedVendor, probe } from "../scripts/probes/lab.ts";
import { probedVendors } from "../scripts/probes/list.ts";
import type { Clock } from "../src/model/ports.ts";
import type { WireResponse } from "../src/model/wire.ts";
import { createCloseSandbox, sandboxKey } from "../src/sandbox/close.ts";
import type { Sandbox } from "../src/sandbox/sandbox.ts";
import { vendors } from "../src/sandbox/vendors.ts";
import { wireTo } from "../src/sandbox/wire.ts";

/** Sleep takes no time, and moves it. */
function quickClock(): Clock {
  let now = Date.UTC(2026, 10, 29, 12);
  return {
    now: () => now,
    sleep: async (ms, signal) => {
      // The deadline of a call is a sleep too, and ends with it.
      await new Promise((resolve) => setImmediate(resolve));
      if (signal === undefined) now += ms;
      else await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    },
  };
}

/** As an operator would get one. */
async function tokenOf(sandbox: Sandbox, name: string): Promise<string> {
  const entry = vendors.find((vendor) => vendor.name === name)?.entry("http://sandbox.invalid") ?? "";
  const value = (key: string): string => new RegExp(`${key}: "([^"]*)"`).exec(entry)?.[1] ?? "";
  const form = new URLSearchParams({ client_id: value("client_id"), client_secret: value("client_secret") });
  const headers = { "content-type": "application/x-www-form-urlencoded", host: "sandbox.invalid" };
  const ask = async (path: string): Promise<string> => {
    const reply = await sandbox.handle({ method: "POST", path, headers, body: form.toString() });
    return "drop" in reply ? "" : (JSON.parse(reply.body) as { access_token: string }).access_token;
  };
  if (name === "salesforce") {
    form.set("grant_type", "client_credentials");
    return await ask("/services/oauth2/token");
  }
  if (name === "zoho") {
    form.set("grant_type", "refresh_token");
    form.set("refresh_token", value("refresh_token"));
    return await ask("/oauth/v2/token");
  }
  return value("api_key") || value("token") || value("api_token");
}

/** Rows that carry our mark and are not in a bin. */
const leftIn = (sandbox: Sandbox, but?: string): string[] =>
  sandbox
    .tables()
    .filter(({ name }) => name !== but)
    .flatMap(({ name, rows }) => rows.map((row) => ({ name, text: JSON.stringify(row) })))
    .filter(
      ({ text }) =>
        /Mailwright probe|mw-probe/.test(text) &&
        !/"(?:archived|deleted|is_deleted)":"(?:true|yes|\S+T\S+)"/.test(text),
    )
    .map(({ name, text }) => `${name} ${text}`);

async function probed(vendor: ProbedVendor, sandbox: Sandbox, clock: Clock) {
  const wire = wireTo({ sandbox, clock, headers: vendor.headers(await tokenOf(sandbox, vendor.name)) });
  const lines: string[] = [];
  return { ...(await probe(vendor, { wire, clock, run: "test" }, (line) => lines.push(line))), lines };
}

describe.each(probedVendors.map((vendor) => ({ vendor, name: vendor.name })))(
  "the probes of $name",
  ({ vendor, name }) => {
    test("are all answered as its stand-in is made, and leave it as it was", async () => {
      const clock = quickClock();
      const sandbox = vendors.find((one) => one.name === name)?.open({ clock, prepared: true });
      if (sandbox === undefined) throw new Error(`there is no sandbox of ${name}`);
      const { answers, left } = await probed(vendor, sandbox, clock);
      expect(
        answers
          .map(({ question, asGuessed, found, unasked }) => ({ question, asGuessed, found, unasked }))
          .filter(({ asGuessed }) => asGuessed !== true),
      ).toEqual([]);
      expect(answers).toHaveLength(vendor.probes.length);
      expect(left).toEqual([]);
      expect(leftIn(sandbox, vendor.stays === undefined ? undefined : "Emails")).toEqual([]);
    });
  },
);

test("what a vendor takes that it was expected to refuse is taken away again", async () => {
  const clock = quickClock();
  const sandbox = createCloseSandbox({ clock, options: { prepared: true } });
  const wire = wireTo({
    sandbox,
    clock,
    headers: { authorization: `Basic ${Buffer.from(`${sandboxKey}:`).toString("base64")}` },
  });
  const seen: number[] = [];
  const vendor: ProbedVendor = {
    name: "close",
    tokenFrom: "X",
    url: undefined,
    headers: () => ({}),
    probes: [
      {
        question: "?",
        changes: "nothing",
        async ask(lab) {
          const undo = (made: WireResponse) => `/api/v1/lead/${idAt(made, "id")}/`;
          for (const body of [{ name: lab.mark }, { no_such_field: 1 }])
            seen.push((await lab.attempt("/api/v1/lead/", body, undo)).status);
          return { found: "", asGuessed: true };
        },
      },
    ],
  };
  const { left } = await probe(vendor, { wire, clock, run: "test" }, () => undefined);
  expect(seen).toEqual([200, 400]);
  expect(left).toEqual([]);
  expect(leftIn(sandbox)).toEqual([]);
});

describe("a probe", () => {
  const close = probedVendors.find(({ name }) => name === "close") as ProbedVendor;

  test("says otherwise, and what has to change, where an account behaves in another way", async () => {
    const clock = quickClock();
    const sandbox = createCloseSandbox({ clock, options: { prepared: true, customFieldSearch: false } });
    const { answers, lines } = await probed(close, sandbox, clock);
    expect(answers.filter(({ asGuessed }) => asGuessed === false).map(({ changes }) => changes)).toEqual([
      "customFieldSearch of the Close sandbox",
    ]);
    expect(lines.join("\n")).toContain("OTHERWISE: customFieldSearch of the Close sandbox");
  });

  test("lists what it could not take away, and goes on", async () => {
    const clock = quickClock();
    const sandbox = createCloseSandbox({ clock, options: { prepared: true } });
    sandbox.faults.plan({ route: "leads.delete", fault: { kind: "status", status: 500 } });
    const { answers, left } = await probed(close, sandbox, clock);
    expect(left).toEqual([expect.stringMatching(/^\/api\/v1\/lead\/\w+\/: 500 /)]);
    expect(answers).toHaveLength(close.probes.length);
    expect(leftIn(sandbox).length).toBeGreaterThan(0);
  });

  test("says why it was not asked where the account does not let it, and goes on", async () => {
    const clock = quickClock();
    const sandbox = createCloseSandbox({ clock, options: { prepared: true } });
    sandbox.revoke(sandboxKey);
    const { answers, left } = await probed(close, sandbox, clock);
    expect(answers.filter(({ unasked }) => unasked?.includes("401"))).toHaveLength(4);
    expect(left).toEqual([]);
  });
});
