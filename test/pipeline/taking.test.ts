import { describe, expect, test } from "vitest";
import { startTaking } from "../../src/pipeline/taking.ts";
import { turn, VirtualTime } from "../simulation/clock.ts";

/** Work that lasts until the test ends it, from a list that the test fills. */
function bench(width: number) {
  const time = new VirtualTime();
  const waiting: string[] = [];
  const ends = new Map<string, () => void>();
  const asked: number[] = [];
  const world = { dueAt: null as number | null };
  const taker = startTaking(time.clock(), {
    width: () => width,
    async take(room) {
      asked.push(room);
      if (world.dueAt !== null && world.dueAt <= time.trueNow) world.dueAt = null;
      return waiting.splice(0, room);
    },
    dueAt: () => world.dueAt,
    work: (item: string) => new Promise<void>((resolve) => ends.set(item, resolve)),
  });
  const end = async (item: string) => {
    ends.get(item)?.();
    ends.delete(item);
    await turn();
  };
  return { time, waiting, ends, asked, world, taker, end };
}

describe("taking work", () => {
  test("has no more in hand than there is width for, and takes the next when one ends", async () => {
    const { waiting, ends, taker, end } = bench(2);
    waiting.push("a", "b", "c");
    taker.wake();
    await turn();
    expect([...ends.keys()]).toEqual(["a", "b"]);
    await end("a");
    expect([...ends.keys()]).toEqual(["b", "c"]);
  });

  test("looks again when called and when something comes due, and not before", async () => {
    const { time, waiting, ends, asked, world, taker } = bench(2);
    await turn();
    world.dueAt = time.trueNow + 500;
    taker.wake();
    await turn();
    const looks = asked.length;
    waiting.push("a");
    await time.advance(499);
    expect([asked.length, ends.size]).toEqual([looks, 0]);
    await time.advance(1);
    expect([...ends.keys()]).toEqual(["a"]);
  });

  test("does not turn in circles over a due time that has passed while its hands are full", async () => {
    const { time, waiting, asked, world, taker } = bench(1);
    waiting.push("a");
    taker.wake();
    await turn();
    world.dueAt = time.trueNow - 1;
    taker.wake();
    await turn();
    const looks = asked.length;
    for (let i = 0; i < 10; i++) await time.advance(1);
    expect(asked.length).toBe(looks);
    expect(time.sleeping).toBe(0);
  });

  test("is quiet when nothing is in hand and nothing is left to take", async () => {
    const { waiting, taker, end } = bench(2);
    waiting.push("a");
    taker.wake();
    let quiet = false;
    void taker.quiet().then(() => {
      quiet = true;
    });
    await turn();
    expect([quiet, taker.busy()]).toEqual([false, true]);
    await end("a");
    expect([quiet, taker.busy()]).toEqual([true, false]);
    await taker.quiet();
  });

  test("stops when what is in hand has come to its end, and takes nothing more", async () => {
    const { waiting, ends, taker, end } = bench(1);
    waiting.push("a", "b");
    taker.wake();
    await turn();
    let stopped = false;
    const stopping = taker.stop().then(() => {
      stopped = true;
    });
    await turn();
    expect(stopped).toBe(false);
    await end("a");
    await stopping;
    expect([waiting, ends.size]).toEqual([["b"], 0]);
  });
});
