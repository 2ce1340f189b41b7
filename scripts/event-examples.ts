/**
 * Writes the examples of the event as they are published, test/model/events/vN: from each mail there its event, and beside them the JSON
 * Schema of the version. Run before a version is published, never after: what has been published stays as it is.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { assembleEvent } from "../src/mail/event.ts";
import { createIdentity } from "../src/mail/identity.ts";
import { parse } from "../src/mail/parse.ts";
import { participants } from "../src/mail/participants.ts";
import { compilePeople, noLists } from "../src/mail/people.ts";
import { type CanonicalEvent, schemaVersion } from "../src/model/event.ts";
import { eventJsonSchema } from "./event-page.ts";

export const publishedFolder = join(import.meta.dirname, "..", "test", "model", "events");

const eventId = "019836f0-0000-7000-8000-000000000001";

/** The event of a mail that the SMTP source took, with made-up identifiers that are always the same. */
export async function exampleEvent(raw: Uint8Array): Promise<CanonicalEvent> {
  const identity = createIdentity();
  identity.update(raw);
  const { messageId, digest } = identity.finish();
  const parsed = await parse(raw);
  const received_at = Date.UTC(2026, 6, 16, 12);
  const rcpt_to = ["deals@inbound.example.com"];
  const smtp = {
    remote_ip: "192.0.2.44",
    helo: "mx.azimut-rack.example",
    tls: { version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384" },
    mail_from: parsed.message.return_path === "" ? null : (parsed.message.from?.email ?? null),
    rcpt_to,
  };
  const envelope = { kind: "smtp" as const, tenant: "acme", routes: rcpt_to, received_at, smtp };
  const people = compilePeople({ ...noLists, own_domains: ["acme.example"] }, (email) =>
    email.endsWith("@inbound.example.com"),
  );
  return assembleEvent(parsed, {
    eventId,
    tenant: "acme",
    routes: rcpt_to,
    receivedAt: received_at,
    rawSha256: createHash("sha256").update(raw).digest("hex"),
    rawRef: `raw/00/01/${eventId}`,
    rawSize: raw.length,
    envelope,
    messageId,
    digest,
    conflict: false,
    participants: participants(parsed, envelope, people),
  });
}

if (import.meta.main) {
  const folder = join(publishedFolder, `v${schemaVersion}`);
  const write = (name: string, value: unknown): void =>
    writeFileSync(join(folder, name), `${JSON.stringify(value, null, 2)}\n`);
  for (const name of readdirSync(folder).filter((one) => one.endsWith(".eml"))) {
    write(name.replace(/\.eml$/, ".json"), await exampleEvent(readFileSync(join(folder, name))));
  }
  write("event.schema.json", eventJsonSchema());
}
