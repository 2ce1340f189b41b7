/** Mail and names for the tests of who sent it. */
import type { Received, Resolve } from "../../../src/mail/trust.ts";
import { verify } from "../../../src/mail/trust.ts";
import type { Evidence } from "../../../src/model/event.ts";
import { dnsZone, type Zone } from "../../support/dns-zone.ts";
import { type Signing, signed, signingKey } from "../../support/signer.ts";

export const at = Date.UTC(2026, 6, 14, 8, 0, 0);

export function mail(changes: { from?: string; body?: string; more?: string } = {}): string {
  const { from = "Ana <ana@good.example>", body = "Please call me.\r\n", more = "" } = changes;
  return `${more}From: ${from}\r\nTo: deals@in.example\r\nSubject: An offer\r\nDate: Tue, 14 Jul 2026 09:15:00 +0200\r\nMessage-ID: <1@good.example>\r\n\r\n${body}`;
}

/** good.example: SPF for 192.0.2.1, DKIM selectors rsa and ed, DMARC reject. */
export function goodZone(dmarc = "v=DMARC1; p=reject"): Zone {
  const zone = dnsZone();
  zone.add("good.example", "TXT", "v=spf1 ip4:192.0.2.1 -all");
  zone.add("rsa._domainkey.good.example", "TXT", signingKey("rsa").record);
  zone.add("ed._domainkey.good.example", "TXT", signingKey("ed25519").record);
  if (dmarc !== "") zone.add("_dmarc.good.example", "TXT", dmarc);
  return zone;
}

export const signing = (changes: Partial<Signing> = {}): Signing => ({
  domain: "good.example",
  selector: "ed",
  key: signingKey("ed25519"),
  ...changes,
});
export const signedMail = (raw: string, changes: Partial<Signing> = {}): Buffer => signed(raw, signing(changes));

export const fromPeer = (changes: Partial<NonNullable<Received["client"]>> = {}): Received => ({
  client: { ip: "192.0.2.1", helo: "mx.good.example", mailFrom: "ana@good.example", ...changes },
  hostname: "mx.in.example",
  at,
  authservIds: [],
});
export const fromOthers = (...authservIds: string[]): Received => ({
  client: null,
  hostname: "mx.in.example",
  at,
  authservIds,
});

export async function look(
  raw: string | Uint8Array,
  { zone = goodZone(), received = fromPeer(), resolve }: { zone?: Zone; received?: Received; resolve?: Resolve } = {},
): Promise<Evidence> {
  const bytes = typeof raw === "string" ? Buffer.from(raw) : raw;
  return await verify(chunks(bytes), received, resolve ?? zone.resolve);
}

export async function* chunks(bytes: Uint8Array, size = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}
