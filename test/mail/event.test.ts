import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { assembleEvent, type EventContext } from "../../src/mail/event.ts";
import { parse } from "../../src/mail/parse.ts";
import type { Envelope } from "../../src/model/envelope.ts";
import { eventSchema } from "../../src/model/event.ts";

const smtp = (mail_from: string | null): Envelope => ({
  kind: "smtp",
  tenant: "acme",
  routes: ["deals@inbound.example.com"],
  received_at: 0,
  smtp: { remote_ip: "192.0.2.1", helo: "mx.example", tls: null, mail_from, rcpt_to: ["deals@inbound.example.com"] },
});

const context = (more: Partial<EventContext> = {}): EventContext => ({
  eventId: "019836f0-0000-7000-8000-000000000001",
  tenant: "acme",
  routes: ["deals@inbound.example.com", "support@inbound.example.com"],
  receivedAt: Date.UTC(2026, 6, 14, 8),
  rawSha256: "a".repeat(64),
  rawRef: "raw/00/01/019836f0",
  rawSize: 100,
  envelope: smtp("a@b.example"),
  messageId: "<1@b.example>",
  digest: "d".repeat(64),
  conflict: false,
  participants: {
    direction: "inbound",
    basis: "nobody",
    filed_under: [],
    others: [],
    colleagues: [],
    forwarded_by: null,
    list: null,
    excluded: null,
  },
  ...more,
});
const mail = "From: a@b.example\r\nMessage-ID: <1@b.example>\r\nDate: Tue, 14 Jul 2026 09:15:00 +0200\r\n\r\nhi\r\n";
const event = async (raw: string, more: Partial<EventContext> = {}) =>
  assembleEvent(await parse(Buffer.from(raw)), context(more));

describe("the canonical event", () => {
  test("has what the parse found, what the envelope says and what the ledger knows", async () => {
    expect(await event(mail)).toMatchObject({
      schema_version: 1,
      event_id: "019836f0-0000-7000-8000-000000000001",
      received_at: "2026-07-14T08:00:00.000Z",
      tenant: "acme",
      routes: ["deals@inbound.example.com", "support@inbound.example.com"],
      idempotency_key: "<1@b.example>",
      raw: { sha256: "a".repeat(64), ref: "raw/00/01/019836f0", size: 100 },
      source: { kind: "smtp", smtp: { mail_from: "a@b.example" } },
      message: { text: "hi\n", message_id: "<1@b.example>", message_id_source: "header" },
      auth: { trust: "unverified", reason: "The sender was not judged." },
      class: { kind: "person" },
      anomalies: [],
      parse_status: "ok",
    });
  });

  test("of a message without an id has the content digest as its key", async () => {
    const found = await event("From: a@b.example\r\n\r\nhi", { messageId: null });
    expect(found).toMatchObject({
      idempotency_key: "d".repeat(64),
      message: { message_id: null, message_id_source: "none" },
    });
  });

  test("of a null sender is a machine's, which only the envelope knows", async () => {
    expect((await event(mail, { envelope: smtp(null) })).class).toMatchObject({
      kind: "auto_generated",
      evidence: [{ rule: "auto_generated.null_sender", header: null, value: "MAIL FROM:<>" }],
    });
    expect((await event(mail, { envelope: { ...smtp(null), kind: "import", smtp: undefined } })).class.kind).toBe(
      "person",
    );
  });

  test("of a conflict, or with an impossible date, says so", async () => {
    const codes = async (raw: string, more: Partial<EventContext> = {}) =>
      (await event(raw, more)).anomalies.map(({ code }) => code);
    expect(await codes(mail, { conflict: true })).toEqual(["message_id_conflict"]);
    expect(await codes(mail.replace("2026", "2027"))).toEqual(["implausible_date"]);
    expect(await codes(mail.replace("2026", "1971"))).toEqual(["implausible_date"]);
  });

  test("begins a thread of its own, by its identity, until it is known what it answers", async () => {
    const thread = async (raw: string, messageId: string | null) => (await event(raw, { messageId })).thread.thread_id;
    const root = await thread(mail, "<1@b.example>");
    expect(root).toMatch(/^[0-9a-f]{32}$/);
    expect(await thread(mail, "<1@b.example>")).toBe(root);
    expect(await thread("In-Reply-To: <1@b.example>\r\n\r\n", "<4@b.example>")).not.toBe(root);
    expect(await thread("Subject: none\r\n\r\n", null)).toMatch(/^[0-9a-f]{32}$/);
  });

  test("of any bytes goes through JSON and its schema unchanged", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.boolean(), async (tail, conflict) => {
        const raw = Buffer.concat([Buffer.from("From: a@b.example\r\nSubject: "), tail]);
        const found = assembleEvent(await parse(raw), context({ conflict }));
        const read = eventSchema.parse(JSON.parse(JSON.stringify(found)));
        expect(read).toEqual(found);
      }),
      { numRuns: 300 },
    );
  });
});
