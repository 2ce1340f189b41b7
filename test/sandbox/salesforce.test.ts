import { describe, expect, test } from "vitest";
import { id18, isId } from "../../src/sandbox/salesforce/ids.ts";
import {
  createSalesforceSandbox,
  type SalesforceSandbox,
  type SalesforceSandboxOptions,
  sandboxApp,
} from "../../src/sandbox/salesforce.ts";
import { manualClock } from "../destinations/fixtures.ts";

const data = "/services/data/v67.0";
const form = new URLSearchParams({
  grant_type: "client_credentials",
  client_id: sandboxApp.clientId,
  client_secret: sandboxApp.clientSecret ?? "",
}).toString();

/** As much of an answer as a test looks into. Lists are answered where something is refused, and by the list of versions. */
interface Body {
  readonly id: string;
  readonly access_token: string;
  readonly error: string;
  readonly done: boolean;
  readonly totalSize: number;
  readonly nextRecordsUrl: string;
  readonly records: readonly { readonly Name: string; readonly Opportunity: { readonly Name: string } }[];
  readonly compositeResponse: readonly { readonly httpStatusCode: number; readonly body: unknown }[];
  readonly fields: readonly { readonly name: string; readonly length: number; readonly unique: boolean }[];
  readonly recordTypeInfos: readonly object[];
}
interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Partial<Body>;
}

async function send(
  sandbox: SalesforceSandbox,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const type = typeof body === "object" ? { "content-type": "application/json" } : {};
  const text = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
  const reply = await sandbox.handle({ method, path, headers: { ...type, ...headers }, body: text });
  if ("drop" in reply) throw new Error("the connection was dropped");
  const { status } = reply;
  return { status, headers: reply.headers, body: reply.body === "" ? undefined : JSON.parse(reply.body) };
}

async function open(options: Partial<SalesforceSandboxOptions> = {}) {
  const clock = manualClock();
  const sandbox = createSalesforceSandbox({ clock, options: { prepared: true, ...options } });
  const { body } = await send(sandbox, "POST", "/services/oauth2/token", form);
  const authorization = `Bearer ${body.access_token}`;
  const call = (method: string, path: string, given?: unknown, headers: Record<string, string> = {}) =>
    send(sandbox, method, `${data}${path}`, given, { authorization, ...headers });
  const query = (soql: string, all = false) =>
    call("GET", `/${all ? "queryAll" : "query"}?q=${encodeURIComponent(soql)}`);
  const made = async (object: string, fields: object): Promise<string> => {
    const answer = await call("POST", `/sobjects/${object}`, fields);
    expect(answer.body).toMatchObject({ success: true, errors: [] });
    return answer.body.id ?? "";
  };
  return { sandbox, clock, call, query, made };
}

const key = "a".repeat(64);
const refused = (errorCode: string, message: RegExp | string = /./) => ({
  status: 400,
  body: [{ errorCode, message: expect.stringMatching(message) }],
});

