import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lonely, placeThreads } from "../../src/mail/thread.ts";
import { defaultMarks } from "../../src/model/threads.ts";
import { arrival, generated, inBatches } from "./thread/generated.ts";
import { clustersIn, Memory, mail } from "./thread/mails.ts";

const ana = "ana@client.example";
const zoe = "zoe@gmail.example";
const kim = "kim@acme.example";

describe("placing", () => {
  test("gives the same conversations whatever the order of arrival, one by one or many at once", () => {
    fc.assert(
      fc.property(generated, arrival, ({ messages, decisions }, how) => {
        const memory = new Memory();
        memory.decisions = [...decisions];
        for (const batch of inBatches(messages, how)) memory.place(batch);
        expect(memory.clusters()).toEqual(clustersIn(messages, decisions));
      }),
      { numRuns: 1_000 },
    );
  });

  test("names what it moves, and nothing that stays", () => {
    fc.assert(
      fc.property(generated, arrival, ({ messages }, how) => {
        const memory = new Memory();
        for (const batch of inBatches(messages, how)) {
          const before = new Map([...memory.placed].map(([event, { threadId }]) => [event, threadId]));
          const [first] = memory.place(batch);
          const changed = [...before].filter(([event, thread]) => memory.placed.get(event)?.threadId !== thread);
          expect(first?.moved.map(({ eventId }) => eventId).sort()).toEqual(changed.map(([event]) => event).sort());
        }
        // Judged again, nothing moves any more.
        for (const { moved } of memory.place(messages)) expect(moved).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test("never gives one name to two conversations", () => {
    fc.assert(
      fc.property(generated, arrival, ({ messages }, how) => {
        const memory = new Memory();
        for (const batch of inBatches(messages, how)) {
          memory.place(batch);
          for (const { threadId } of memory.placed.values()) {
            const founder = [...memory.placed.values()].find(({ begins }) => begins === threadId);
            expect(founder?.threadId).toBe(threadId);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test("keeps the name of the thread that was there first, when a late ancestor merges two", () => {
    const memory = new Memory();
    memory.place([mail({ id: "b", from: zoe, names: ["lost"] })]);
    memory.place([mail({ id: "c", from: ana, names: ["lost"] })]);
    const [placed] = memory.place([mail({ id: "lost", from: kim, to: [ana, zoe], at: 0 })]);
    expect(placed).toMatchObject({
      thread: { thread_id: "thread-b" },
      moved: [{ eventId: "c", threadId: "thread-b" }],
    });
  });

  test("leaves what stands where it stands, when not all of it could be read", () => {
    const standing = ["b", "c"].map((id, placed) => ({
      ...mail({ id, from: ana, names: ["lost"] }),
      threadId: `thread-${id}`,
      placed,
    }));
    const late = mail({ id: "lost", from: kim, to: [ana], at: 0 });
    const [placed] = placeThreads([late], { messages: standing, decisions: [], fans: [], cut: true }, defaultMarks);
    expect(placed).toMatchObject({ thread: { thread_id: "thread-b" }, moved: [] });
  });

  test("of a message alone begins a thread", () => {
    const facts = mail({ id: "a", from: ana, names: [] });
    const [placed] = new Memory().place([facts]);
    expect(placed?.thread).toEqual(lonely("thread-a"));
  });
});
