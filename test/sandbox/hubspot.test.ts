import { describe, expect, test } from "vitest";
import {
  allScopes,
  createHubspotSandbox,
  type HubspotSandbox,
  type HubspotSandboxOptions,
  sandboxToken,
} from "../../src/sandbox/hubspot.ts";
import type { SandboxReply } from "../../src/sandbox/sandbox.ts";
import { manualClock } from "../destinations/fixtures.ts";

const objects = "/crm/objects/2026-03";
const clock = manualClock();
const fresh = (options: Partial<HubspotSandboxOptions> = {}, time = clock): HubspotSandbox =>
  createHubspotSandbox({ clock: time, options: { prepared: true, searchLagMs: 0, limits: "off", ...options } });

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: {
    readonly id?: string;
    readonly message?: string;
    readonly category?: string;
    readonly properties?: Record<string, string>;
    readonly results?: readonly {
      id?: string;
      toObjectId?: string;
      new?: boolean;
      properties?: Record<string, string | null>;
    }[];
    readonly errors?: readonly { category: string; context: Record<string, string[]> }[];
    readonly [more: string]: unknown;
  };
}

async function call(
  sandbox: HubspotSandbox,
  method: string,
  path: string,
  body?: unknown,
  token = sandboxToken,
): Promise<Answer> {
  const headers = {
    authorization: `Bearer ${token}`,
    ...(body === undefined ? {} : { "content-type": "application/json" }),
  };
  const reply = await sandbox.handle({ method, path, headers, body: body === undefined ? "" : JSON.stringify(body) });
  return read(reply);
}

function read(reply: SandboxReply): Answer {
  if ("drop" in reply) throw new Error("the connection was dropped");
  return {
    status: reply.status,
    headers: reply.headers,
    body: (reply.body === "" ? {} : JSON.parse(reply.body)) as Answer["body"],
  };
}

const contact = (email: string, more: Record<string, unknown> = {}) => ({
  properties: { email, ...more },
  associations: [],
});
const to = (id: string, associationTypeId: number) => ({
  to: { id },
  types: [{ associationCategory: "HUBSPOT_DEFINED", associationTypeId }],
});
const email = (properties: Record<string, unknown> = {}, associations: unknown[] = []) => ({
  properties: { hs_timestamp: "2026-11-24T12:00:00Z", hs_email_direction: "INCOMING_EMAIL", ...properties },
  associations,
});
const byKey = (value: string, more: Record<string, unknown> = {}) => ({
  filterGroups: [{ filters: [{ propertyName: "mailwright_key", operator: "EQ", value }] }],
  properties: ["mailwright_key"],
  sorts: [],
  limit: 10,
  after: "0",
  ...more,
});

describe("contacts", () => {
  test("an address is unique whatever its case, secondary ones included, and the conflict names the contact in its text", async () => {
    const sandbox = fresh();
    const made = await call(sandbox, "POST", `${objects}/contacts`, contact("ada@example.test"));
    expect(made.status).toBe(201);
    const id = made.body.id ?? "";
    sandbox.actors.personAddsSecondaryEmail(id, "ada@home.test");
    for (const taken of ["ADA@example.test", "ada@home.test"]) {
      const refused = await call(sandbox, "POST", `${objects}/contacts`, contact(taken));
      expect(refused).toMatchObject({
        status: 409,
        body: { category: "CONFLICT", message: `Contact already exists. Existing ID: ${id}` },
      });
    }
    const found = await call(
      sandbox,
      "GET",
      `${objects}/contacts/Ada%40Example.test?idProperty=email&properties=email`,
    );
    expect(found.body).toMatchObject({ id, properties: { email: "ada@example.test" } });
    expect((await call(sandbox, "GET", `${objects}/contacts/nobody%40example.test?idProperty=email`)).status).toBe(404);
  });

  test("the old id of a merged contact leads to the survivor, with both lists of mails", async () => {
    const sandbox = fresh();
    const [one, other] = [
      sandbox.actors.personAddsContact({ email: "a@x.test" }),
      sandbox.actors.personAddsContact({ email: "b@x.test" }),
    ];
    await call(sandbox, "POST", `${objects}/emails`, email({}, [to(other, 198)]));
    sandbox.actors.personMergesContacts(one, other);
    expect((await call(sandbox, "GET", `${objects}/contacts/${other}`)).body.id).toBe(one);
    expect((await call(sandbox, "GET", `${objects}/contacts/${other}/associations/emails`)).body.results).toHaveLength(
      1,
    );
    expect((await call(sandbox, "POST", `${objects}/contacts`, contact("b@x.test"))).status).toBe(409);
  });
});

