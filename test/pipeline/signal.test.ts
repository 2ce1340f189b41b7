import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openSignal } from "../../src/pipeline/signal.ts";
import { turn, VirtualTime } from "../simulation/clock.ts";

describe("a signal", () => {
  test("wakes who waits", async () => {
    const signal = openSignal();
    let woken = false;
    const waiting = signal.wait(new VirtualTime().clock(), null).then(() => {
      woken = true;
    });
    await turn();
    expect(woken).toBe(false);
    signal.wake();
    await waiting;
  });

  test("that came while nobody waited wakes the next at once, and only once", async () => {
    const signal = openSignal();
    const clock = new VirtualTime().clock();
    signal.wake();
    signal.wake();
    expect(signal.called()).toBe(true);
    await signal.wait(clock, null);
    expect(signal.called()).toBe(false);
    let woken = false;
    void signal.wait(clock, null).then(() => {
      woken = true;
    });
    await turn();
    expect(woken).toBe(false);
  });

  test("ends a wait at its due time, also one that is already past, and leaves no timer behind", async () => {
    const time = new VirtualTime();
    const signal = openSignal();
    const clock = time.clock();
    let woken = 0;
    void signal.wait(clock, clock.now() + 500).then(() => woken++);
    await time.advance(499);
    expect(woken).toBe(0);
    await time.advance(1);
    expect(woken).toBe(1);
    void signal.wait(clock, clock.now() - 500).then(() => woken++);
    await time.advance(0);
    expect(woken).toBe(2);
    void signal.wait(clock, clock.now() + 500).then(() => woken++);
    await turn();
    signal.wake();
    await turn();
    expect(woken).toBe(3);
    expect(time.sleeping).toBe(0);
  });

  test("is never lost: whoever looks at the work before waiting finds all of it in the end", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ pause: fc.nat(4), due: fc.boolean() }), { minLength: 1, maxLength: 30 }),
        async (script) => {
          const time = new VirtualTime();
          const clock = time.clock();
          const signal = openSignal();
          let work = 0;
          let found = 0;
          let round = 0;
          const consumer = (async () => {
            while (found < script.length) {
              found += work;
              work = 0;
              if (found >= script.length) break;
              const due = script[round++ % script.length]?.due === true ? clock.now() + 1 : null;
              await signal.wait(clock, due);
            }
          })();
          for (const { pause } of script) {
            for (let waited = 0; waited < pause; waited++) await Promise.resolve();
            if (pause === 4) await time.advance(1);
            work += 1;
            signal.wake();
          }
          await consumer;
          expect(found).toBe(script.length);
        },
      ),
    );
  });
});
