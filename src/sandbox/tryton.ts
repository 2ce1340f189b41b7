/**
 * A Tryton database in one object: stateful, strict, as nasty as the real one can be, and deterministic. It owns no timer and no socket: time
 * and chance come in, requests are handed in. What was measured at the real server, and what not: FIDELITY.md.
 */
import type { Clock, Random } from "../model/ports.ts";
import { fixedRandom, openFrame, type Prepared } from "./frame.ts";
import type { Reply, Sandbox, SandboxRequest, SandboxVendor, Table } from "./sandbox.ts";
import { type Actors, openActors } from "./tryton/actors.ts";
import { callOf } from "./tryton/calls.ts";
import { defaultOptions, preparedTypes, sandboxLogin, type TrytonSandboxOptions } from "./tryton/options.ts";
import { Failed, failedReply, ok, Page, pageReply, unknownSession } from "./tryton/reply.ts";
import { openSessions, type Sessions } from "./tryton/sessions.ts";
import { openStore } from "./tryton/store.ts";
import { fieldValue, type World } from "./tryton/world.ts";

export { sandboxLogin, type TrytonSandboxOptions } from "./tryton/options.ts";

export interface RecordDump {
  readonly id: string;
  readonly values: Readonly<Record<string, unknown>>;
}

export interface TrytonState {
  readonly calls: number;
  /** Answers held back now. */
  readonly held: number;
  readonly sessions: number;
  /** With `email` and `website`, and `comment` of the first contact mechanism; the company's own among them. */
  readonly parties: readonly RecordDump[];
  readonly mechanisms: readonly RecordDump[];
  readonly opportunities: readonly RecordDump[];
  readonly notes: readonly RecordDump[];
  readonly relations: readonly RecordDump[];
}

export interface TrytonSandbox extends Sandbox {
  state(): TrytonState;
  readonly actors: Actors;
  readonly sessions: Pick<Sessions, "expire" | "changePassword">;
}

export interface SandboxPorts {
  readonly clock: Clock;
  readonly random?: Pick<Random, "unit">;
  readonly options?: Partial<TrytonSandboxOptions>;
}

interface Account {
  readonly world: World;
  readonly sessions: Sessions;
  readonly actors: Actors;
}

export function createTrytonSandbox(ports: SandboxPorts): TrytonSandbox {
  const options = { ...defaultOptions, ...ports.options };
  const { clock, random = fixedRandom() } = ports;

  function open(): Account {
    const world: World = { options, clock, store: openStore(clock, options), modules: new Set(options.modules) };
    furnish(world);
    return { world, sessions: openSessions(options, clock, random), actors: openActors(world) };
  }

  const frame = openFrame<Account>({
    clock,
    random,
    open,
    prepare,
    answer: answered,
    edge: pageReply,
    refusal: pageReply,
    state: stateOf,
    tables: tablesOf,
  });
  return {
    ...frame,
    state: () => frame.state() as TrytonState,
    get actors() {
      return frame.account().actors;
    },
    get sessions() {
      return frame.account().sessions;
    },
  };
}

export const trytonVendor: SandboxVendor = {
  name: "tryton",
  title: "Tryton",
  about: "A Tryton database with its sales opportunities, over JSON-RPC: parties, opportunities, notes.",
  open: ({ clock, prepared }) => createTrytonSandbox({ clock, options: { prepared } }),
  entry: (url) =>
    `base_url: "${url}", database: ${sandboxLogin.database}, user: ${sandboxLogin.user}, password: "${sandboxLogin.password}"`,
};

/** What is there when a database is set up: the company, its employees, its modules. */
function furnish({ store, options }: World): void {
  for (const name of ["company", "party", "party_relationship", "sale_opportunity"])
    store.insert("ir.module", { name, state: options.modules.includes(name) ? "activated" : "not activated" });
  const own = store.insert("party.party", { name: "Sandbox Ltd", code: store.next("party"), active: true });
  const company = store.insert("company.company", { party: own.id });
  for (const email of options.employees) {
    const party = store.insert("party.party", { name: email, code: store.next("party"), active: true });
    store.insert("party.contact_mechanism", { type: "email", value: email, party: party.id, active: true });
    store.insert("company.employee", { party: party.id, company: company.id });
  }
  if (!options.prepared) return;
  const [there, back] = preparedTypes.map((name) => store.insert("party.relation.type", { name }));
  if (there === undefined || back === undefined) return;
  store.change("party.relation.type", there.id, { reverse: back.id });
  store.change("party.relation.type", back.id, { reverse: there.id });
}

