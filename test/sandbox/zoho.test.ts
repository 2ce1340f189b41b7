import { describe, expect, test } from "vitest";
import type { SandboxReply } from "../../src/sandbox/sandbox.ts";
import { createZohoSandbox, sandboxClient, type ZohoSandbox, type ZohoSandboxOptions } from "../../src/sandbox/zoho.ts";
import { type ManualClock, manualClock } from "../destinations/fixtures.ts";

const fresh = (options: Partial<ZohoSandboxOptions> = {}, clock: ManualClock = manualClock()): ZohoSandbox =>
  createZohoSandbox({ clock, options: { prepared: true, searchLagMs: 0, limits: "off", ...options } });

interface Row {
  readonly code?: string;
  readonly message?: string;
  readonly details?: Record<string, unknown>;
  readonly [more: string]: unknown;
}
interface Answer {
  readonly status: number;
  readonly text: string;
  readonly body: Row & {
    readonly data?: readonly Row[];
    readonly Emails?: readonly Row[];
    readonly fields?: readonly Row[];
  };
}

function read(reply: SandboxReply): Answer {
  if ("drop" in reply) throw new Error("the connection was dropped");
  return {
    status: reply.status,
    text: reply.body,
    body: (reply.body === "" ? {} : JSON.parse(reply.body)) as Answer["body"],
  };
}

async function token(sandbox: ZohoSandbox, more: Record<string, string> = {}): Promise<Answer> {
  const form = new URLSearchParams({ grant_type: "refresh_token", ...sandboxClient, ...more });
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  return read(await sandbox.handle({ method: "POST", path: "/oauth/v2/token", headers, body: form.toString() }));
}

/** Calls with a token of its own. */
async function caller(sandbox: ZohoSandbox) {
  const access = String((await token(sandbox)).body.access_token);
  return async (method: string, path: string, body?: unknown, authorization = `Zoho-oauthtoken ${access}`) => {
    const headers = { authorization, ...(body === undefined ? {} : { "content-type": "application/json" }) };
    const sent = body === undefined ? "" : JSON.stringify(body);
    return read(await sandbox.handle({ method, path: `/crm/v8${path}`, headers, body: sent }));
  };
}

const contact = (more: Record<string, unknown> = {}) => ({ Last_Name: "Lovelace", Email: "ada@example.test", ...more });
const email = (more: Record<string, unknown> = {}) => ({
  Emails: [
    {
      from: { user_name: "Ada", email: "ada@example.test" },
      to: [{ user_name: "Sales", email: "sales@acme.test" }],
      subject: "Offer",
      content: "words",
      date_time: "2026-11-23T15:04:05+00:00",
      sent: false,
      original_message_id: "<1@example.test>",
      ...more,
    },
  ],
});

