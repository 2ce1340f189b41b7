/** The mails of the authentication bench: those of an ordinary inbox, really signed, and the names that their senders publish. */
import { dnsZone, type Zone } from "../test/support/dns-zone.ts";
import { signed, signingKey } from "../test/support/signer.ts";
import { type BenchMail, benchMails, type Mix } from "./mail.ts";

export interface AuthMail {
  readonly raw: Buffer;
  readonly from: string;
  readonly ip: string;
}

export const client = "192.0.2.17";

/** Every one with a signature of its domain: RSA of 2,048 bits, as nearly all mail has. */
export function* signedMails(mails: Iterable<BenchMail>): Generator<BenchMail> {
  const key = signingKey("rsa");
  for (const { from, data } of mails) {
    const domain = from.slice(from.indexOf("@") + 1);
    yield { from, data: signed(data, { domain, selector: "s1", key }) };
  }
}

export function authMails(count: number, mix: Mix): AuthMail[] {
  const mails = signedMails(benchMails(count, count, "auth", mix));
  return [...mails].map(({ from, data }) => ({ raw: data, from, ip: client }));
}

/** SPF with an include, DKIM, DMARC for the 97 domains of the senders. */
export function authZone(): Zone {
  const zone = dnsZone();
  const { record } = signingKey("rsa");
  zone.add("_spf.host.example", "TXT", `v=spf1 ip4:${client} -all`);
  // The old signatures and seals that every mail of the bench carries name this domain.
  zone.add("s1._domainkey.client.example", "TXT", record);
  for (let index = 0; index < 97; index++) {
    const domain = `client${index}.example`;
    zone.add(domain, "TXT", "v=spf1 include:_spf.host.example -all");
    zone.add(`s1._domainkey.${domain}`, "TXT", record);
    zone.add(`_dmarc.${domain}`, "TXT", "v=DMARC1; p=quarantine");
  }
  return zone;
}
