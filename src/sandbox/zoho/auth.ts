/** Zoho's accounts server and the tokens that it gives out: errors under 200, ten refreshes in ten minutes, fifteen tokens alive at once. */
import type { Clock } from "../../model/ports.ts";
import type { ZohoSandboxOptions } from "./options.ts";
import { missingScope, ok, type Reply, refused } from "./reply.ts";

export type Operation = "READ" | "CREATE" | "UPDATE" | "DELETE";

export interface Tokens {
  /** POST /oauth/v2/token, parameters in the form body or in the query. `host`: as the caller reached us. */
  refresh(form: string, query: URLSearchParams, host: string | undefined): Reply;
  authenticate(authorization: string | undefined): void;
  /** `modules.contacts`, `settings.fields`, `org`. */
  require(scopes: readonly string[], operation: Operation): void;
  /** The grant is taken back: no refresh, and no token that came of it. */
  revoke(refreshToken: string): void;
  /** All access tokens stop working now; the grant stays. */
  expireAll(): void;
  readonly issued: number;
}

const lifeMs = 3_600_000;
const windowMs = 600_000;
const refreshesPerWindow = 10;
const mostAlive = 15;

export function openTokens(options: ZohoSandboxOptions, clock: Pick<Clock, "now">): Tokens {
  const grants = new Set(options.refreshTokens);
  const refreshes = new Map<string, number[]>();
  let alive: { token: string; grant: string; expiresAt: number }[] = [];
  let issued = 0;

  return {
    refresh(form, query, host) {
      const given = new URLSearchParams(form);
      const param = (name: string) => given.get(name) ?? query.get(name) ?? "";
      if (param("client_id") !== options.clientId || param("client_secret") !== options.clientSecret)
        return ok(200, { error: "invalid_client" });
      const grant = param("refresh_token");
      if (param("grant_type") !== "refresh_token" || !grants.has(grant)) return ok(200, { error: "invalid_code" });
      const now = clock.now();
      const times = (refreshes.get(grant) ?? []).filter((at) => at > now - windowMs);
      refreshes.set(grant, times);
      if (times.length >= refreshesPerWindow) {
        const error_description = "You have made too many requests continuously. Please try again after some time.";
        return ok(200, { error_description, error: "Access Denied", status: "failure" });
      }
      times.push(now);
      issued++;
      const token = `1000.${issued.toString(16).padStart(32, "0")}.${"0".repeat(32)}`;
      alive.push({ token, grant, expiresAt: now + lifeMs });
      const own = alive.filter((one) => one.grant === grant);
      const oldest = own.length > mostAlive ? own[0] : undefined;
      if (oldest !== undefined) alive = alive.filter((one) => one !== oldest);
      const api_domain = options.apiDomain ?? (host === undefined ? "https://www.zohoapis.com" : `http://${host}`);
      return ok(200, { access_token: token, expires_in: lifeMs / 1_000, api_domain, token_type: "Bearer" });
    },
    authenticate(authorization) {
      const token = /^Zoho-oauthtoken (\S+)$/.exec(authorization ?? "")?.[1];
      const known = alive.find((one) => one.token === token);
      if (known === undefined || clock.now() >= known.expiresAt)
        throw refused(401, "INVALID_TOKEN", "invalid oauth token");
    },
    require(scopes, operation) {
      for (const scope of scopes) {
        const [family] = scope.split(".");
        const fits = [`${scope}.ALL`, `${scope}.${operation}`, `${family}.ALL`, `${family}.${operation}`];
        if (!fits.some((name) => options.scopes.includes(`ZohoCRM.${name}`))) throw missingScope();
      }
    },
    revoke(refreshToken) {
      grants.delete(refreshToken);
      alive = alive.filter(({ grant }) => grant !== refreshToken);
    },
    expireAll() {
      alive = [];
    },
    get issued() {
      return issued;
    },
  };
}