describe("the accounts server", () => {
  test("says no under 200: a wrong client, a wrong grant, an eleventh token in ten minutes", async () => {
    const clock = manualClock();
    const sandbox = fresh({}, clock);
    expect(await token(sandbox, { client_secret: "x" })).toMatchObject({
      status: 200,
      body: { error: "invalid_client" },
    });
    expect(await token(sandbox, { refresh_token: "x" })).toMatchObject({
      status: 200,
      body: { error: "invalid_code" },
    });
    for (let n = 0; n < 10; n++) expect((await token(sandbox)).body.access_token).toMatch(/^1000\./);
    expect(await token(sandbox)).toMatchObject({ status: 200, body: { error: "Access Denied" } });
    await clock.advance(600_001);
    expect((await token(sandbox)).body).toMatchObject({ expires_in: 3_600, api_domain: "https://www.zohoapis.com" });
  });

  test("a sixteenth token ends the oldest; an hour ends each; a revoked grant ends all", async () => {
    const clock = manualClock();
    const sandbox = fresh({}, clock);
    const tokens: string[] = [];
    for (let n = 0; n < 16; n++) {
      tokens.push(String((await token(sandbox)).body.access_token));
      await clock.advance(61_000);
    }
    const call = await caller(sandbox);
    const answer = async (access: string) => (await call("GET", "/org", undefined, `Zoho-oauthtoken ${access}`)).status;
    expect(await answer(tokens[0] ?? "")).toBe(401);
    expect(await answer(tokens.at(-1) ?? "")).toBe(200);
    await clock.advance(3_600_000);
    expect(await answer(tokens.at(-1) ?? "")).toBe(401);
    const last = await caller(sandbox);
    sandbox.tokens.revoke(sandboxClient.refresh_token);
    expect((await last("GET", "/org")).body).toMatchObject({ code: "INVALID_TOKEN" });
  });

  test("the header is Zoho's own word, and each scope is asked for", async () => {
    const sandbox = fresh({ scopes: ["ZohoCRM.org.READ", "ZohoCRM.modules.contacts.READ"] });
    const call = await caller(sandbox);
    expect((await call("GET", "/org")).status).toBe(200);
    expect((await call("GET", "/org", undefined, "Bearer x")).status).toBe(401);
    expect((await call("GET", "/Contacts?fields=id")).status).toBe(204);
    for (const [method, path, body] of [
      ["POST", "/Contacts", { data: [contact()] }],
      ["GET", "/Deals?fields=id", undefined],
      ["GET", "/settings/fields?module=Contacts", undefined],
    ] as const)
      expect(await call(method, path, body)).toMatchObject({ status: 401, body: { code: "OAUTH_SCOPE_MISMATCH" } });
  });
});

describe("records", () => {
  test("rows stand each for itself, in their order: 201, 207, and all refused", async () => {
    const call = await caller(fresh({ refusedStatus: 202 }));
    const made = await call("POST", "/Contacts", { data: [contact({ Mailwright_Key: "k1" })] });
    expect(made).toMatchObject({ status: 201, body: { data: [{ code: "SUCCESS" }] } });
    expect(String(made.body.data?.[0]?.details?.id)).toMatch(/^\d{19}$/);
    const mixed = await call("POST", "/Contacts", {
      data: [contact({ Mailwright_Key: "K1" }), contact(), { Email: "x" }],
    });
    expect(mixed.status).toBe(207);
    expect(mixed.body.data?.map(({ code }) => code)).toEqual(["DUPLICATE_DATA", "SUCCESS", "INVALID_DATA"]);
    expect(mixed.body.data?.[0]?.details).toMatchObject({ id: made.body.data?.[0]?.details?.id });
    expect((await call("POST", "/Contacts", { data: [{ Email: "a@b.test" }] })).status).toBe(202);
  });

  test.each([
    ["an unknown field", { Colour: "red" }, "INVALID_DATA"],
    ["no surname", { Last_Name: "" }, "MANDATORY_NOT_FOUND"],
    ["a number", { Last_Name: 7 }, "INVALID_DATA"],
    ["a name over its length", { First_Name: "x".repeat(41) }, "INVALID_DATA"],
    ["an address that is none", { Email: "ada" }, "INVALID_DATA"],
    ["an account that is not there", { Account_Name: { id: "1" } }, "INVALID_DATA"],
  ])("%s is refused", async (_what, more, code) => {
    const call = await caller(fresh());
    expect((await call("POST", "/Contacts", { data: [contact(more)] })).body.data?.[0]?.code).toBe(code);
  });

  test("an address is not unique unless an administrator made it so", async () => {
    for (const [emailUnique, codes] of [
      [false, ["SUCCESS", "SUCCESS"]],
      [true, ["SUCCESS", "DUPLICATE_DATA"]],
    ] as const) {
      const call = await caller(fresh({ emailUnique }));
      const { body } = await call("POST", "/Contacts", { data: [contact(), contact()] });
      expect(body.data?.map(({ code }) => code)).toEqual(codes);
    }
  });

  test("an upsert overwrites by the fields listed, and by names of deals where none are", async () => {
    const sandbox = fresh();
    const call = await caller(sandbox);
    const deal = { Deal_Name: "Engines", Stage: "Qualification", Closing_Date: "2026-12-01" };
    await call("POST", "/Deals", { data: [deal] });
    const trap = await call("POST", "/Deals/upsert", { data: [{ ...deal, Stage: "Closed Lost" }] });
    expect(trap.body.data?.[0]).toMatchObject({ action: "update", duplicate_field: "Deal_Name" });
    const keyed = { data: [{ ...deal, Mailwright_Key: "k" }], duplicate_check_fields: ["Mailwright_Key"] };
    expect((await call("POST", "/Deals/upsert", keyed)).body.data?.[0]).toMatchObject({ action: "insert" });
    expect((await call("POST", "/Deals/upsert", { ...keyed, duplicate_check_fields: ["Amount"] })).status).toBe(400);
  });

  test("a stage has to be one of its pipeline", async () => {
    const call = await caller(fresh());
    const deal = { Deal_Name: "D", Closing_Date: "2026-12-01", Pipeline: "Renewals" };
    const codes = async (Stage: string) =>
      (await call("POST", "/Deals", { data: [{ ...deal, Stage }] })).body.data?.[0]?.code;
    expect([await codes("Due"), await codes("Qualification")]).toEqual(["SUCCESS", "MAPPING_MISMATCH"]);
  });

  test("what was deleted is in the list of the deleted, and frees its key", async () => {
    const call = await caller(fresh());
    const made = await call("POST", "/Contacts", { data: [contact({ Mailwright_Key: "k" })] });
    const id = String(made.body.data?.[0]?.details?.id);
    expect((await call("DELETE", `/Contacts/${id}`)).status).toBe(200);
    expect(await call("GET", `/Contacts/${id}?fields=id`)).toMatchObject({
      status: 400,
      body: { code: "INVALID_DATA" },
    });
    expect((await call("GET", "/Contacts/deleted?type=all")).body.data).toMatchObject([{ id }]);
    expect((await call("POST", "/Contacts", { data: [contact({ Mailwright_Key: "k" })] })).status).toBe(201);
  });

  test("a workflow runs unless the call suppresses it", async () => {
    const sandbox = fresh();
    const call = await caller(sandbox);
    await call("POST", "/Contacts", { data: [contact()], trigger: [] });
    expect(sandbox.state().workflows).toBe(0);
    await call("POST", "/Contacts", { data: [contact()] });
    expect(sandbox.state().workflows).toBe(1);
  });
});

