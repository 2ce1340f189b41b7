/**
 * A Salesforce org in one object: stateful, strict, as nasty as the real one can be, and deterministic. It owns no timer and no socket:
 * time and chance come in, requests are handed in. What is documented, observed or guessed: FIDELITY.md.
 */
import type { Clock, Random } from "../model/ports.ts";
import { fixedRandom, openFrame, type Prepared } from "./frame.ts";
import { type Actors, openActors } from "./salesforce/actors.ts";
import { openSessions, type Sessions } from "./salesforce/auth.ts";
import { type DailyLimit, openLimit } from "./salesforce/limits.ts";
import { defaultOptions, type SalesforceSandboxOptions, sandboxApp } from "./salesforce/options.ts";
import { openQueries } from "./salesforce/query.ts";
import { bad, edgePage, notFound, ok, Refusal, refusalReply } from "./salesforce/reply.ts";
import { callOf, type Incoming, type World } from "./salesforce/routes.ts";
import { openSchema } from "./salesforce/schema.ts";
import { type SalesforceState, stateOf, tablesOf } from "./salesforce/state.ts";
import { openStore, type Store } from "./salesforce/store.ts";
import type { Reply, Sandbox, SandboxRequest, SandboxVendor } from "./sandbox.ts";

export type { FaultPlan } from "./faults.ts";
export { type SalesforceSandboxOptions, sandboxApp } from "./salesforce/options.ts";
export type { RecordDump, SalesforceState } from "./salesforce/state.ts";

export interface SalesforceSandbox extends Sandbox {
  state(): SalesforceState;
  readonly actors: Actors;
  readonly sessions: Pick<Sessions, "expireAll" | "revoke" | "issued">;
  /** Calls of other apps, which the org's limit counts too. */
  othersCall(calls: number): void;
}

export interface SandboxPorts {
  readonly clock: Clock;
  readonly random?: Pick<Random, "unit">;
  readonly options?: Partial<SalesforceSandboxOptions>;
}

/** What an org of Winter '27 lists, the newest last. */
const versions = ["v66.0", "v67.0", "v68.0"];

export function createSalesforceSandbox(ports: SandboxPorts): SalesforceSandbox {
  const options = { ...defaultOptions, ...ports.options };
  const state = ({ world }: Org, calls: number, held: number): SalesforceState =>
    stateOf(world.store, options.organizationId, calls, held);
  const frame = openFrame<Org>({
    clock: ports.clock,
    random: ports.random ?? fixedRandom(),
    open: () => openOrg(options, ports.clock),
    prepare: (org, request) => org.prepare(request),
    answer: answered,
    edge: edgePage,
    refusal: (status, headers) => {
      const { body, headers: own } = refusalReply(
        new Refusal(status, { message: `planned ${status}`, errorCode: "UNKNOWN_EXCEPTION" }),
      );
      return { status, headers: { ...own, ...headers }, body };
    },
    state,
    tables: (org) => tablesOf(state(org, 0, 0)),
  });
  return {
    ...frame,
    // What the frame's `state` above answers.
    state: () => frame.state() as SalesforceState,
    get actors() {
      return frame.account().actors;
    },
    get sessions() {
      return frame.account().sessions;
    },
    othersCall: (calls) => frame.account().limit.add(calls),
  };
}

function answered(run: () => Reply): Reply {
  try {
    return run();
  } catch (error) {
    if (error instanceof Refusal) return refusalReply(error);
    throw error;
  }
}

export const salesforceVendor: SandboxVendor = {
  name: "salesforce",
  title: "Salesforce",
  about: "A Salesforce org: strict, stateful, and as nasty as the real one can be.",
  open: ({ clock, prepared }) => createSalesforceSandbox({ clock, options: { prepared } }),
  entry: (url) =>
    `base_url: "${url}", client_id: "${sandboxApp.clientId}", client_secret: "${sandboxApp.clientSecret}"`,
};

interface Org {
  readonly world: World;
  readonly sessions: Sessions;
  readonly limit: DailyLimit;
  readonly actors: Actors;
  prepare(request: SandboxRequest): Prepared;
}

function openOrg(options: SalesforceSandboxOptions, clock: Clock): Org {
  const schema = openSchema(options);
  const store = openStore({ clock, options, schema });
  furnish(store, options);
  const sessions = openSessions(options, clock);
  const limit = openLimit(options.dailyCalls, clock);
  const worlds = new Map(
    versions.map((version): [string, World] => [
      version,
      {
        store,
        schema,
        options,
        version,
        queries: openQueries(store, schema, version, options.queryBatch),
        limits: () => ({ max: options.dailyCalls, used: limit.used() }),
      },
    ]),
  );
  // The newest version is there.
  const world = worlds.get("v67.0") as World;

  function prepare(request: SandboxRequest): Prepared {
    const url = new URL(request.path, "http://sandbox.invalid");
    if (request.method === "POST" && url.pathname === "/services/oauth2/token") {
      const origin = `http://${request.headers.host ?? "salesforce.invalid"}`;
      return { route: "token.get", run: () => sessions.token(request.body, origin) };
    }
    const [services, data, version = "", ...segments] = url.pathname.split("/").filter(Boolean).map(decodeSegment);
    if (services === "services" && data === "data" && version === "" && request.method === "GET") {
      const list = versions.map((name) => ({ label: name, url: `/services/data/${name}`, version: name.slice(1) }));
      return { route: "versions.list", run: () => ok(200, list) };
    }
    const own = services === "services" && data === "data" ? worlds.get(version) : undefined;
    const call = own === undefined ? undefined : callOf(incomingOf(request, segments, url), own);
    const run = (): Reply => {
      sessions.authenticate(request.headers.authorization);
      const headers = limit.count();
      const reply = answered(() => {
        if (call === undefined) throw notFound();
        return call.run();
      });
      return { ...reply, headers: { ...reply.headers, ...headers } };
    };
    return { route: call?.route, run };
  }

  return { world, sessions, limit, actors: openActors(world), prepare };
}

/** What every org has before anybody works in it. */
function furnish(store: Store, { stages, users, recordTypes, isSandbox }: SalesforceSandboxOptions): void {
  store.insert("Organization", { Name: "Example Sales", IsSandbox: isSandbox, InstanceName: "EU42" });
  for (const { email, name, active } of users) store.insert("User", { Email: email, Name: name, IsActive: active });
  for (const [index, { name, closed, won }] of stages.entries()) {
    store.insert("OpportunityStage", {
      ApiName: name,
      MasterLabel: name,
      IsActive: true,
      IsClosed: closed,
      IsWon: won,
      SortOrder: index + 1,
    });
  }
  for (const { name, developerName } of [{ name: "Master", developerName: "Master" }, ...recordTypes])
    store.insert("RecordType", {
      Name: name,
      DeveloperName: developerName,
      SobjectType: "Opportunity",
      IsActive: true,
    });
}

function incomingOf(
  { method, headers, body }: SandboxRequest,
  segments: readonly string[],
  { searchParams }: URL,
): Incoming {
  return {
    method,
    segments,
    query: searchParams,
    headers,
    json() {
      if (!/^application\/json\b/i.test(headers["content-type"] ?? "")) {
        throw new Refusal(415, { message: "Content type not supported", errorCode: "UNSUPPORTED_MEDIA_TYPE" });
      }
      try {
        return JSON.parse(body) as unknown;
      } catch {
        throw bad("JSON_PARSER_ERROR", "The HTTP entity body is not JSON");
      }
    },
  };
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
