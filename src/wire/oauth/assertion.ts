/** A JSON Web Token signed with RS256, as RFC 7523 §3 wants an assertion. */
import { createPrivateKey, sign } from "node:crypto";

export interface Claims {
  readonly iss: string;
  readonly sub?: string;
  readonly aud: string;
  /** Seconds it may be used for. */
  readonly lifeSeconds: number;
  /** What else the vendor wants to see (Google: `scope`). */
  readonly more?: Readonly<Record<string, string>>;
}

/** Throws what node:crypto says of a key that is none; that may cite the key and must not be shown. `now`: epoch ms. */
export function signAssertion(claims: Claims, privateKey: string, now: number, keyId?: string): string {
  const { iss, sub, aud, lifeSeconds, more } = claims;
  const iat = Math.floor(now / 1_000);
  const header = { alg: "RS256", typ: "JWT", ...(keyId === undefined ? {} : { kid: keyId }) };
  const body = { ...more, iss, ...(sub === undefined ? {} : { sub }), aud, iat, exp: iat + lifeSeconds };
  const text = `${part(header)}.${part(body)}`;
  return `${text}.${sign("RSA-SHA256", Buffer.from(text), createPrivateKey(privateKey)).toString("base64url")}`;
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
