/** The Pipedrive stand-in never is kinder than Pipedrive. */
import { describe, expect, test } from "vitest";
import { sanitised } from "../../src/sandbox/pipedrive/html.ts";
import {
  createPipedriveSandbox,
  type PipedriveSandboxOptions,
  pipedriveVendor,
  sandboxToken,
} from "../../src/sandbox/pipedrive.ts";
import { manualClock } from "../destinations/fixtures.ts";

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks wherever it likes
  readonly json: any;
}

function open(options: Partial<PipedriveSandboxOptions> = {}) {
  const clock = manualClock();
  const sandbox = createPipedriveSandbox({ clock, options: { prepared: true, limits: "off", ...options } });
  async function ask(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const reply = await sandbox.handle({
      method,
      path,
      headers: { "x-api-token": sandboxToken, "content-type": "application/json", ...headers },
      body: body === undefined ? "" : JSON.stringify(body),
    });
    if ("drop" in reply) return { status: 0, headers: {}, text: "", json: undefined };
    const isJson = reply.headers["content-type"]?.startsWith("application/json") === true;
    return { ...reply, text: reply.body, json: isJson ? JSON.parse(reply.body) : undefined };
  }
  const get = (path: string) => ask("GET", path);
  const post = (path: string, body: unknown) => ask("POST", path, body);
  const patch = (path: string, body: unknown) => ask("PATCH", path, body);
  const codes = async (object: "person" | "organization" | "deal"): Promise<Map<string, string>> =>
    new Map(
      (await get(`/api/v2/${object}Fields?limit=500`)).json.data.map(
        (field: { field_name: string; field_code: string }) => [field.field_name, field.field_code],
      ),
    );
  return { clock, sandbox, ask, get, post, patch, codes };
}

const ada = { name: "Ada", emails: [{ value: "Ada@example.test" }] };

describe("a call", () => {
  test("without a good token is 401, in a query it is none, and as Bearer it is one", async () => {
    const { ask } = open();
    const refused = await ask("GET", "/api/v1/users/me?api_token=x", undefined, { "x-api-token": "" });
    expect(refused).toMatchObject({
      status: 401,
      json: { success: false, error: "unauthorized access", errorCode: 401 },
    });
    const bearer = { "x-api-token": undefined as unknown as string, authorization: `Bearer ${sandboxToken}` };
    expect((await ask("GET", "/api/v1/users/me", undefined, bearer)).json.data.company_id).toBe(7_000_001);
  });

  test.each(["/api/v1/persons", "/v1/deals/1", "/api/v1/activities"])("to %s is answered as gone", async (path) => {
    expect((await open().get(path)).status).toBe(410);
  });

  test("to a path that Pipedrive does not have is 404, and without JSON 415", async () => {
    const { get, ask } = open();
    expect((await get("/api/v3/persons")).json.error).toBe("Unknown method .");
    expect((await ask("POST", "/api/v2/persons", ada, { "content-type": "text/plain" })).status).toBe(415);
  });
});