describe("records", () => {
  test("are made, read, changed and deleted; what is in the recycle bin only queryAll shows", async () => {
    const { call, query, made, clock } = await open();
    const id = await made("Contact", { LastName: "Lovelace", FirstName: "Ada", Email: "Ada@Example.test" });
    expect(
      isId(id) && id18(id.slice(0, 15)) === id,
      "18 characters, the last three of which follow from the others",
    ).toBe(true);
    const read = await call("GET", `/sobjects/Contact/${id.slice(0, 15)}?fields=Name,Email`);
    expect(read.body).toMatchObject({
      Id: id,
      Name: "Ada Lovelace",
      Email: "Ada@Example.test",
      attributes: { type: "Contact" },
    });
    await clock.advance(5_000);
    expect((await call("PATCH", `/sobjects/Contact/${id}`, { Title: "Countess" })).status).toBe(204);
    const since = { "if-unmodified-since": new Date(clock.now() - 3_000).toUTCString() };
    expect((await call("PATCH", `/sobjects/Contact/${id}`, { Title: "x" }, since)).status).toBe(412);
    expect((await call("DELETE", `/sobjects/Contact/${id}`)).status).toBe(204);
    expect(await call("GET", `/sobjects/Contact/${id}`)).toMatchObject(refused("ENTITY_IS_DELETED"));
    expect((await query("SELECT Id FROM Contact")).body.records).toEqual([]);
    expect((await query("SELECT Id,IsDeleted,Title FROM Contact", true)).body.records).toMatchObject([
      { IsDeleted: true, Title: "Countess" },
    ]);
    expect((await call("GET", "/sobjects/Contact/0038a000009999ZZZZ")).status).toBe(404);
    expect((await call("GET", "/sobjects/Nothing/1")).status).toBe(404);
  });

  test.each([
    ["Contact", { FirstName: "A" }, "REQUIRED_FIELD_MISSING", "LastName"],
    ["Lead", { LastName: "A" }, "REQUIRED_FIELD_MISSING", "Company"],
    ["Contact", { LastName: "A", Colour: "x" }, "INVALID_FIELD", "No such column 'Colour'"],
    ["Contact", { LastName: "A", Name: "x" }, "INVALID_FIELD_FOR_INSERT_UPDATE", "Name"],
    ["Contact", { LastName: "x".repeat(81) }, "STRING_TOO_LONG", "max length=80"],
    ["Contact", { LastName: "A", Email: "no address" }, "INVALID_EMAIL_ADDRESS", "invalid email address"],
    ["Contact", { LastName: "A", AccountId: "0018a000009999ZAAA" }, "INVALID_CROSS_REFERENCE_KEY", "invalid cross"],
    ["Contact", { LastName: "A", AccountId: "0038a000009999ZAAA" }, "MALFORMED_ID", "incorrect type"],
    [
      "Opportunity",
      { Name: "A", StageName: "Dreaming", CloseDate: "2026-12-31" },
      "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
      "Dreaming",
    ],
    ["Opportunity", { Name: "A", StageName: "Prospecting", CloseDate: "soon" }, "JSON_PARSER_ERROR", "date"],
    ["EmailMessage", { Subject: "A", Incoming: "yes" }, "JSON_PARSER_ERROR", "boolean"],
  ])("%s %j is refused: %s", async (object, fields, code, words) => {
    const { call, sandbox } = await open();
    expect(await call("POST", `/sobjects/${object}`, fields)).toMatchObject(refused(code, words));
    expect(sandbox.state().counts.Contact).toBe(0);
  });

  test.each(["id18", "id15", "unknown"] as const)(
    "a taken key is DUPLICATE_VALUE whatever its case, and names the record as %s",
    async (takenBy) => {
      const { call, made } = await open({ takenBy });
      const id = await made("Contact", { LastName: "A", Mailwright_Key__c: key });
      const by = { id18: id, id15: id.slice(0, 15), unknown: "<unknown>" }[takenBy];
      const again = await call("POST", "/sobjects/Contact", { LastName: "B", Mailwright_Key__c: key.toUpperCase() });
      expect(again).toMatchObject(
        refused(
          "DUPLICATE_VALUE",
          `^duplicate value found: Mailwright_Key__c duplicates value on record with id: ${by}$`,
        ),
      );
      await made("Lead", { LastName: "B", Company: "C", Mailwright_Key__c: key });
    },
  );

  test.each([true, false])("the recycle bin holds a unique value: %s", async (deletedKeepKeys) => {
    const { call, made } = await open({ deletedKeepKeys });
    const id = await made("Contact", { LastName: "A", Mailwright_Key__c: key });
    await call("DELETE", `/sobjects/Contact/${id}`);
    expect((await call("POST", "/sobjects/Contact", { LastName: "B", Mailwright_Key__c: key })).status).toBe(
      deletedKeepKeys ? 400 : 201,
    );
  });

  test("by an External ID: read, made, changed, several, and the trap of a value that ends in .inc", async () => {
    const { call, made } = await open({ emailUnique: false });
    const at = (value: string) => `/sobjects/EmailMessage/Mailwright_Key__c/${value}`;
    expect((await call("PATCH", `${at("k")}?updateOnly=true`, { Subject: "A", Status: "5" })).status).toBe(404);
    expect(await call("PATCH", at("k"), { Subject: "A", Status: "5" })).toMatchObject({
      status: 201,
      body: { created: true },
    });
    expect(await call("PATCH", at("k"), { TextBody: "B" })).toMatchObject({ status: 200, body: { created: false } });
    expect((await call("GET", `${at("k")}?fields=Subject`)).body).toMatchObject({ Subject: "A" });
    expect((await call("GET", at("none"))).status).toBe(404);
    await made("EmailMessage", { Subject: "C", Mailwright_Key__c: "k" });
    expect((await call("GET", at("k"))).status).toBe(300);
    await made("EmailMessage", { Subject: "C", Mailwright_Key__c: "x.inc" });
    expect((await call("GET", at("x.inc"))).status).toBe(404);
  });

  test("an account takes its contacts and opportunities to the recycle bin", async () => {
    const { call, made, sandbox } = await open();
    const AccountId = await made("Account", { Name: "A" });
    await made("Contact", { LastName: "A", AccountId });
    await call("DELETE", `/sobjects/Account/${AccountId}`);
    expect(sandbox.state().counts).toMatchObject({ Account: 0, Contact: 0 });
  });

  test("two writes on one account at once: the later does not get the lock", async () => {
    const { call, made, clock } = await open({ lockMs: 100 });
    const AccountId = await made("Account", { Name: "A" });
    await made("Contact", { LastName: "A", AccountId });
    expect(await call("POST", "/sobjects/Contact", { LastName: "B", AccountId })).toMatchObject(
      refused("UNABLE_TO_LOCK_ROW"),
    );
    await clock.advance(100);
    await made("Contact", { LastName: "B", AccountId });
  });
});

