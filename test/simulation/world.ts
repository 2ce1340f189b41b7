/**
 * One seed, one world: the real road with its real ledger, the senders before it, the vendors behind it, and everything that can go wrong
 * between them, on a clock that costs no time. At the end the sky clears, and every promise is held against what is there.
 */
import { openKeyRing } from "../../src/blobs/index.ts";
import type { Ledger } from "../../src/model/ledger.ts";
import type { LocalRecords } from "../../src/model/records.ts";
import { openLedger, openLocalRecords, StoreFailed } from "../../src/store/index.ts";
import { Chance } from "./chance.ts";
import { turn, VirtualTime } from "./clock.ts";
import { type Daemon, type Plant, type Surroundings, startDaemon } from "./daemon.ts";
import { type MemoryDisk, openMemoryDisk } from "./disk.ts";
import { faulty, Life, type Moment } from "./life.ts";
import { type Mail, writeMails } from "./mails.ts";
import { openParsing } from "./parsing.ts";
import { type Sent, startSenders } from "./senders.ts";
import { openVendor, type Vendor } from "./vendor.ts";
import { verdictOf } from "./verdict.ts";
import { drawWeather, type Weather } from "./weather.ts";
import { openWitness, type Witness } from "./witness.ts";

export interface Outcome {
  readonly seed: number;
  /** What is wrong; empty when every promise was kept. */
  readonly violations: readonly string[];
  /** How often each thing worth knowing happened. */
  readonly coverage: ReadonlyMap<string, number>;
  readonly trace: readonly string[];
  readonly turns: number;
}

export interface Options {
  readonly trace?: boolean;
  readonly plant?: Plant;
}

/** All that a world is made of, as the verdict looks at it. */
export interface World {
  readonly weather: Weather;
  readonly ledger: Ledger;
  readonly records: LocalRecords;
  readonly disk: MemoryDisk;
  readonly vendor: Vendor;
  readonly mails: readonly Mail[];
  readonly sent: Sent;
  readonly witness: Witness;
  readonly time: VirtualTime;
  readonly sealer: Surroundings["sealer"];
}

const sealer = openKeyRing({ key: Buffer.alloc(32, 7) });
const hour = 3_600_000;
/** The sky is clear for this long at most until all has settled: retries span three days, and a clock may be ten days wrong. */
const patienceMs = 40 * 24 * hour;
const mostTurns = 60_000;

export async function simulate(seed: number, options: Options = {}): Promise<Outcome> {
  const chance = new Chance(`seed ${seed}`);
  const weather = drawWeather(chance.split("weather"));
  const time = new VirtualTime();
  const witness = openWitness(time, options.trace === true);
  const ledger = await openLedger({ path: ":memory:", thread: "calling" });
  const records = openLocalRecords(":memory:");
  try {
    const disk = openMemoryDisk(sealer, time.clock("disk"), chance.split("disk"));
    const vendor = openVendor(weather, time, chance.split("vendor"));
    const { mails, transmissions } = writeMails(chance.split("mails"), weather.mails, weather.stormMs);
    const run = openRun({ weather, ledger, records, disk, vendor, witness, time, chance, plant: options.plant ?? {} });
    const sent = startSenders(transmissions, run.host, time.trueClock("sender"), chance.split("senders"));
    witness.trace(`weather ${JSON.stringify(weather)}`);
    run.begin();
    const turns = await run.toTheEnd(sent);
    const world: World = { weather, ledger, records, disk, vendor, mails, sent, witness, time, sealer };
    const violations = [...witness.wrongs, ...(run.settled() ? await verdictOf(world) : ["it never settled"])];
    return { seed, violations, coverage: witness.seen, trace: witness.lines, turns };
  } finally {
    records.close();
    await ledger.close();
  }
}

interface Ground {
  readonly weather: Weather;
  readonly ledger: Ledger;
  readonly records: LocalRecords;
  readonly disk: MemoryDisk;
  readonly vendor: Vendor;
  readonly witness: Witness;
  readonly time: VirtualTime;
  readonly chance: Chance;
  readonly plant: Plant;
}

