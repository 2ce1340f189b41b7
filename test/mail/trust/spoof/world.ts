/** The world of the spoof table: names in a local DNS, servers with addresses, keys; and the whole road of one mail, from its bytes to its steps. */
import { createHash } from "node:crypto";
import { Resolver } from "node:dns/promises";
import { domainToASCII } from "node:url";
import { openHasher, openKeyRing } from "../../../../src/blobs/index.ts";
import { createIdentity } from "../../../../src/mail/identity.ts";
import { parse } from "../../../../src/mail/parse.ts";
import { failed } from "../../../../src/mail/trust/evidence.ts";
import { Unverifiable } from "../../../../src/mail/trust/feed.ts";
import { type Received, verify } from "../../../../src/mail/trust.ts";
import type { CanonicalEvent, Evidence } from "../../../../src/model/event.ts";
import type { Ledger } from "../../../../src/model/ledger.ts";
import type { Decision } from "../../../../src/model/step.ts";
import { defaultMarks } from "../../../../src/model/threads.ts";
import { decide, eventOf, preparedOf, type TenantPlan } from "../../../../src/pipeline/enrich.ts";
import { judge } from "../../../../src/pipeline/judging.ts";
import { openLedger } from "../../../../src/store/index.ts";
import { type DnsServer, startDnsServer } from "../../../support/dns-server.ts";
import type { Zone } from "../../../support/dns-zone.ts";
import { type Signing, sealed, signed, signingKey } from "../../../support/signer.ts";
import { people } from "../acme.ts";

export const now = Date.UTC(2026, 6, 14, 8, 0, 0);

export interface Peer {
  readonly ip: string;
  readonly helo: string;
  readonly mailFrom: string | null;
}
/** The attacker's own server: everything about it is in order. */
export const evil: Peer = { ip: "203.0.113.66", helo: "mx.evil.example", mailFrom: "x@evil.example" };
/** The customer's. */
export const acme: Peer = { ip: "192.0.2.10", helo: "mx.acme.test", mailFrom: "ada@acme.test" };
/** Our own. */
export const globex: Peer = { ip: "192.0.2.20", helo: "mx.globex.test", mailFrom: "jane@globex.test" };
/** A forwarder that changes nothing, and one that seals. */
export const forwarder: Peer = { ip: "198.51.100.7", helo: "mx.forward.test", mailFrom: "ada@acme.test" };
export const lists: Peer = { ip: "198.51.100.8", helo: "mx.lists.test", mailFrom: "bounces@lists.test" };

/** Signs for whoever has a domain below. */
export const by = (domain: string, more: Partial<Signing> = {}): Signing => ({
  domain,
  selector: "s1",
  key: signingKey("ed25519", domain),
  ...more,
});
export const signedBy = (domain: string, raw: string | Uint8Array, more: Partial<Signing> = {}): Buffer =>
  signed(raw, by(domain, more));
/** The attacker signs whatever he sends, as himself. */
export const evils = (raw: string | Uint8Array): Buffer => signedBy("evil.example", raw);
export const sealedBy = (domain: string, raw: string | Uint8Array, results: string, instance = 1): Buffer =>
  sealed(raw, { ...by(domain), results: `mx.${domain}; ${results}`, instance });

const line = "\r\n";
export interface Parts {
  readonly from?: string;
  readonly to?: string;
  readonly subject?: string;
  readonly body?: string;
  readonly id?: string;
  /** Before and behind the usual headers. */
  readonly top?: readonly string[];
  readonly more?: readonly string[];
}
/** Latin1, so that a test can write any byte; text in other letters goes in as the bytes of its UTF-8. */
export function mail({
  from,
  to = "deals@in.globex.test",
  subject = "An order",
  body = "Ten, please.",
  id,
  top = [],
  more = [],
}: Parts): Buffer {
  const lines = [
    ...top,
    ...(from === undefined ? [] : [`From: ${from}`]),
    `To: ${to}`,
    `Subject: ${subject}`,
    "Date: Tue, 14 Jul 2026 09:15:00 +0200",
    `Message-ID: ${
      id ??
      `<${createHash("sha256")
        .update(JSON.stringify([from, top, more, subject, body]))
        .digest("hex")
        .slice(0, 16)}@mail.test>`
    }`,
    ...more,
    "",
    body,
    "",
  ];
  return Buffer.from(lines.join(line));
}