describe("logged mails", () => {
  test("are history: only an org's own fields change; the task and the relations come by themselves", async () => {
    const { call, made, sandbox } = await open();
    const contact = await made("Contact", { LastName: "A" });
    const id = await made("EmailMessage", { Subject: "A", Status: "1", ToIds: [contact] });
    expect(await call("PATCH", `/sobjects/EmailMessage/${id}`, { TextBody: "x" })).toMatchObject(
      refused("INSUFFICIENT_ACCESS_OR_READONLY", "TextBody"),
    );
    expect((await call("PATCH", `/sobjects/EmailMessage/${id}`, { Mailwright_Files__c: "x" })).status).toBe(204);
    expect(sandbox.state().records.Task[0]?.values).toMatchObject({ Subject: "Email: A", Status: "Completed" });
    expect(sandbox.state().records.EmailMessageRelation[0]?.values).toMatchObject({
      RelationId: contact,
      RelationType: "ToAddress",
    });
    expect(
      await call("POST", "/sobjects/EmailMessage", { Subject: "A", ActivityId: sandbox.state().records.Task[0]?.id }),
    ).toMatchObject(refused("INSUFFICIENT_ACCESS_OR_READONLY"));
  });

  test("are not there at all where neither Enhanced Email nor Email-to-Case is on", async () => {
    const { call, query } = await open({ enhancedEmail: false });
    expect((await call("GET", "/sobjects/EmailMessage/describe")).status).toBe(404);
    expect((await call("POST", "/sobjects/EmailMessage", { Subject: "A" })).status).toBe(404);
    expect(await query("SELECT Id FROM EmailMessage")).toMatchObject(refused("INVALID_TYPE"));
  });
});

