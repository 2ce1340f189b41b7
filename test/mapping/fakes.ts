/** Events for tests of the rules: a plain mail from a person, and whatever a test wants to be different. */
import { participants } from "../../src/mail/participants.ts";
import { compilePeople, noLists } from "../../src/mail/people.ts";
import { type CanonicalEvent, type Message, noEvidence, type TrustLevel } from "../../src/model/event.ts";

export const digest = "d".repeat(64);
export const receivedAt = Date.UTC(2026, 2, 10, 12);

type Changes = Partial<Omit<CanonicalEvent, "message">> & { readonly message?: Partial<Message> };

export const address = (email: string | null, name = ""): NonNullable<Message["from"]> => ({
  name,
  email,
  email_unicode: email,
  local: email?.split("@")[0] ?? null,
  domain: email?.split("@")[1] ?? null,
  raw: email ?? name,
  anomalies: [],
});

const message: Message = {
  message_id: "<m1@example.test>",
  message_id_source: "header",
  in_reply_to: null,
  in_reply_to_all: [],
  references: [],
  thread_index: null,
  thread_topic: null,
  date: "2026-03-10T11:59:00.000Z",
  date_raw: "Tue, 10 Mar 2026 11:59:00 +0000",
  date_source: "header",
  date_offset_minutes: 0,
  from: address("ada@example.test", "Ada Lovelace"),
  from_source: "from",
  from_all: [address("ada@example.test", "Ada Lovelace")],
  sender: null,
  reply_to: [],
  to: [address("deals@in.acme.test")],
  cc: [],
  bcc: [],
  return_path: null,
  delivered_to: [],
  x_original_to: [],
  resent: null,
  subject: "An order",
  subject_raw: "An order",
  subject_normalised: "An order",
  text: "Ten, please.",
  text_source: "original",
  html: null,
  html_source: "none",
  charset: { declared: "utf-8", used: "utf-8", guessed: false },
  reply_text: "Ten, please.",
  quoted_text: null,
  signature_text: null,
  interleaved: false,
  spans: [],
  forwarded: null,
  language: null,
  truncated: { text: false, html: false, headers: false },
  headers: [
    ["From", "Ada Lovelace <ada@example.test>"],
    ["X-Mailer", "none of the CRM's business"],
    ["Message-ID", "<m1@example.test>"],
  ],
  received: [],
  list: null,
  attachments: [],
};

export const classOf = (
  kind: CanonicalEvent["class"]["kind"],
  evidence: CanonicalEvent["class"]["evidence"] = [],
): CanonicalEvent["class"] => ({
  kind,
  auto_submitted: null,
  precedence: null,
  is_bulk: kind === "bulk",
  is_list: kind === "list",
  is_auto_reply: kind === "auto_reply",
  is_auto_generated: kind === "auto_generated",
  is_bounce: kind === "bounce",
  is_mdn: kind === "mdn",
  is_complaint: kind === "complaint",
  is_calendar: kind === "calendar",
  is_forward: false,
  is_encrypted: false,
  is_signed: false,
  no_reply_sender: false,
  evidence,
});

/** A judgement without any evidence behind it. */
export const authOf = (trust: TrustLevel, reason = "as drawn"): CanonicalEvent["auth"] => ({
  ...noEvidence,
  trust,
  reason,
  reasons: [],
});

const event: Omit<CanonicalEvent, "participants"> = {
  schema_version: 1,
  event_id: "0199aaaa-0000-7000-8000-000000000001",
  received_at: new Date(receivedAt).toISOString(),
  tenant: "acme",
  routes: ["deals@in.acme.test"],
  idempotency_key: "<m1@example.test>",
  raw: { sha256: "a".repeat(64), ref: "raw/aa/aa/e1", size: 100 },
  source: { kind: "smtp" },
  message,
  auth: authOf("unverified", "nothing vouches for the sender"),
  class: classOf("person"),
  bounce: null,
  complaint: null,
  mdn: null,
  calendar: [],
  thread: { thread_id: "t1", parent_event_id: null, confidence: 1, method: "new", review: false, candidates: [] },
  anomalies: [],
  parse_status: "ok",
  parser: { name: "test", version: "1", layer_version: 1 },
};

/** Colleagues are at acme.test, and mail comes in at in.acme.test. */
export const people = compilePeople({ ...noLists, own_domains: ["acme.test"] }, (email) =>
  email.endsWith("@in.acme.test"),
);

/** Who takes part follows from the message, where a test does not say it. */
export function eventWith(changes: Changes = {}): CanonicalEvent {
  const changed = { ...message, ...changes.message };
  return { ...event, participants: participants({ message: changed }, event, people), ...changes, message: changed };
}
