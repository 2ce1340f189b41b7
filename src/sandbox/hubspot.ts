/**
 * A HubSpot account in one object: stateful, strict, as nasty as the real one can be, and deterministic. It owns no timer and no socket:
 * time and chance come in, requests are handed in. What is documented, observed or guessed: FIDELITY.md.
 */
import type { Clock, Random } from "../model/ports.ts";
import { type Fault, type FaultPlan, openFaults } from "./faults.ts";
import { openHeld } from "./held.ts";
import { type Actors, openActors } from "./hubspot/actors.ts";
import { openTokens } from "./hubspot/auth.ts";
import { openInstant } from "./hubspot/instant.ts";
import { openLimits } from "./hubspot/limits.ts";
import type { World } from "./hubspot/objects.ts";
import { defaultOptions, type HubspotSandboxOptions } from "./hubspot/options.ts";
import { prepareProperties } from "./hubspot/prepare.ts";
import { type Dropped, edgePage, errorReply, notFound, ok, Refusal, type Reply, validation } from "./hubspot/reply.ts";
import { type Call, callOf, type Incoming } from "./hubspot/routes.ts";
import { openSchema } from "./hubspot/schema.ts";
import { type SandboxState, stateOf } from "./hubspot/state.ts";
import { openStore } from "./hubspot/store.ts";

export type { FaultPlan } from "./faults.ts";
export { allScopes, type HubspotSandboxOptions, sandboxToken } from "./hubspot/options.ts";
export type { SandboxState } from "./hubspot/state.ts";

export interface SandboxRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}
export type SandboxReply = Reply | Dropped;

export interface LoggedCall {
  readonly at: number;
  readonly route: string;
  readonly method: string;
  readonly path: string;
  /** What was answered; null when the connection was dropped. */
  readonly status: number | null;
  readonly fault: string | undefined;
}

/** A stateful vendor server without a socket; server.ts puts it behind one. */
export interface Sandbox {
  handle(request: SandboxRequest): Promise<SandboxReply>;
  state(): object;
  readonly faults: { plan(plan: FaultPlan): void; clear(): void };
  /** Lets every held answer go. Answers how many there were. */
  release(): number;
  /** Resolves when this many answers are held. */
  whenHeld(count: number): Promise<void>;
  /** As new. */
  reset(): void;
}

export interface HubspotSandbox extends Sandbox {
  state(): SandboxState;
  readonly actors: Actors;
  /** A token stops working: revoked or rotated. */
  revoke(token: string): void;
  /** The last calls, oldest first. */
  readonly log: readonly LoggedCall[];
}

export interface SandboxPorts {
  readonly clock: Clock;
  readonly random?: Pick<Random, "unit">;
  readonly options?: Partial<HubspotSandboxOptions>;
}

const maxLog = 10_000;

export function createHubspotSandbox(ports: SandboxPorts): HubspotSandbox {
  const options = { ...defaultOptions, ...ports.options };
  if (options.instant) return openInstant(options);
  let account = openAccount(ports, options);
  const held = openHeld();
  const log: LoggedCall[] = [];
  let calls = 0;

  /** Faults come first, so that a plan counts calls and not what limits let through. */
  async function handle(request: SandboxRequest): Promise<SandboxReply> {
    calls++;
    const correlationId = `sandbox-${calls}`;
    const { call, run } = account.prepare(request);
    const fault = call === undefined ? undefined : account.faults.next(call.route);
    const reply = await meet(fault, () => answered(run, correlationId));
    log.push({
      at: ports.clock.now(),
      route: call?.route ?? "unknown",
      method: request.method,
      path: request.path,
      status: "drop" in reply ? null : reply.status,
      fault: fault?.kind,
    });
    if (log.length > maxLog) log.splice(0, maxLog / 2);
    return reply;
  }

  function answered(run: () => Reply, correlationId: string): Reply {
    try {
      const reply = run();
      return { ...reply, headers: { ...reply.headers, "x-hubspot-correlation-id": correlationId } };
    } catch (error) {
      if (error instanceof Refusal) return errorReply(error, correlationId);
      throw error;
    }
  }

  async function meet(fault: Fault | undefined, commit: () => Reply): Promise<SandboxReply> {
    switch (fault?.kind) {
      case undefined:
        return commit();
      case "drop":
        return { drop: true };
      case "commit_then_drop":
        commit();
        return { drop: true };
      case "commit_then_status":
        commit();
        return edgePage(fault.status);
      case "commit_then_truncate":
        return truncated(commit());
      case "commit_then_hang": {
        const reply = commit();
        await held.wait();
        return reply;
      }
      case "hang":
        await held.wait();
        return commit();
      case "slow_commit":
        await ports.clock.sleep(fault.ms);
        return commit();
      case "slow_answer": {
        const reply = commit();
        await ports.clock.sleep(fault.ms);
        return reply;
      }
      case "status":
        return plannedStatus(fault);
      default:
        return fault satisfies never;
    }
  }

  return {
    handle,
    state: () => stateOf(account.world.store, options.portalId, calls, held.count()),
    get faults() {
      return account.faults;
    },
    get actors() {
      return account.actors;
    },
    revoke: (token) => account.tokens.revoke(token),
    log,
    release: held.release,
    whenHeld: held.whenHeld,
    reset() {
      held.release();
      account = openAccount(ports, options);
      log.length = 0;
      calls = 0;
    },
  };
}