describe("composites", () => {
  const part = (referenceId: string, object: string, body: object) => ({
    method: "POST",
    url: `${data}/sobjects/${object}`,
    referenceId,
    body,
  });
  test("refer to earlier parts, and roll all back where one fails", async () => {
    const { call, sandbox } = await open();
    const both = (Email: string) => ({
      allOrNone: true,
      compositeRequest: [
        part("a", "Account", { Name: "A" }),
        part("c", "Contact", { LastName: "C", AccountId: "@{a.id}", Email }),
      ],
    });
    const done = await call("POST", "/composite", both("c@x.test"));
    expect(done.body.compositeResponse?.map((one) => one.httpStatusCode)).toEqual([201, 201]);
    expect(sandbox.state().records.Contact[0]?.values.AccountId).toBe(sandbox.state().records.Account[0]?.id);
    const failed = await call("POST", "/composite", both("nonsense"));
    expect(failed.status, "whatever became of it").toBe(200);
    expect(failed.body.compositeResponse).toMatchObject([
      { referenceId: "a", httpStatusCode: 400, body: [{ errorCode: "PROCESSING_HALTED" }] },
      { referenceId: "c", httpStatusCode: 400, body: [{ errorCode: "INVALID_EMAIL_ADDRESS" }] },
    ]);
    expect(sandbox.state().counts).toMatchObject({ Account: 1, Contact: 1, Task: 0 });
  });

  test("without allOrNone what worked stays; a reference to what failed, or to nothing, is refused wherever it stands", async () => {
    const { call, sandbox } = await open();
    const compositeRequest = [
      part("a", "Account", {}),
      part("b", "Account", { Name: "B" }),
      part("c", "Contact", { LastName: "C", AccountId: "@{a.id}" }),
      part("d", "Contact", { LastName: "as in @{user.name}, hello" }),
    ];
    const { body } = await call("POST", "/composite", { compositeRequest });
    expect(body.compositeResponse?.map((one) => one.httpStatusCode)).toEqual([400, 201, 400, 400]);
    expect(body.compositeResponse?.[3]?.body).toMatchObject([
      { errorCode: "PROCESSING_HALTED", message: expect.stringContaining("Invalid reference specified") },
    ]);
    expect(sandbox.state().counts).toMatchObject({ Account: 1, Contact: 0 });
  });

  test("have 25 parts, five of them queries, and count as one call", async () => {
    const { call, sandbox } = await open();
    const many = (count: number) => Array.from({ length: count }, (_, n) => part(`p${n}`, "Account", { Name: "A" }));
    expect(await call("POST", "/composite", { compositeRequest: many(26) })).toMatchObject({ status: 400 });
    const queries = Array.from({ length: 6 }, (_, n) => ({
      method: "GET",
      url: `${data}/query?q=SELECT+Id+FROM+Account`,
      referenceId: `q${n}`,
    }));
    expect(await call("POST", "/composite", { compositeRequest: queries })).toMatchObject({ status: 400 });
    const { headers } = await call("POST", "/composite", { compositeRequest: [...many(20), ...queries.slice(0, 5)] });
    expect(headers["sforce-limit-info"]).toBe("api-usage=3/100000");
    expect(sandbox.state().counts.Account).toBe(20);
  });
});

describe("queries", () => {
  test("see a write at once, compare without case, follow relations, order and limit", async () => {
    const { query, made } = await open();
    const contact = await made("Contact", { LastName: "A", Email: "a'b@x.test" });
    for (const [Name, StageName] of [
      ["1", "Prospecting"],
      ["2", "Closed Won"],
      ["3", "Qualification"],
    ]) {
      const id = await made("Opportunity", { Name, StageName, CloseDate: "2026-12-31" });
      await made("OpportunityContactRole", { OpportunityId: id, ContactId: contact });
    }
    const soql = `SELECT Opportunity.Name FROM OpportunityContactRole WHERE ContactId = '${contact.slice(0, 15)}' AND Opportunity.IsClosed = false ORDER BY Opportunity.Name DESC LIMIT 5`;
    expect((await query(soql)).body.records?.map((row) => row.Opportunity.Name)).toEqual(["3", "1"]);
    expect((await query("SELECT Id FROM Contact WHERE Email IN ('A\\'B@X.test','other')")).body.totalSize).toBe(1);
    expect((await query("SELECT Id FROM Contact WHERE Email LIKE 'a%' AND NOT LastName = 'B'")).body.totalSize).toBe(1);
    expect(await query("SELECT Id FROM Contact WHERE Email = 'a'b'")).toMatchObject(refused("MALFORMED_QUERY"));
    expect(await query("SELECT Colour FROM Contact")).toMatchObject(refused("INVALID_FIELD", "No such column"));
    expect(await query("SELECT Owner.Name FROM Contact")).toMatchObject(refused("INVALID_FIELD", "relationship"));
    expect(await query("SELECT Id FROM EmailMessage WHERE TextBody = 'x'")).toMatchObject(
      refused("INVALID_FIELD", "can not be filtered"),
    );
  });

  test("long answers come in parts", async () => {
    const { query, made, call } = await open({ queryBatch: 2 });
    for (let n = 0; n < 5; n++) await made("Account", { Name: `A${n}` });
    const names: string[] = [];
    let answer = await query("SELECT Name FROM Account ORDER BY Name");
    for (;;) {
      names.push(...(answer.body.records ?? []).map((row) => row.Name));
      if (answer.body.done) break;
      answer = await call("GET", (answer.body.nextRecordsUrl ?? "").slice(data.length));
    }
    expect(names).toEqual(["A0", "A1", "A2", "A3", "A4"]);
  });
});

