/** The Close sandbox is as its sheet says that Close is, and refuses what Close would refuse. */
import { describe, expect, test } from "vitest";
import {
  type CloseSandbox,
  type CloseSandboxOptions,
  createCloseSandbox,
  sandboxKey,
} from "../../src/sandbox/close.ts";
import { manualClock } from "../destinations/fixtures.ts";

const clock = manualClock();
const fresh = (options: Partial<CloseSandboxOptions> = {}): CloseSandbox =>
  createCloseSandbox({ clock, options: { prepared: true, searchLagMs: 0, limits: "off", ...options } });
const authorization = `Basic ${Buffer.from(`${sandboxKey}:`).toString("base64")}`;

/** As much of an answer as a test looks into; what is not there reads as empty. */
interface Json {
  readonly id: string;
  readonly data: readonly Json[];
  readonly contacts: readonly Json[];
  readonly "field-errors": Readonly<Record<string, unknown>>;
  readonly [more: string]: unknown;
}
const nothing: Json = { id: "", data: [], contacts: [], "field-errors": {} };

async function call(sandbox: CloseSandbox, method: string, path: string, body?: unknown, headers = { authorization }) {
  const given = body === undefined ? {} : { "content-type": "application/json" };
  const text = body === undefined ? "" : JSON.stringify(body);
  const reply = await sandbox.handle({
    method,
    path: `/api/v1/${path}`,
    headers: { ...headers, ...given },
    body: text,
  });
  if ("drop" in reply) throw new Error("dropped");
  return { ...reply, json: { ...nothing, ...(reply.body === "" ? {} : (JSON.parse(reply.body) as Partial<Json>)) } };
}

const lead = (sandbox: CloseSandbox, email = "ada@example.test") =>
  call(sandbox, "POST", "lead/", { name: "Ada", contacts: [{ name: "Ada", emails: [{ email, type: "office" }] }] });
const mail = (more: object) => ({
  status: "inbox",
  sender: "ada@example.test",
  to: [],
  subject: "s",
  body_text: "t",
  ...more,
});
const byAddress = (mode: string, value: string) => ({
  query: {
    type: "and",
    queries: [
      { type: "object_type", object_type: "contact" },
      {
        type: "has_related",
        this_object_type: "contact",
        related_object_type: "contact_email",
        related_query: {
          type: "field_condition",
          field: { type: "regular_field", object_type: "contact_email", field_name: "email" },
          condition: { type: "text", mode, value },
        },
      },
    ],
  },
});

test("a key is taken as Basic with an empty password, and no other way", async () => {
  const sandbox = fresh();
  expect((await call(sandbox, "GET", "me/")).json.organizations).toHaveLength(1);
  for (const wrong of [`Bearer ${sandboxKey}`, `Basic ${Buffer.from(`${sandboxKey}:x`).toString("base64")}`, ""])
    expect((await call(sandbox, "GET", "me/", undefined, { authorization: wrong })).status).toBe(401);
});

test("without its slash a path is a redirect, or is not there", async () => {
  expect((await call(fresh(), "GET", "me")).status).toBe(301);
  expect((await call(fresh({ withoutSlash: "missing" }), "GET", "me")).status).toBe(404);
});

test("a contact and an opportunity without a lead make one on the quiet", async () => {
  const sandbox = fresh();
  await call(sandbox, "POST", "contact/", { name: "Bo", emails: [] });
  await call(sandbox, "POST", "opportunity/", {});
  expect(sandbox.state().leads.map(({ name }) => name)).toEqual(["Untitled", "Bo"]);
});

describe("e-mails", () => {
  test.each([
    ["outbox", 1],
    ["scheduled", 1],
    ["draft", 0],
    ["inbox", 0],
    ["sent", 0],
  ])("of status %s send %i real mail", async (status, sent) => {
    const sandbox = fresh();
    const { id } = (await lead(sandbox)).json;
    expect((await call(sandbox, "POST", "activity/email/", mail({ lead_id: id, status }))).status).toBe(200);
    expect(sandbox.state().realMail).toBe(sent);
  });

  test.each([
    ["no lead", {}, "lead_id"],
    ["a lead that is not there", { lead_id: "lead_x" }, "lead_id"],
    ["a status that is none", { status: "logged" }, "status"],
    ["a sender that is none", { sender: "Ada, of the engine" }, "sender"],
    ["a recipient that is none", { to: ["nobody"] }, "to"],
    ["a Message-ID, which the body has no place for", { message_id: "<1@x>" }, "message_id"],
  ])("with %s are refused", async (_, more, field) => {
    const sandbox = fresh();
    const { id } = (await lead(sandbox)).json;
    const given = field === "lead_id" ? more : { lead_id: id, ...more };
    const answer = await call(sandbox, "POST", "activity/email/", mail(given));
    expect([answer.status, Object.keys(answer.json["field-errors"])]).toEqual([400, [field]]);
  });

  test("that are logged cannot be changed", async () => {
    const sandbox = fresh();
    const { id } = (await lead(sandbox)).json;
    const made = (await call(sandbox, "POST", "activity/email/", mail({ lead_id: id }))).json;
    expect((await call(sandbox, "PUT", `activity/email/${made.id}/`, { body_text: "x" })).status).toBe(400);
  });

  test("are listed by their lead and their moment, at once", async () => {
    const sandbox = fresh({ searchLagMs: 60_000 });
    const { id } = (await lead(sandbox)).json;
    const at = "2026-11-24T11:30:00.417000+00:00";
    await call(sandbox, "POST", "activity/email/", mail({ lead_id: id, activity_at: at, date_created: at }));
    const list = async (from: string, to: string) =>
      (await call(sandbox, "GET", `activity/email/?lead_id=${id}&activity_at__gte=${from}&activity_at__lte=${to}`)).json
        .data.length;
    expect(await list("2026-11-24T11:29:58.417Z", "2026-11-24T11:30:02.417Z")).toBe(1);
    expect(await list("2026-11-24T11:30:00.418Z", "2026-11-24T11:30:02.417Z")).toBe(0);
  });
});