describe("looking for records", () => {
  test("search lags, COQL does where it is said to, and nothing found is 204 without a body", async () => {
    const clock = manualClock();
    for (const coqlLags of [false, true]) {
      const call = await caller(fresh({ searchLagMs: 30_000, coqlLags }, clock));
      await call("POST", "/Contacts", { data: [contact()] });
      const query = { select_query: "select id, Email from Contacts where (Email = 'ADA@example.test') limit 2" };
      const counts = async () => [
        (await call("GET", "/Contacts/search?email=ada%40example.test&fields=id")).status,
        (await call("POST", "/coql", query)).status,
      ];
      expect(await counts()).toEqual([204, coqlLags ? 204 : 200]);
      await clock.advance(30_000);
      expect(await counts()).toEqual([200, 200]);
    }
  });

  test.each([
    "select id from Contacts",
    "select id from Contacts where Email = 'o'brien@x.test'",
    "select id from Contacts where Email = x",
    "select id from Contacts where (Email = 'a' or Email = 'b' or Email = 'c')",
    "select Colour from Contacts where Email = 'a'",
    "select id from Contacts where Description = 'a'",
    "select id from Notes where Email = 'a'",
  ])("%s is refused", async (select_query) => {
    const call = await caller(fresh());
    expect((await call("POST", "/coql", { select_query })).status).toBe(400);
  });

  test("like and in find parts and several; brackets may stand in brackets", async () => {
    const call = await caller(fresh());
    await call("POST", "/Contacts", { data: [contact(), contact({ Email: "bo@example.test" })] });
    const found = async (where: string) => {
      const { body } = await call("POST", "/coql", { select_query: `select id from Contacts where ${where}` });
      return body.data?.length ?? 0;
    };
    expect(await found("(Email like '%example%')")).toBe(2);
    expect(await found("(Email like 'bo%')")).toBe(1);
    expect(await found("(Email in ('ada@example.test', 'x@y.test') or Secondary_Email in ('a@b.test'))")).toBe(1);
    expect(await found("((Email = 'ada@example.test' and Last_Name = 'nobody') or Email = 'bo@example.test')")).toBe(1);
  });
});

