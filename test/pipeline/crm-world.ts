/** The road in one process with the built-in CRM, both in memory: mail comes in, mappings are laid over it and taken back, and time stands still between. */
import fc from "fast-check";
import { expect } from "vitest";
import { openHasher } from "../../src/blobs/index.ts";
import { local } from "../../src/destinations/local.ts";
import { compilePeople, noLists } from "../../src/mail/people.ts";
import { openThreadTokens } from "../../src/mail/thread-token.ts";
import type { CompiledMapping } from "../../src/mapping/rules/compile.ts";
import type { Blobs, Spool } from "../../src/model/blob.ts";
import type { DestinationPorts } from "../../src/model/destination.ts";
import type { Evidence } from "../../src/model/event.ts";
import type { LocalRecord, LocalRecords, RecordKind } from "../../src/model/records.ts";
import { defaultMarks } from "../../src/model/threads.ts";
import { openBucket } from "../../src/pipeline/bucket.ts";
import { startRoad } from "../../src/pipeline/road.ts";
import type { Senders } from "../../src/pipeline/senders.ts";
import { openEvent } from "../../src/pipeline/stored.ts";
import { openLedger, openLocalRecords } from "../../src/store/index.ts";
import { VirtualTime } from "../simulation/clock.ts";
import { openParsing } from "../simulation/parsing.ts";
import { keeping, openSealer, plainRandom } from "./fakes.ts";

const lane = "acme/crm";
const newVersion = 101;
export const from = ["ada@client.example", "bob@client.example", "cyd@other.example", "dan@gmail.com"];
export const subjects = ["A quote", "Lunch", "Our news"];

export interface Mail {
  readonly by: number;
  readonly subject: number;
  /** Of the mails before it, counted from the end; none where it begins a conversation. */
  readonly answers: number | null;
}
export const mails = fc.record({
  by: fc.nat({ max: from.length - 1 }),
  subject: fc.nat({ max: subjects.length - 1 }),
  answers: fc.option(fc.nat({ max: 3 }), { freq: 1, nil: null }),
});
/** DMARC passed for whoever stands in From. */
const believing: Senders = {
  async verify(_envelope, raw): Promise<Evidence> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of await raw()) chunks.push(chunk);
    const domain = /^From: .*@([\w.]+)/m.exec(Buffer.concat(chunks).toString())?.[1] ?? "none.test";
    const by = "mailwright";
    const spf = { result: "pass", domain, aligned: "strict", by, detail: null } as const;
    return {
      spf,
      dkim: [],
      dmarc: { result: "pass", domain, policy: "none", by, detail: null },
      arc: null,
      claimed: [],
    };
  },
};