function openRun(ground: Ground) {
  const { weather, ledger, disk, vendor, witness, time, chance, plant } = ground;
  const world = time.trueClock("world");
  const deaths = chance.split("deaths");
  const ledgerChance = chance.split("ledger");
  const random = chance.split("random");
  let stormy = true;
  let diskIsFull = false;
  let lives = 0;
  let crashes = 0;
  let life: Life | undefined;
  let daemon: Daemon | undefined;
  let rebooting = false;

  function fate(call: string): Moment | undefined {
    const { rate, focus, most } = weather.crashes;
    witness.saw(`call ${call}`);
    if (!stormy || crashes >= most) return undefined;
    const deadly = focus !== undefined && call.startsWith(focus) ? rate * 20 : rate;
    if (!deaths.flip(deadly)) return undefined;
    return deaths.flip(0.5) ? "before" : "after";
  }

  function ledgerFault(call: string): Moment | undefined {
    if (!stormy) return undefined;
    if (diskIsFull && !/\.(lanes|find|stats|archivable|probe)$/.test(call)) return "before";
    if (diskIsFull && call.endsWith(".probe")) return "before";
    if (!ledgerChance.flip(weather.ledgerFaults)) return undefined;
    return ledgerChance.flip(0.5) ? "before" : "after";
  }

  const failingLedger = faulty("ledger", ledger, ledgerFault, (moment) => {
    witness.saw(`ledger failed ${moment} its commit`);
    const message = `the disk under the ledger failed ${moment} the commit`;
    return new StoreFailed({ code: "SQLITE_IOERR_FSYNC", message, mayBeDurable: moment === "after" });
  });

  function boot(): void {
    rebooting = false;
    const number = ++lives;
    const born = new Life(number, fate, (call, moment) => died(born, call, moment));
    life = born;
    time.forget("daemon");
    witness.trace(`life ${number} begins`);
    const surroundings: Omit<Surroundings, "log" | "metrics"> = {
      ledger: failingLedger,
      records: ground.records,
      disk,
      sandbox: vendor.sandbox,
      sealer,
      clock: time.clock("daemon"),
      random: { unit: () => random.unit(), uuid: (now) => uuid(now, random) },
      retention: weather.retention,
      parsing: (mine) =>
        openParsing({
          begins: (subject, poison) => begins(mine, subject, poison),
          die: () => new Promise(() => undefined),
        }),
      diskSpace: () => ({ freeBytes: diskIsFull ? 10 : 900, totalBytes: 1_000 }),
      plant,
    };
    startDaemon(born, witness.watching(surroundings, born)).then(
      (started) => {
        if (born.alive) daemon = started;
      },
      (error: unknown) => {
        witness.saw("the start failed");
        if (born.alive && !(error instanceof StoreFailed))
          witness.wrong(`the daemon could not start: ${String(error)}`);
        born.die("start", "after");
      },
    );
  }

  function died(dead: Life, call: string, moment: Moment): void {
    crashes++;
    if (call !== "orderly stop") witness.saw(`died ${moment} ${call}`);
    witness.trace(`life ${dead.number} dies ${moment} ${call}`);
    witness.died(dead);
    daemon = undefined;
    life = undefined;
    rebooting = true;
  }

  function begins(mine: Life, subject: string, poison: string | undefined): boolean {
    witness.parseBegan(mine, subject);
    if (poison === "killer") mine.die("poison", "before");
    return poison !== "killer";
  }

  async function after(ms: number, what: () => void | Promise<void>): Promise<void> {
    await world.sleep(ms);
    await what();
  }

  function clearSky(): void {
    stormy = false;
    diskIsFull = false;
    disk.failing(0);
    vendor.calm();
    witness.trace("the sky clears");
  }

  async function fillDisk(): Promise<void> {
    diskIsFull = true;
    witness.trace("the disk is full");
    await world.sleep(chance.between(10_000, 600_000));
    diskIsFull = false;
  }

  async function restartInOrder(): Promise<void> {
    const [stopping, its] = [daemon, life];
    if (stopping === undefined || its === undefined) return;
    witness.trace("an orderly stop");
    daemon = undefined;
    witness.saw("orderly stop");
    const ended = await Promise.race([stopping.stop(10_000).then(() => "stopped" as const), its.died]);
    if (ended === "stopped") its.die("orderly stop", "after");
  }

  /** An operator who mends what blocks a lane, now and then. */
  async function operate(): Promise<void> {
    for (;;) {
      await world.sleep(stormy ? hour / 2 : 3 * hour);
      for (const { lane, blockedReason } of await ledger.lanes()) {
        if (blockedReason === null) continue;
        witness.saw("a blocked lane was resumed");
        witness.trace(`an operator resumes ${lane}`);
        await ledger.pause({ lane, kind: "resume" });
        daemon?.road.wake();
      }
    }
  }

  async function restartTheDead(): Promise<void> {
    rebooting = false;
    disk.crash();
    await world.sleep(chance.between(200, 20_000));
    if (life === undefined) boot();
  }

  const quiet = async (): Promise<boolean> => {
    if (daemon === undefined || daemon.road.busy()) return false;
    const { received, deliveries } = await ledger.stats(time.trueNow);
    return received === 0 && deliveries.pending === 0;
  };
  let settled = false;

  return {
    host: {
      listening: () => (life !== undefined && daemon !== undefined ? { life, daemon } : undefined),
      stormy: () => stormy,
      trace: witness.trace,
      wrong: witness.wrong,
    },
    settled: () => settled,
    begin(): void {
      boot();
      vendor.storm();
      disk.failing(weather.diskFaults);
      const plans: [number, () => void | Promise<void>][] = [[weather.stormMs, clearSky]];
      for (const at of weather.diskFull) plans.push([at, fillDisk]);
      for (const at of weather.http.unauthorized) plans.push([at, () => vendor.refuseToken(chance.between(1, 3))]);
      for (const { at, byMs } of weather.jumps) plans.push([at, () => jump(byMs)]);
      for (const at of weather.restarts) plans.push([at, restartInOrder]);
      for (let human = 0; human < weather.humans; human++) plans.push([chance.between(0, weather.stormMs), act]);
      for (const [at, what] of plans) void after(at, what);
      void operate();
    },
    /** Until all mail is handed in and has come to its end, and then two days more, for the attic and its broom. */
    async toTheEnd(sent: Sent): Promise<number> {
      let allSent = false;
      void sent.done.then(() => {
        allSent = true;
      });
      const limit = time.trueNow + weather.stormMs + patienceMs;
      let turns = 0;
      let until = Number.POSITIVE_INFINITY;
      for (; turns < mostTurns && time.trueNow < limit; turns++) {
        await turn();
        if (rebooting) void restartTheDead();
        const ended = allSent && !stormy && (await quiet());
        if (ended && until === Number.POSITIVE_INFINITY) until = time.trueNow + 50 * hour;
        if (time.trueNow >= until && ended) {
          settled = true;
          break;
        }
        if (!time.wakeNext()) break;
      }
      return turns;
    },
  };

  function jump(byMs: number): void {
    time.jump(byMs);
    witness.saw(byMs > 0 ? "the clock leapt ahead" : "the clock was set back");
    witness.trace(`the clock jumps by ${byMs} ms`);
  }

  function act(): void {
    const done = vendor.human();
    if (done === undefined) return;
    witness.saw(`a person ${done.split(" ")[0]} a contact`);
    witness.trace(`a person ${done}`);
  }
}

/** RFC 9562 version 7, its chance out of the seed. */
function uuid(now: number, chance: Chance): string {
  const time = Math.max(0, now).toString(16).padStart(12, "0").slice(-12);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${chance.hex(3)}-8${chance.hex(3)}-${chance.hex(12)}`;
}
