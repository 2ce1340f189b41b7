/** What is sent to a token endpoint: the grant as a form, the client's proof, and a name for the grant that tells nothing of it. */
import { createHash } from "node:crypto";
import type { Grant } from "../../model/tokens.ts";
import type { WireRequest } from "../../model/wire.ts";

const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";

export interface Ask {
  readonly request: WireRequest;
  /** What must not be seen in a sentence about the answer, in case the endpoint repeats it. */
  readonly secrets: readonly string[];
}

/** RFC 6749 §6 and §4.4.2, RFC 7523 §2.1. Undefined where there is no refresh token to ask with. */
export function askOf(grant: Grant, refreshToken: string | undefined, now: number): Ask | undefined {
  const form = new URLSearchParams();
  const secrets: string[] = [];
  const secret = (name: string, value: string) => {
    form.set(name, value);
    secrets.push(value);
  };
  switch (grant.kind) {
    case "refresh_token":
      if (refreshToken === undefined) return undefined;
      form.set("grant_type", "refresh_token");
      secret("refresh_token", refreshToken);
      break;
    case "client_credentials":
      form.set("grant_type", "client_credentials");
      break;
    case "jwt_bearer":
      form.set("grant_type", jwtBearer);
      secret("assertion", grant.assertion(now));
      break;
    default:
      return grant satisfies never;
  }
  if (grant.scope !== undefined) form.set("scope", grant.scope);
  const client =
    grant.kind === "jwt_bearer" ? { headers: {}, secrets: [] } : prove(form, grant.clientId, grant.clientSecret, grant);
  return { request: formRequest(grant.tokenUrl, form, client.headers), secrets: [...secrets, ...client.secrets] };
}

/** RFC 6749 §2.3.1: by HTTP's Basic, its two parts encoded like a form's values, or in the form itself. */
function prove(
  form: URLSearchParams,
  clientId: string,
  clientSecret: string | undefined,
  { clientAuth = "body" }: Pick<Grant, "clientAuth">,
): { headers: Record<string, string>; secrets: readonly string[] } {
  if (clientSecret !== undefined && clientAuth === "basic") {
    const encoded = (text: string) => new URLSearchParams([["", text]]).toString().slice(1);
    const pair = Buffer.from(`${encoded(clientId)}:${encoded(clientSecret)}`).toString("base64");
    return { headers: { authorization: `Basic ${pair}` }, secrets: [clientSecret, pair] };
  }
  form.set("client_id", clientId);
  if (clientSecret === undefined) return { headers: {}, secrets: [] };
  form.set("client_secret", clientSecret);
  return { headers: {}, secrets: [clientSecret] };
}

/** A wire knows its origin; everything behind that is the path. */
export function formRequest(
  url: string,
  form: URLSearchParams,
  headers: Readonly<Record<string, string>> = {},
): WireRequest {
  const { pathname, search } = new URL(url);
  return {
    method: "POST",
    path: pathname + search,
    headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
    body: form.toString(),
    object: "token",
    budget: "token",
  };
}

/** The same for the same configuration, another for any other. */
export function nameOf(grant: Grant): string {
  const { kind, tokenUrl, scope = "" } = grant;
  const own =
    grant.kind === "jwt_bearer"
      ? claimsOf(grant.assertion(0))
      : [grant.clientId, grant.kind === "refresh_token" ? (grant.refreshToken ?? "") : ""];
  return createHash("sha256")
    .update(JSON.stringify(["mailwright grant", kind, tokenUrl, scope, own]))
    .digest("hex")
    .slice(0, 32);
}

/** Who asks for whom; without what changes from one assertion to the next. */
function claimsOf(assertion: string): unknown {
  try {
    const claims: unknown = JSON.parse(Buffer.from(assertion.split(".")[1] ?? "", "base64url").toString("utf8"));
    const passing = ["iat", "exp", "nbf", "jti"];
    return Object.entries(claims as object)
      .filter(([name]) => !passing.includes(name))
      .sort(([a], [b]) => (a < b ? -1 : 1));
  } catch {
    return "opaque";
  }
}
