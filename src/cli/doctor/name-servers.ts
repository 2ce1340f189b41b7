/** Examines the name servers that senders are verified by: where they are silent, nobody is more than unverified. */
import { Resolver } from "node:dns/promises";
import type { Settings } from "../../settings/index.ts";
import { codeOf, type Found, ok, warning } from "./finding.ts";

export async function examineNameServers({ dns }: Pick<Settings, "dns">): Promise<Found> {
  if (!dns.verify)
    return ok("dns", "senders are not verified, since dns.verify is off: every mail counts as unverified");
  const resolver = new Resolver({ timeout: dns.timeout, tries: 1 });
  if (dns.servers.length > 0) resolver.setServers([...dns.servers]);
  const asked = dns.servers.length > 0 ? dns.servers.join(", ") : "the name servers of this machine";
  try {
    // Every resolver knows the servers of the root.
    await resolver.resolve(".", "NS");
    return ok("dns", `senders are verified by ${asked}`);
  } catch (error) {
    const code = codeOf(error);
    // Any answer but silence: the server is there. Some refuse this very question.
    if (["ENODATA", "ENOTFOUND", "EREFUSED", "ESERVFAIL", "ENOTIMP"].includes(code))
      return ok("dns", `senders are verified by ${asked}`);
    return warning(
      "dns",
      `${asked} cannot be asked (${code}): every sender counts as unverified, and mail from your own domains is held`,
      "name a resolver that answers in dns.servers",
    );
  }
}