describe("values", () => {
  test.each([
    ["a number", { hs_email_subject: 7 }, "must be a string"],
    ["an unknown property", { colour: "red" }, "PROPERTY_DOESNT_EXIST"],
    ["a read-only property", { hs_email_from_email: "a@b.test" }, "READ_ONLY_VALUE"],
    ["an unknown direction", { hs_email_direction: "SIDEWAYS" }, "INVALID_OPTION"],
    ["headers that are no JSON object", { hs_email_headers: "From: a" }, "INVALID_JSON"],
    ["a body over 65,536 characters", { hs_email_text: "x".repeat(65_537) }, "TOO_LONG"],
    ["a time that is none", { hs_timestamp: "yesterday" }, "INVALID_DATE"],
  ])("%s is refused", async (_what, properties, error) => {
    const refused = await call(fresh(), "POST", `${objects}/emails`, email(properties));
    expect(refused).toMatchObject({
      status: 400,
      body: { category: "VALIDATION_ERROR", message: expect.stringContaining(error) },
    });
  });

  test("an email without hs_timestamp, a body without associations and a body that is no JSON are refused", async () => {
    const sandbox = fresh();
    expect(
      (await call(sandbox, "POST", `${objects}/emails`, { properties: {}, associations: [] })).body.message,
    ).toContain("hs_timestamp");
    expect(
      (await call(sandbox, "POST", `${objects}/contacts`, { properties: { email: "a@b.test" } })).body.message,
    ).toContain("associations");
    const headers = { authorization: `Bearer ${sandboxToken}` };
    const plain = await sandbox.handle({ method: "POST", path: `${objects}/contacts`, headers, body: "{}" });
    expect(plain).toMatchObject({ status: 415 });
  });

  test("hs_email_message_id is kept, dropped in silence or refused, by a switch", async () => {
    const mail = email({ hs_email_message_id: "<1@x.test>" });
    for (const [messageIdProperty, status, kept] of [
      ["accept", 201, "<1@x.test>"],
      ["drop", 201, undefined],
      ["reject", 400, undefined],
    ] as const) {
      const sandbox = fresh({ messageIdProperty });
      expect((await call(sandbox, "POST", `${objects}/emails`, mail)).status).toBe(status);
      expect(sandbox.state().emails[0]?.properties.hs_email_message_id).toBe(kept);
    }
  });

  test("a rule of the account and a blocklisted address are refused in their words", async () => {
    const sandbox = fresh({
      blocklist: ["gone@example.test"],
      validationRules: [
        { object: "contacts", property: "lastname", refuse: "^.$", message: "Last names have two letters" },
      ],
    });
    expect((await call(sandbox, "POST", `${objects}/contacts`, contact("gone@example.test"))).body.message).toContain(
      "blocklist",
    );
    expect(
      (await call(sandbox, "POST", `${objects}/contacts`, contact("a@b.test", { lastname: "X" }))).body.message,
    ).toContain("two letters");
  });
});