describe("the org around it", () => {
  test("describe says lengths and flags, and hides objects and fields from a user without the permission set", async () => {
    const { call, query, sandbox } = await open();
    const fields = async () => (await call("GET", "/sobjects/Opportunity/describe")).body.fields ?? [];
    expect((await fields()).find(({ name }) => name === "Mailwright_Key__c")).toMatchObject({
      length: 64,
      unique: true,
      externalId: true,
    });
    sandbox.actors.adminPermits(false);
    const hidden = { status: 404, body: [{ errorCode: "NOT_FOUND" }] };
    expect(await call("GET", "/sobjects/Opportunity/describe")).toMatchObject(hidden);
    expect(await call("POST", "/sobjects/Contact", { LastName: "A" })).toMatchObject(hidden);
    expect(await query("SELECT Id FROM Lead")).toMatchObject(refused("INVALID_TYPE"));
    const mail = { Subject: "A", Status: "1", Mailwright_Key__c: key };
    expect(await call("POST", "/sobjects/EmailMessage", mail)).toMatchObject(
      refused("INVALID_FIELD", "Mailwright_Key__c"),
    );
    sandbox.actors.adminPermits(true);
    expect((await call("GET", "/sobjects/Opportunity/describe")).body.recordTypeInfos).toMatchObject([
      { master: true },
      { name: "New Business" },
    ]);
  });

  test("sessions end, are renewed, and are taken away with the app's approval", async () => {
    const { sandbox, clock, call } = await open({ sessionMs: 60_000 });
    await clock.advance(60_000);
    const ended = { status: 401, body: [{ errorCode: "INVALID_SESSION_ID" }] };
    expect(await call("GET", "/limits")).toMatchObject(ended);
    expect((await send(sandbox, "POST", "/services/oauth2/token", form)).status).toBe(200);
    sandbox.sessions.revoke();
    expect(await send(sandbox, "POST", "/services/oauth2/token", form)).toMatchObject({
      status: 400,
      body: { error: "invalid_grant" },
    });
    for (const [given, error] of [
      [form.replace("sandbox-secret", "wrong"), "invalid_client"],
      [form.replace("3MVG9", "other"), "invalid_client_id"],
      ["grant_type=password&username=x&password=y", "unsupported_grant_type"],
      [
        `grant_type=${encodeURIComponent("urn:ietf:params:oauth:grant-type:jwt-bearer")}&assertion=a.b.c`,
        "invalid_grant",
      ],
    ])
      expect((await send(sandbox, "POST", "/services/oauth2/token", given)).body.error).toBe(error);
  });

  test("the day's calls are counted for all apps, and the day rolls", async () => {
    const { sandbox, clock, call } = await open({ dailyCalls: 10, sessionMs: 100 * 3_600_000 });
    expect((await call("GET", "/limits")).body).toEqual({ DailyApiRequests: { Max: 10, Remaining: 9 } });
    sandbox.othersCall(9);
    expect(await call("GET", "/limits")).toMatchObject({
      status: 403,
      body: [{ errorCode: "REQUEST_LIMIT_EXCEEDED", message: "TotalRequests Limit exceeded." }],
    });
    await clock.advance(25 * 3_600_000);
    expect((await call("GET", "/limits")).headers["sforce-limit-info"]).toBe("api-usage=1/10");
  });

  test("versions are listed without a session; another version, another path, another body are refused", async () => {
    const { sandbox, call } = await open();
    expect(((await send(sandbox, "GET", "/services/data")).body as readonly unknown[]).at(-1)).toMatchObject({
      version: "68.0",
    });
    expect((await call("GET", "/../v12.0/limits")).status).toBe(404);
    expect((await call("POST", "/sobjects/Contact", "LastName=A")).status).toBe(415);
    expect((await call("POST", "/ui-api/records", {})).status).toBe(404);
  });

  test("a reset is a new org", async () => {
    const { sandbox, made } = await open();
    await made("Contact", { LastName: "A" });
    expect(sandbox.tables().find(({ name }) => name === "Contact")?.rows).toMatchObject([{ LastName: "A" }]);
    sandbox.reset();
    expect(sandbox.state()).toMatchObject({ calls: 0, counts: { Contact: 0 } });
  });
});
