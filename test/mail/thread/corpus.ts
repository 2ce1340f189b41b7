/** The conversations of the corpus as the road sees them: parsed, with those who take part, and with the trust that their descriptions give. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openHasher } from "../../../src/blobs/index.ts";
import type { Conversing } from "../../../src/cli/score/threads.ts";
import { assembleEvent } from "../../../src/mail/event.ts";
import { createIdentity } from "../../../src/mail/identity.ts";
import { parse } from "../../../src/mail/parse.ts";
import { participants } from "../../../src/mail/participants.ts";
import { compilePeople, noLists } from "../../../src/mail/people.ts";
import { threadFacts } from "../../../src/mail/thread.ts";
import type { TrustLevel } from "../../../src/model/event.ts";
import type { ThreadFacts } from "../../../src/model/threads.ts";
import { peopleSchema } from "../../../src/settings/index.ts";

const folder = join(import.meta.dirname, "..", "..", "..", "corpus", "threads", "conversations");

interface Description {
  readonly conversation: string;
  readonly trust?: TrustLevel;
  readonly smtp: { readonly mail_from: string | null; readonly rcpt_to: string[] };
}

/** How the mails are changed before they are read, and the addresses and domains around them with them. */
export interface Change {
  raw(bytes: Buffer): Buffer;
  text(addressOrDomain: string): string;
}

const unchanged: Change = { raw: (bytes) => bytes, text: (text) => text };

export async function corpusMails(change: Change = unchanged): Promise<Conversing[]> {
  const lists = peopleSchema.parse(JSON.parse(readFileSync(join(folder, "people.json"), "utf8")));
  const changed = JSON.parse(
    JSON.stringify(lists, (_, value) => (typeof value === "string" ? change.text(value) : value)),
  );
  const inbound = `@${change.text("inbound.example.com")}`;
  const people = compilePeople({ ...noLists, ...changed }, (email) => email.endsWith(inbound));
  const files = readdirSync(folder).filter((name) => name.endsWith(".eml"));
  return Promise.all(
    files.sort().map(async (name) => {
      const raw = change.raw(readFileSync(join(folder, name)));
      const file = name.slice(0, -".eml".length);
      const description = JSON.parse(readFileSync(join(folder, `${file}.json`), "utf8")) as Description;
      const { conversation, trust } = description;
      const smtp = {
        mail_from: description.smtp.mail_from === null ? null : change.text(description.smtp.mail_from),
        rcpt_to: description.smtp.rcpt_to.map((address) => change.text(address)),
      };
      const identity = createIdentity();
      identity.update(raw);
      const { messageId, digest } = identity.finish();
      const receivedAt = Date.UTC(2026, 6, 25);
      const envelope = {
        kind: "smtp" as const,
        tenant: "acme",
        routes: smtp.rcpt_to,
        received_at: receivedAt,
        smtp: { remote_ip: "192.0.2.1", helo: "client.example", tls: null, ...smtp },
      };
      const parsed = await parse(raw);
      const event = assembleEvent(parsed, {
        eventId: file,
        tenant: "acme",
        routes: smtp.rcpt_to,
        receivedAt,
        rawSha256: createHash("sha256").update(raw).digest("hex"),
        rawRef: "raw",
        rawSize: raw.length,
        envelope,
        messageId,
        digest,
        conflict: false,
        participants: participants(parsed, envelope, people),
      });
      const auth = { ...event.auth, trust: trust ?? event.auth.trust };
      return { file, conversation, event: { ...event, auth }, digest };
    }),
  );
}

const hasher = openHasher(Buffer.alloc(32, 3));

export const factsOf = (mails: readonly Conversing[]): ThreadFacts[] =>
  mails.map(({ event, digest }) => threadFacts(event, { digest, hasher }));
