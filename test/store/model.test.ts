/** Random lives of a ledger, held against what must be true of it at every moment. */
import fc from "fast-check";
import { describe, it } from "vitest";
import { openLedger } from "../../src/store/index.ts";
import { makeFolder } from "./folder.ts";
import { happening, Life } from "./model/life.ts";

describe("a ledger through a random life", () => {
  it("loses nothing, hands nothing out twice, keeps its counts, and can always be drained", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { minLength: 40, maxLength: 120, size: "max" }), async (actions) => {
        const folder = makeFolder();
        const open = () => openLedger({ path: folder.file("ledger.sqlite"), thread: "calling" });
        const life = new Life(await open(), open);
        try {
          for (const action of actions) {
            await life.step(action);
            await life.check();
          }
          await life.drain();
        } finally {
          await life.ledger.close();
          folder.remove();
        }
      }),
      { numRuns: 60 },
    );
  }, 120_000);
});
