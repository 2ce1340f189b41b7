/** One token asked for at the vendor's endpoint, and what came of it. */
import { type Failure, Refused } from "../../model/outcome.ts";
import type { Clock, Log } from "../../model/ports.ts";
import type { Grant, Token } from "../../model/tokens.ts";
import { type Wire, WireBroken, type WireResponse } from "../../model/wire.ts";
import { clockAheadMs, readAnswer } from "./answer.ts";
import { type Ask, askOf } from "./ask.ts";

export interface Endpoint {
  readonly account: string;
  readonly grant: Grant;
  readonly wire: Wire;
  readonly clock: Clock;
  readonly log: Log;
  readonly lifeMs?: number;
  readonly keep?: readonly string[];
  readonly means?: (answer: WireResponse, now: number) => Failure | undefined;
}

export interface Given {
  readonly kind: "token";
  readonly token: Token;
  /** Epoch ms: when the request left. */
  readonly asked: number;
}
export type Got = Given | { readonly kind: "refused"; readonly failure: Failure };

interface Refusal {
  readonly kind: "refused";
  readonly failure: Failure;
  readonly aheadMs: number;
}

/** Clocks of machines that are kept in time differ by less. */
const clockErrorMs = 30_000;

/** `refreshToken`: the newest that is known, for a grant that goes by one. */
export async function askEndpoint(endpoint: Endpoint, refreshToken: string | undefined): Promise<Got> {
  const first = await askAt(endpoint, refreshToken, 0);
  if (first.kind === "token" || endpoint.grant.kind !== "jwt_bearer" || first.failure.kind !== "blocked") return first;
  // An assertion from a clock that is off is refused like a wrong one: once more, by the endpoint's own time.
  const { aheadMs } = first;
  if (Math.abs(aheadMs) < clockErrorMs) return first;
  const seconds = Math.round(aheadMs / 1_000);
  endpoint.log.warn({ account: endpoint.account, seconds }, "this machine's clock is off by so much; set it");
  return await askAt(endpoint, refreshToken, aheadMs);
}

async function askAt(endpoint: Endpoint, refreshToken: string | undefined, aheadMs: number): Promise<Given | Refusal> {
  const { account, grant, wire, clock, lifeMs, keep } = endpoint;
  const asked = clock.now();
  let ask: Ask | undefined;
  try {
    ask = askOf(grant, refreshToken, asked + aheadMs);
  } catch (error) {
    // Only an assertion can fail to be made. What the key's reader says of it may cite the key.
    const reason = `the assertion for ${account} could not be signed: look at the private key`;
    throw new Refused({ kind: "blocked", reason }, { cause: error });
  }
  if (ask === undefined) {
    const reason = `nobody has signed in for ${account} yet, or the sign-in was removed: run mailwright init`;
    return refused({ kind: "blocked", reason });
  }
  try {
    const answer = await wire.request(ask.request);
    const now = clock.now();
    const failure = endpoint.means?.(answer, now);
    if (failure !== undefined) return refused(failure, clockAheadMs(answer, now));
    const read = readAnswer(answer, { account, asked, now, secrets: ask.secrets, lifeMs, keep });
    return read.kind === "token" ? { ...read, asked } : refused(read.failure, clockAheadMs(answer, now));
  } catch (error) {
    if (error instanceof Refused) return refused(error.failure);
    if (!(error instanceof WireBroken)) throw error;
    return refused({ kind: "retryable", reason: `the token endpoint of ${account} gave no answer: ${error.message}` });
  }
}

const refused = (failure: Failure, aheadMs = 0): Refusal => ({ kind: "refused", failure, aheadMs });
