/** Which tenant takes an address: the table behind every RCPT TO. */
import type { RouteAnswer } from "../model/source.ts";
import { asciiDomain, canonicalLocal, parseRecipientPattern } from "./recipients.ts";

/** What the table needs to know of a tenant. */
export interface Recipients {
  readonly id: string;
  readonly recipients: readonly string[];
}

interface DomainRoutes {
  everyone: string | undefined;
  readonly locals: Map<string, string>;
}

const notOurs: RouteAnswer = { kind: "not_ours" };
const unknownRecipient: RouteAnswer = { kind: "unknown_recipient" };

/**
 * Makes the look-up. The most exact claim wins: `deals+vip@` before `deals@` (which takes every tag) before `*@`.
 * Throws RangeError for a pattern that is none; `loadSettings` has refused it before.
 */
export function compileRoutes(tenants: readonly Recipients[]): (address: string) => RouteAnswer {
  const domains = new Map<string, DomainRoutes>();
  for (const { id, recipients } of tenants) {
    for (const text of recipients) {
      const pattern = parseRecipientPattern(text);
      if (pattern === undefined) throw new RangeError(`not a recipient pattern: ${JSON.stringify(text)}`);
      const routes = domains.get(pattern.domain) ?? { everyone: undefined, locals: new Map<string, string>() };
      domains.set(pattern.domain, routes);
      if (pattern.local === undefined) routes.everyone ??= id;
      else if (!routes.locals.has(pattern.local)) routes.locals.set(pattern.local, id);
    }
  }
  return (address) => route(address, domains);
}

function route(address: string, domains: ReadonlyMap<string, DomainRoutes>): RouteAnswer {
  // RFC 5321 §4.5.3.1.3: a path has at most 256 octets with its brackets. Nothing longer is worth looking at.
  if (address.length > 254) return notOurs;
  const at = address.lastIndexOf("@");
  if (at < 1) return notOurs;
  const domain = asciiDomain(address.slice(at + 1));
  const routes = domain === undefined ? undefined : domains.get(domain);
  if (routes === undefined) return notOurs;
  const written = address.slice(0, at);
  // `a%b@ours`, `b!a@ours`, `@other:a@ours` and `"a@b"@ours` ask a host to send the mail on (RFC 5321 §3.6.1, appendix C).
  if (/[%!@:]/.test(written)) return notOurs;
  const local = canonicalLocal(unquoted(written));
  const tenant = local === undefined ? undefined : tenantOf(local, routes);
  return tenant === undefined ? unknownRecipient : { kind: "accepted", tenant };
}

function tenantOf(local: string, routes: DomainRoutes): string | undefined {
  const exact = routes.locals.get(local);
  if (exact !== undefined) return exact;
  const plus = local.indexOf("+");
  const base = plus > 0 ? routes.locals.get(local.slice(0, plus)) : undefined;
  return base ?? routes.everyone;
}

/** RFC 5321 §4.1.2: `"deals"@x` is `deals@x`. What needs its quotes stays quoted, and then is no mailbox of ours. */
function unquoted(local: string): string {
  const [, inner] = /^"([^"\\]+)"$/.exec(local) ?? [];
  return inner ?? local;
}
