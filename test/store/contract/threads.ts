/** The contract of `around` and `thread`, and of what `prepare` does to threads: nothing connected is left out, nobody is left behind. */
import { describe, expect, it } from "vitest";
import type { Placed, ThreadFacts } from "../../../src/model/threads.ts";
import { lane, message, type OpenBench, preparedOf, steps, there, world } from "./world.ts";

const day = 86_400_000;
const window = 30 * day;

/** Facts of the message of that name; hashes are plain words here. */
export function facts(name: string, changes: Partial<ThreadFacts> = {}): ThreadFacts {
  const ana = { address: "ana", organisation: "client" };
  return {
    eventId: `event-${name}`,
    tenant: "acme",
    begins: `thread-${name}`,
    messageId: `id-${name}`,
    names: [],
    threadIndex: null,
    gmailThread: null,
    token: null,
    subject: null,
    words: ["word-one", "word-two"],
    generic: false,
    reply: false,
    writtenAt: 100 * day,
    sender: ana,
    inside: false,
    own: false,
    suspicious: false,
    people: [ana, { address: "zoe", organisation: null }],
    list: null,
    automated: false,
    broadcast: false,
    ...changes,
  };
}

const placedAt = (of: ThreadFacts, threadId: string, moved: Placed["moved"] = []): Placed => ({
  facts: of,
  thread: { thread_id: threadId, parent_event_id: null, confidence: 1, method: "new", review: false, candidates: [] },
  moved,
});