describe("unique properties", () => {
  test("a taken value is a 400 without an id, and the record is read by it", async () => {
    const sandbox = fresh();
    const made = await call(sandbox, "POST", `${objects}/emails`, email({ mailwright_key: "k1" }));
    const again = await call(sandbox, "POST", `${objects}/emails`, email({ mailwright_key: "k1" }));
    expect(again).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining("CONFLICTING_UNIQUE_VALUE") },
    });
    expect(JSON.stringify(again.body)).not.toContain(made.body.id);
    expect((await call(sandbox, "GET", `${objects}/emails/k1?idProperty=mailwright_key`)).body.id).toBe(made.body.id);
  });

  test("a property that is not unique identifies nothing", async () => {
    const refused = await call(fresh({ emailsUnique: "no" }), "GET", `${objects}/emails/k1?idProperty=mailwright_key`);
    expect(refused).toMatchObject({ status: 400, body: { message: expect.stringContaining("non-unique property") } });
  });

  test("an archived record holds its value or lets it go, by a switch", async () => {
    for (const [archivedKeepKeys, status] of [
      [true, 400],
      [false, 201],
    ] as const) {
      const sandbox = fresh({ archivedKeepKeys });
      const made = await call(sandbox, "POST", `${objects}/emails`, email({ mailwright_key: "k1" }));
      expect((await call(sandbox, "DELETE", `${objects}/emails/${made.body.id}`)).status).toBe(204);
      expect((await call(sandbox, "GET", `${objects}/emails/${made.body.id}`)).status).toBe(404);
      expect((await call(sandbox, "GET", `${objects}/emails/${made.body.id}?archived=true`)).status).toBe(200);
      expect((await call(sandbox, "POST", `${objects}/emails`, email({ mailwright_key: "k1" }))).status).toBe(status);
    }
  });

  test("properties need their group, exist once, and ten at most are unique", async () => {
    const sandbox = fresh({ prepared: false });
    const property = (name: string, more = {}) => ({
      name,
      label: name,
      groupName: "mailwright",
      type: "string",
      fieldType: "text",
      hasUniqueValue: true,
      ...more,
    });
    const path = "/crm/properties/2026-03/deals";
    expect((await call(sandbox, "POST", path, property("p0"))).status).toBe(404);
    expect((await call(sandbox, "POST", `${path}/groups`, { name: "mailwright", label: "M" })).status).toBe(201);
    expect((await call(sandbox, "POST", `${path}/groups`, { name: "mailwright", label: "M" })).status).toBe(409);
    for (let n = 0; n < 10; n++) expect((await call(sandbox, "POST", path, property(`p${n}`))).status).toBe(201);
    expect((await call(sandbox, "POST", path, property("p0"))).status).toBe(409);
    expect((await call(sandbox, "POST", path, property("p10"))).status).toBe(400);
    expect((await call(sandbox, "GET", `${path}/p3`)).body).toMatchObject({ name: "p3", hasUniqueValue: true });
    expect((await call(sandbox, "GET", `${path}/p11`)).status).toBe(404);
  });

  test("the email schema can be closed to the token", async () => {
    const refused = await call(
      fresh({ emailsUnique: "propertiesForbidden" }),
      "GET",
      "/crm/properties/2026-03/emails/mailwright_key",
    );
    expect(refused).toMatchObject({ status: 403, body: { category: "MISSING_SCOPES" } });
  });
});

describe("associations", () => {
  test("their types are directional, and a target that is gone is a 404", async () => {
    const sandbox = fresh();
    const who = sandbox.actors.personAddsContact({ email: "a@x.test" });
    for (const wrong of [197, 3, 9_999])
      expect((await call(sandbox, "POST", `${objects}/emails`, email({}, [to(who, wrong)]))).status).toBe(400);
    expect((await call(sandbox, "POST", `${objects}/emails`, email({}, [to("1", 198)]))).status).toBe(404);
    expect(sandbox.state().counts.emails, "nothing was written by halves").toBe(0);
    expect((await call(sandbox, "POST", `${objects}/emails`, email({}, [to(who, 198)]))).status).toBe(201);
  });

  test("the default one can be put twice, is listed from both ends in pages, and can be taken away twice", async () => {
    const sandbox = fresh();
    const who = sandbox.actors.personAddsContact({ email: "a@x.test" });
    const ids: string[] = [];
    for (let n = 0; n < 3; n++) ids.push((await call(sandbox, "POST", `${objects}/emails`, email())).body.id ?? "");
    for (const id of [...ids, ...ids])
      expect((await call(sandbox, "PUT", `${objects}/emails/${id}/associations/default/contacts/${who}`)).status).toBe(
        200,
      );
    const first = await call(sandbox, "GET", `${objects}/contacts/${who}/associations/emails?limit=2`);
    expect(first.body).toMatchObject({
      results: [{ toObjectId: ids[0] }, { toObjectId: ids[1] }],
      paging: { next: { after: "2" } },
    });
    const rest = await call(sandbox, "GET", `${objects}/contacts/${who}/associations/emails?limit=2&after=2`);
    expect(rest.body.results).toHaveLength(1);
    expect(rest.body.paging).toBeUndefined();
    for (let n = 0; n < 2; n++)
      expect((await call(sandbox, "DELETE", `${objects}/emails/${ids[0]}/associations/contacts/${who}`)).status).toBe(
        204,
      );
    expect((await call(sandbox, "GET", `${objects}/emails/${ids[0]}/associations/contacts`)).body.results).toEqual([]);
  });
});

