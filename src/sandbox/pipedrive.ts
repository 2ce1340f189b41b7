/**
 * A Pipedrive company in one object: stateful, strict, as nasty as the real one can be, and deterministic. It owns no timer and no socket:
 * time and chance come in, requests are handed in. What is documented, observed or guessed: FIDELITY.md.
 */
import type { Clock, Random } from "../model/ports.ts";
import { edgePage, fixedRandom, openFrame, type Prepared } from "./frame.ts";
import { type Actors, openActors } from "./pipedrive/actors.ts";
import { type Grants, openGrants } from "./pipedrive/auth.ts";
import { openLimits, type RateLimits } from "./pipedrive/limits.ts";
import { defaultOptions, type PipedriveSandboxOptions, sandboxToken } from "./pipedrive/options.ts";
import { prepareFields } from "./pipedrive/prepare.ts";
import { EdgeRefusal, errorReply, invalid, Refusal } from "./pipedrive/reply.ts";
import { callOf, type Incoming } from "./pipedrive/routes.ts";
import { openSchema } from "./pipedrive/schema.ts";
import { type SandboxState, stateOf, tablesOf } from "./pipedrive/state.ts";
import { openStore } from "./pipedrive/store.ts";
import { stagesOf, userOf, type World } from "./pipedrive/world.ts";
import type { Reply, Sandbox, SandboxRequest, SandboxVendor } from "./sandbox.ts";

export { defaultOptions, type PipedriveSandboxOptions, sandboxApp, sandboxToken } from "./pipedrive/options.ts";
export type { SandboxState } from "./pipedrive/state.ts";

export interface PipedriveSandbox extends Sandbox {
  state(): SandboxState;
  readonly actors: Actors;
  readonly grants: Pick<Grants, "expireAll" | "revoke" | "issued">;
  /** A token stops working: revoked or made anew. */
  revoke(token: string): void;
}

export interface SandboxPorts {
  readonly clock: Clock;
  readonly random?: Pick<Random, "unit">;
  readonly options?: Partial<PipedriveSandboxOptions>;
}

interface Account {
  readonly world: World;
  readonly actors: Actors;
  readonly limits: RateLimits;
  readonly tokens: Map<string, number>;
  readonly grants: Grants;
}

export function createPipedriveSandbox(ports: SandboxPorts): PipedriveSandbox {
  const options = { ...defaultOptions, ...ports.options };
  const { clock, random = fixedRandom() } = ports;

  function open(): Account {
    const schema = openSchema(options, random);
    const store = openStore({ clock, random, options });
    const world: World = { store, schema, options, stages: stagesOf(options) };
    if (options.prepared) prepareFields(schema);
    const tokens = new Map(Object.entries(options.tokens));
    return {
      world,
      actors: openActors(world),
      limits: openLimits(options, clock),
      tokens,
      grants: openGrants(options, clock),
    };
  }

  const frame = openFrame<Account>({
    clock,
    random,
    open,
    prepare,
    answer: answered,
    edge: edgePage,
    refusal: (status, headers) => errorReply(new Refusal(status, { error: `planned ${status}` }, headers)),
    state: ({ world, limits }, calls, held) => stateOf(world, calls, limits.used(), held),
    tables: ({ world }) => tablesOf(world),
  });
  return {
    ...frame,
    async handle(request) {
      const reply = await frame.handle(request);
      // As every server says it; whoever asks for what changed lately goes by it.
      return "drop" in reply
        ? reply
        : { ...reply, headers: { date: new Date(clock.now()).toUTCString(), ...reply.headers } };
    },
    state: () => frame.state() as SandboxState,
    get actors() {
      return frame.account().actors;
    },
    get grants() {
      return frame.account().grants;
    },
    revoke: (token) => void frame.account().tokens.delete(token),
  };
}

function prepare({ world, limits, tokens, grants }: Account, request: SandboxRequest): Prepared {
  const { authorization, host } = request.headers;
  if (request.method === "POST" && request.path === "/oauth/token")
    return { route: "token.refresh", run: () => grants.refresh(request.body, authorization, host) };
  const call = callOf(incomingOf(request), world);
  const run = (): Reply => {
    const token = request.headers["x-api-token"] ?? /^Bearer (\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
    const user = token === undefined ? undefined : (tokens.get(token) ?? grants.userOf(token));
    if (token === undefined || user === undefined)
      throw new Refusal(401, { error: "unauthorized access", errorCode: 401 });
    if (call === undefined) throw new Refusal(404, { error: "Unknown method .", errorCode: 404 });
    const headers = limits.count(token, call.kind, call.cost);
    if (call.admin && userOf(world.options, user)?.isAdmin !== true)
      throw new Refusal(403, { error: "You do not have permission to do this", code: "ERR_FORBIDDEN" }, headers);
    const reply = call.run(user);
    return { ...reply, headers: { ...reply.headers, ...headers } };
  };
  return { route: call?.route, run };
}

function answered(run: () => Reply): Reply {
  try {
    return run();
  } catch (error) {
    if (error instanceof Refusal) return errorReply(error);
    if (error instanceof EdgeRefusal) return edgePage(error.status);
    throw error;
  }
}

function incomingOf({ method, path, headers, body }: SandboxRequest): Incoming {
  const url = new URL(path, "http://sandbox.invalid");
  return {
    method,
    segments: url.pathname.split("/").filter(Boolean),
    query: url.searchParams,
    json() {
      if (!/^application\/json\b/i.test(headers["content-type"] ?? ""))
        throw new Refusal(415, { error: "Unsupported content type", errorCode: 415 });
      try {
        return JSON.parse(body) as unknown;
      } catch {
        throw invalid("Validation failed: the body is not JSON");
      }
    },
  };
}

export const pipedriveVendor: SandboxVendor = {
  name: "pipedrive",
  title: "Pipedrive",
  about: "A Pipedrive company: nothing unique, searches that lag, and tokens that run out.",
  open: ({ clock, prepared }) => createPipedriveSandbox({ clock, options: { prepared } }),
  entry: (url) => `base_url: "${url}", token: "${sandboxToken}"`,
};