interface Rpc {
  readonly id: unknown;
  readonly method: string;
  readonly params: readonly unknown[];
}

/** What the web server cannot read is an error of its own: 500, whatever it was. */
function rpcOf({ method, headers, body }: SandboxRequest): Rpc {
  if (method !== "POST") throw new Page(405);
  if (!/^application\/json\b/i.test(headers["content-type"] ?? "")) throw new Page(500);
  try {
    const { id, method: name, params } = JSON.parse(body) as Readonly<Record<string, unknown>>;
    if (typeof name === "string" && Array.isArray(params)) return { id, method: name, params };
  } catch {
    // As below.
  }
  throw new Page(500);
}

function prepare({ world, sessions }: Account, request: SandboxRequest): Prepared {
  const { options, store } = world;
  let rpc: Rpc;
  try {
    rpc = rpcOf(request);
  } catch (error) {
    const page = error instanceof Page ? error.status : 500;
    return { route: undefined, run: () => pageReply(page) };
  }
  const { id, method, params } = rpc;
  const [, database, ...rest] = request.path.split("/");
  if (database === "" && method === "common.server.version")
    return { route: "server.version", run: () => ok(id, options.version) };
  if (decodeURIComponent(database ?? "") !== options.database || rest.join("/") !== "")
    return { route: undefined, run: () => pageReply(404) };
  if (method === "common.db.login") return { route: "db.login", run: () => sessions.login(id, params) };
  const { authorization } = request.headers;
  const logout = { route: "db.logout", run: () => sessions.logout(authorization) ?? null };
  const call = method === "common.db.logout" ? logout : callOf(world, method, params);
  return {
    route: call.route,
    run() {
      if (!sessions.knows(authorization)) return unknownSession();
      try {
        return ok(
          id,
          store.transaction(() => call.run()),
        );
      } catch (error) {
        if (error instanceof Failed) return failedReply(id, error);
        throw error;
      }
    },
  };
}

function answered(run: () => Reply): Reply {
  try {
    return run();
  } catch (error) {
    if (error instanceof Page) return pageReply(error.status, error.headers);
    throw error;
  }
}

function stateOf({ world, sessions }: Account, calls: number, held: number): TrytonState {
  const { store } = world;
  const dumps = (model: string): RecordDump[] => store.all(model).map(({ id, values }) => ({ id: String(id), values }));
  const parties = store.all("party.party").map((row): RecordDump => {
    const first = store.all("party.contact_mechanism").find(({ values }) => values.party === row.id);
    const [email, website] = ["email", "website"].map((name) => fieldValue(world, "party.party", row, name));
    return { id: String(row.id), values: { ...row.values, email, website, comment: first?.values.comment } };
  });
  return {
    calls,
    held,
    sessions: sessions.count(),
    parties,
    mechanisms: dumps("party.contact_mechanism"),
    opportunities: dumps("sale.opportunity"),
    notes: dumps("ir.note"),
    relations: dumps("party.relation"),
  };
}

function tablesOf(account: Account): Table[] {
  const { parties, opportunities, notes, relations } = stateOf(account, 0, 0);
  const rows = (all: readonly RecordDump[]): Table["rows"] =>
    all.map(({ id, values }) => ({
      id,
      ...Object.fromEntries(Object.entries(values).map(([name, value]) => [name, cellOf(value)])),
    }));
  return [
    { name: "parties", rows: rows(parties) },
    { name: "opportunities", rows: rows(opportunities) },
    { name: "notes", rows: rows(notes) },
    { name: "relations", rows: rows(relations) },
  ];
}

const cellOf = (value: unknown): string =>
  value === null || value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value);
