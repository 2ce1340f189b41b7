/** Who is signed in: cookies that we signed, and the tokens that show that a form was ours. Nothing is kept in memory. */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock } from "../../model/ports.ts";

export interface Operator {
  readonly name: string;
  readonly passwordHash: string;
}

export interface SessionSettings {
  /** Derived from the master key for this alone. */
  readonly key: Uint8Array;
  readonly operators: readonly Operator[];
  /** The cookie goes over https only. */
  readonly secure: boolean;
  /** Below which the cookies are sent: `/`, or the path of the public URL. */
  readonly path: string;
}

export interface Session {
  readonly name: string;
  /** Of this sign-in: forms of one session are no good in another. */
  readonly id: string;
}

export interface Sessions {
  read(cookies: string | undefined): Session | undefined;
  /** The Set-Cookie of a new session. */
  open(name: string): string;
  /** The Set-Cookie that ends it in this browser. */
  readonly end: string;
  /** Before anybody is signed in: a secret of this browser, made where it has none yet, and the token that a form has to carry. */
  visitor(cookies: string | undefined): { readonly token: string; readonly cookie: string | undefined };
  /** Whether a form that came back is one that this browser was given. */
  isOurs(token: string, cookies: string | undefined): boolean;
  /** The same for a form of somebody who is signed in. */
  tokenOf(session: Session): string;
}

const sessionMs = 12 * 3_600_000;
const mostCookieChars = 8_192;
const idForm = /^[\w-]{22}$/;

export function openSessions({ key, operators, secure, path }: SessionSettings, clock: Pick<Clock, "now">): Sessions {
  // `__Host-` binds a cookie to this very host and to /; where we live below a path, `__Secure-` is what is left (RFC 6265bis §4.1.3).
  const prefix = secure ? (path === "/" ? "__Host-" : "__Secure-") : "";
  const [sessionName, visitorName] = [`${prefix}mailwright`, `${prefix}mailwright_visitor`];
  const rest = `; Path=${path}; HttpOnly; SameSite=Strict${secure ? "; Secure" : ""}`;
  const passwords = new Map(operators.map(({ name, passwordHash }) => [name, passwordHash]));
  /** Parts hold no line end. */
  const mac = (...parts: readonly string[]): string =>
    createHmac("sha256", key).update(parts.join("\n")).digest("base64url");

  function read(cookies: string | undefined): Session | undefined {
    const [name64 = "", expiry = "", id = "", signature = "", ...more] =
      cookieOf(cookies, sessionName)?.split(".") ?? [];
    const name = Buffer.from(name64, "base64url").toString("utf8");
    // With the hash in it, a session ends when its password is changed.
    const passwordHash = passwords.get(name);
    if (passwordHash === undefined || more.length > 0 || !idForm.test(id) || !/^\d{10}$/.test(expiry)) return undefined;
    if (!isSame(signature, mac("session", name, expiry, id, passwordHash))) return undefined;
    return clock.now() < Number(expiry) * 1000 ? { name, id } : undefined;
  }

  const visitorOf = (cookies: string | undefined): string | undefined => {
    const found = cookieOf(cookies, visitorName);
    return found !== undefined && idForm.test(found) ? found : undefined;
  };

  return {
    read,
    open(name) {
      const [id, expiry] = [
        randomBytes(16).toString("base64url"),
        String(Math.floor((clock.now() + sessionMs) / 1000)),
      ];
      const signature = mac("session", name, expiry, id, passwords.get(name) ?? "");
      const value = [Buffer.from(name).toString("base64url"), expiry, id, signature].join(".");
      return `${sessionName}=${value}; Max-Age=${sessionMs / 1000}${rest}`;
    },
    end: `${sessionName}=; Max-Age=0${rest}`,
    visitor(cookies) {
      const known = visitorOf(cookies);
      const id = known ?? randomBytes(16).toString("base64url");
      const cookie = known === undefined ? `${visitorName}=${id}; Max-Age=${sessionMs / 1000}${rest}` : undefined;
      return { token: mac("visitor form", id), cookie };
    },
    isOurs(token, cookies) {
      const session = read(cookies);
      const visitor = visitorOf(cookies);
      const bySession = session !== undefined && isSame(token, mac("session form", session.name, session.id));
      return bySession || (visitor !== undefined && isSame(token, mac("visitor form", visitor)));
    },
    tokenOf: ({ name, id }) => mac("session form", name, id),
  };
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** The first of that name: a browser sends the one of the longest path first (RFC 6265 §5.4). */
function cookieOf(header: string | undefined, name: string): string | undefined {
  if (header === undefined || header.length > mostCookieChars) return undefined;
  for (const pair of header.split(";")) {
    const at = pair.indexOf("=");
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return undefined;
}
