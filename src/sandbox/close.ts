/**
 * A Close organization in one object: stateful, strict, as nasty as the real one can be, and deterministic. It owns no timer and no socket:
 * time and chance come in, requests are handed in. What is documented, observed or guessed: FIDELITY.md.
 */
import type { Clock, Random } from "../model/ports.ts";
import { type Actors, openActors } from "./close/actors.ts";
import { openLimits } from "./close/limits.ts";
import { type CloseSandboxOptions, defaultOptions, preparedFields, sandboxKey } from "./close/options.ts";
import { badRequest, errorReply, notFound, Refusal } from "./close/reply.ts";
import { callOf, type Incoming } from "./close/routes.ts";
import { type Fields, type ObjectName, objects, openStore } from "./close/store.ts";
import { addField, shown, type World } from "./close/world.ts";
import { edgePage, fixedRandom, openFrame, type Prepared } from "./frame.ts";
import type { Reply, Sandbox, SandboxRequest, SandboxVendor } from "./sandbox.ts";

export { type CloseSandboxOptions, sandboxKey } from "./close/options.ts";

export type RecordDump = Readonly<Fields & { id: string }>;

export interface CloseState {
  readonly organizationId: string;
  readonly calls: number;
  /** Answers held back now. */
  readonly held: number;
  /** How often mail would really have been sent: anything but 0 is a fault of whoever called. */
  readonly realMail: number;
  readonly leads: readonly RecordDump[];
  readonly contacts: readonly RecordDump[];
  readonly opportunities: readonly RecordDump[];
  readonly emails: readonly RecordDump[];
}

export interface CloseSandbox extends Sandbox {
  state(): CloseState;
  readonly actors: Actors;
  /** A key stops working. */
  revoke(key: string): void;
}

export interface SandboxPorts {
  readonly clock: Clock;
  readonly random?: Pick<Random, "unit">;
  readonly options?: Partial<CloseSandboxOptions>;
}

export function createCloseSandbox(ports: SandboxPorts): CloseSandbox {
  const options = { ...defaultOptions, ...ports.options };
  const random = ports.random ?? fixedRandom();
  const { clock } = ports;
  const frame = openFrame<Account>({
    clock,
    random,
    open: () => openAccount({ clock, random }, options),
    prepare: (account, request) => account.prepare(request),
    answer: answered,
    edge: edgePage,
    refusal: (status, headers) =>
      errorReply(new Refusal(status, status === 429 ? undefined : { error: `planned ${status}` }, headers)),
    state: stateOf,
    tables: ({ world }) => objects.map((object) => ({ name: names[object], rows: dumps(world, object).map(flat) })),
  });
  return {
    ...frame,
    // What the frame's `state` above answers.
    state: () => frame.state() as CloseState,
    get actors() {
      return frame.account().actors;
    },
    revoke: (key) => void frame.account().keys.delete(key),
  };
}

export const closeVendor: SandboxVendor = {
  name: "close",
  title: "Close",
  about:
    "A Close organization: leads, contacts, opportunities and logged e-mails. It notices when mail would really be sent.",
  open: ({ clock, prepared }) => createCloseSandbox({ clock, options: { prepared } }),
  entry: (url) => `base_url: "${url}", api_key: "${sandboxKey}"`,
};

const names = { lead: "leads", contact: "contacts", opportunity: "opportunities", email: "emails" } as const;

function answered(run: () => Reply): Reply {
  try {
    return run();
  } catch (error) {
    if (error instanceof Refusal) return errorReply(error);
    throw error;
  }
}

const dumps = (world: World, object: ObjectName): RecordDump[] =>
  world.store.all(object).map((record) => ({ ...shown(world, record), id: record.id }));

const flat = (record: RecordDump): Record<string, string> =>
  Object.fromEntries(
    Object.entries(record).map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]),
  );

function stateOf({ world }: Account, calls: number, held: number): CloseState {
  return {
    organizationId: world.options.organizationId,
    calls,
    held,
    realMail: world.realMail,
    leads: dumps(world, "lead"),
    contacts: dumps(world, "contact"),
    opportunities: dumps(world, "opportunity"),
    emails: dumps(world, "email"),
  };
}

interface Account {
  readonly world: World;
  readonly keys: Set<string>;
  readonly actors: Actors;
  prepare(request: SandboxRequest): Prepared;
}

const root = "/api/v1/";

function openAccount(
  { clock, random }: Required<Omit<SandboxPorts, "options">>,
  options: CloseSandboxOptions,
): Account {
  const store = openStore({ clock, random, options });
  const world: World = { options, clock, store, customFields: new Map(), realMail: 0 };
  if (options.prepared)
    for (const [object, names] of Object.entries(preparedFields))
      for (const name of names) addField(world, object as keyof typeof preparedFields, name, "text");
  const keys = new Set(options.keys);
  const limits = openLimits(options, clock);

  return {
    world,
    keys,
    actors: openActors(world),
    prepare(request) {
      const url = new URL(request.path, "http://sandbox.invalid");
      if (!url.pathname.endsWith("/")) return { route: undefined, run: () => unslashed(url, options) };
      const call = url.pathname.startsWith(root) ? callOf(incomingOf(request, url), world) : undefined;
      const run = (): Reply => {
        const key = keyOf(request.headers.authorization);
        if (key === undefined || !keys.has(key)) throw new Refusal(401, { error: "The API key is not valid." });
        if (call === undefined) throw notFound();
        const headers = limits.count(key, call.route);
        if (options.overPlan.includes(call.route))
          throw new Refusal(402, { error: "Your plan's limit is reached." }, headers);
        if (options.forbidden.includes(call.route))
          throw new Refusal(403, { error: "You do not have this permission." }, headers);
        try {
          const reply = call.run();
          return { ...reply, headers: { ...reply.headers, ...headers } };
        } catch (error) {
          if (error instanceof Refusal) throw new Refusal(error.status, error.body, { ...headers, ...error.headers });
          throw error;
        }
      };
      return { route: call?.route, run };
    },
  };
}

function unslashed(url: URL, { withoutSlash }: CloseSandboxOptions): Reply {
  if (withoutSlash === "missing") throw notFound();
  return { status: 301, headers: { location: `${url.pathname}/${url.search}` }, body: "" };
}

/** HTTP Basic with the key as user and an empty password. */
function keyOf(authorization: string | undefined): string | undefined {
  const encoded = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(authorization ?? "")?.[1];
  const [key, password] = Buffer.from(encoded ?? "", "base64")
    .toString("utf8")
    .split(":");
  return password === "" ? key : undefined;
}

function incomingOf({ method, headers, body }: SandboxRequest, url: URL): Incoming {
  return {
    method,
    segments: url.pathname.slice(root.length).split("/").filter(Boolean).map(decodeURIComponent),
    query: url.searchParams,
    json() {
      if (!/^application\/json\b/i.test(headers["content-type"] ?? ""))
        throw new Refusal(415, { error: "JSON is required." });
      try {
        return JSON.parse(body) as unknown;
      } catch {
        throw badRequest("The body is not JSON.");
      }
    },
  };
}