/** All of these domains are in order: SPF for their server, a key, DMARC that rejects. */
const orderly: readonly (readonly [domain: string, ip: string, policy?: string])[] = [
  ["acme.test", acme.ip],
  ["globex.test", globex.ip],
  ["evil.example", evil.ip],
  ["lists.test", lists.ip],
  ["initrode.test", "192.0.2.30"],
  ["modern.com", "192.0.2.31"],
  ["gmail.com", "192.0.2.40", "v=DMARC1; p=none; sp=quarantine"],
  ["quarantine.test", "192.0.2.50", "v=DMARC1; p=quarantine"],
  ["strict.test", "192.0.2.51", "v=DMARC1; p=reject; adkim=s; aspf=s"],
  ["subs.test", "192.0.2.52", "v=DMARC1; p=none; sp=reject"],
  ["np.test", "192.0.2.53", "v=DMARC1; p=none; np=reject"],
  ["monitor.test", "192.0.2.54", "v=DMARC1; p=none"],
  ["victim.github.io", "192.0.2.55"],
  ["evil.github.io", evil.ip],
  ["esp.test", "192.0.2.60"],
  ["xn--mnchen-3ya.example", "192.0.2.61"],
];
/** Latin letters with accents: glöbex.test, initródé.test. */
export const accented = { own: domainToASCII("glöbex.test"), known: domainToASCII("initródé.test") };
const attackers = [
  "gl0bex.test", "glo-bex.test", accented.own, "golbex.test", "globx.test", "globexs.test", "globex.example",
  "globex-billing.test", "initr0de.test", "initrdoe.test", accented.known, "modem.com", "modern.co",
  "globex.test.evil.example", "initrode.test.evil.example", "modern.com.evil.example", "xn--80ak6aa92e.example",
]; // biome-ignore format: a list

export function fill(zone: Zone): void {
  const add = (domain: string, ip: string, policy = "v=DMARC1; p=reject"): void => {
    zone.add(domain, "TXT", `v=spf1 ip4:${ip} -all`);
    zone.add(`_dmarc.${domain}`, "TXT", policy);
    zone.add(`s1._domainkey.${domain}`, "TXT", signingKey("ed25519", domain).record);
  };
  for (const [domain, ip, policy] of orderly) add(domain, ip, policy);
  for (const domain of attackers) add(domain, evil.ip);
  zone.add("mx.evil.example", "TXT", `v=spf1 ip4:${evil.ip} -all`);
  zone.add("old._domainkey.acme.test", "TXT", "v=DKIM1; k=ed25519; p=");
  zone.add("weak._domainkey.acme.test", "TXT", signingKey("rsa", "weak", 512).record);
  zone.add("s1._domainkey.user.strict.test", "TXT", signingKey("ed25519", "user.strict.test").record);
  zone.add("s1._domainkey.mail.acme.test", "TXT", signingKey("ed25519", "mail.acme.test").record);
  // Whose records are missing or broken.
  zone.add("nodmarc.test", "TXT", "v=spf1 ip4:192.0.2.70 -all");
  zone.add("s1._domainkey.nodmarc.test", "TXT", signingKey("ed25519", "nodmarc.test").record);
  zone.add("twice.test", "TXT", "v=spf1 ip4:192.0.2.71 -all");
  zone.add("_dmarc.twice.test", "TXT", "v=DMARC1; p=reject", "v=DMARC1; p=none");
  zone.add("loop.test", "TXT", "v=spf1 include:loop.test -all");
  zone.add("_dmarc.loop.test", "TXT", "v=DMARC1; p=reject");
  zone.add(
    "many.test",
    "TXT",
    `v=spf1 ${Array.from({ length: 40 }, (_, n) => `include:i${n}.many.test`).join(" ")} -all`,
  );
  for (let n = 0; n < 40; n++) zone.add(`i${n}.many.test`, "TXT", "v=spf1 ?all");
  zone.add("forward.test", "TXT", `v=spf1 ip4:${forwarder.ip} -all`);
}

