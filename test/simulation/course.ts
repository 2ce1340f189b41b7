/** The course of one world: lives that begin and end, faults that come and go, until the sky is clear and all has settled. */
import type { Ledger } from "../../src/model/ledger.ts";
import type { Sealer } from "../../src/model/ports.ts";
import type { LocalRecords } from "../../src/model/records.ts";
import type { SandboxReply, SandboxRequest } from "../../src/sandbox/sandbox.ts";
import { StoreFailed } from "../../src/store/index.ts";
import { memoryTokens } from "../support/tokens.ts";
import type { Chance } from "./chance.ts";
import { turn, type VirtualTime } from "./clock.ts";
import { type Daemon, type Plant, type Surroundings, startDaemon } from "./daemon.ts";
import type { MemoryDisk } from "./disk.ts";
import { type FileStore, openExtractor, openFileScanner } from "./files.ts";
import { faulty, Life, type Moment } from "./life.ts";
import { openParsing } from "./parsing.ts";
import type { Host, Sent } from "./senders.ts";
import type { Vendor } from "./vendor.ts";
import type { Weather } from "./weather.ts";
import type { Witness } from "./witness.ts";

const hour = 3_600_000;
/** The sky is clear for this long at most until all has settled: retries span three days, and a clock may be ten days wrong. */
const patienceMs = 40 * 24 * hour;
const mostTurns = 60_000;

export interface Course {
  readonly host: Host;
  begin(): void;
  /** Until all mail is handed in and has come to its end, and then two days more, for the attic and its broom. Answers the turns it took. */
  toTheEnd(sent: Sent): Promise<number>;
  settled(): boolean;
}

export interface Ground {
  readonly weather: Weather;
  readonly ledger: Ledger;
  readonly records: LocalRecords;
  readonly disk: MemoryDisk;
  readonly files: FileStore;
  readonly vendor: Vendor;
  readonly witness: Witness;
  readonly time: VirtualTime;
  readonly chance: Chance;
  readonly plant: Plant;
  readonly sealer: Sealer;
}

export function openCourse(ground: Ground): Course {
  const { weather, ledger, disk, files, vendor, witness, time, chance, plant, sealer } = ground;
  const world = time.trueClock("world");
  const deaths = chance.split("deaths");
  const ledgerChance = chance.split("ledger");
  const random = chance.split("random");
  const filesChance = chance.split("scans");
  const tokens = memoryTokens();
  /** Leaps of the clock that wait for a call. */
  const leaps: number[] = [];
  let stormy = true;
  let diskIsFull = false;
  let lives = 0;
  let crashes = 0;
  let aimed = 0;
  let life: Life | undefined;
  let daemon: Daemon | undefined;
  let rebooting = false;

  function fate(call: string): Moment | undefined {
    const { rate, focus, focusRate, most, aim } = weather.crashes;
    witness.saw(`call ${call}`);
    if (!stormy) return undefined;
    if (call === aim.call && ++aimed === aim.nth) return aim.moment;
    if (crashes >= most) return undefined;
    const deadly = focus !== undefined && call.startsWith(focus) ? focusRate : rate;
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
      sandbox: { handle: atTheVendor },
      account: vendor,
      tokens,
      sealer,
      clock: time.clock("daemon"),
      random: { unit: () => random.unit(), uuid: (now) => uuid(now, random) },
      retention: weather.retention,
      globexMakesContacts: weather.globexMakesContacts,
      parsing: (mine) =>
        openParsing({
          begins: (poison) => begins(mine, poison),
          die: () => new Promise(() => undefined),
        }),
      store: files.store,
      extractor: openExtractor(() => stormy && filesChance.flip(weather.diskFaults)),
      scanner: openFileScanner(
        time.clock("daemon"),
        () => !stormy || !filesChance.flip(weather.scanFaults),
        // A new base each day.
        () => `base ${Math.floor(time.trueNow / (24 * hour))}`,
      ),
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

  function begins(mine: Life, poison: string | undefined): boolean {
    if (poison === "killer") mine.die("poison", "before");
    return poison !== "killer";
  }

  async function after(ms: number, what: () => void | Promise<void>): Promise<void> {
    await world.sleep(ms);
    await what();
  }

  function clearSky(): void {
    stormy = false;
    leaps.length = 0;
    diskIsFull = false;
    disk.failing(0);
    files.failing(0);
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
    if (daemon === undefined || !daemon.road.resting()) return false;
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
      files.failing(weather.diskFaults);
      const plans: [number, () => void | Promise<void>][] = [[weather.stormMs, clearSky]];
      for (const at of weather.diskFull) plans.push([at, fillDisk]);
      for (const at of weather.http.unauthorized) plans.push([at, () => vendor.refuseToken(chance.between(1, 3))]);
      for (const { at, byMs, inCall } of weather.jumps) {
        const now = () => jump(byMs);
        const later = () => void leaps.push(byMs);
        plans.push([at, inCall ? later : now]);
      }
      for (const at of weather.restarts) plans.push([at, restartInOrder]);
      for (let human = 0; human < weather.humans; human++) plans.push([chance.between(0, weather.stormMs), act]);
      for (const [at, what] of plans) void after(at, what);
      void operate();
    },
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

  /** The vendor carries a call out; while its answer is under way the clock may leap, and other work go on. */
  async function atTheVendor(request: SandboxRequest): Promise<SandboxReply> {
    const reply = await vendor.sandbox.handle(request);
    const byMs = leaps.pop();
    if (byMs === undefined) return reply;
    jump(byMs);
    daemon?.road.wake();
    await world.sleep(3_000);
    return reply;
  }

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