describe("search", () => {
  test("lags behind the primary store, for changes and archiving too", async () => {
    const time = manualClock();
    const sandbox = createHubspotSandbox({
      clock: time,
      random: { unit: () => 0.5 },
      options: { prepared: true, searchLagMs: 30_000, limits: "off" },
    });
    const total = async (key: string) =>
      (await call(sandbox, "POST", `${objects}/emails/search`, byKey(key))).body.total;
    const made = await call(sandbox, "POST", `${objects}/emails`, email({ mailwright_key: "k1" }));
    expect((await call(sandbox, "GET", `${objects}/emails/k1?idProperty=mailwright_key`)).status).toBe(200);
    await time.advance(14_999);
    expect(await total("k1")).toBe(0);
    await time.advance(1);
    expect(await total("k1")).toBe(1);
    await call(sandbox, "PATCH", `${objects}/emails/${made.body.id}`, { properties: { mailwright_key: "k2" } });
    expect([await total("k1"), await total("k2")], "the old state shows").toEqual([1, 0]);
    await time.advance(15_000);
    expect([await total("k1"), await total("k2")]).toEqual([0, 1]);
    await call(sandbox, "DELETE", `${objects}/emails/${made.body.id}`);
    expect(await total("k2")).toBe(1);
    await time.advance(15_000);
    expect(await total("k2")).toBe(0);
  });

  test("wants all its fields, gives no more than 10,000 results, and 5 answers a second without limit headers", async () => {
    const time = manualClock();
    const sandbox = fresh({ limits: { burst: 100, daily: 1_000, searchPerSecond: 5 } }, time);
    const path = `${objects}/emails/search`;
    expect((await call(sandbox, "POST", path, { ...byKey("k"), sorts: undefined })).body.message).toContain("sorts");
    expect((await call(sandbox, "POST", path, byKey("k", { limit: 200, after: "9801" }))).status).toBe(400);
    for (let n = 0; n < 3; n++)
      expect((await call(sandbox, "POST", path, byKey("k"))).headers["x-hubspot-ratelimit-remaining"]).toBeUndefined();
    expect((await call(sandbox, "POST", path, byKey("k"))).body).toMatchObject({
      policyName: "SECONDLY",
      errorType: "RATE_LIMIT",
    });
    await time.advance(1_000);
    expect((await call(sandbox, "POST", path, byKey("k"))).status).toBe(200);
  });
});

describe("limits", () => {
  test("ten seconds roll per token, headers count down, no Retry-After comes, associations labels are exempt", async () => {
    const time = manualClock();
    const tokens = { [sandboxToken]: allScopes, other: allScopes };
    const sandbox = fresh({ tokens, limits: { burst: 2, daily: 1_000, searchPerSecond: 5 } }, time);
    const ask = (token?: string) => call(sandbox, "GET", "/account-info/2026-03/details", undefined, token);
    expect((await ask()).headers).toMatchObject({
      "x-hubspot-ratelimit-max": "2",
      "x-hubspot-ratelimit-remaining": "1",
    });
    await time.advance(6_000);
    expect((await ask()).headers["x-hubspot-ratelimit-remaining"]).toBe("0");
    const refused = await ask();
    expect(refused).toMatchObject({ status: 429, body: { policyName: "TEN_SECONDLY_ROLLING" } });
    expect(refused.headers["retry-after"]).toBeUndefined();
    expect((await ask("other")).status).toBe(200);
    expect((await call(sandbox, "GET", "/crm/associations/2026-03/emails/contacts/labels")).status).toBe(200);
    await time.advance(4_000);
    expect((await ask()).status, "the first call has rolled out of the window").toBe(200);
    expect((await ask()).status, "the second has not").toBe(429);
  });

  test("the day ends at midnight in the account's zone", async () => {
    const time = manualClock(Date.UTC(2026, 10, 24, 22, 59, 59));
    const sandbox = fresh({ limits: { burst: 100, daily: 1, searchPerSecond: 5 } }, time);
    const ask = () => call(sandbox, "GET", "/account-info/2026-03/details");
    expect((await ask()).status).toBe(200);
    expect((await ask()).body).toMatchObject({ policyName: "DAILY" });
    await time.advance(1_000);
    expect((await ask()).status).toBe(200);
  });
});