describe("a body", () => {
  test.each([
    ["an unknown property", "persons", { name: "A", email: "a@example.test" }],
    ["a text for a number", "persons", { name: "A", owner_id: "11" }],
    ["no name", "persons", { emails: [{ value: "a@example.test" }] }],
    ["a name over 255", "organizations", { name: "x".repeat(256) }],
    ["title where it is name", "organizations", { title: "A" }],
    ["custom fields as a list", "deals", { title: "A", custom_fields: [] }],
    ["a custom field that is not there", "deals", { title: "A", custom_fields: { ["a".repeat(40)]: "x" } }],
    ["custom fields on an activity", "activities", { subject: "A", custom_fields: {} }],
    ["person_id on an activity", "activities", { subject: "A", person_id: 101 }],
    ["a participant who is nobody", "activities", { subject: "A", participants: [{ person_id: 9, primary: true }] }],
    ["an activity type that is not there", "activities", { subject: "A", type: "smoke" }],
    ["a date with a time", "activities", { subject: "A", due_date: "2026-11-24T10:00:00Z" }],
    ["a note over 65,535", "activities", { subject: "A", note: "x".repeat(65_536) }],
    ["a stage of another pipeline", "deals", { title: "A", pipeline_id: 2, stage_id: 1 }],
    ["an owner who is nobody", "deals", { title: "A", owner_id: 99 }],
  ])("with %s is refused", async (_what, object, body) => {
    const { post, sandbox } = open();
    const answer = await post(`/api/v2/${object}`, body);
    expect(answer).toMatchObject({ status: 400, json: { success: false, code: "ERR_INVALID_INPUT", data: null } });
    expect(sandbox.state().counts).toMatchObject({ persons: 0, organizations: 0, deals: 0, activities: 0 });
  });

  test("with custom fields in a wrong shape is a bare 500", async () => {
    const { post, codes } = open();
    expect((await post("/api/v2/deals", { title: "A", custom_fields: "x" })).json.code).toBe("ERR_UNKNOWN");
    const code = (await codes("deal")).get("Mailwright key") ?? "";
    expect((await post("/api/v2/deals", { title: "A", custom_fields: { [code]: { value: 1 } } })).status).toBe(500);
    expect((await post("/api/v2/deals", { title: "A", custom_fields: { [code]: "x".repeat(256) } })).status).toBe(400);
  });

  test("changes what it names, lists whole, and nothing of a record that is gone", async () => {
    const { post, patch, ask, get } = open();
    const { id } = (await post("/api/v2/persons", { ...ada, owner_id: 12 })).json.data;
    await patch(`/api/v2/persons/${id}`, { emails: [{ value: "b@example.test", primary: true }] });
    expect((await get(`/api/v2/persons/${id}`)).json.data).toMatchObject({
      name: "Ada",
      owner_id: 12,
      emails: [{ value: "b@example.test", primary: true }],
    });
    expect((await ask("DELETE", `/api/v2/persons/${id}`)).json).toEqual({ success: true, data: { id } });
    expect((await patch(`/api/v2/persons/${id}`, { name: "B" })).status).toBe(404);
    expect((await ask("DELETE", `/api/v2/persons/${id}`)).status).toBe(404);
    expect((await get(`/api/v2/persons/${id}`)).json.data.is_deleted).toBe(true);
    expect((await get("/api/v2/persons")).json.data).toEqual([]);
  });
});

describe("nothing is unique", () => {
  test("the same person, deal and field twice are two", async () => {
    const { post, sandbox, codes } = open();
    for (let n = 0; n < 2; n++) {
      await post("/api/v2/persons", ada);
      await post("/api/v2/deals", { title: "A" });
      await post("/api/v2/personFields", { field_name: "Twice", field_type: "varchar" });
    }
    expect(sandbox.state().counts).toMatchObject({ persons: 2, deals: 2 });
    expect([...(await codes("person")).keys()].filter((name) => name === "Twice")).toHaveLength(1);
    const { field_code } = (await post("/api/v2/personFields", { field_name: "Twice", field_type: "varchar" })).json
      .data;
    expect(field_code).toMatch(/^[0-9a-f]{40}$/);
  });
});

describe("a search", () => {
  const term = "/api/v2/persons/search?fields=email&exact_match=true&term=";
  test("shows a write only after a while, and a list at once", async () => {
    const { post, get, clock, patch } = open({ searchLagMs: 30_000 });
    const { id } = (await post("/api/v2/persons", ada)).json.data;
    expect((await get(`${term}ada@example.test`)).json.data.items).toEqual([]);
    expect((await get("/api/v2/persons")).json.data).toHaveLength(1);
    await clock.advance(30_000);
    expect((await get(`${term}ADA@EXAMPLE.TEST`)).json.data.items[0].item).toMatchObject({
      id,
      emails: ["Ada@example.test"],
    });
    await patch(`/api/v2/persons/${id}`, { emails: [{ value: "new@example.test" }] });
    expect((await get(`${term}ada@example.test`)).json.data.items, "an old state").toHaveLength(1);
    await clock.advance(30_000);
    expect((await get(`${term}ada@example.test`)).json.data.items).toEqual([]);
  });

  test("by a part finds others, wants two letters, and shows values without their keys", async () => {
    const { post, get, codes } = open({ searchLagMs: 0 });
    const source = (await codes("person")).get("Mailwright source") ?? "";
    await post("/api/v2/persons", {
      name: "My",
      emails: [{ value: "myself@example.test" }],
      custom_fields: { [source]: "email" },
    });
    const { items } = (await get("/api/v2/persons/search?fields=email&term=self@example.test")).json.data;
    expect(items[0].item.custom_fields).toEqual(["email"]);
    expect((await get("/api/v2/persons/search?fields=email&term=s")).status).toBe(400);
    expect((await get(`${term}s`)).status).toBe(200);
  });

  test("by a field counts letters, and knows only fields that can be searched", async () => {
    const { post, get, codes } = open({ searchLagMs: 0 });
    const key = (await codes("organization")).get("Mailwright key") ?? "";
    await post("/api/v2/organizations", { name: "A", custom_fields: { [key]: "abC" } });
    const by = (value: string, field = key) =>
      get(`/api/v2/itemSearch/field?entity_type=organization&match=exact&field=${field}&term=${value}`);
    expect((await by("abC")).json.data).toHaveLength(1);
    expect((await by("abc")).json.data).toHaveLength(0);
    expect((await by("abC", "nothing")).status).toBe(400);
  });
});