describe("mails", () => {
  const ready = async (options: Partial<ZohoSandboxOptions> = {}) => {
    const sandbox = fresh(options);
    const call = await caller(sandbox);
    const rows = (await call("POST", "/Contacts", { data: [contact(), contact()] })).body.data ?? [];
    const [one = "", two = ""] = rows.map(({ details }) => String(details?.id));
    return { sandbox, call, one, two };
  };

  test("one mail is associated once with a record, and errors stand in Emails", async () => {
    const { call, one, two, sandbox } = await ready();
    const path = (id: string) => `/Contacts/${id}/actions/associate_email`;
    expect(await call("POST", path(one), email())).toMatchObject({
      status: 201,
      body: { Emails: [{ code: "SUCCESS" }] },
    });
    expect(await call("POST", path(one), email())).toMatchObject({
      status: 400,
      body: { Emails: [{ code: "DUPLICATE_DATA" }] },
    });
    expect((await call("POST", path(two), email())).status).toBe(201);
    expect(sandbox.state().Emails[0]).toMatchObject({ on: [`Contacts/${one}`, `Contacts/${two}`], times: [1, 1] });
    const listed = await call("GET", `/Contacts/${one}/Emails`);
    expect(listed.body.Emails).toMatchObject([{ subject: "Offer", time: "2026-11-23T15:04:05+00:00" }]);
    expect(listed.text).not.toContain("<1@example.test>");
    const id = String(listed.body.Emails?.[0]?.message_id);
    expect((await call("GET", `/Contacts/${one}/Emails/${id}`)).body.Emails).toMatchObject([{ content: "words" }]);
  });

  test.each([
    ["no sender", { from: undefined }, "MANDATORY_NOT_FOUND"],
    ["nobody to", { to: [] }, "MANDATORY_NOT_FOUND"],
    ["a subject over 250", { subject: "x".repeat(251) }, "INVALID_DATA"],
    ["no subject", { subject: "" }, "MANDATORY_NOT_FOUND"],
    ["51 receivers", { to: Array.from({ length: 51 }, () => ({ user_name: "a", email: "a@b.test" })) }, "INVALID_DATA"],
    ["a content over 32,000", { content: "x".repeat(32_001) }, "INVALID_DATA"],
    ["sent as a text", { sent: "yes" }, "INVALID_DATA"],
    ["a party without a name", { from: { email: "a@b.test" } }, "INVALID_DATA"],
    ["a stray key", { colour: "red" }, "INVALID_DATA"],
    [
      "a linked record that is not there",
      { linked_record: { module: { api_name: "Deals" }, id: "1" } },
      "INVALID_DATA",
    ],
  ])("%s is refused", async (_what, more, code) => {
    const { call, one } = await ready();
    const answer = await call("POST", `/Contacts/${one}/actions/associate_email`, email(more));
    expect(answer).toMatchObject({ status: 400, body: { Emails: [{ code }] } });
  });

  test("a list has ten a page, the latest first", async () => {
    const { call, one } = await ready();
    for (let n = 0; n < 12; n++) {
      const more = {
        original_message_id: `<${n}@x.test>`,
        subject: `mail ${n}`,
        date_time: `2026-11-23T15:${10 + n}:00+00:00`,
      };
      await call("POST", `/Contacts/${one}/actions/associate_email`, email(more));
    }
    const first = await call("GET", `/Contacts/${one}/Emails`);
    expect(first.body.Emails).toHaveLength(10);
    expect(first.body.Emails?.[0]?.subject).toBe("mail 11");
    expect(first.body.info).toMatchObject({ next_index: "10", more_records: true });
    expect((await call("GET", `/Contacts/${one}/Emails?index=10`)).body.Emails).toHaveLength(2);
  });
});