describe("tokens", () => {
  test("no token, a wrong one and a revoked one are 401; a missing scope is a 403 that names it", async () => {
    const sandbox = fresh({ tokens: { [sandboxToken]: allScopes, poor: ["oauth", "crm.objects.contacts.write"] } });
    expect((await call(sandbox, "GET", "/account-info/2026-03/details", undefined, "wrong")).body.category).toBe(
      "INVALID_AUTHENTICATION",
    );
    expect(
      read(await sandbox.handle({ method: "GET", path: "/account-info/2026-03/details", headers: {}, body: "" }))
        .status,
    ).toBe(401);
    const refused = await call(sandbox, "POST", `${objects}/emails`, email(), "poor");
    expect(refused).toMatchObject({
      status: 403,
      body: { category: "MISSING_SCOPES", errors: [{ context: { requiredScopes: ["sales-email-read"] } }] },
    });
    sandbox.revoke(sandboxToken);
    expect((await call(sandbox, "GET", "/account-info/2026-03/details")).status).toBe(401);
  });

  test("an access token lives 1,800 s; a refresh may rotate, and the old refresh token is then bad", async () => {
    const time = manualClock();
    const sandbox = fresh({ refreshTokens: ["r0"], rotateRefreshTokens: true }, time);
    const refresh = async (token: string) => {
      const body = new URLSearchParams({
        grant_type: "refresh_token",
        client_id: "c",
        client_secret: "s",
        refresh_token: token,
      }).toString();
      return read(await sandbox.handle({ method: "POST", path: "/oauth/2026-03/token", headers: {}, body }));
    };
    const given = await refresh("r0");
    expect(given.body).toMatchObject({ expires_in: 1_800, refresh_token: "refresh-1" });
    const access = String(given.body.access_token);
    expect(access.length).toBeGreaterThan(300);
    await time.advance(1_799_999);
    expect((await call(sandbox, "GET", "/account-info/2026-03/details", undefined, access)).status).toBe(200);
    await time.advance(7_001);
    const late = await call(sandbox, "GET", "/account-info/2026-03/details", undefined, access);
    expect(late).toMatchObject({
      status: 401,
      body: { category: "EXPIRED_AUTHENTICATION", message: expect.stringContaining("expired 7 second(s) ago") },
    });
    const bad = await refresh("r0");
    expect(bad).toMatchObject({ status: 400, body: { status: "BAD_REFRESH_TOKEN" } });
  });
});

