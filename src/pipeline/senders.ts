/** Hop 5, first part: what is known of who sent a message, verified now or kept from when it came. */

import { failed } from "../mail/trust/evidence.ts";
import type { Envelope } from "../model/envelope.ts";
import { type CanonicalEvent, type Evidence, noEvidence } from "../model/event.ts";
import type { Attempt, Ledger } from "../model/ledger.ts";
import type { Clock, Log, Metrics, Sealer } from "../model/ports.ts";
import { asError } from "./faults.ts";
import { readMail } from "./stored.ts";
import { nobodyElse, openReceiving, type Receiving } from "./verifying/receiving.ts";
import type { Verifier } from "./verifying.ts";

type Raw = () => Promise<AsyncIterable<Uint8Array>>;

export interface Senders {
  /** Never rejects: where nothing can be said, the evidence says why. */
  verify(envelope: Envelope, raw: Raw, size: number): Promise<Evidence>;
}

/** For whoever must not ask DNS: nothing is known of any sender. */
export const unverified: Senders = { verify: async () => noEvidence };

/** `hostname`: what we call ourselves. */
export function openSenders(
  tenants: readonly (Receiving & { readonly tenant: string })[],
  hostname: string,
  verifier: Pick<Verifier, "verify">,
): Senders {
  const byTenant = new Map(tenants.map((each) => [each.tenant, openReceiving(each, hostname)]));
  const byOthers = openReceiving(nobodyElse, hostname);
  return {
    verify: (envelope, raw, size) => verifier.verify(raw, size, (byTenant.get(envelope.tenant) ?? byOthers)(envelope)),
  };
}

interface EvidencePorts {
  readonly senders: Senders;
  readonly ledger: Pick<Ledger, "find">;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/** Never rejects: a mail whose sender cannot be verified goes on, and says so. */
export async function evidenceFor(attempt: Attempt, raw: Raw, ports: EvidencePorts, story: Log): Promise<Evidence> {
  const { clock, metrics, senders } = ports;
  const before = attempt.preparedBefore ? await evidenceBefore(attempt.eventId, ports, story) : undefined;
  if (before !== undefined && isLasting(before)) return before;
  const started = clock.now();
  const now = await senders.verify(attempt.envelope, raw, attempt.rawSize).catch((error: unknown): Evidence => {
    metrics.count("defects_total", { where: "verify" });
    story.error({ err: asError(error) }, "the sender of a message could not be verified; it goes on unverified");
    return failed("temperror", "verifying failed");
  });
  if (now.dmarc === null) return before ?? now;
  metrics.observe("auth_seconds", (clock.now() - started) / 1000);
  count(now, metrics);
  return before !== undefined && !isLasting(now) ? before : now;
}

/** Keys are changed and the client is gone: what was seen when the mail came is never seen so well again. */
const isLasting = ({ dmarc }: Evidence): boolean => dmarc !== null && dmarc.result !== "temperror";

/** Undefined where there is no event, or none that can be read. */
async function evidenceBefore(
  event: string,
  { ledger, sealer }: EvidencePorts,
  story: Log,
): Promise<Evidence | undefined> {
  try {
    const [row] = await ledger.find({ event, limit: 1 });
    if (row?.sealedEvent === undefined) return undefined;
    const { auth } = readMail<CanonicalEvent>(sealer.open(row.sealedEvent).plain);
    // An event of before there was evidence has none of these.
    const { spf = null, dkim = [], dmarc = null, arc = null, claimed = [] } = auth as Partial<CanonicalEvent["auth"]>;
    return dmarc === null ? undefined : { spf, dkim, dmarc, arc, claimed };
  } catch (error) {
    story.warn({ err: asError(error) }, "the evidence taken when a message came could not be read; it is taken again");
    return undefined;
  }
}

function count({ spf, dkim, dmarc, arc }: Evidence, metrics: Metrics): void {
  const found = [
    ["spf", spf],
    ...dkim.map((signature) => ["dkim", signature] as const),
    ["dmarc", dmarc],
    ["arc", arc],
  ] as const;
  for (const [mechanism, evidence] of found)
    if (evidence !== null) metrics.count("auth_total", { mechanism, result: evidence.result });
}