describe("search", () => {
  test("finds exact values, and with words too many", async () => {
    const sandbox = fresh();
    await lead(sandbox);
    await lead(sandbox, "bo@example.test");
    const found = async (mode: string) =>
      (await call(sandbox, "POST", "data/search/", byAddress(mode, "ADA@example.test"))).json.data.length;
    expect(await found("exact_value")).toBe(1);
    expect(await found("full_words")).toBe(2);
    expect((await call(sandbox, "POST", "data/search/", byAddress("nearly", "x"))).status).toBe(400);
  });

  test("lags, where a list does not", async () => {
    const time = manualClock();
    const sandbox = createCloseSandbox({ clock: time, options: { searchLagMs: 60_000, limits: "off" } });
    const { id } = (await lead(sandbox)).json;
    const found = async () =>
      (await call(sandbox, "POST", "data/search/", byAddress("exact_value", "ada@example.test"))).json.data.length;
    expect(await found()).toBe(0);
    expect((await call(sandbox, "GET", `contact/?lead_id=${id}`)).json.data).toHaveLength(1);
    await time.advance(60_000);
    expect(await found()).toBe(1);
  });
});

test("a lead that is deleted takes everything with it; one that is merged is gone, or leads to the survivor", async () => {
  for (const mergedLead of ["gone", "survivor"] as const) {
    const sandbox = fresh({ mergedLead });
    const [one, other] = [(await lead(sandbox)).json.id, (await lead(sandbox)).json.id];
    await call(sandbox, "POST", "activity/email/", mail({ lead_id: other }));
    sandbox.actors.personMergesLeads(one, other);
    expect((await call(sandbox, "GET", `lead/${other}/`)).status).toBe(mergedLead === "gone" ? 404 : 200);
    expect(sandbox.state().emails.map(({ lead_id }) => lead_id)).toEqual([one]);
    await call(sandbox, "DELETE", `lead/${one}/`);
    const { leads, contacts, emails } = sandbox.state();
    expect([leads, contacts, emails]).toEqual([[], [], []]);
  }
});

test("a list of addresses takes the place of the one that was there", async () => {
  const sandbox = fresh();
  const [contact] = (await lead(sandbox)).json.contacts;
  await call(sandbox, "PUT", `contact/${contact?.id}/`, { emails: [{ email: "new@example.test", type: "office" }] });
  expect(sandbox.state().contacts[0]?.emails).toEqual([{ email: "new@example.test", type: "office" }]);
});

describe("limits", () => {
  test("a kind of call has a bucket, told by a header; a 429 has Retry-After and no body; the organization has three times as much", async () => {
    const keys = [sandboxKey, "api_2", "api_3", "api_4"];
    const sandbox = fresh({ keys, limits: { calls: 2, perMs: 5_000, early: 0 } });
    const get = (key: string) =>
      call(sandbox, "GET", "me/", undefined, { authorization: `Basic ${Buffer.from(`${key}:`).toString("base64")}` });
    expect((await get(sandboxKey)).headers.ratelimit).toBe("limit=2, remaining=1, reset=5");
    await get(sandboxKey);
    expect(await get(sandboxKey)).toMatchObject({ status: 429, body: "", headers: { "retry-after": "5" } });
    expect((await call(sandbox, "GET", "pipeline/")).status).toBe(200);
    for (const key of ["api_2", "api_2", "api_3", "api_3"]) expect((await get(key)).status).toBe(200);
    expect((await get("api_4")).status).toBe(429);
  });

  test("a 429 may come before the header says so", async () => {
    const sandbox = fresh({ limits: { calls: 2, perMs: 5_000, early: 1 } });
    await call(sandbox, "GET", "me/");
    const early = await call(sandbox, "GET", "me/");
    expect([early.status, early.headers.ratelimit]).toEqual([429, "limit=2, remaining=1, reset=5"]);
  });
});

test("a custom field that is not there, an unknown field and a wrong type are refused, all named", async () => {
  const answer = await call(fresh(), "POST", "lead/", { colour: "red", name: 7, "custom.cf_none": "x" });
  expect(Object.keys(answer.json["field-errors"]).sort()).toEqual(["colour", "custom.cf_none", "name"]);
});
