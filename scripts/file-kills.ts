/**
 * The long form of the kill test of files: `node scripts/file-kills.ts --kills 300 --seed 1 [--bucket] [--from 120]`. First writes down every write that the files of
 * mails come by, then kills at each of them, the first, the second, the fifth time. Prints the verdict; exit 1 when a promise was broken.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runFileKills } from "../test/process/file-kills.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "300" },
    /** So many of them were seen already by the same command. */
    from: { type: "string", default: "0" },
    seed: { type: "string", default: "1" },
    bucket: { type: "boolean", default: false },
    only: { type: "string", default: "" },
  },
});
const { bucket } = values;
const livesOfOneHome = 12;
const timesPassed = [1, 2, 5];

/** By point, how often it is passed in one life. */
async function recorded(life: string): Promise<Map<string, number>> {
  const dir = mkdtempSync(join(tmpdir(), "mailwright-points-"));
  try {
    const record = join(dir, "points");
    await runFileKills({ points: [life], record, bucket });
    const counts = new Map<string, number>();
    for (const point of readFileSync(record, "utf8").trim().split("\n"))
      counts.set(point, (counts.get(point) ?? 0) + 1);
    return counts;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const chance = randomOf(Number(values.seed));
const pointsOf = async (before: string): Promise<string[]> =>
  [...(await recorded(`${before}none`))].flatMap(([point, most]) =>
    timesPassed.filter((times) => times <= most).map((times) => `${before}${point}#${times}`),
  );
const all = [...(await pointsOf("")), ...(await pointsOf("command "))].filter((point) => point.includes(values.only));
const order = all.map((point) => ({ point, at: chance() })).sort((a, b) => a.at - b.at);
const wanted = Array.from({ length: Number(values.kills) }, (_, at) => order[at % order.length]?.point ?? "");
process.stdout.write(`${all.length} points\n`);

const reached = new Map<string, number>();
const wrong: string[] = [];
const slow: string[] = [];
let [kills, missed, files, served] = [0, 0, 0, 0];
for (let at = Number(values.from); at < wanted.length; at += livesOfOneHome) {
  const outcome = await runFileKills({
    points: wanted.slice(at, at + livesOfOneHome),
    bucket,
    progress: () => void (process.stderr.isTTY && process.stderr.write(`\r${++kills} lives`)),
  });
  for (const point of outcome.reached) reached.set(point, (reached.get(point) ?? 0) + 1);
  missed += outcome.missed.length;
  files += outcome.files;
  served += outcome.served;
  wrong.push(...outcome.wrong);
  slow.push(...outcome.slow);
  const total = [...reached.values()].reduce((sum, count) => sum + count, 0);
  const figures = { kills: total, points: reached.size, missed, files, served, slow, wrong };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}
process.exit(wrong.length > 0 ? 1 : 0);
