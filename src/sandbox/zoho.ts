/**
 * A Zoho CRM organisation and its accounts server in one object: stateful, strict, as nasty as the real one can be, and deterministic. It owns
 * no timer and no socket: time and chance come in, requests are handed in. What is documented, observed or guessed: FIDELITY.md.
 */
import type { Clock, Random } from "../model/ports.ts";
import { edgePage, fixedRandom, openFrame, type Prepared } from "./frame.ts";
import type { Reply, Sandbox, SandboxReply, SandboxRequest, SandboxVendor } from "./sandbox.ts";
import { type Actors, openActors } from "./zoho/actors.ts";
import { openTokens, type Tokens } from "./zoho/auth.ts";
import { openMails } from "./zoho/emails.ts";
import { openLimits, type RateLimits } from "./zoho/limits.ts";
import { defaultOptions, sandboxClient, type ZohoSandboxOptions } from "./zoho/options.ts";
import type { World } from "./zoho/records.ts";
import { errorReply, invalidUrl, Refusal, refused } from "./zoho/reply.ts";
import { type Call, callOf, type Incoming } from "./zoho/routes.ts";
import { openSchema } from "./zoho/schema.ts";
import { type SandboxState, stateOf, tablesOf } from "./zoho/state.ts";
import { openStore } from "./zoho/store.ts";

export { allScopes, sandboxClient, type ZohoSandboxOptions } from "./zoho/options.ts";

export interface ZohoSandbox extends Sandbox {
  state(): SandboxState;
  readonly actors: Actors;
  readonly tokens: Pick<Tokens, "revoke" | "expireAll" | "issued">;
}

export interface ZohoSandboxPorts {
  readonly clock: Clock;
  readonly random?: Pick<Random, "unit">;
  readonly options?: Partial<ZohoSandboxOptions>;
}

export function createZohoSandbox({ clock, random = fixedRandom(), ...ports }: ZohoSandboxPorts): ZohoSandbox {
  const options = { ...defaultOptions, ...ports.options };
  const state = ({ world, limits }: Organisation, calls: number, held: number): SandboxState =>
    stateOf(world, { calls, held, credits: limits.spent });
  let last: SandboxState | undefined;
  const frame = openFrame<Organisation>({
    clock,
    random,
    open: () => openOrganisation({ clock, random }, options),
    prepare: (organisation, request) => organisation.prepare(request),
    answer: answered,
    edge: edgePage,
    refusal: (status, headers) => {
      const { body } = errorReply(refused(status, codes[status] ?? "INVALID_DATA", `planned ${status}`));
      return { status, headers: { "content-type": "application/json", ...headers }, body };
    },
    state: (organisation, calls, held) => {
      last = state(organisation, calls, held);
      return last;
    },
    tables: (organisation) => tablesOf(state(organisation, 0, 0)),
  });
  return {
    ...frame,
    handle: (request) => flown(frame.account().limits, request, frame.handle),
    state() {
      frame.state();
      if (last === undefined) throw new Error("the frame asks for the state when it is asked for it");
      return last;
    },
    get actors() {
      return frame.account().actors;
    },
    get tokens() {
      return frame.account().tokens;
    },
  };
}

const codes: Readonly<Record<number, string>> = {
  401: "INVALID_TOKEN",
  403: "NO_PERMISSION",
  429: "TOO_MANY_REQUESTS",
};

function answered(run: () => Reply): Reply {
  try {
    return run();
  } catch (error) {
    if (error instanceof Refusal) return errorReply(error);
    throw error;
  }
}

/** Calls in flight count against a limit of their own; those to the accounts server do not. */
async function flown(
  limits: RateLimits,
  request: SandboxRequest,
  handle: (request: SandboxRequest) => Promise<SandboxReply>,
): Promise<SandboxReply> {
  if (!request.path.startsWith("/crm/")) return await handle(request);
  let leave: () => void;
  try {
    leave = limits.enter();
  } catch (error) {
    if (error instanceof Refusal) return errorReply(error);
    throw error;
  }
  try {
    return await handle(request);
  } finally {
    leave();
  }
}

export const zohoVendor: SandboxVendor = {
  name: "zoho",
  title: "Zoho CRM",
  about: "A Zoho CRM organisation and its accounts server: strict, stateful, and as nasty as the real ones can be.",
  open: ({ clock, prepared }) => createZohoSandbox({ clock, options: { prepared } }),
  entry: (url) =>
    [`base_url: "${url}"`, ...Object.entries(sandboxClient).map(([name, value]) => `${name}: "${value}"`)].join(", "),
};

interface Organisation {
  readonly world: World;
  readonly tokens: Tokens;
  readonly limits: RateLimits;
  readonly actors: Actors;
  prepare(request: SandboxRequest): Prepared;
}

function openOrganisation(
  { clock, random }: Required<Omit<ZohoSandboxPorts, "options">>,
  options: ZohoSandboxOptions,
): Organisation {
  const schema = openSchema(options);
  const store = openStore({ clock, random, options, schema });
  const world: World = { store, schema, options, clock, mails: openMails(options) };
  const tokens = openTokens(options, clock);
  const limits = openLimits(options, clock);

  function called(call: Call | undefined, authorization: string | undefined, named: string): Reply {
    tokens.authenticate(authorization);
    if (call === undefined) throw invalidUrl();
    tokens.require(call.scopes, call.operation);
    limits.spend(call.credits);
    // In the path or as a lookup: whoever names what they are not shown is refused.
    for (const id of store.hidden)
      if (named.includes(id))
        throw refused(403, "NO_PERMISSION", "permission denied", { permissions: ["Crm_Implied_View"] });
    return call.run(tokens.require);
  }

  return {
    world,
    tokens,
    limits,
    actors: openActors(world),
    prepare({ method, path, headers, body }) {
      const url = new URL(path, "http://sandbox.invalid");
      if (method === "POST" && url.pathname === "/oauth/v2/token")
        return { route: "token.refresh", run: () => tokens.refresh(body, url.searchParams, headers.host) };
      const call = callOf(incomingOf(method, url, headers["content-type"], body), world);
      return { route: call?.route, run: () => called(call, headers.authorization, path + body) };
    },
  };
}

function incomingOf(method: string, url: URL, contentType: string | undefined, body: string): Incoming {
  return {
    method,
    segments: url.pathname.split("/").filter(Boolean).map(decodeSegment),
    query: url.searchParams,
    json() {
      if (!/^application\/json\b/i.test(contentType ?? ""))
        throw refused(415, "UNSUPPORTED_MEDIA_TYPE", "application/json is required");
      try {
        return JSON.parse(body) as unknown;
      } catch {
        throw refused(400, "INVALID_DATA", "body is not in a valid JSON format");
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
