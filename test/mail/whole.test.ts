/** The parse as a whole, for any mail and for any bytes. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { assembleEvent } from "../../src/mail/event.ts";
import { parse } from "../../src/mail/parse.ts";
import { participants } from "../../src/mail/participants.ts";
import { compilePeople, noLists } from "../../src/mail/people.ts";
import { eventSchema, type ParsedMessage } from "../../src/model/event.ts";
import type { Log } from "../../src/model/ports.ts";
import { openParsePool, type ParsePool } from "../../src/pipeline/parsing.ts";
import { composed, shards } from "./compose.ts";

async function* chunked(raw: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, turn = 0; at < raw.length; turn++) {
    const size = sizes[turn % sizes.length] ?? raw.length;
    yield raw.subarray(at, at + size);
    at += size;
  }
}
const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 16 }), fc.integer({ min: 1, max: 65_536 })), {
  minLength: 1,
  maxLength: 5,
});
const anyBytes = fc.oneof(
  composed.map(({ raw }) => raw),
  shards,
  fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
);

function eventOf(raw: Uint8Array, parsed: ParsedMessage) {
  return assembleEvent(parsed, {
    eventId: "019836f0-0000-7000-8000-000000000001",
    tenant: "acme",
    routes: [],
    receivedAt: Date.UTC(2026, 6, 25),
    rawSha256: createHash("sha256").update(raw).digest("hex"),
    rawRef: "raw/x",
    rawSize: raw.length,
    envelope: { kind: "import", tenant: "acme", routes: [], received_at: 0 },
    messageId: parsed.message.message_id,
    digest: "d",
    conflict: false,
    participants: participants(
      parsed,
      { routes: [] },
      compilePeople(noLists, () => false),
    ),
  });
}

/** Everything that is shown as one line: no line end, no control, nothing that turns the direction of text. */
function* lines({ message, calendar }: ParsedMessage): Generator<string | null | undefined> {
  const people = [message.from, message.sender, ...message.from_all, ...message.reply_to, ...message.to, ...message.cc];
  yield* [message.subject, message.subject_normalised, ...people.map((one) => one?.name)];
  yield* message.headers.flat();
  for (const { filename, nested } of message.attachments) yield* [filename, nested?.subject];
  for (const { summary, location } of calendar) yield* [summary, location];
}

describe("a message that was composed", () => {
  test("is read as what was written: headers, bodies and files, in any charset, encoding and nesting", async () => {
    await fc.assert(
      fc.asyncProperty(composed, async ({ raw, expected }) => {
        const { message, parse_status, anomalies } = await parse(raw);
        const { subject, html, message_id } = message;
        const people = ({ name, email }: { name: string; email: string | null }) => ({ name, email });
        expect({
          subject,
          html: html?.trimEnd() ?? null,
          message_id,
          text: message.text?.trimEnd(),
          from: message.from && people(message.from),
          to: message.to.map(people),
          attachments: message.attachments.map(({ filename, content_type, size, sha256 }) => ({
            filename,
            content_type,
            size,
            sha256,
          })),
        }).toEqual(expected);
        expect([parse_status, anomalies]).toEqual(["ok", []]);
      }),
      { numRuns: 300 },
    );
  });

  test("is the same however it is cut into chunks", async () => {
    await fc.assert(
      fc.asyncProperty(anyBytes, sizes, async (raw, cuts) => {
        expect(await parse(chunked(raw, cuts))).toEqual(await parse(raw));
      }),
      { numRuns: 300 },
    );
  });

  test("is the same when it is parsed again", async () => {
    await fc.assert(
      fc.asyncProperty(anyBytes, async (raw) => {
        expect(JSON.stringify(await parse(raw))).toBe(JSON.stringify(await parse(Buffer.from(raw))));
      }),
    );
  });
});

describe("any bytes", () => {
  test("end in an event that its schema accepts, and that JSON carries whole", async () => {
    await fc.assert(
      fc.asyncProperty(anyBytes, async (raw) => {
        const event = eventOf(raw, await parse(raw));
        expect(eventSchema.parse(JSON.parse(JSON.stringify(event)))).toEqual(event);
      }),
      { numRuns: 500 },
    );
  });

  test("give clean lines, and text without NUL", async () => {
    await fc.assert(
      fc.asyncProperty(anyBytes, async (raw) => {
        const parsed = await parse(raw);
        for (const line of lines(parsed)) expect(line ?? "").not.toMatch(/[\p{Cc}\u2028-\u202e\u2066-\u2069\p{Cs}]/u);
        for (const { filename } of parsed.message.attachments) expect(filename).toMatch(/^[^/\\]+$/);
        expect(parsed.message.text ?? "").not.toMatch(/[\0\r\p{Cs}]/u);
      }),
      { numRuns: 500 },
    );
  });

  test("have spans that lie in the text, in order, without overlaps", async () => {
    await fc.assert(
      fc.asyncProperty(anyBytes, async (raw) => {
        const { spans, text } = (await parse(raw)).message;
        let last = 0;
        for (const { start, end } of spans) {
          expect(start).toBeGreaterThanOrEqual(last);
          expect(end).toBeGreaterThanOrEqual(start);
          last = end;
        }
        expect(last).toBeLessThanOrEqual(text?.length ?? 0);
      }),
    );
  });
});

describe("the pool", () => {
  let pool: ParsePool;
  beforeAll(async () => {
    const silent = (): void => undefined;
    const log: Log = { debug: silent, info: silent, warn: silent, error: silent, with: () => log };
    pool = await openParsePool({ children: 2, log });
  });
  afterAll(() => pool.close());

  test("gives the event that the parse gives, however the bytes come", async () => {
    await fc.assert(
      fc.asyncProperty(anyBytes, sizes, async (raw, cuts) => {
        const inChild = await pool.parse(chunked(raw, cuts), raw.length);
        expect(inChild).toEqual(JSON.parse(JSON.stringify(await parse(raw))));
      }),
    );
  });
});
