/** Reads a mail the way the road would, without keeping anything: for `parse`, and for `plan` of a file that is not stored. */
import { createHash } from "node:crypto";
import { createIdentity } from "../mail/identity.ts";
import { compilePeople, noLists } from "../mail/people.ts";
import type { Envelope } from "../model/envelope.ts";
import type { CanonicalEvent } from "../model/event.ts";
import type { People } from "../model/people.ts";
import type { Log } from "../model/ports.ts";
import { eventOf } from "../pipeline/enrich.ts";
import { judgeAlone } from "../pipeline/judging.ts";
import { openParsePool } from "../pipeline/parsing.ts";
import type { Settings } from "../settings/index.ts";
import { openMetrics } from "../watch/index.ts";
import { askNobody, openSettingsSenders } from "./senders.ts";
import { systemRandom } from "./system.ts";

/** Bytes that can be read more than once: first for their identity, then for their parse. */
export interface RereadableMail {
  readonly size: number;
  read(): AsyncIterable<Uint8Array>;
}

export interface Previewed {
  readonly event: CanonicalEvent;
  /** Content digest: part of the activity's key. */
  readonly digest: string;
}

/** What the ledger would know. */
export interface Known {
  readonly eventId?: string;
  /** Another message has the same Message-ID, and other content. */
  readonly conflict?: boolean;
  /** Who is who for this mail; else what the tenant's configuration says. */
  readonly people?: People;
}

export interface Preview {
  /** Rejects only when the bytes cannot be read; whatever they are, an event comes out. */
  event(mail: RereadableMail, envelope: Envelope, known?: Known): Promise<Previewed>;
  close(): Promise<void>;
}

export interface PreviewOptions {
  /** How many messages can be read at once. */
  readonly children: number;
  readonly log: Log;
  /** By the tenant's id; a tenant without an entry knows nobody. */
  readonly people: ReadonlyMap<string, People>;
  /** Ask DNS whether the senders are who they say, as these settings want it; without it nothing is verified. */
  readonly verify?: Settings;
}

export async function openPreview({ children, log, people, verify }: PreviewOptions): Promise<Preview> {
  const nobody = compilePeople(noLists, () => false);
  const metrics = openMetrics();
  const pool = await openParsePool({ children, log, metrics });
  const sealers = new Map(verify?.tenants.map(({ id, trust }) => [id, trust.arc_sealers]));
  const senders = verify === undefined ? askNobody : openSettingsSenders(verify, { log, metrics });
  return {
    async event(mail, envelope, { eventId, conflict = false, people: given } = {}) {
      const identity = createIdentity();
      const sha256 = createHash("sha256");
      let rawSize = 0;
      for await (const chunk of mail.read()) {
        identity.update(chunk);
        sha256.update(chunk);
        rawSize += chunk.length;
      }
      const { messageId, digest } = identity.finish();
      const [parsed, evidence] = await Promise.all([
        pool.parse(mail.read(), rawSize),
        senders.verify(envelope, async () => mail.read(), rawSize),
      ]);
      const who = given ?? people.get(envelope.tenant) ?? nobody;
      const event = eventOf(
        {
          eventId: eventId ?? systemRandom.uuid(envelope.received_at),
          tenant: envelope.tenant,
          receivedAt: envelope.received_at,
          messageId,
          digest,
          conflict,
          rawSha256: sha256.digest("hex"),
          rawSize,
          envelope,
          routes: envelope.routes,
        },
        parsed,
        judgeAlone(
          parsed,
          evidence,
          { people: who, arcSealers: sealers.get(envelope.tenant) ?? [] },
          conflict,
          envelope.imap?.sent === true,
        ),
        who,
      );
      return { event, digest };
    },
    async close() {
      await senders.close();
      await pool.close();
    },
  };
}
