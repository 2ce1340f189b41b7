/**
 * The session on every call: made by a login, kept in memory, and made once more when Tryton does not know it any more. Tryton checks it before
 * anything else, so that a call that is refused for its session was not carried out, and goes out again also where it writes.
 */
import { z } from "zod";
import type { DestinationPorts } from "../../model/destination.ts";
import { Refused } from "../../model/outcome.ts";
import { type Wire, WireBroken, type WireResponse } from "../../model/wire.ts";
import { loginRefusal } from "./classify.ts";

export interface LoginSettings {
  readonly database: string;
  readonly user: string;
  readonly password: string;
}

export interface SignedIn extends Wire {
  /** Ends the session, if there is one: Tryton goes through all of a user's at each call. It waits no longer than a moment. */
  logout(): Promise<void>;
}

const loggedIn = z.object({ result: z.tuple([z.int(), z.string().regex(/^[\w-]{1,500}$/)]) });

/** Tryton counts wrong passwords and locks the login out for five minutes: it is not asked at every turn of the lane. */
const tryAgainMs = 60_000;
/** A daemon that is told to stop has ten seconds for everything. */
const logoutMs = 2_000;

export function signedIn(
  { user, password }: LoginSettings,
  path: string,
  { wire, clock }: Pick<DestinationPorts, "wire" | "clock">,
): SignedIn {
  let asked: Promise<string> | undefined;
  let held: string | undefined;
  let refused: { readonly error: Refused; readonly at: number } | undefined;

  async function exchange(): Promise<WireResponse> {
    const body = { id: 0, method: "common.db.login", params: [user, { password }, "en"] };
    try {
      return await wire.request({ method: "POST", path, object: "login", body });
    } catch (error) {
      // Whatever became of it, the call that needs it was not sent.
      if (!(error instanceof WireBroken)) throw error;
      const reason = `Tryton gave no answer to the login: ${error.message}`;
      throw new Refused({ kind: "retryable", reason }, { cause: error });
    }
  }

  async function login(): Promise<string> {
    if (refused !== undefined && clock.now() - refused.at < tryAgainMs) throw refused.error;
    const answer = await exchange();
    const failure = loginRefusal(answer, clock.now());
    if (failure !== undefined) {
      const error = new Refused(failure);
      if (failure.kind === "blocked") refused = { error, at: clock.now() };
      throw error;
    }
    const made = loggedIn.safeParse(answer.json).data;
    if (made === undefined)
      throw new Refused({ kind: "retryable", reason: "Tryton answered the login in a shape that is not documented" });
    const [id, key] = made.result;
    held = `Session ${Buffer.from(`${user}:${id}:${key}`).toString("base64")}`;
    return held;
  }

  /** One login at a time, however many calls wait for it. */
  async function session(): Promise<string> {
    asked ??= login().catch((error: unknown) => {
      asked = undefined;
      throw error;
    });
    return await asked;
  }

  return {
    async logout() {
      const authorization = held;
      if (authorization === undefined) return;
      asked = undefined;
      held = undefined;
      const body = { id: 0, method: "common.db.logout", params: [] };
      const request = { method: "POST", path, object: "login", headers: { authorization }, body } as const;
      const over = new AbortController();
      // What becomes of it does not matter: a session that is left ends by itself.
      const answered = wire.request(request).catch(() => undefined);
      await Promise.race([answered, clock.sleep(logoutMs, over.signal)]);
      over.abort();
    },
    async request(request) {
      const once = async (authorization: string): Promise<WireResponse> =>
        await wire.request({ ...request, headers: { ...request.headers, authorization } });
      const first = await session();
      const answer = await once(first);
      if (answer.status !== 401) return answer;
      if (held === first) {
        held = undefined;
        asked = undefined;
      }
      return await once(await session());
    },
  };
}