describe("a list", () => {
  test("comes in pages by a cursor, in the order asked for, and takes no parameter that it does not know", async () => {
    const { post, get, clock } = open();
    for (let n = 0; n < 5; n++) {
      await post("/api/v2/deals", { title: `D${n}` });
      await clock.advance(1_000);
    }
    const titles: string[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const path: string = `/api/v2/deals?limit=2&sort_by=add_time&sort_direction=desc${cursor === "" ? "" : `&cursor=${cursor}`}`;
      const { data, additional_data } = (await get(path)).json;
      titles.push(...data.map(({ title }: { title: string }) => title));
      cursor = additional_data.next_cursor;
    }
    expect(titles).toEqual(["D4", "D3", "D2", "D1", "D0"]);
    expect((await get("/api/v2/deals?limit=501")).status).toBe(400);
    expect((await get("/api/v2/deals?start=0")).status).toBe(400);
    expect((await get("/api/v2/deals?sort_by=title")).status).toBe(400);
  });

  test("of what changed since takes no fraction of a second", async () => {
    const { post, get, clock } = open();
    await post("/api/v2/persons", ada);
    await clock.advance(5_000);
    const since = (at: number) => new Date(at).toISOString();
    expect((await get(`/api/v2/persons?updated_since=${since(clock.now())}`)).status).toBe(400);
    const whole = (at: number) => `${since(at).slice(0, 19)}Z`;
    expect((await get(`/api/v2/persons?updated_since=${whole(clock.now() - 5_000)}`)).json.data).toHaveLength(1);
    expect((await get(`/api/v2/persons?updated_since=${whole(clock.now() - 4_000)}`)).json.data).toHaveLength(0);
  });

  test("of a person's activities shows those whose first it is, or all, by the switch", async () => {
    for (const [activitiesOf, count] of [
      ["primary", 0],
      ["participants", 1],
    ] as const) {
      const { post, get } = open({ activitiesOf });
      const [one, other] = [
        (await post("/api/v2/persons", ada)).json.data.id,
        (await post("/api/v2/persons", ada)).json.data.id,
      ];
      const participants = [
        { person_id: one, primary: true },
        { person_id: other, primary: false },
      ];
      const made = (await post("/api/v2/activities", { subject: "A", due_time: "10:00", participants })).json.data;
      expect(made).toMatchObject({ person_id: one, due_time: "10:00:00", type: "call", done: false });
      expect((await get(`/api/v2/activities?person_id=${one}`)).json.data).toHaveLength(1);
      expect((await get(`/api/v2/activities?person_id=${other}`)).json.data).toHaveLength(count);
    }
  });
});

describe("the limits", () => {
  test("count calls and searches by two seconds each, and say so in headers", async () => {
    const { get, clock } = open({ limits: { burst: 3, searches: 1, dailyTokens: 1_000 } });
    for (let n = 0; n < 3; n++) await get("/api/v1/users/me");
    const burst = await get("/api/v1/users/me");
    expect(burst).toMatchObject({ status: 429, headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "2" } });
    await get("/api/v2/persons/search?term=ab");
    expect((await get("/api/v2/persons/search?term=ab")).status).toBe(429);
    await clock.advance(2_000);
    const next = await get("/api/v1/users/me");
    expect(next.headers).toMatchObject({ "x-ratelimit-limit": "3", "x-daily-ratelimit-token-remaining": "972" });
  });

  test("a company's tokens end the day at midnight, by what each call costs", async () => {
    const { get, post, clock, sandbox } = open({ limits: { burst: 99, searches: 99, dailyTokens: 30 } });
    expect((await post("/api/v2/persons", ada)).status).toBe(200);
    expect((await get("/api/v2/persons/search?term=ab")).status).toBe(200);
    expect(sandbox.state().tokens).toBe(25);
    const over = await get("/api/v2/persons");
    expect(over).toMatchObject({
      status: 429,
      headers: { "x-daily-ratelimit-token-remaining": "0", "retry-after": "43200" },
    });
    expect((await get("/api/v1/users/me")).status, "a cheaper one still fits").toBe(200);
    await clock.advance(12 * 3_600_000);
    expect((await get("/api/v2/persons")).status).toBe(200);
  });

  test("who goes on after refusals gets the proxy's page for a while", async () => {
    const { get, clock } = open({ limits: { burst: 1, searches: 1, dailyTokens: 1_000 } });
    const statuses = new Set<number>();
    for (let n = 0; n < 60; n++) statuses.add((await get("/api/v1/users/me")).status);
    expect([...statuses]).toEqual([200, 429, 403]);
    const page = await get("/api/v1/users/me");
    expect(page.text).toContain("<html>");
    await clock.advance(61_000);
    expect((await get("/api/v1/users/me")).status).toBe(200);
  });
});

