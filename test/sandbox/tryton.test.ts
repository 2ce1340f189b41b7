/** The Tryton sandbox is as the real server was measured to be, and refuses what that refuses. */
import { describe, expect, test } from "vitest";
import { createTrytonSandbox, sandboxLogin, type TrytonSandboxOptions } from "../../src/sandbox/tryton.ts";
import { type ManualClock, manualClock } from "../destinations/fixtures.ts";

const context = { language: "en", company: 1, companies: [1] };

async function fresh(options: Partial<TrytonSandboxOptions> = {}, clock: ManualClock = manualClock()) {
  const sandbox = createTrytonSandbox({ clock, options: { prepared: true, employees: [], ...options } });
  const post = async (body: string, authorization?: string, path = "/crm/") => {
    const headers = { "content-type": "application/json", ...(authorization === undefined ? {} : { authorization }) };
    const reply = await sandbox.handle({ method: "POST", path, headers, body });
    if ("drop" in reply) throw new Error("dropped");
    return reply;
  };
  const rpc = (method: string, params: readonly unknown[], authorization?: string, path?: string) =>
    post(JSON.stringify({ id: 1, method, params }), authorization, path);
  const login = (password: string = sandboxLogin.password) => rpc("common.db.login", [sandboxLogin.user, { password }]);
  const [id, key] = (JSON.parse((await login()).body) as { result: [number, string] }).result;
  const authorization = `Session ${Buffer.from(`${sandboxLogin.user}:${id}:${key}`).toString("base64")}`;
  /** The result, or the error. */
  const call = async (method: string, ...params: readonly unknown[]) => {
    const reply = await rpc(`model.${method}`, [...params, context], authorization);
    const { result, error } = JSON.parse(reply.body) as { readonly result?: unknown; readonly error?: unknown };
    return error ?? result;
  };
  const create = async (model: string, values: readonly object[]) =>
    (await call(`${model}.create`, values)) as readonly [number, ...number[]];
  return { sandbox, post, rpc, login, call, create, authorization, clock };
}

const userError = (words: string) => ["UserError", [words, "", null]];
const wordsOf = (answer: unknown): unknown => (answer as ReturnType<typeof userError>)[1]?.[0];

describe("the door", () => {
  test("a session is known, another one is answered by nothing, and no password by a page", async () => {
    const { rpc, login, call, sandbox } = await fresh();
    expect(await call("res.user.get_preferences", true)).toMatchObject({ company: 1 });
    expect(await rpc("model.party.party.search", [[], context], "Session bWFpbHdyaWdodDoyOm5v")).toMatchObject({
      status: 401,
      body: "",
    });
    expect(await login("wrong")).toMatchObject({ status: 401, body: expect.stringMatching(/Unauthorized/) });
    sandbox.sessions.expire();
    expect((await rpc("model.party.party.search", [[], context])).status).toBe(401);
  });

  test("sessions end, and after six wrong logins nobody is listened to for five minutes", async () => {
    const { rpc, login, authorization, clock } = await fresh({ sessionMs: 60_000 });
    await clock.advance(60_000);
    expect((await rpc("model.party.party.search", [[], context], authorization)).status).toBe(401);
    const answers = [];
    for (let turn = 0; turn < 8; turn++) answers.push((await login("wrong")).status);
    expect(answers).toEqual([401, 401, 401, 401, 401, 401, 429, 429]);
    expect((await login()).status).toBe(429);
    await clock.advance(300_000);
    expect((await login()).status).toBe(200);
  });

  test("another database is not found, the version stands at the root, and what is no call is an error of the server's", async () => {
    const { rpc, post, authorization, call } = await fresh();
    expect((await rpc("common.db.login", [], undefined, "/other/")).status).toBe(404);
    expect((await rpc("common.server.version", [], undefined, "/")).body).toContain("6.0.29");
    expect((await post("{bad", authorization)).status).toBe(500);
    expect((await rpc("model.ir.email.create", [[{}], context], authorization)).body).toContain("'ir.email'");
    expect((await rpc("model.party.party.nope", [[1], context], authorization)).status).toBe(403);
    expect(await call("foo.bar.create", [{}])).toEqual(["'foo.bar'", ""]);
  });
});

