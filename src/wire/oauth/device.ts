/** The device flow: a code is shown here, a person enters it in any browser, and this end asks until that is done. */
import { z } from "zod";
import { type Failure, Refused } from "../../model/outcome.ts";
import type { Clock } from "../../model/ports.ts";
import type { Token } from "../../model/tokens.ts";
import { type Wire, WireBroken, type WireResponse } from "../../model/wire.ts";
import { readAnswer, sayable } from "./answer.ts";
import { formRequest } from "./ask.ts";

export interface DeviceClient {
  /** Names the account in sentences. */
  readonly account: string;
  /** To the origin of both. */
  readonly wire: Wire;
  readonly deviceUrl: string;
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly scope: string;
  readonly clock: Clock;
}

/** What is shown to the person. */
export interface DeviceCode {
  readonly userCode: string;
  readonly page: string;
  /** Epoch ms. */
  readonly expiresAt: number;
  readonly deviceCode: string;
  readonly intervalMs: number;
}

const second = 1_000;
const longest = 200;

/** RFC 8628 §3.2. A page that is no web address is not shown to anybody. */
const codeSchema = z.object({
  device_code: z.string().min(1).max(8_000),
  user_code: z
    .string()
    .regex(/^[\x21-\x7e ]+$/)
    .max(longest),
  verification_uri: z
    .url({ protocol: /^https?$/ })
    .max(longest)
    .optional(),
  /** What some called it before the RFC was done (Google). */
  verification_url: z
    .url({ protocol: /^https?$/ })
    .max(longest)
    .optional(),
  expires_in: z.coerce.number().min(1).max(86_400),
  interval: z.coerce.number().min(0).max(600).optional(),
});
const errorSchema = z.object({ error: z.string() });

/** Throws Refused. */
export async function beginDevice({
  account,
  wire,
  deviceUrl,
  clientId,
  scope,
  clock,
}: DeviceClient): Promise<DeviceCode> {
  const form = new URLSearchParams({ client_id: clientId, scope });
  const asked = clock.now();
  const answer = await exchange(account, () => wire.request(formRequest(deviceUrl, form)));
  const code = codeSchema.safeParse(answer.json);
  const page = code.data?.verification_uri ?? code.data?.verification_url;
  if (!code.success || page === undefined || answer.status >= 300)
    throw new Refused(refusalOf(account, answer, clock.now()));
  const { user_code, device_code, expires_in, interval = 5 } = code.data;
  return {
    userCode: user_code,
    page,
    expiresAt: asked + expires_in * second,
    deviceCode: device_code,
    // Nobody needs an answer faster than that, whatever the endpoint allows.
    intervalMs: Math.max(1, interval) * second,
  };
}

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code";

/** RFC 8628 §3.4 and §3.5: asked at the interval given, slower when told so. Throws Refused when the person said no or the code ran out. */
export async function awaitDevice(client: DeviceClient, code: DeviceCode, stop?: AbortSignal): Promise<Token> {
  const { account, wire, tokenUrl, clientId, clock } = client;
  const form = new URLSearchParams({ grant_type: deviceGrant, device_code: code.deviceCode, client_id: clientId });
  let interval = code.intervalMs;
  for (;;) {
    await clock.sleep(interval, stop);
    if (stop?.aborted === true) throw new Refused({ kind: "retryable", reason: "the sign-in was broken off" });
    const asked = clock.now();
    if (asked >= code.expiresAt)
      throw new Refused({ kind: "blocked", reason: `the code for ${account} was not entered in time` });
    let answer: WireResponse;
    try {
      answer = await wire.request(formRequest(tokenUrl, form));
    } catch (error) {
      if (!(error instanceof WireBroken)) throw error;
      // RFC 8628 §3.5: a connection that times out asks for patience.
      interval = Math.min(interval * 2, 60 * second);
      continue;
    }
    const now = clock.now();
    const read = readAnswer(answer, { account, asked, now, secrets: [code.deviceCode] });
    if (read.kind === "token") return read.token;
    const error = errorSchema.safeParse(answer.json).data?.error;
    if (error === "slow_down") interval += 5 * second;
    if (error === "authorization_pending" || error === "slow_down") continue;
    if (error === "expired_token" || error === "access_denied" || error === "authorization_declined")
      throw new Refused({ kind: "blocked", reason: `nobody signed in for ${account}: ${sayable(error, [], 60)}` });
    if (read.failure.kind === "blocked") throw new Refused(read.failure);
    if (read.failure.kind === "rate_limited") interval = Math.max(interval, read.failure.until - now);
  }
}

async function exchange(account: string, ask: () => Promise<WireResponse>): Promise<WireResponse> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof WireBroken)) throw error;
    throw new Refused(
      { kind: "retryable", reason: `the sign-in of ${account} gave no answer: ${error.message}` },
      { cause: error },
    );
  }
}

function refusalOf(account: string, answer: WireResponse, now: number): Failure {
  const read = readAnswer(answer, { account, asked: now, now, secrets: [] });
  if (read.kind === "refused") return read.failure;
  return {
    kind: "blocked",
    reason: `the sign-in of ${account} answered with something that is no code: look at the device endpoint`,
  };
}
