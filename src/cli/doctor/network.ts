/** Examines what the outside sees: ports, the way that mail finds here, and the certificate. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { Resolver } from "node:dns/promises";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { isDaemonUp } from "../../main.ts";
import type { Settings } from "../../settings/index.ts";
import { codeOf, type Found, ok, problem, warning } from "./finding.ts";

export async function examinePorts(settings: Settings): Promise<Found[]> {
  const isOurs = await isDaemonUp(settings.data_dir);
  return await Promise.all(
    (["smtp", "http"] as const).map((name) => examinePort(name, settings[name].host, settings[name].port, isOurs)),
  );
}

async function examinePort(name: "smtp" | "http", host: string, port: number, isOurs: boolean): Promise<Found> {
  const where = `${name} port ${host}:${port}`;
  if (port === 0) return ok("ports", `${name} takes a free port at each start`);
  try {
    await tryToListen(host, port);
    if (isOurs) {
      return warning(
        "ports",
        `a daemon runs on this data folder, but ${where} is free`,
        "was the port changed? Restart the daemon",
      );
    }
    return ok("ports", `${where} is free`);
  } catch (error) {
    const code = codeOf(error);
    if (code === "EADDRINUSE" && isOurs)
      return ok("ports", `${where} is held, and the daemon of this data folder is running`);
    if (code === "EADDRINUSE") {
      return problem("ports", `${where} is held by another program`, `end it, or set ${name}.port to another`);
    }
    if (code === "EACCES") {
      return problem(
        "ports",
        `${where} may not be opened by this user`,
        "forward the port to a higher one, or grant CAP_NET_BIND_SERVICE",
      );
    }
    return problem("ports", `${where} cannot be opened (${code})`, `set ${name}.host to an address of this machine`);
  }
}

async function tryToListen(host: string, port: number): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, exclusive: true }, resolve);
  });
  await new Promise<void>((resolve) => server.close(() => resolve()));
}

const dnsTimeoutMs = 5_000;
const mostDomains = 20;

export async function examineDomains({ tenants }: Settings): Promise<Found[]> {
  const domains = new Set(
    tenants.flatMap(({ recipients }) => recipients.map((pattern) => pattern.slice(pattern.lastIndexOf("@") + 1))),
  );
  const resolver = new Resolver({ timeout: dnsTimeoutMs, tries: 1 });
  return await Promise.all(
    [...domains].slice(0, mostDomains).map((domain) => examineDomain(domain.toLowerCase(), resolver)),
  );
}

/** RFC 2606 and RFC 6761: names that no mail will ever come by. */
const reserved = /(^|\.)(test|example|invalid|localhost|example\.(com|net|org))$/;

async function examineDomain(domain: string, resolver: Resolver): Promise<Found> {
  const mend = `add an MX record: ${domain}. MX 10 <the name of this machine>.`;
  if (reserved.test(domain)) {
    return warning(
      "dns",
      `${domain} is a name for examples; no mail comes by it`,
      "put your own inbound domain into tenants[].recipients",
    );
  }
  try {
    const records = await resolver.resolveMx(domain);
    // RFC 7505: a single MX of "." says that the domain takes no mail.
    if (records.every(({ exchange }) => exchange === "" || exchange === ".")) {
      return problem("dns", `${domain} has a null MX: it says that it takes no mail`, mend);
    }
    const names = records.sort((a, b) => a.priority - b.priority).map(({ exchange }) => exchange);
    return ok("dns", `mail for ${domain} goes to ${names.join(", ")}; make sure that it leads here`);
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENODATA" || code === "ENOTFOUND") return await examineAddress(domain, resolver, mend);
    return warning(
      "dns",
      `${domain} could not be looked up (${code}): offline, or the name server does not answer`,
      "run doctor again where DNS works",
    );
  }
}

/** RFC 5321 §5.1: without an MX record the address record of the domain stands in for it. */
async function examineAddress(domain: string, resolver: Resolver, mend: string): Promise<Found> {
  const addresses = (await Promise.allSettled([resolver.resolve4(domain), resolver.resolve6(domain)])).flatMap(
    (result) => (result.status === "fulfilled" ? result.value : []),
  );
  if (addresses.length === 0)
    return problem("dns", `${domain} has neither an MX nor an address record: mail cannot find its way`, mend);
  return warning("dns", `${domain} has no MX record; senders fall back to its address ${addresses.join(", ")}`, mend);
}

const dayMs = 24 * 3_600_000;

export async function examineCertificate({ smtp }: Settings, now: number): Promise<Found> {
  if (smtp.tls === undefined) {
    return warning(
      "tls",
      "no certificate, so STARTTLS is not offered and mail comes in clear",
      "set smtp.tls.cert and smtp.tls.key",
    );
  }
  const { cert, key } = smtp.tls;
  try {
    const certificate = new X509Certificate(await readFile(cert));
    if (!certificate.checkPrivateKey(createPrivateKey(await readFile(key)))) {
      return problem(
        "tls",
        `the key ${key} does not belong to the certificate ${cert}`,
        "name the two files that belong together",
      );
    }
    const left = certificate.validToDate.getTime() - now;
    const until = certificate.validToDate.toISOString().slice(0, 10);
    if (left < 0)
      return problem(
        "tls",
        `the certificate ${cert} expired on ${until}`,
        "renew it; the daemon takes the new files by itself",
      );
    if (left < 14 * dayMs)
      return warning(
        "tls",
        `the certificate ${cert} expires on ${until}`,
        "renew it; the daemon takes the new files by itself",
      );
    return ok("tls", `the certificate ${cert} is good until ${until}`);
  } catch (error) {
    return problem(
      "tls",
      `the certificate or its key cannot be read (${codeOf(error)})`,
      `look at ${cert} and ${key}: PEM files that this user may read`,
    );
  }
}
