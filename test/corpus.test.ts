import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { assembleEvent } from "../src/mail/event.ts";
import { createIdentity } from "../src/mail/identity.ts";
import { parse } from "../src/mail/parse.ts";
import { participants } from "../src/mail/participants.ts";
import { compilePeople, noLists } from "../src/mail/people.ts";
import { eventSchema, noEvidence, trustLevels } from "../src/model/event.ts";
import { judgeAlone } from "../src/pipeline/judging.ts";
import { peopleSchema } from "../src/settings/index.ts";

const folder = join(import.meta.dirname, "..", "corpus");

const described = z.strictObject({
  /** One line: what this message is here for. */
  why: z.string().min(20),
  /** Sent by `mailwright demo`, in this order. */
  demo: z.literal(true).optional(),
  order: z.number().int().positive().optional(),
  /** The conversation that it belongs to, and how far its sender is trusted there: test/mail/thread/corpus.test.ts. */
  conversation: z.string().min(1).optional(),
  trust: z.enum(trustLevels).optional(),
  /** Another message of the corpus that has the same Message-ID. */
  conflicts_with: z.string().optional(),
  /** The line ends are what this message is about: it is not read again with others. */
  line_ends: z.literal("kept").optional(),
  smtp: z.strictObject({ mail_from: z.string().nullable(), rcpt_to: z.array(z.string()).min(1) }),
  /** Part of the canonical event. */
  expect: z.record(z.string(), z.unknown()),
});

const names = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".eml"))
  .map((name) => name.slice(0, -".eml".length))
  .sort();
const bytesOf = (name: string) => readFileSync(join(folder, `${name}.eml`));
const descriptionOf = (name: string) => described.parse(JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8")));
const messages = names.map((name) => ({ name, ...descriptionOf(name) }));
/** The lists of a folder's people.json: whose mail it is. */
function peopleOf(name: string) {
  const file = join(folder, dirname(name), "people.json");
  const lists = existsSync(file) ? peopleSchema.parse(JSON.parse(readFileSync(file, "utf8"))) : noLists;
  return compilePeople(lists, (email) => email.toLowerCase().endsWith("@inbound.example.com"));
}
const withAnyLineEnds = messages.filter(({ line_ends }) => line_ends === undefined);

function identityOf(raw: Uint8Array) {
  const identity = createIdentity();
  identity.update(raw);
  return identity.finish();
}

async function eventOf(name: string, raw: Uint8Array, { smtp, conflicts_with }: z.infer<typeof described>) {
  const { messageId, digest } = identityOf(raw);
  const received_at = Date.UTC(2026, 6, 25);
  const parsed = await parse(raw);
  const session = { remote_ip: "192.0.2.1", helo: "client.example", tls: null, ...smtp };
  const envelope = { kind: "smtp" as const, tenant: "acme", routes: smtp.rcpt_to, received_at, smtp: session };
  const judge = { people: peopleOf(name), arcSealers: [] };
  return assembleEvent(parsed, {
    auth: judgeAlone(parsed, noEvidence, judge, conflicts_with !== undefined).auth,
    eventId: "019836f0-0000-7000-8000-000000000001",
    tenant: "acme",
    routes: smtp.rcpt_to,
    receivedAt: received_at,
    rawSha256: createHash("sha256").update(raw).digest("hex"),
    rawRef: "raw/00/01/019836f0-0000-7000-8000-000000000001",
    rawSize: raw.length,
    envelope,
    messageId,
    digest,
    conflict: conflicts_with !== undefined,
    participants: participants(parsed, envelope, peopleOf(name)),
  });
}

describe("the corpus", () => {
  test.each(messages)("$name: $why", async ({ name, ...description }) => {
    const event = await eventOf(name, bytesOf(name), description);
    expect(event).toMatchObject(description.expect);
    expect(eventSchema.parse(JSON.parse(JSON.stringify(event)))).toEqual(event);
  });

  test.each(withAnyLineEnds)("$name gives the same event with CRLF as with LF", async ({ name, ...description }) => {
    const crlf = Buffer.from(bytesOf(name).toString("latin1").replace(/\r?\n/g, "\r\n"), "latin1");
    const one = await eventOf(name, bytesOf(name), description);
    const other = await eventOf(name, crlf, description);
    // The bytes differ, and so do the hashes of text attachments.
    const hashless = (event: typeof one) => ({
      ...event,
      raw: null,
      message: { ...event.message, attachments: event.message.attachments.map(({ filename }) => filename) },
    });
    expect(hashless(other)).toEqual(hashless(one));
    expect(identityOf(crlf).digest).toBe(identityOf(bytesOf(name)).digest);
  });

  test("holds pairs with one Message-ID and two identities", () => {
    const pairs = messages.filter(({ conflicts_with }) => conflicts_with !== undefined);
    expect(pairs.length).toBeGreaterThan(0);
    for (const { name, conflicts_with = "" } of pairs) {
      const one = identityOf(bytesOf(name));
      const other = identityOf(bytesOf(conflicts_with));
      expect(one.messageId).toBe(other.messageId);
      expect(one.digest).not.toBe(other.digest);
    }
  });

  test("stands in the families that its README describes, a hundred and twenty messages and more", () => {
    const [, table = ""] = readFileSync(join(folder, "README.md"), "utf8").split("## Families");
    const described = [...table.matchAll(/^\| `([a-z]+)` \|/gm)].map(([, family]) => family);
    const families = [...new Set(names.map((name) => name.slice(0, name.indexOf("/"))))];
    expect(families.sort()).toEqual(described.sort());
    expect(names.length).toBeGreaterThanOrEqual(120);
  });

  test("numbers the messages of the demonstration without gaps", () => {
    const orders = messages.flatMap(({ demo, order }) => (demo === undefined ? [] : [order ?? 0]));
    expect(orders.sort((a, b) => a - b)).toEqual(orders.map((_, index) => index + 1));
    expect(orders.length).toBeGreaterThanOrEqual(12);
    expect(messages.filter(({ demo, order }) => (demo === undefined) !== (order === undefined))).toEqual([]);
  });

  test("is addressed to the inbound domain of the default configuration", () => {
    for (const { smtp } of messages) for (const to of smtp.rcpt_to) expect(to).toMatch(/@inbound\.example\.com$/);
  });
});