describe("records", () => {
  test("the code of a party is unique, also where that is deactivated, and a failed create leaves nothing but a gap", async () => {
    const { call, create, sandbox } = await fresh();
    const [first] = await create("party.party", [{ name: "Ada", code: "em-1" }]);
    await call("party.party.write", [first], { active: false });
    expect(await call("party.party.create", [{ code: "em-2" }, { code: "em-1" }])).toEqual(
      userError("The code on party must be unique."),
    );
    expect(sandbox.state().parties).toHaveLength(2);
    const [next] = await create("party.party", [{ code: "em-2" }]);
    expect(next).toBe(first + 3);
    expect(await call("party.party.search", [["code", "=", "em-1"]], 0, 1, null)).toEqual([]);
    expect(
      await call(
        "party.party.search",
        [
          ["code", "=", "em-1"],
          ["active", "in", [true, false]],
        ],
        0,
        1,
        null,
      ),
    ).toEqual([first]);
  });

  test("patterns ignore case and know two wildcards, and dotted names lead to other records", async () => {
    const { call, create } = await fresh();
    const mechanisms = [["create", [{ type: "email", value: "Ada_x@example.test" }]]];
    const [party] = await create("party.party", [{ name: "Ada", code: "c", contact_mechanisms: mechanisms }]);
    const find = (pattern: string) =>
      call(
        "party.contact_mechanism.search_read",
        [["value", "ilike", pattern]],
        0,
        5,
        [["id", "ASC"]],
        ["value", "party", "party.code"],
      );
    const found = [{ id: 1, value: "Ada_x@example.test", party, "party.": { id: party, code: "c" } }];
    for (const pattern of ["ada\\_X@example.test", "adaqx@example.test".replace("q", "_"), "%@EXAMPLE.test"])
      expect(await find(pattern)).toEqual(found);
    for (const pattern of ["ada", "a-d+a@x-y.test", "adax@example.test", "ad\\_x@example.test"])
      expect(await find(pattern)).toEqual([]);
  });

  test("a long text is searched by its words where the case does not count, and no further than PostgreSQL counts them", async () => {
    const { call, create } = await fresh();
    const behind = (words: number) => `${"word ".repeat(words)}[mw:12e45678]`;
    const notes = [1, 16_381, 17_000].map((words) => ({ resource: "party.party,1", message: behind(words) }));
    const [near, edge, far] = await create("ir.note", notes);
    const find = (operator: string, pattern: string) =>
      call("ir.note.search", [["message", operator, pattern]], 0, 9, null);
    expect(await find("ilike", "%[mw:12e45678]%")).toEqual([near, edge]);
    expect(await find("ilike", "%WORD%")).toEqual([near, edge, far]);
    expect(await find("ilike", "%wor%")).toEqual([]);
    expect(await find("ilike", "word%")).toEqual([near, edge, far]);
    expect(await find("like", "%[mw:12e45678]%")).toEqual([near, edge, far]);
    expect(await find("like", "%WORD%")).toEqual([]);
  });

  test("what cannot be is refused in the server's words", async () => {
    const { call } = await fresh();
    expect(await call("ir.note.create", [{ resource: "party.party,99", message: "x" }])).toEqual(
      userError('A value is required for field "Resource" in "Note".'),
    );
    expect(await call("party.party.create", [{ nme: "x" }])).toEqual(["'nme'", ""]);
    expect(await call("party.party.create", [{ name: "a\0b" }])).toEqual([expect.stringMatching(/NUL/), ""]);
    expect(await call("sale.opportunity.create", [{ state: "opportunity" }])).toEqual(
      userError('A value is required for field "Party" in "Sale Opportunity".'),
    );
    expect(await call("sale.opportunity.create", [{ party: 99 }])).toEqual(
      userError('The value "99" for field "Party" in "Sale Opportunity" does not exist.'),
    );
    expect(wordsOf(await call("sale.opportunity.cancel", [99]))).toMatch(/^You are not allowed to read records "99"/);
    expect(wordsOf(await call("party.party.write", [99], {}))).toMatch(/^You are trying to write to records "99"/);
    const limited = await fresh({ forbidden: ["party.relation.type create"] });
    expect(await limited.call("party.relation.type.create", [{ name: "x" }])).toEqual(
      userError('You are not allowed to access "Relation Type".'),
    );
  });

  test("a relation is seen from both ends", async () => {
    const { call, create } = await fresh();
    const [a, b] = await create("party.party", [{ name: "A" }, { name: "B" }]);
    const [id] = await create("party.relation.all", [{ from_: a, to: b, type: 1 }]);
    const all = () => call("party.relation.all.search_read", [], 0, 9, [["id", "ASC"]], ["from_", "to", "type"]);
    expect(await all()).toEqual([
      { id, from_: a, to: b, type: 1 },
      { id: id + 1, from_: b, to: a, type: 2 },
    ]);
    await call("party.relation.all.delete", [id + 1]);
    expect(await all()).toEqual([]);
  });

  test("who writes what somebody else has changed is told so", async () => {
    const { call, create, rpc, authorization, sandbox } = await fresh();
    const [id] = await create("ir.note", [{ resource: "party.party,1", message: "one" }]);
    const asked = [[["id", "=", id]], 0, 1, null, ["_timestamp"]];
    const [read] = (await call("ir.note.search_read", ...asked)) as readonly { readonly _timestamp: string }[];
    const write = async (message: string) => {
      const params = [[id], { message }, { ...context, _timestamp: { [`ir.note,${id}`]: read?._timestamp } }];
      return (await rpc("model.ir.note.write", params, authorization)).body;
    };
    expect(await write("two")).toContain('"result":null');
    expect(await write("three")).toContain("ConcurrencyException");
    expect(sandbox.state().notes[0]?.values.message).toBe("two");
  });

  test("a lost opportunity is not cancelled, and not deleted", async () => {
    const { call, create, sandbox } = await fresh();
    const [id] = await create("sale.opportunity", [{ party: 1 }]);
    await call("sale.opportunity.lost", [id]);
    expect(await call("sale.opportunity.cancel", [id])).toBeNull();
    expect(sandbox.state().opportunities[0]?.values.state).toBe("lost");
    expect(await call("sale.opportunity.delete", [id])).toEqual(
      userError('To delete opportunity "1", you must cancel it.'),
    );
  });
});

test("the page lists what it holds", async () => {
  const { sandbox } = await fresh();
  expect(sandbox.tables().map(({ name, rows }) => [name, rows.length])).toEqual([
    ["parties", 1],
    ["opportunities", 0],
    ["notes", 0],
    ["relations", 0],
  ]);
});
