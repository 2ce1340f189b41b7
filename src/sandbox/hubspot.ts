/**
 * A HubSpot account in one object: stateful, strict, as nasty as the real one can be, and deterministic. It owns no timer and no socket:
 * time and chance come in, requests are handed in. What is documented, observed or guessed: FIDELITY.md.
 */
import type { Clock, Random } from "../model/ports.ts";
import { edgePage, fixedRandom, openFrame, type Prepared } from "./frame.ts";
import { type Actors, openActors } from "./hubspot/actors.ts";
import { openTokens } from "./hubspot/auth.ts";
import { openInstant } from "./hubspot/instant.ts";
import { openLimits } from "./hubspot/limits.ts";
import type { World } from "./hubspot/objects.ts";
import { defaultOptions, type HubspotSandboxOptions, sandboxToken } from "./hubspot/options.ts";
import { prepareProperties } from "./hubspot/prepare.ts";
import { errorReply, notFound, Refusal, validation } from "./hubspot/reply.ts";
import { callOf, type Incoming } from "./hubspot/routes.ts";
import { openSchema } from "./hubspot/schema.ts";
import { type SandboxState, stateOf, tablesOf } from "./hubspot/state.ts";
import { openStore } from "./hubspot/store.ts";
import type { Reply, Sandbox, SandboxRequest, SandboxVendor } from "./sandbox.ts";

export type { FaultPlan } from "./faults.ts";
export { allScopes, type HubspotSandboxOptions, sandboxToken } from "./hubspot/options.ts";
export type { SandboxState } from "./hubspot/state.ts";

export interface HubspotSandbox extends Sandbox {
  state(): SandboxState;
  readonly actors: Actors;
  /** A token stops working: revoked or rotated. */
  revoke(token: string): void;
}

export interface SandboxPorts {
  readonly clock: Clock;
  readonly random?: Pick<Random, "unit">;
  readonly options?: Partial<HubspotSandboxOptions>;
}

export function createHubspotSandbox(ports: SandboxPorts): HubspotSandbox {
  const options = { ...defaultOptions, ...ports.options };
  if (options.instant) return openInstant(options);
  const random = ports.random ?? fixedRandom();
  const state = ({ world }: Account, calls: number, held: number): SandboxState =>
    stateOf(world.store, options.portalId, calls, held);
  const frame = openFrame<Account>({
    clock: ports.clock,
    random,
    open: () => openAccount({ clock: ports.clock, random }, options),
    prepare: (account, request) => account.prepare(request),
    answer: answered,
    edge: edgePage,
    refusal: (status, headers) =>
      errorReply(new Refusal(status, { message: `planned ${status}` }, headers), "sandbox-planned"),
    state,
    tables: (account) => tablesOf(state(account, 0, 0)),
  });
  return {
    ...frame,
    // What the frame's `state` above answers.
    state: () => frame.state() as SandboxState,
    get actors() {
      return frame.account().actors;
    },
    revoke: (token) => frame.account().tokens.revoke(token),
  };
}

function answered(run: () => Reply, number: number): Reply {
  const correlationId = `sandbox-${number}`;
  try {
    const reply = run();
    return { ...reply, headers: { ...reply.headers, "x-hubspot-correlation-id": correlationId } };
  } catch (error) {
    if (error instanceof Refusal) return errorReply(error, correlationId);
    throw error;
  }
}

export const hubspotVendor: SandboxVendor = {
  name: "hubspot",
  title: "HubSpot",
  about: "A HubSpot account: strict, stateful, and as nasty as the real one can be.",
  open: ({ clock, prepared }) => createHubspotSandbox({ clock, options: { prepared } }),
  entry: (url) => `base_url: "${url}", token: "${sandboxToken}"`,
};

interface Account {
  readonly world: World;
  readonly tokens: ReturnType<typeof openTokens>;
  readonly actors: Actors;
  prepare(request: SandboxRequest): Prepared;
}

function openAccount(
  { clock, random }: Required<Omit<SandboxPorts, "options">>,
  options: HubspotSandboxOptions,
): Account {
  const schema = openSchema(options);
  const store = openStore({ clock, random, options, schema });
  const world: World = { store, schema, options };
  const tokens = openTokens(options, clock);
  const limits = openLimits(options, clock);
  if (options.prepared) prepareProperties(world);

  return {
    world,
    tokens,
    actors: openActors(world),
    prepare(request) {
      if (request.method === "POST" && /^\/oauth\/(2026-03|v3)\/token$/.test(request.path)) {
        return { route: undefined, run: () => tokens.refresh(request.body) };
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
      return { route: call?.route, run };
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
