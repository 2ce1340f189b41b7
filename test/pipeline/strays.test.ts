/** The sweep over stores: what no row names goes when it is old, mail that nobody knows never does, and a strange store is left alone. */
import { expect, test } from "vitest";
import type { BlobClass } from "../../src/model/blob.ts";
import type { StoredObject, Strays } from "../../src/model/sweep.ts";
import { type StorePlace, strayAfterMs, sweepStores } from "../../src/pipeline/strays.ts";
import { manualClock, recordingLog } from "../destinations/fixtures.ts";

const day = 24 * 3600_000;
const now = 1_000 * day;
interface Laid {
  readonly key: string;
  readonly age?: number;
}

function world(
  objects: readonly Laid[],
  {
    needed = [],
    unknown = [],
    open = [],
    hasRules = false,
    fails = false,
  }: {
    needed?: readonly string[];
    unknown?: readonly string[];
    open?: readonly string[];
    hasRules?: boolean;
    fails?: boolean;
  } = {},
) {
  const doomed: StoredObject[] = [];
  const renewed: string[] = [];
  const recording = recordingLog();
  const place = (title: string, isAway: boolean): StorePlace => ({
    title,
    hasRules,
    async *list(kind: BlobClass) {
      if (isAway) throw new Error("the bucket is away");
      for (const { key, age = strayAfterMs + 1 } of objects)
        if (key.startsWith(`${kind}/`)) yield { key, ref: `s3:mail/${key}`, bytes: 10, at: now - age };
    },
    renew: async (ref) => void renewed.push(ref),
  });
  const of = (names: readonly string[], asked: readonly StoredObject[]) =>
    asked.filter(({ name }) => names.includes(name)).map(({ storeKey }) => storeKey);
  const ports = {
    ledger: {
      async strays({ objects: asked, doom }: { objects: readonly StoredObject[]; doom: boolean }): Promise<Strays> {
        const [unknownMail, openMail] = [of(unknown, asked), of(open, asked)];
        const others = [...unknownMail, ...openMail];
        const unneeded = asked.filter(({ name, storeKey }) => !needed.includes(name) && !others.includes(storeKey));
        if (doom) doomed.push(...unneeded);
        return { unneeded: unneeded.map(({ storeKey }) => storeKey), unknownMail, openMail };
      },
    },
    places: () => [...(fails ? [place("the bucket that is away", true)] : []), place("the bucket mail", false)],
    clock: manualClock(now),
    log: recording.log,
  };
  return { ports, doomed, renewed, lines: recording.lines };
}

const file = (sha: string): Laid => ({ key: `attachment/acme/ab/${sha}` });

test("what no row names and is older than a week is given up, of each class; the rest is not even asked about", async () => {
  const w = world(
    [file("needed"), file("stray"), { ...file("young"), age: strayAfterMs - 1 }, { key: "preview/acme/ab/small" }],
    { needed: ["needed"] },
  );
  const report = await sweepStores(false, w.ports);
  expect(report).toMatchObject({ unneeded: 2, bytes: 20, unknownMail: 0, leftAlone: [] });
  expect(w.doomed).toMatchObject([
    { storeKey: "s3:mail/attachment/acme/ab/stray", class: "attachment", tenant: "acme", name: "stray" },
    { storeKey: "s3:mail/preview/acme/ab/small", class: "preview", tenant: "acme", name: "small" },
  ]);
});

test("a dry run lists it, and changes nothing", async () => {
  const w = world([file("stray")], { hasRules: true });
  const { strays } = await sweepStores(true, w.ports);
  expect(strays).toEqual([{ ref: "s3:mail/attachment/acme/ab/stray", bytes: 10, at: now - strayAfterMs - 1 }]);
  expect(w.doomed).toEqual([]);
});

test("mail that the ledger does not know is told of, and nothing beside it is deleted before it was taken in again", async () => {
  const w = world([{ key: "raw/acme/ab/cd/lost" }, file("of-lost")], { unknown: ["lost"] });
  expect(await sweepStores(false, w.ports)).toMatchObject({
    unneeded: 0,
    unknownMail: 1,
    leftAlone: [expect.stringContaining("mailwright recover first")],
  });
  expect(w.doomed).toEqual([]);
});

test("a store of which most is unknown is another's: it is left alone, and that is said", async () => {
  const strange = Array.from({ length: 101 }, (_, n) => file(`n${n}`));
  const w = world([...strange, file("ours")], { needed: ["ours"] });
  expect((await sweepStores(false, w.ports)).leftAlone).toEqual([
    expect.stringContaining("101 of 102 objects in the bucket mail are named by no row"),
  ]);
  expect(w.doomed).toEqual([]);
});

test("one that is away holds up no other", async () => {
  const w = world([file("stray")], { fails: true });
  expect(await sweepStores(false, w.ports)).toMatchObject({
    unneeded: 1,
    leftAlone: [expect.stringContaining("the bucket that is away could not be swept: the bucket is away")],
  });
});

test("raw mail that is open still is put again where a bucket's own rule would take it; nowhere else, and not each day", async () => {
  const mail = (name: string, age: number): Laid => ({ key: `raw/acme/ab/cd/${name}`, age });
  const objects = [mail("old", 181 * day), mail("younger", 179 * day)];
  const bucket = world(objects, { open: ["old", "younger"], hasRules: true });
  await sweepStores(false, bucket.ports);
  expect(bucket.renewed).toEqual(["s3:mail/raw/acme/ab/cd/old"]);
  const local = world(objects, { open: ["old", "younger"] });
  await sweepStores(false, local.ports);
  expect(local.renewed).toEqual([]);
});