describe("batches", () => {
  const path = `${objects}/contacts/batch`;
  test("without trace ids the first fault undoes all; with them each stands for itself", async () => {
    const sandbox = fresh();
    const taken = sandbox.actors.personAddsContact({ email: "b@x.test" });
    const inputs = ["a@x.test", "b@x.test", "c@x.test"].map((address) => contact(address));
    expect((await call(sandbox, "POST", `${path}/create`, { inputs })).status).toBe(409);
    expect(sandbox.state().counts.contacts).toBe(1);
    const traced = inputs.map((input, n) => ({ ...input, objectWriteTraceId: String(n) }));
    const answer = await call(sandbox, "POST", `${path}/create`, { inputs: traced });
    expect(answer).toMatchObject({
      status: 207,
      body: { numErrors: 1, errors: [{ context: { objectWriteTraceId: ["1"], existingId: [taken] } }] },
    });
    expect(sandbox.state().counts.contacts).toBe(3);
  });

  test("more than 100 inputs and repeated ids are refused", async () => {
    const sandbox = fresh();
    const many = Array.from({ length: 101 }, (_, n) => ({ id: String(n) }));
    const reading = { properties: [], propertiesWithHistory: [] };
    expect((await call(sandbox, "POST", `${path}/read`, { ...reading, inputs: many })).status).toBe(400);
    expect(
      (await call(sandbox, "POST", `${path}/read`, { ...reading, inputs: [{ id: "1" }, { id: "1" }] })).status,
    ).toBe(400);
  });

  test("reading by a unique property gives what is there and names what is not", async () => {
    const sandbox = fresh();
    await call(sandbox, "POST", `${objects}/emails`, email({ mailwright_key: "k1" }));
    const body = {
      idProperty: "mailwright_key",
      inputs: [{ id: "k1" }, { id: "k2" }],
      properties: ["mailwright_key"],
      propertiesWithHistory: [],
    };
    const answer = await call(sandbox, "POST", `${objects}/emails/batch/read`, body);
    expect(answer).toMatchObject({
      status: 207,
      body: { results: [{ properties: { mailwright_key: "k1" } }], errors: [{ category: "OBJECT_NOT_FOUND" }] },
    });
  });

  test("upsert overwrites, says what is new, and takes no associations", async () => {
    const sandbox = fresh();
    const id = sandbox.actors.personAddsContact({ email: "a@x.test", firstname: "Ada" });
    const input = (address: string) => ({ id: address, idProperty: "email", properties: { firstname: "Overwritten" } });
    const answer = await call(sandbox, "POST", `${path}/upsert`, { inputs: [input("a@x.test"), input("b@x.test")] });
    expect(answer.body.results).toMatchObject([{ id, new: false }, { new: true }]);
    expect(sandbox.state().contacts[0]?.properties.firstname).toBe("Overwritten");
    expect(
      (await call(sandbox, "POST", `${path}/upsert`, { inputs: [{ ...input("c@x.test"), associations: [] }] })).status,
    ).toBe(400);
  });
});

describe("planned faults", () => {
  const create = (sandbox: HubspotSandbox) => call(sandbox, "POST", `${objects}/contacts`, contact("a@x.test"));

  test("happen on the nth matching call, so many times, and then no more", async () => {
    const sandbox = fresh();
    sandbox.faults.plan({ route: "account.get", nth: 2, times: 2, fault: { kind: "status", status: 423 } });
    const statuses: number[] = [];
    for (let n = 0; n < 5; n++) statuses.push((await call(sandbox, "GET", "/account-info/2026-03/details")).status);
    expect(statuses).toEqual([200, 423, 423, 200, 200]);
  });

  test.each([
    ["drop", 0],
    ["commit_then_drop", 1],
  ] as const)("%s leaves %i contacts and no answer", async (kind, count) => {
    const sandbox = fresh();
    sandbox.faults.plan({ route: "contacts.create", fault: { kind } });
    await expect(create(sandbox)).rejects.toThrow("dropped");
    expect(sandbox.state().counts.contacts).toBe(count);
    expect(sandbox.log.at(-1)).toMatchObject({ route: "contacts.create", status: null, fault: kind });
  });

  test("commit, then an edge's page or half a JSON", async () => {
    const sandbox = fresh();
    sandbox.faults.plan({ route: "contacts.*", fault: { kind: "commit_then_status", status: 524 } });
    sandbox.faults.plan({ route: "*.create", nth: 2, fault: { kind: "commit_then_truncate" } });
    const raw = (address: string) =>
      sandbox.handle({
        method: "POST",
        path: `${objects}/contacts`,
        headers: { authorization: `Bearer ${sandboxToken}`, "content-type": "application/json" },
        body: JSON.stringify(contact(address)),
      });
    expect(await raw("a@x.test")).toMatchObject({ status: 524, headers: { "content-type": "text/html" } });
    const half = await raw("b@x.test");
    expect(() => read(half)).toThrow(SyntaxError);
    expect(sandbox.state().counts.contacts).toBe(2);
  });

  test("commit, then hold the answer until it is released", async () => {
    const sandbox = fresh();
    sandbox.faults.plan({ route: "contacts.create", fault: { kind: "commit_then_hang" } });
    const answer = create(sandbox);
    await sandbox.whenHeld(1);
    expect(sandbox.state()).toMatchObject({ held: 1, counts: { contacts: 1 } });
    expect(sandbox.release()).toBe(1);
    expect((await answer).status).toBe(201);
  });

  test("happen late: the commit, or only the answer", async () => {
    const time = manualClock();
    const sandbox = fresh({}, time);
    sandbox.faults.plan({ route: "contacts.create", fault: { kind: "slow_commit", ms: 40_000 } });
    const answer = create(sandbox);
    await time.advance(39_999);
    expect(sandbox.state().counts.contacts).toBe(0);
    await time.advance(1);
    expect((await answer).status).toBe(201);
    sandbox.faults.plan({ route: "account.get", fault: { kind: "slow_answer", ms: 5 } });
    const late = call(sandbox, "GET", "/account-info/2026-03/details");
    await time.advance(5);
    expect((await late).status).toBe(200);
  });

  test("a data-centre move says when to come back", async () => {
    const sandbox = fresh();
    sandbox.faults.plan({ route: "*", fault: { kind: "status", status: 477, headers: { "retry-after": "3600" } } });
    expect(await create(sandbox)).toMatchObject({ status: 477, headers: { "retry-after": "3600" } });
  });

  test("by chance, the same chances make the same run", async () => {
    const run = async () => {
      const sandbox = fresh();
      sandbox.faults.plan({ route: "*", probability: 0.5, fault: { kind: "status", status: 502, body: {} } });
      const statuses: number[] = [];
      for (let n = 0; n < 40; n++)
        statuses.push((await call(sandbox, "POST", `${objects}/contacts`, contact(`${n}@x.test`))).status);
      return statuses;
    };
    const first = await run();
    expect(new Set(first)).toEqual(new Set([201, 502]));
    expect(await run()).toEqual(first);
  });
});