export function threadsContract(open: OpenBench): void {
  describe("threads", () => {
    const w = world(open);

    async function place(name: string, changes: Partial<ThreadFacts> = {}, thread = `thread-${name}`): Promise<void> {
      await w.ledger.accept([message(name)]);
      await again(name, changes, thread);
    }

    /** Prepares whatever waits; the message of that name stands in the thread given. */
    async function again(
      name: string,
      changes: Partial<ThreadFacts>,
      thread: string,
      moved: Placed["moved"] = [],
    ): Promise<void> {
      const attempts = await w.attempt();
      const attempt = there(attempts.find(({ eventId }) => eventId === `event-${name}`));
      const prepared = preparedOf(attempt, { [lane]: steps(`activity-${name}`) }, { thread });
      await w.ledger.prepare([{ ...prepared, thread: placedAt(facts(name, changes), thread, moved) }]);
    }

    const around = async (...asked: ThreadFacts[]) => {
      const found = await w.ledger.around({ tenant: asked[0]?.tenant ?? "acme", facts: asked, window });
      return { ...found, events: found.messages.map(({ eventId }) => eventId.replace("event-", "")).sort() };
    };

    it("lists threads, each once, the one that was written to last first, page by page and by tenant", async () => {
      await place("a");
      await place("b");
      await place("c", {}, "thread-a");
      const listed = await w.ledger.threads({ limit: 10 });
      expect(listed).toEqual([
        { threadId: "thread-a", tenant: "acme", messages: 2, firstAt: 100 * day, lastAt: 100 * day, at: 3 },
        { threadId: "thread-b", tenant: "acme", messages: 1, firstAt: 100 * day, lastAt: 100 * day, at: 2 },
      ]);
      expect(await w.ledger.threads({ limit: 1 })).toEqual(listed.slice(0, 1));
      expect(await w.ledger.threads({ limit: 1, before: 3 })).toEqual(listed.slice(1));
      expect(await w.ledger.threads({ limit: 9, before: 2 })).toEqual([]);
      expect(await w.ledger.threads({ limit: 9, tenant: "umbrella" })).toEqual([]);
    });

    it("gives a message back as it was placed", async () => {
      const all = {
        names: ["id-x", "id-y"],
        threadIndex: "ti",
        gmailThread: "gm",
        token: "thread-x",
        subject: "subject",
        generic: true,
        reply: true,
        inside: true,
        own: true,
        suspicious: true,
        automated: true,
        list: "list",
        sender: null,
      };
      await place("a", all, "thread-elsewhere");
      await w.reopen();
      const { messages, cut } = await around(facts("b", { names: ["id-a"] }));
      expect(messages).toEqual([{ ...facts("a", all), threadId: "thread-elsewhere", placed: expect.any(Number) }]);
      expect(cut).toBe(false);
    });

    it("finds what is connected by ids, also by ids that nobody has, on and on", async () => {
      await place("a");
      await place("b", { names: ["id-a"] });
      await place("c", { names: ["id-lost"] });
      await place("d", { names: ["id-lost", "id-b"] });
      await place("other");
      expect((await around(facts("new", { names: ["id-a"] }))).events).toEqual(["a", "b", "c", "d"]);
      expect((await around(facts("new", { messageId: "id-lost" }))).events).toEqual(["a", "b", "c", "d"]);
      expect((await around(facts("new"))).events).toEqual([]);
    });

    it("finds what has one subject and a person or company in common, within the window", async () => {
      const subject = "cooling unit";
      const yan = { address: "yan", organisation: null };
      await place("person", { subject, people: [{ address: "zoe", organisation: null }] });
      await place("company", { subject, people: [{ address: "bob", organisation: "client" }] });
      await place("stranger", { subject, people: [yan] });
      await place("long-ago", { subject, people: [yan], writtenAt: 60 * day });
      await place("otherwise", { subject: "heating" });
      expect((await around(facts("new", { subject }))).events).toEqual(["company", "person"]);
      const both = facts("new", { subject, people: [yan], writtenAt: 90 * day });
      expect((await around(both)).events).toEqual(["long-ago", "stranger"]);
    });

    it("finds what Outlook, Gmail and tokens say", async () => {
      await place("index", { threadIndex: "ti" });
      await place("gmail", { gmailThread: "gm" });
      await place("token", { token: "thread-new" });
      expect((await around(facts("new", { threadIndex: "ti" }))).events).toEqual(["index", "token"]);
      expect((await around(facts("other", { gmailThread: "gm", token: "thread-index" }))).events).toEqual([
        "gmail",
        "index",
      ]);
    });

    it("knows nothing of another tenant", async () => {
      await place("a", { subject: "subject", threadIndex: "ti" });
      const foreign = facts("new", { tenant: "globex", names: ["id-a"], subject: "subject", threadIndex: "ti" });
      expect((await around(foreign)).events).toEqual([]);
    });

    it("does not go through what too many answer, and says so", async () => {
      for (let n = 0; n < 20; n++) {
        const reader = { address: `reader-${n}`, organisation: null };
        await place(`r${n}`, { names: ["id-news"], sender: reader, people: [reader] });
      }
      const found = await around(facts("new", { names: ["id-news"] }));
      expect(found).toMatchObject({ events: [], fans: ["id-news"], cut: false });
      await place("sent", { messageId: "id-sent", broadcast: true });
      await place("answer", { names: ["id-sent"] });
      expect(await around(facts("new", { names: ["id-sent"] }))).toMatchObject({ events: ["sent"], fans: ["id-sent"] });
    });

    it("stops where a conversation has more messages than anybody reads, and says so", async () => {
      await w.ledger.accept(Array.from({ length: 420 }, (_, n) => message(`m${n}`)));
      const attempts = await w.attempt({ room: 500 });
      await w.ledger.prepare(
        attempts.map((attempt, n) => ({
          ...preparedOf(attempt, { [lane]: steps(`activity-${n}`) }),
          thread: placedAt(facts(`m${n}`, { names: n === 0 ? [] : [`id-m${n - 1}`] }), "thread-m0"),
        })),
      );
      const found = await around(facts("new", { names: ["id-m200"] }));
      expect(found.cut).toBe(true);
      expect(found.messages.length).toBeLessThan(420);
    });

    it("moves others in the same step, and has them planned again", async () => {
      await place("a");
      await place("b", { names: ["id-c"] });
      await w.ledger.accept([message("c")]);
      await again("c", { names: ["id-a"] }, "thread-a", [{ eventId: "event-b", threadId: "thread-a" }]);
      const { messages } = await around(facts("c", { names: ["id-a"] }));
      expect(messages.map(({ threadId }) => threadId)).toEqual(["thread-a", "thread-a", "thread-a"]);
      expect(await w.row("event-b")).toMatchObject({ stage: "accepted" });
      expect((await w.attempt()).map(({ eventId, preparedBefore }) => [eventId, preparedBefore])).toEqual([
        ["event-b", true],
      ]);
      expect((await w.ledger.story("event-b")).at(-2)?.what).toBe("belongs to another thread now; it is planned again");
    });

    it("moves nobody under a lease that was lost", async () => {
      await place("b");
      await w.ledger.accept([message("c")]);
      const attempt = there((await w.attempt())[0]);
      const moved = [{ eventId: "event-b", threadId: "thread-c" }];
      const prepared = { ...preparedOf(attempt, {}), thread: placedAt(facts("c"), "thread-c", moved) };
      expect(await w.ledger.prepare([{ ...prepared, lease: { token: "lost", until: 9_000 } }])).toEqual([false]);
      expect((await w.ledger.thread({ event: "event-b" }))?.threadId).toBe("thread-b");
      expect(await w.ledger.thread({ event: "event-c" })).toBeUndefined();
    });

    it("does not bring a dead letter back by moving it", async () => {
      await place("b");
      await w.fail("refused");
      await w.ledger.accept([message("c")]);
      await again("c", {}, "thread-c", [{ eventId: "event-b", threadId: "thread-c" }]);
      await again("b", {}, "thread-c");
      expect((await w.only("event-b")).state).toBe("failed");
      expect((await w.ledger.thread({ event: "event-b" }))?.threadId).toBe("thread-c");
    });

    it("knows a thread by its messages, by its name, and by those that it had before", async () => {
      await place("a", { writtenAt: 101 * day });
      await place("b", { writtenAt: 100 * day });
      await w.ledger.accept([message("c")]);
      await again("c", {}, "thread-a", [{ eventId: "event-b", threadId: "thread-a" }]);
      const expected = {
        threadId: "thread-a",
        tenant: "acme",
        messages: ["b", "c", "a"].map((name) => ({
          eventId: `event-${name}`,
          writtenAt: (name === "a" ? 101 : 100) * day,
        })),
        aliases: ["thread-b"],
      };
      for (const query of [{ thread: "thread-a" }, { thread: "thread-b" }, { event: "event-c" }])
        expect(await w.ledger.thread(query)).toEqual(expected);
      await again("b", {}, "thread-b");
      expect(await w.ledger.thread({ thread: "thread-b" })).toMatchObject({ threadId: "thread-b", aliases: [] });
    });

    it("finds a message by what it is now, when it was placed again with other facts", async () => {
      await place("a", { names: ["id-before"], subject: "before" });
      await w.ledger.requeue({ kind: "reprocess", eventId: "event-a", now: 4_000 });
      await again("a", { names: ["id-after"], subject: "after" }, "thread-a");
      expect((await around(facts("new", { names: ["id-before"], subject: "before" }))).events).toEqual([]);
      expect((await around(facts("new", { messageId: "id-after" }))).events).toEqual(["a"]);
    });

    it("keeps what is known of threads when mail is deleted by age", async () => {
      await place("a");
      await w.deliver();
      await w.ledger.purge({ rawBefore: 9_000, eventBefore: 9_000, now: 9_000, dryRun: false, limit: 10 });
      await w.ledger.accept([message("b")]);
      await again("b", { names: ["id-a"] }, "thread-b", [{ eventId: "event-a", threadId: "thread-b" }]);
      expect((await w.ledger.thread({ event: "event-a" }))?.threadId).toBe("thread-b");
      expect(await w.row("event-a")).toMatchObject({ stage: "prepared" });
    });
  });
}