function truncated(reply: Reply): Reply {
  return { ...reply, body: reply.body.slice(0, Math.floor(reply.body.length / 2)) };
}

function plannedStatus({ status, headers, body }: Extract<Fault, { kind: "status" }>): Reply {
  if (typeof body === "string") return { status, headers, body };
  if (body !== undefined) return { ...ok(status, body), headers: { "content-type": "application/json", ...headers } };
  if (status >= 500) return { ...edgePage(status), headers: { "content-type": "text/html", ...headers } };
  return errorReply(new Refusal(status, { message: `planned ${status}` }, headers), "sandbox-planned");
}

interface Account {
  readonly world: World;
  readonly faults: ReturnType<typeof openFaults>;
  readonly tokens: ReturnType<typeof openTokens>;
  readonly actors: Actors;
  /** Which call this is, and the doing of it with all its checks. */
  prepare(request: SandboxRequest): { call: Call | undefined; run: () => Reply };
}

function openAccount({ clock, random = fixedRandom() }: SandboxPorts, options: HubspotSandboxOptions): Account {
  const schema = openSchema(options);
  const store = openStore({ clock, random, options, schema });
  const world: World = { store, schema, options };
  const tokens = openTokens(options, clock);
  const limits = openLimits(options, clock);
  if (options.prepared) prepareProperties(world);

  return {
    world,
    tokens,
    faults: openFaults(random),
    actors: openActors(world),
    prepare(request) {
      if (request.method === "POST" && /^\/oauth\/(2026-03|v3)\/token$/.test(request.path)) {
        return { call: undefined, run: () => tokens.refresh(request.body) };
      }
      const call = callOf(incomingOf(request), world);
      const run = (): Reply => {
        const token = tokens.authenticate(request.headers.authorization);
        if (call === undefined) throw notFound();
        const headers = limits.count(token, call.limit);
        tokens.require(token, call.scopes);
        const reply = call.run();
        return { ...reply, headers: { ...reply.headers, ...headers } };
      };
      return { call, run };
    },
  };
}

function incomingOf({ method, path, headers, body }: SandboxRequest): Incoming {
  const url = new URL(path, "http://sandbox.invalid");
  return {
    method,
    segments: url.pathname.split("/").filter(Boolean).map(decodeSegment),
    query: url.searchParams,
    bodyChars: body.length,
    json() {
      if (!/^application\/json\b/i.test(headers["content-type"] ?? "")) {
        throw new Refusal(415, { message: "Unsupported media type: application/json is required" });
      }
      try {
        return JSON.parse(body) as unknown;
      } catch {
        throw validation("Invalid input JSON");
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

/** The same chances on every run (a 32-bit linear congruence), where no source of chance is handed in. */
function fixedRandom(): Pick<Random, "unit"> {
  let state = 0x2545f491;
  return {
    unit() {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    },
  };
}
