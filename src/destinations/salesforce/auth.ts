/** How the daemon signs in to an org: the two grants that need nobody at a browser. */
import { createPrivateKey, sign } from "node:crypto";
import { Refused } from "../../model/outcome.ts";
import type { Grant } from "../../model/tokens.ts";

export interface AuthSettings {
  readonly base_url: string;
  readonly client_id: string;
  readonly client_secret?: string | undefined;
  readonly username?: string | undefined;
  readonly private_key?: string | undefined;
  readonly audience: string;
}

/** Salesforce takes assertions of at most five minutes. */
const assertionSeconds = 180;

export function grantOf(settings: AuthSettings): Grant {
  const { client_id: clientId, client_secret: clientSecret, username, private_key: key, audience } = settings;
  const tokenUrl = `${settings.base_url.replace(/\/+$/, "")}/services/oauth2/token`;
  if (clientSecret !== undefined) return { kind: "client_credentials", tokenUrl, clientId, clientSecret };
  if (key === undefined || username === undefined)
    throw new Refused({ kind: "blocked", reason: "there is neither client_secret nor username and private_key" });
  const assertion = (now: number): string => assertionOf({ clientId, username, key, audience }, now);
  return { kind: "jwt_bearer", tokenUrl, assertion };
}

export interface Signer {
  readonly clientId: string;
  readonly username: string;
  /** PEM. */
  readonly key: string;
  readonly audience: string;
}

/** RFC 7523 §3, signed with RS256. Throws where the key cannot be read. */
export function assertionOf({ clientId, username, key, audience }: Signer, now: number): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const exp = Math.floor(now / 1000) + assertionSeconds;
  const input = `${part({ alg: "RS256" })}.${part({ iss: clientId, sub: username, aud: audience, exp })}`;
  const signature = sign("RSA-SHA256", Buffer.from(input), createPrivateKey(key));
  return `${input}.${signature.toString("base64url")}`;
}
