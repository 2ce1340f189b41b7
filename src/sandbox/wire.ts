/** Reaches a sandbox without a socket: for tests and simulations that own time, with the real client's promises about deadlines and what was sent. */
import type { Clock } from "../model/ports.ts";
import { type Wire, WireBroken, type WireRequest, type WireResponse } from "../model/wire.ts";
import type { Sandbox, SandboxReply } from "./sandbox.ts";

/** Spares abort() the building of an error nobody sees. */
const callIsOver = Symbol("the call is over");

export interface SandboxWireOptions {
  readonly sandbox: Pick<Sandbox, "handle">;
  readonly clock: Clock;
  /** As a destination's `reach` gives them. */
  readonly headers: Readonly<Record<string, string>>;
  /** Default 30,000, on the clock given. */
  readonly deadlineMs?: number;
  readonly beforeCall?: (budget: string, cost: number) => Promise<void>;
  readonly afterCall?: (budget: string, answer: WireResponse | undefined) => void;
}

export function wireTo(options: SandboxWireOptions): Wire {
  const { sandbox, clock, headers, deadlineMs = 30_000, beforeCall, afterCall } = options;

  async function exchanged(request: WireRequest): Promise<WireResponse> {
    const body =
      request.body === undefined ? "" : typeof request.body === "string" ? request.body : JSON.stringify(request.body);
    const type: Record<string, string> = body === "" ? {} : { "content-type": "application/json" };
    const all = { ...type, ...headers, ...request.headers };
    const reply = await inTime(
      sandbox.handle({ method: request.method, path: request.path, headers: lower(all), body }),
      clock,
      deadlineMs,
    );
    if ("drop" in reply)
      throw new WireBroken("the connection failed (ECONNRESET); the request was or may have been sent", true);
    return responseOf(reply);
  }

  return {
    async request(request) {
      const budget = request.budget ?? "default";
      await beforeCall?.(budget, request.cost ?? 1);
      let heard: WireResponse | undefined;
      try {
        heard = await exchanged(request);
        return heard;
      } finally {
        afterCall?.(budget, heard);
      }
    },
  };
}

function responseOf({ status, headers, body }: Exclude<SandboxReply, { drop: true }>): WireResponse {
  return { status, headers: lower(headers), text: body, json: parsed(body) };
}

function parsed(text: string): unknown {
  try {
    return text === "" ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}

function lower(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** The answer, or a break at the deadline; the sandbox goes on with what it does, as a server would. */
async function inTime(answer: Promise<SandboxReply>, clock: Clock, deadlineMs: number): Promise<SandboxReply> {
  const done = new AbortController();
  try {
    const late = clock.sleep(deadlineMs, done.signal).then((): never => {
      throw new WireBroken(`no whole answer within ${deadlineMs} ms; the request was or may have been sent`, true);
    });
    // When the answer wins, sleep ends at once and its outcome is of no interest.
    late.catch(() => undefined);
    return await Promise.race([answer, late]);
  } finally {
    done.abort(callIsOver);
  }
}
