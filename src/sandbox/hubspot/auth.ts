/** Tokens of the sandbox: static ones with their scopes, and OAuth's short-lived ones with refresh, rotation and revocation. */
import type { Clock } from "../../model/ports.ts";
import { allScopes, type HubspotSandboxOptions } from "./options.ts";
import { missingScopes, ok, Refusal, type Reply } from "./reply.ts";

export interface Tokens {
  /** The bearer token of a call, once it is found good. */
  authenticate(authorization: string | undefined): string;
  require(token: string, scopes: readonly string[]): void;
  revoke(token: string): void;
  /** POST /oauth/2026-03/token. */
  refresh(form: string): Reply;
}

const lifeMs = 1_800_000;

export function openTokens(options: HubspotSandboxOptions, clock: Pick<Clock, "now">): Tokens {
  const known = new Map<string, { scopes: readonly string[]; expiresAt: number }>();
  for (const [token, scopes] of Object.entries(options.tokens))
    known.set(token, { scopes, expiresAt: Number.POSITIVE_INFINITY });
  const refreshers = new Set(options.refreshTokens);
  let issued = 0;

  return {
    authenticate(authorization) {
      const token = /^Bearer (\S+)$/i.exec(authorization ?? "")?.[1];
      const held = token === undefined ? undefined : known.get(token);
      if (token === undefined || held === undefined) {
        const message = "Authentication credentials not found. This API supports OAuth 2.0 authentication";
        throw new Refusal(401, { message, category: "INVALID_AUTHENTICATION" });
      }
      const late = clock.now() - held.expiresAt;
      if (late >= 0) {
        const message = `The OAuth token used to make this call expired ${Math.floor(late / 1000)} second(s) ago.`;
        throw new Refusal(401, { message, category: "EXPIRED_AUTHENTICATION" });
      }
      return token;
    },
    require(token, scopes) {
      const held = known.get(token)?.scopes ?? [];
      const missing = scopes.filter((scope) => !held.includes(scope));
      if (missing.length > 0) throw missingScopes(missing);
    },
    revoke(token) {
      known.delete(token);
      refreshers.delete(token);
    },
    refresh(form) {
      const given = new URLSearchParams(form);
      const refresh = given.get("refresh_token") ?? "";
      if (given.get("grant_type") !== "refresh_token" || !refreshers.has(refresh)) {
        throw new Refusal(400, { status: "BAD_REFRESH_TOKEN", message: "missing or invalid refresh token" });
      }
      issued++;
      const access = `oauth-${issued}-${"0".repeat(300)}`;
      known.set(access, { scopes: allScopes, expiresAt: clock.now() + lifeMs });
      let next = refresh;
      if (options.rotateRefreshTokens) {
        refreshers.delete(refresh);
        next = `refresh-${issued}`;
        refreshers.add(next);
      }
      return ok(200, {
        access_token: access,
        refresh_token: next,
        expires_in: lifeMs / 1000,
        token_type: "bearer",
        hub_id: Number(options.portalId),
      });
    },
  };
}
