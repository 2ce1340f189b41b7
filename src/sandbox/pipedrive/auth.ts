/** The grants of an app: access tokens that live an hour, and refresh tokens of which each works once. */
import type { Clock } from "../../model/ports.ts";
import type { Reply } from "../sandbox.ts";
import type { PipedriveSandboxOptions } from "./options.ts";
import { answer } from "./reply.ts";

export interface Grants {
  /** POST /oauth/token. `host`: as the caller reached us. */
  refresh(form: string, authorization: string | undefined, host: string | undefined): Reply;
  /** Undefined for a token that is none, or is over. */
  userOf(accessToken: string): number | undefined;
  /** All access tokens stop working now; the grant stays. */
  expireAll(): void;
  /** The app was taken out of the company: no refresh, and no token that came of it. */
  revoke(): void;
  readonly issued: number;
}

const lifeMs = 3_600_000;

export function openGrants({ app }: PipedriveSandboxOptions, clock: Pick<Clock, "now">): Grants {
  let current: string | undefined = app.refreshToken;
  let alive = new Map<string, number>();
  let issued = 0;
  const expected = `Basic ${Buffer.from(`${app.clientId}:${app.clientSecret}`).toString("base64")}`;
  const refused = (status: number, error: string): Reply => answer(status, { success: false, message: error, error });

  return {
    get issued() {
      return issued;
    },
    refresh(form, authorization, host) {
      const given = new URLSearchParams(form);
      if (authorization !== expected) return refused(401, "invalid_client");
      if (
        given.get("grant_type") !== "refresh_token" ||
        given.get("refresh_token") !== current ||
        current === undefined
      )
        return refused(400, "invalid_grant");
      issued++;
      current = `v1:refresh-${issued}`;
      const access_token = `v1u:access-${issued}`;
      alive.set(access_token, clock.now() + lifeMs);
      const api_domain = app.apiDomain ?? (host === undefined ? "https://acme.pipedrive.com" : `http://${host}`);
      const scope = "base contacts:full deals:full activities:full leads:full search:read";
      return answer(200, {
        access_token,
        token_type: "Bearer",
        refresh_token: current,
        scope,
        expires_in: lifeMs / 1_000 - 1,
        api_domain,
      });
    },
    userOf: (token) => ((alive.get(token) ?? Number.NEGATIVE_INFINITY) > clock.now() ? app.user : undefined),
    expireAll() {
      alive = new Map();
    },
    revoke() {
      current = undefined;
      alive = new Map();
    },
  };
}
