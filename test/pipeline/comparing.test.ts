import { describe, expect, test } from "vitest";
import { compilePeople, noLists } from "../../src/mail/people.ts";
import { compileMapping } from "../../src/mapping/rules/compile.ts";
import { mappingSchema } from "../../src/model/mapping.ts";
import type { ThreadDeal } from "../../src/model/mappings.ts";
import type { StoredMail, StoredMails } from "../../src/model/reading.ts";
import { compareStored } from "../../src/pipeline/comparing.ts";
import { writeMail } from "../../src/pipeline/stored.ts";
import { authOf, eventWith } from "../mapping/fakes.ts";
import { openSealer } from "./fakes.ts";

const people = compilePeople({ ...noLists, own_domains: ["acme.test"] }, (email) => email.endsWith("@in.acme.test"));
const defaults = { createContact: "unverified", internal: "skip", disposableContacts: "hold" } as const;
const by = (...rules: object[]) => ({ ...defaults, rules: compileMapping(mappingSchema.parse({ rules })) });

function mailOf(seq: number, subject: string, changes: Partial<StoredMail> = {}, thread = `t${seq}`): StoredMail {
  const id = `<m${seq}@client.test>`;
  const event = eventWith({
    event_id: `e${seq}`,
    auth: authOf("verified"),
    thread: { thread_id: thread, parent_event_id: null, confidence: 1, method: "new", review: false, candidates: [] },
    message: { message_id: id, subject, subject_normalised: subject },
  });
  return {
    seq,
    eventId: `e${seq}`,
    messageId: id,
    tenant: "acme",
    digest: String(seq).padStart(64, "0"),
    receivedAt: seq * 1_000,
    envelope: { kind: "smtp", tenant: "acme", routes: ["deals@in.acme.test"], received_at: seq * 1_000 },
    routes: ["deals@in.acme.test"],
    prepared: true,
    sealedEvent: openSealer.seal(writeMail(event), `event e${seq}`),
    copy: false,
    ...changes,
  };
}

/** Keeps count of what is asked, and hands out no more than it was asked for. */
function mailsOf(stored: StoredMail[], deals: Record<string, ThreadDeal> = {}) {
  const pages: number[] = [];
  const mails: StoredMails = {
    newest: () => stored.at(-1)?.seq ?? 0,
    page: ({ after, until, limit, since = 0 }) => {
      const page = stored
        .filter(({ seq, receivedAt }) => seq > after && seq <= until && receivedAt >= since)
        .slice(0, limit);
      pages.push(page.length);
      return page;
    },
    count: ({ until }) => stored.filter(({ seq }) => seq <= until).length,
    dealOf: (thread) => deals[thread] ?? null,
    mappings: () => [],
    mappingText: () => undefined,
    close: () => undefined,
  };
  return { mails, pages };
}

const compare = (
  stored: StoredMail[],
  {
    before = by(),
    after = by({ name: "no", when: { subject: "lottery" }, do: { skip: "spam" } }),
    most = 10,
    since = 0,
  },
  { deals, pause = async () => false }: { deals?: Record<string, ThreadDeal>; pause?: () => Promise<boolean> } = {},
) => {
  const { mails, pages } = mailsOf(stored, deals);
  const asked = { tenant: "acme", people, before, after, most, since };
  return compareStored(asked, { mails, sealer: openSealer, pause }).then((report) => ({ ...report, pages }));
};

const subjects = (count: number) => Array.from({ length: count }, (_, n) => (n % 10 === 0 ? "lottery" : "hello"));

describe("a comparison over stored messages", () => {
  test("counts all of them page by page, and keeps the newest of those that differ", async () => {
    const report = await compare(
      subjects(237).map((subject, n) => mailOf(n + 1, subject)),
      { most: 3 },
    );
    expect(report).toMatchObject({ total: 237, finished: true, messages: { no_longer: 24, same: 213 } });
    expect(report.newest.map(({ eventId }) => eventId)).toEqual(["e211", "e221", "e231"]);
    expect(report.steps.get("activity")).toEqual({ create: 0, change: 0, no_longer: 24 });
    expect(Math.max(...report.pages)).toBeLessThanOrEqual(50);
    // What is kept to be shown holds no mail.
    expect(JSON.stringify(report.newest)).not.toContain("Ten, please.");
  });

  test("says of each that it could not compare why", async () => {
    const { sealedEvent: _, ...purged } = mailOf(2, "lottery");
    const report = await compare(
      [
        mailOf(1, "lottery", { prepared: false }),
        purged,
        mailOf(3, "lottery", { copy: true }),
        mailOf(4, "lottery", { sealedEvent: Buffer.from("not ours") }),
        mailOf(5, "lottery", { verdict: { kind: "reject", by: "kim", at: 1 } }),
      ],
      {},
    );
    // A person's word stands, whatever the mapping says.
    expect(report.messages).toMatchObject({ waiting: 1, purged: 1, copies: 1, unreadable: 1, same: 1, no_longer: 0 });
  });

  test("does not follow mail that comes in meanwhile, and ends where it is told to", async () => {
    const stored = subjects(120).map((subject, n) => mailOf(n + 1, subject));
    let more = 1_000;
    const pause = async () => {
      stored.push(...subjects(60).map((subject, n) => mailOf(more + n, subject)));
      more += 60;
      return false;
    };
    expect(await compare(stored, {}, { pause })).toMatchObject({ total: 120, messages: { same: 108, no_longer: 12 } });
    let pages = 0;
    const cut = await compare(stored.slice(0, 120), {}, { pause: async () => ++pages === 2 });
    expect(cut).toMatchObject({ total: 120, finished: false, messages: { same: 90, no_longer: 10 } });
  });

  test("takes the deal of a conversation from the ledger, else from the message that would have asked first", async () => {
    const after = by({ name: "sales", do: { deal: { create: { stage: "{new}" } } } });
    const talk = [mailOf(1, "A quote", {}, "t"), mailOf(2, "A quote", {}, "t"), mailOf(3, "Other", {}, "u")];
    const asked = await compare(talk, { after });
    const dealsIn = (report: typeof asked) =>
      report.newest.map(({ compared }) => compared.steps.find(({ kind }) => kind === "deal")?.key);
    const [first, second, third] = dealsIn(asked);
    expect(first).toBe(second);
    expect(third).not.toBe(first);
    const known = { t: { key: "f".repeat(64), pipeline: null, stage: "won" } };
    const fixed = await compare(talk, { before: by(), after }, { deals: known });
    // It is fixed: both versions keep it.
    expect(fixed.messages).toMatchObject({ rule: 2, create: 1 });
  });
});