describe("the others in the account", () => {
  test("an inbox logs the same mail, HubSpot makes a company, a person moves a deal", async () => {
    const sandbox = fresh({ autoCompany: true });
    const made = await call(sandbox, "POST", `${objects}/contacts`, contact("ada@example.test"));
    const id = made.body.id ?? "";
    expect(sandbox.state().companies[0]).toMatchObject({
      properties: { domain: "example.test" },
      associations: { contacts: [id] },
    });
    const logged = sandbox.actors.inboxLogs({ messageId: "<1@x.test>", contactId: id, subject: "Hi", at: 0 });
    expect(sandbox.state().emails[0]).toMatchObject({ id: logged, associations: { contacts: [id] } });
    const deal = await call(sandbox, "POST", `${objects}/deals`, {
      properties: { dealname: "D", pipeline: "default", dealstage: "appointmentscheduled" },
      associations: [to(id, 3)],
    });
    sandbox.actors.personEdits("deals", deal.body.id ?? "", { dealstage: "closedwon" });
    expect(sandbox.state().deals[0]?.properties.dealstage).toBe("closedwon");
  });

  test("reset makes the account new", async () => {
    const sandbox = fresh();
    sandbox.actors.personAddsContact({ email: "a@x.test" });
    sandbox.faults.plan({ route: "*", fault: { kind: "drop" } });
    sandbox.reset();
    expect(sandbox.state()).toMatchObject({ calls: 0, counts: { contacts: 0 } });
    expect((await call(sandbox, "GET", "/account-info/2026-03/details")).status).toBe(200);
  });
});

describe("paths", () => {
  test.each([
    ["GET", "/crm/v3/objects/contacts"],
    ["GET", "/crm/objects/2026-03/widgets"],
    ["PUT", "/crm/objects/2026-03/contacts"],
    ["GET", "/nothing"],
  ])("%s %s is a 404", async (method, path) => {
    expect((await call(fresh(), method, path)).status).toBe(404);
  });
  test("type ids stand for names", async () => {
    const sandbox = fresh();
    expect((await call(sandbox, "POST", `${objects}/0-1`, contact("a@x.test"))).status).toBe(201);
    expect(sandbox.state().counts.contacts).toBe(1);
  });
});