export interface Taken {
  readonly event: CanonicalEvent;
  readonly decision: Decision;
  /** The code of the deciding reason, and all of them. */
  readonly reason: string;
  readonly codes: readonly string[];
}
export interface Way {
  readonly peer?: Peer;
  /** It came by IMAP from a mailbox of a host that these names are believed of. */
  readonly imap?: readonly string[];
}

export interface SpoofWorld {
  readonly zone: Zone;
  /** The whole road: accepted, parsed, verified over the wire, judged, planned, committed. */
  take(raw: Uint8Array, way?: Way): Promise<Taken>;
  readonly ledger: Ledger;
  close(): Promise<void>;
}

const tenant = "globex";
const lane = "globex/crm";
const plan: TenantPlan = {
  tenant,
  mapping: { createContact: "unverified", internal: "skip", disposableContacts: "hold" },
  people,
  arcSealers: ["lists.test"],
  threads: defaultMarks,
  lanes: [lane],
};

export async function openSpoofWorld(): Promise<SpoofWorld> {
  const server: DnsServer = await startDnsServer();
  fill(server.zone);
  const resolver = new Resolver({ timeout: 2_000, tries: 1 });
  resolver.setServers([server.address]);
  const resolve = (name: string, type: string): Promise<unknown[]> =>
    resolver.resolve(name, type) as Promise<unknown[]>;
  const ledger = await openLedger({ path: ":memory:", thread: "calling" });
  const key = Buffer.alloc(32, 7);
  const sealer = openKeyRing({ key });
  const hasher = openHasher(key);
  let taken = 0;

  async function evidenceOf(raw: Uint8Array, { peer = evil, imap }: Way): Promise<Evidence> {
    const received: Received = {
      client: imap === undefined ? { ip: peer.ip, helo: peer.helo, mailFrom: peer.mailFrom } : null,
      hostname: "mx.in.globex.test",
      at: now,
      authservIds: imap ?? [],
    };
    try {
      return await verify(pieces(raw), received, resolve);
    } catch (error) {
      if (error instanceof Unverifiable) return failed("policy", error.message);
      throw error;
    }
  }

  async function take(raw: Uint8Array, way: Way = {}): Promise<Taken> {
    const { peer = evil } = way;
    const number = taken++;
    const identity = createIdentity();
    identity.update(raw);
    const { messageId, digest } = identity.finish();
    const routes = ["deals@in.globex.test"];
    const smtp = { remote_ip: peer.ip, helo: peer.helo, tls: null, mail_from: peer.mailFrom, rcpt_to: routes };
    const envelope = { kind: "smtp" as const, tenant, routes, received_at: now, smtp };
    const accepted = await ledger.accept([
      {
        eventId: `event-${number}`,
        tenant,
        messageId,
        digest,
        receivedAt: now + number,
        envelope,
        rawSha256: createHash("sha256").update(raw).digest("hex"),
        rawSize: raw.length,
        raw: { kind: "inline", sealed: sealer.seal(raw, "raw") },
      },
    ]);
    if (accepted[0]?.outcome === "duplicate") throw new Error("a form has the bytes of another one");
    const [attempt] = await ledger.attempt({ tenants: [tenant], room: 1, now, leaseMs: 60_000 });
    if (attempt === undefined) throw new Error("the ledger gave no message");
    const parsed = await parse(raw);
    const judgement = await judge(attempt, parsed, await evidenceOf(raw, way), plan, { ledger, sealer, hasher });
    const event = eventOf(attempt, parsed, judgement, people);
    const decisions = decide(event, digest, plan, judgement);
    await ledger.prepare([preparedOf(attempt, event, decisions, sealer, now, judgement)]);
    const [first] = decisions;
    if (first === undefined) throw new Error("there is a lane, and no decision for it");
    const codes = event.auth.reasons.map(({ code }) => code);
    return { event, decision: first.decision, reason: codes[0] ?? "", codes };
  }

  return {
    zone: server.zone,
    ledger,
    take,
    async close() {
      await ledger.close();
      await server.close();
    },
  };
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 64 * 1024) yield bytes.subarray(at, at + 64 * 1024);
}

/** Steps that make or change somebody's record. */
export const recordsIn = (decision: Decision): string[] =>
  decision.kind === "steps"
    ? decision.steps
        .filter(({ kind }) => kind === "person" || kind === "company" || kind === "deal")
        .map(({ kind }) => kind)
    : [];
