/** The preview of a file: made once for all who ask, kept, and never without a row that knows its bytes. */
import { describe, expect, test } from "vitest";
import { type Preview, PreviewerBroken, type PreviewRow, PreviewStopped } from "../../src/model/preview.ts";
import { openBytesInUse } from "../../src/pipeline/bytes-in-use.ts";
import { openPreviews } from "../../src/pipeline/previews.ts";
import { manualClock, recordingLog } from "../destinations/fixtures.ts";
import { rowWith } from "../http/rig.ts";
import { memoryStores } from "../support/file-room.ts";

const picture = rowWith({ detectedType: "image/png", storeKey: "mem:original" });
const small: Preview = { kind: "made", bytes: Buffer.from("small") };

/** A ledger of one row, as its contract has it. */
function world(make: () => Promise<Preview> = async () => small) {
  const asGiven = make;
  const stores = memoryStores();
  stores.kept.set("mem:original", Buffer.from("the picture"));
  const steps: string[] = [];
  const counted: string[] = [];
  const doomed: string[] = [];
  const self = {
    doomed,
    row: undefined as PreviewRow | undefined,
    isServed: true,
    make: asGiven,
    stores,
    steps,
    counted,
    previewOf: () => undefined as unknown as ReturnType<typeof openPreviews>,
  };
  stores.beforePut = async () => void steps.push("put");
  const open = () =>
    openPreviews({
      stores,
      bytes: openBytesInUse(),
      doomed: () => void doomed.push(steps.at(-1) ?? ""),
      clock: manualClock(1_000),
      log: recordingLog().log,
      metrics: {
        count: (name, labels) => void counted.push(`${name} ${JSON.stringify(labels)}`),
        observe: () => undefined,
        gauge: () => undefined,
      },
      previewer: {
        async make(bytes) {
          for await (const _ of bytes) steps.push("read");
          steps.push("made");
          return await self.make();
        },
      },
      ledger: {
        preview: async () => self.row,
        async previewBegun({ storeKey, now }) {
          if (!self.isServed) return undefined;
          const attempts = self.row?.state === "making" ? self.row.attempts + 1 : 1;
          self.row = { state: "making", storeKey, reason: null, attempts, at: now };
          steps.push(`begun ${storeKey}`);
          return attempts;
        },
        async previewLeft() {
          if (self.row?.state === "making") self.row = { ...self.row, attempts: self.row.attempts - 1 };
        },
        async previewDone({ storeKey, reason, now }) {
          steps.push("done");
          if (!self.isServed) return false;
          self.row = { state: reason === null ? "made" : "none", storeKey, reason, attempts: 0, at: now };
          return true;
        },
      },
    });
  /** Everything is well again. */
  const mend = () => {
    stores.fault = () => undefined;
    stores.kept.set("mem:original", Buffer.from("the picture"));
    self.make = async () => small;
    return open();
  };
  return Object.assign(self, { open, mend, previewOf: open() });
}

describe("the preview of a file", () => {
  test("is written down before a byte is put, made once for all who ask at once, and kept for those who ask later", async () => {
    const w = world();
    const key = `mem:preview/acme/${picture.sha256.slice(0, 2)}/${picture.sha256}`;
    expect(await Promise.all([w.previewOf(picture), w.previewOf(picture)])).toEqual([small, small]);
    expect(w.steps).toEqual([`begun ${key}`, "read", "made", "put", "done"]);
    expect(await w.open()(picture)).toEqual(small);
    expect(w.steps).toHaveLength(5);
    expect(w.counted).toEqual(['previews_total {"outcome":"made"}']);
  });

  test.each(["checking", "quarantined", "stripped", "refused", "dropped", "removed"] as const)(
    "that is %s is not even begun",
    async (status) => {
      const w = world();
      expect(await w.previewOf({ ...picture, status })).toBeUndefined();
      expect(w.steps).toEqual([]);
    },
  );

  test("that is no picture by its content has none, whatever it calls itself", async () => {
    const w = world();
    const inspection = { detectedType: "application/pdf", findings: [] };
    const file = { ...picture, filename: "a.png", contentType: "image/png", inspection };
    expect(await w.previewOf(file)).toEqual({ kind: "none", reason: "not_a_picture" });
    expect(w.steps).toEqual([]);
  });

  test("that cannot be made is said so, and not tried again", async () => {
    const w = world(async () => ({ kind: "none", reason: "too_slow" }));
    for (let round = 0; round < 2; round++)
      expect(await w.previewOf(picture)).toEqual({ kind: "none", reason: "too_slow" });
    expect(w.steps.filter((step) => step === "made")).toHaveLength(1);
    expect(w.steps).not.toContain("put");
    expect(w.counted).toEqual(['previews_total {"outcome":"too_slow"}']);
  });

  test("that several processes ended on is given up", async () => {
    const w = world();
    w.row = { state: "making", storeKey: "x", reason: null, attempts: 3, at: 0 };
    expect(await w.previewOf(picture)).toEqual({ kind: "none", reason: "given_up" });
    expect(w.steps).not.toContain("read");
  });

  test("whose put fails is made by who asks next", async () => {
    const w = world();
    w.stores.fault = (call) => (call === "put" ? new Error("the store is full") : undefined);
    await expect(w.previewOf(picture)).rejects.toThrow("the store is full");
    expect(w.row).toMatchObject({ state: "making" });
    w.stores.fault = () => undefined;
    expect(await w.previewOf(picture)).toEqual(small);
    expect(w.row).toMatchObject({ state: "made" });
  });

  test.each<[string, number, (w: ReturnType<typeof world>) => void]>([
    [
      "the store is away",
      0,
      (w) => {
        w.stores.fault = () => new Error("the store is away");
      },
    ],
    [
      "the original is not there",
      0,
      (w) => {
        w.stores.kept.clear();
      },
    ],
    [
      "the library does not start",
      0,
      (w) => {
        w.make = () => Promise.reject(new PreviewerBroken("EMFILE"));
      },
    ],
    [
      "nobody knows whose fault it was",
      1,
      (w) => {
        w.make = () => Promise.reject(new PreviewStopped("killed"));
      },
    ],
  ])("is not given up where %s (counted: %i)", async (_what, counted, breakIt) => {
    const w = world();
    breakIt(w);
    for (let round = 1; round <= 3; round++) {
      await w.previewOf(picture).catch(() => undefined);
      expect(w.row).toMatchObject({ state: "making", reason: null, attempts: counted * round });
    }
    const mended = await w.mend()(picture);
    expect(mended).toEqual(counted === 0 ? small : { kind: "none", reason: "given_up" });
  });

  test("that leaves bytes to be deleted has them deleted at once", async () => {
    const w = world(async () => {
      w.isServed = false;
      return small;
    });
    await w.previewOf(picture);
    expect(w.doomed).toEqual(["done"]);
    const bad = world(async () => ({ kind: "none", reason: "unreadable" }));
    await bad.previewOf(picture);
    expect(bad.doomed).toEqual(["done"]);
    const good = world();
    await good.previewOf(picture);
    expect(good.doomed).toEqual([]);
  });

  test("whose bytes have gone from the store is made again", async () => {
    const w = world();
    await w.previewOf(picture);
    w.stores.kept.delete(w.row?.storeKey ?? "");
    expect(await w.previewOf(picture)).toEqual(small);
  });

  test("whose file was dropped while it was made is shown to nobody", async () => {
    const w = world(async () => {
      w.isServed = false;
      return small;
    });
    expect(await w.previewOf(picture)).toBeUndefined();
  });
});
