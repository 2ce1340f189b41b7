/** Sessions of the sandbox: the token endpoint's two flows for daemons, and what becomes of a session when its time or its app ends. */
import { verify } from "node:crypto";
import type { Clock } from "../../model/ports.ts";
import type { ConnectedApp, SalesforceSandboxOptions } from "./options.ts";
import { ok, Refusal, type Reply } from "./reply.ts";

export interface Sessions {
  /** POST /services/oauth2/token. `origin` is how the org was reached. */
  token(form: string, origin: string): Reply;
  /** Throws INVALID_SESSION_ID. */
  authenticate(authorization: string | undefined): void;
  /** Every session ends now: a policy, a password, an administrator. */
  expireAll(): void;
  /** The app's approval is taken away, and its sessions with it. */
  revoke(): void;
  /** How many tokens were handed out. */
  issued(): number;
}

const jwtGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/** Salesforce takes assertions that end within minutes. */
const longestAssertionSeconds = 300;

/** `error` and `error_description`. */
type OAuthTrouble = readonly [error: string, description: string];

export function openSessions(options: SalesforceSandboxOptions, clock: Pick<Clock, "now">): Sessions {
  const sessions = new Map<string, number>();
  let revoked = false;
  let issued = 0;

  function troubleWith(form: URLSearchParams, origin: string): OAuthTrouble | undefined {
    switch (form.get("grant_type")) {
      case "client_credentials":
        return troubleWithClient(form, options);
      case jwtGrant:
        return troubleWithAssertion(form.get("assertion") ?? "", origin, options, clock.now());
      default:
        return ["unsupported_grant_type", "grant type not supported"];
    }
  }

  return {
    issued: () => issued,
    token(form, origin) {
      const unapproved: OAuthTrouble = ["invalid_grant", "user hasn't approved this consumer"];
      const trouble = troubleWith(new URLSearchParams(form), origin) ?? (revoked ? unapproved : undefined);
      if (trouble !== undefined) return ok(400, { error: trouble[0], error_description: trouble[1] });
      issued++;
      const token = `${options.organizationId.slice(0, 15)}!AQEAQ${String(issued).padStart(6, "0")}.${"x".repeat(80)}`;
      sessions.set(token, clock.now() + options.sessionMs);
      return ok(200, {
        access_token: token,
        signature: "c2FuZGJveA==",
        scope: "api",
        instance_url: origin,
        id: `https://login.salesforce.com/id/${options.organizationId}/0058a000000000AAAA`,
        token_type: "Bearer",
        issued_at: String(clock.now()),
      });
    },
    authenticate(authorization) {
      const token = /^Bearer (\S+)$/i.exec(authorization ?? "")?.[1];
      const until = token === undefined ? undefined : sessions.get(token);
      if (until === undefined || clock.now() >= until)
        throw new Refusal(401, { message: "Session expired or invalid", errorCode: "INVALID_SESSION_ID" });
    },
    expireAll: () => sessions.clear(),
    revoke() {
      revoked = true;
      sessions.clear();
    },
  };
}

const appOf = (clientId: string | null, { apps }: SalesforceSandboxOptions): ConnectedApp | undefined =>
  apps.find((known) => known.clientId === clientId);
const unknownClient: OAuthTrouble = ["invalid_client_id", "client identifier invalid"];

function troubleWithClient(form: URLSearchParams, options: SalesforceSandboxOptions): OAuthTrouble | undefined {
  const app = appOf(form.get("client_id"), options);
  if (app === undefined) return unknownClient;
  if (app.clientSecret === undefined || form.get("client_secret") !== app.clientSecret)
    return ["invalid_client", "invalid client credentials"];
  return app.runAs ? undefined : ["invalid_grant", "no client credentials user enabled"];
}

/** RFC 7523 §3, as Salesforce narrows it: RS256, the app as issuer, a login host as audience, and an approved user. */
function troubleWithAssertion(
  assertion: string,
  origin: string,
  options: SalesforceSandboxOptions,
  now: number,
): OAuthTrouble | undefined {
  const invalid: OAuthTrouble = ["invalid_grant", "invalid assertion"];
  const [head = "", body = "", signature = ""] = assertion.split(".");
  const [header, claims] = [decoded(head), decoded(body)];
  if (header?.alg !== "RS256" || claims === undefined) return invalid;
  const app = appOf(String(claims.iss), options);
  if (app === undefined) return unknownClient;
  const isSigned =
    app.publicKey !== undefined &&
    verify("RSA-SHA256", Buffer.from(`${head}.${body}`), app.publicKey, Buffer.from(signature, "base64url"));
  if (!isSigned) return invalid;
  if (![...options.audiences, origin].includes(String(claims.aud))) return ["invalid_grant", "audience is invalid"];
  const left = Number(claims.exp) - now / 1000;
  if (!(left > 0 && left <= longestAssertionSeconds)) return ["invalid_grant", "expired authorization code"];
  const isApproved = app.approved?.includes(String(claims.sub)) === true;
  return isApproved ? undefined : ["invalid_grant", "user hasn't approved this consumer"];
}

function decoded(part: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(Buffer.from(part, "base64url").toString("utf8")) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
