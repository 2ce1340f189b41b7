/** Opens the verifying of senders as the configuration wants it: the thread with its DNS, and each tenant's own relays. */
import { hostname } from "node:os";
import { extname } from "node:path";
import type { Log, Metrics } from "../model/ports.ts";
import { openSenders, type Senders, unverified } from "../pipeline/senders.ts";
import { openVerifier } from "../pipeline/verifying.ts";
import type { Settings } from "../settings/index.ts";

export interface OpenSenders extends Senders {
  close(): Promise<void>;
}

/** For whoever must not ask DNS. */
export const askNobody: OpenSenders = { ...unverified, close: async () => undefined };

const threadFile = new URL(`./verify-thread${extname(import.meta.filename)}`, import.meta.url);

export function openSettingsSenders(settings: Settings, watch: { log: Log; metrics: Metrics }): OpenSenders {
  const { dns, smtp, tenants } = settings;
  if (!dns.verify) return askNobody;
  const data = { dns: { servers: dns.servers, timeoutMs: dns.timeout } };
  const verifier = openVerifier({ entry: threadFile, data, ...watch });
  const receiving = tenants.map(({ id, trust }) => ({
    tenant: id,
    authservIds: trust.authserv_ids,
    relays: trust.relays,
  }));
  const senders = openSenders(receiving, smtp.name ?? hostname(), verifier);
  return { verify: senders.verify, close: () => verifier.close() };
}