/** `old` is in force; runs lay `fresh` over it. */
export async function openCrmWorld(old: CompiledMapping, fresh: CompiledMapping = old) {
  const time = new VirtualTime();
  const clock = time.clock();
  const ledger = await openLedger({ path: ":memory:", thread: "calling" });
  const records = openLocalRecords(":memory:");
  const { log, metrics, lines } = keeping();
  const session = local.open({}, { tenant: "acme", lane, clock, log, metrics, records } as unknown as DestinationPorts);
  const built = { createContact: "unverified", internal: "skip", disposableContacts: "hold" } as const;
  const tenant = {
    tenant: "acme",
    mapping: { ...built, rules: old, version: newVersion - 1 },
    people: compilePeople({ ...noLists, own_domains: ["acme.test"] }, () => false),
    threads: defaultMarks,
    arcSealers: [],
    lanes: [lane],
  };
  const settings = {
    ...{ lane, tenant: "acme", destination: "crm", facts: local.facts },
    ...{ firstRetryMs: 5_000, retryWindowMs: 72 * 3_600_000 },
  };
  const road = startRoad([tenant], [{ settings, session, bucket: openBucket([], clock) }], 2, {
    ledger,
    pool: openParsing({ begins: () => true, die: () => new Promise(() => undefined) }),
    senders: believing,
    spool: {} as Spool,
    blobs: {} as Blobs,
    sealer: openSealer,
    hasher: openHasher(Buffer.alloc(32)),
    threadTokens: openThreadTokens(Buffer.alloc(32)),
    clock,
    random: plainRandom(),
    log,
    metrics,
    rulesOf: async () => fresh,
  });
  let sent = 0;

  /** `n`: its number, where mails do not come in their order. */
  async function take({ by, subject, answers }: Mail, n = ++sent): Promise<void> {
    await time.advance(1_000);
    const now = time.trueNow;
    const parent = answers === null ? 0 : Math.max(0, n - 1 - answers);
    const head = [`From: ${from[by]}`, "To: deals@acme.test", `Date: ${new Date(now).toUTCString()}`];
    const answering = parent === 0 ? [] : [`In-Reply-To: <m${parent}@x.test>`, `References: <m${parent}@x.test>`];
    const title = `${parent === 0 ? "" : "Re: "}${subjects[subject]}`;
    const bytes = Buffer.from(
      [...head, ...answering, `Message-ID: <m${n}@x.test>`, `Subject: ${title}`, "", `Text ${n}`, ""].join("\r\n"),
    );
    await ledger.accept([
      {
        ...{ eventId: `e${n}`, tenant: "acme", messageId: `<m${n}@x.test>`, receivedAt: now },
        ...{ digest: String(n).padStart(64, "0"), rawSha256: "0".repeat(64), rawSize: bytes.length },
        envelope: { kind: "smtp", tenant: "acme", routes: ["deals@in.test"], received_at: now },
        raw: { kind: "inline", sealed: openSealer.seal(bytes, "raw") },
      },
    ]);
    road.wake();
    await road.settled();
  }

  /** So many messages at a time. */
  async function through(kind: "apply" | "undo", of: number | null, limit = 100): Promise<number> {
    // What came about in the same moment might be newer than what an undo has read.
    await time.advance(1_000);
    const now = time.trueNow;
    const run = await ledger.beginRun({
      ...{ tenant: "acme", kind, of, mappingVersion: newVersion, cohort: {}, by: "ida", note: null, now },
    });
    if (run === undefined) throw new Error("another run is open");
    if (of === null)
      await ledger.chooseForRun(
        run,
        Array.from({ length: sent }, (_, n) => `e${n + 1}`),
      );
    await ledger.stateRun({ run, state: "running", now });
    do {
      for (let turns = 0; (await ledger.runProgress(run)).waiting > 0; turns++) {
        if (turns > 50) throw new Error("a run gets nowhere");
        await time.advance(1_000);
        await ledger.feedRun({ run, limit, now: time.trueNow });
        road.wake();
        await road.settled();
      }
    } while (of !== null && (await ledger.nextPass(run)));
    expect(await ledger.stateRun({ run, state: "done", now })).toBe(true);
    return run;
  }

  return {
    records,
    lines,
    take,
    through,
    left: async (run: number) =>
      (await ledger.runEvents({ run, limit: 100 })).flatMap((one) => one.deliveries.flatMap(({ alone }) => alone)),
    async deliveries() {
      const rows = await ledger.find({ limit: 100 });
      return rows.map(({ eventId, deliveries: [one] }) => [eventId, one?.state, one?.rule, one?.mappingVersion]);
    },
    /** The side of a flag that each message is on, by its rule, and its conversation. */
    async sides() {
      const rows = await ledger.find({ limit: 100 });
      return new Map(
        rows.map(({ eventId, sealedEvent, deliveries: [one] }) => [
          eventId,
          { thread: openEvent(sealedEvent, openSealer)?.thread.thread_id ?? "", rule: one?.rule ?? "" },
        ]),
      );
    },
    async close() {
      await road.stop(1_000);
      await ledger.close();
      records.close();
    },
  };
}

const kinds: readonly RecordKind[] = ["contact", "company", "deal", "activity"];
/** With the associations of what is there: those of what was archived nobody sees. */
export function alive(records: LocalRecords): Map<string, LocalRecord> {
  const all = kinds.flatMap((kind) => records.list(kind, { limit: 1_000 })).filter(({ archived }) => !archived);
  const there = new Set(all.map(({ id }) => id));
  return new Map(all.map((record) => [record.id, { ...record, links: record.links.filter((to) => there.has(to)) }]));
}
export const pairOf = (one: string, other: string): string => [one, other].sort().join(" ");
export const linksOf = (there: ReadonlyMap<string, LocalRecord>): Set<string> =>
  new Set([...there.values()].flatMap(({ id, links }) => links.map((to) => pairOf(id, to))));