describe("limits", () => {
  test("credits are counted by the rows of a call over a rolling day", async () => {
    const clock = manualClock();
    const sandbox = fresh({ limits: { credits: 3, concurrent: 5 } }, clock);
    const call = await caller(sandbox);
    const rows = (count: number) => ({ data: Array.from({ length: count }, () => contact()) });
    expect((await call("POST", "/Contacts", rows(11))).status).toBe(201);
    expect(sandbox.state().credits).toBe(2);
    expect((await call("GET", "/org")).status).toBe(200);
    expect(await call("GET", "/org")).toMatchObject({ status: 429, body: { code: "LIMIT_EXCEEDED" } });
    await clock.advance(86_400_000);
    expect((await (await caller(sandbox))("GET", "/org")).status).toBe(200);
  });

  test("calls in flight are limited, whatever they do", async () => {
    const clock = manualClock();
    const sandbox = fresh({ limits: { credits: 100, concurrent: 2 } }, clock);
    const call = await caller(sandbox);
    sandbox.faults.plan({ route: "org.get", times: 2, fault: { kind: "slow_answer", ms: 1_000 } });
    const slow = [call("GET", "/org"), call("GET", "/org")];
    expect(await call("GET", "/org")).toMatchObject({ status: 429, body: { code: "TOO_MANY_REQUESTS" } });
    await clock.advance(1_000);
    expect((await Promise.all(slow)).map(({ status }) => status)).toEqual([200, 200]);
    expect((await call("GET", "/org")).status).toBe(200);
  });
});

describe("fields", () => {
  test("are made with a label, unique ones as the edition allows, and an administrator can delete them", async () => {
    const sandbox = fresh({ prepared: false });
    const call = await caller(sandbox);
    const make = async (more: object) =>
      await call("POST", "/settings/fields?module=Contacts", {
        fields: [{ field_label: "My Key", data_type: "text", ...more }],
      });
    expect((await make({ unique: { casesensitive: false } })).status).toBe(201);
    expect((await make({})).body.fields).toMatchObject([{ code: "DUPLICATE_DATA" }]);
    expect((await make({ data_type: "colour", field_label: "Other" })).body.fields).toMatchObject([
      { code: "INVALID_DATA" },
    ]);
    const { body } = await call("GET", "/settings/fields?module=Contacts");
    expect(body.fields?.find(({ api_name }) => api_name === "My_Key")).toMatchObject({ unique: { casesensitive: "" } });
    sandbox.actors.adminDeletesField("Contacts", "My_Key");
    expect((await call("POST", "/Contacts", { data: [contact({ My_Key: "x" })] })).body.data?.[0]?.code).toBe(
      "INVALID_DATA",
    );
    const free = await caller(fresh({ prepared: false, uniqueFields: false }));
    const refused = { fields: [{ field_label: "K", data_type: "text", unique: {} }] };
    expect((await free("POST", "/settings/fields?module=Leads", refused)).body.fields).toMatchObject([
      { code: "FEATURE_NOT_SUPPORTED" },
    ]);
  });
});

describe("whatever else", () => {
  test("a strange path, version or body is refused, and the sandbox starts anew", async () => {
    const sandbox = fresh();
    const call = await caller(sandbox);
    expect((await call("GET", "/Quotes?fields=id")).status).toBe(404);
    expect((await call("POST", "/Contacts", { rows: [] })).status).toBe(400);
    await call("POST", "/Contacts", { data: [contact()] });
    expect(sandbox.tables().find(({ name }) => name === "Contacts")?.rows).toMatchObject([
      { Email: "ada@example.test" },
    ]);
    sandbox.reset();
    expect(sandbox.state().counts.Contacts).toBe(0);
  });
});