describe("the others in the account", () => {
  test("an administrator's field is gone with its values, and only an administrator makes one", async () => {
    const { post, codes, sandbox, ask } = open({ tokens: { [sandboxToken]: 12 } });
    const code = (await codes("deal")).get("Mailwright key") ?? "";
    await post("/api/v2/deals", { title: "A", custom_fields: { [code]: "k" } });
    sandbox.actors.adminDeletesField("deals", "Mailwright key");
    expect(sandbox.state().keys.deals).toEqual({});
    expect((await post("/api/v2/dealFields", { field_name: "X", field_type: "varchar" })).status).toBe(403);
    expect((await ask("DELETE", `/api/v2/dealFields/${code}`)).status).toBe(403);
  });

  test("a merge leaves the survivor with the mails and deals, and nothing at the old id", async () => {
    const { post, get, sandbox } = open();
    const [a, b] = [
      (await post("/api/v2/persons", ada)).json.data.id,
      (await post("/api/v2/persons", ada)).json.data.id,
    ];
    await post("/api/v2/activities", {
      subject: "A",
      participants: [
        { person_id: a, primary: true },
        { person_id: b, primary: false },
      ],
    });
    await post("/api/v2/deals", { title: "D", person_id: a });
    sandbox.actors.repMergesPersons(b, a);
    expect((await get(`/api/v2/activities?person_id=${b}`)).json.data[0].participants).toEqual([
      { person_id: b, primary: true },
    ]);
    expect((await get(`/api/v2/deals?person_id=${b}`)).json.data).toHaveLength(1);
    expect((await get(`/api/v2/persons/${a}`)).json.data.is_deleted).toBe(true);
  });

  test("a plan without room for deals says it in its own words", async () => {
    const { post } = open({ openDeals: 1 });
    await post("/api/v2/deals", { title: "A" });
    expect(await post("/api/v2/deals", { title: "B" })).toMatchObject({
      status: 403,
      json: { code: "feature_capping_deals_limit" },
    });
  });

  test("a lead hangs on somebody", async () => {
    const { post, get } = open();
    const { id } = (await post("/api/v2/persons", ada)).json.data;
    expect((await post("/api/v1/leads", { title: "L" })).status).toBe(400);
    expect((await post("/api/v1/leads", { title: "L", person_id: id })).status).toBe(201);
    expect((await get(`/api/v1/leads?person_id=${id}`)).json.data).toHaveLength(1);
  });
});

describe("a note", () => {
  test("loses comments, scripts and attributes, and what is left stays what it is the second time", () => {
    const dirty =
      '<p onclick="x()">a<!-- [mw:1] --><script>alert(1)</script><a class="b" href="https://x.test/?a=1&amp;b=2">c</a><br></p>';
    const clean = sanitised(dirty);
    expect(clean).toBe('<p>a<a href="https://x.test/?a=1&amp;b=2">c</a><br></p>');
    expect(sanitised(clean)).toBe(clean);
    expect(sanitised('<a href="javascript:x()">c</a>')).toBe("<a>c</a>");
  });
});

describe("a fault", () => {
  test.each([
    ["drop", 0],
    ["commit_then_drop", 1],
  ] as const)("%s leaves %i records", async (kind, count) => {
    const { sandbox, post } = open();
    sandbox.faults.plan({ route: "persons.create", fault: { kind } });
    expect((await post("/api/v2/persons", ada)).status).toBe(0);
    expect(sandbox.state().counts.persons).toBe(count);
  });
});

test("in the list it opens prepared or not, and shows people what it holds", async () => {
  const opened = pipedriveVendor.open({ clock: manualClock(), prepared: true });
  expect(opened.tables().map(({ name }) => name)).toEqual(["persons", "organizations", "deals", "activities", "leads"]);
  expect(pipedriveVendor.entry("http://127.0.0.1:1")).toContain(sandboxToken);
});
