/** How a domain that was verified agrees with the domain of From (RFC 9989 §3.2.10). */
import { getDomain } from "tldts";

export type Alignment = "strict" | "relaxed" | null;

/** As names are compared: ASCII, lower case, without the root's dot. Null where it is no name. */
export function plainDomain(domain: string | null | undefined): string | null {
  const name = (domain ?? "").trim().toLowerCase().replace(/\.$/, "");
  return name === "" ? null : name;
}

/** By the public suffix list, where no DMARC record says better. */
export function alignment(domain: string | null, from: string | null): Alignment {
  if (domain === null || from === null) return null;
  if (domain === from) return "strict";
  const organisation = organisationOf(from);
  return organisation !== null && organisation === organisationOf(domain) ? "relaxed" : null;
}

/** Who rents a name from github.io or blogspot.com is an organisation of his own. */
const organisationOf = (domain: string): string | null => getDomain(domain, { allowPrivateDomains: true });
