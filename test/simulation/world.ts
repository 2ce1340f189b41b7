/**
 * One seed, one world: the real road with its real ledger, the senders before it, the vendors behind it, and everything that can go wrong
 * between them, on a clock that costs no time. At the end the sky clears, and every promise is held against what is there.
 */
import { openKeyRing } from "../../src/blobs/index.ts";
import type { Ledger } from "../../src/model/ledger.ts";
import type { LocalRecords } from "../../src/model/records.ts";
import { openLedger, openLocalRecords } from "../../src/store/index.ts";
import { Chance } from "./chance.ts";
import { VirtualTime } from "./clock.ts";
import { openCourse } from "./course.ts";
import type { Plant, Surroundings } from "./daemon.ts";
import { type MemoryDisk, openMemoryDisk } from "./disk.ts";
import { type FileStore, openFileStore } from "./files.ts";
import { type Mail, writeMails } from "./mails.ts";
import { type Sent, startSenders } from "./senders.ts";
import { openVendor, type Vendor } from "./vendor.ts";
import { verdictOf } from "./verdict.ts";
import { drawWeather, type Weather } from "./weather.ts";
import { openWitness, type Witness } from "./witness.ts";

export interface Outcome {
  readonly seed: number;
  readonly vendor: string;
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
  /** Whose fake stands behind the lane `acme/hub`; HubSpot's where nothing is said. */
  readonly vendor?: string;
}

/** All that a world is made of, as the verdict looks at it. */
export interface World {
  readonly weather: Weather;
  readonly ledger: Ledger;
  readonly records: LocalRecords;
  readonly disk: MemoryDisk;
  readonly files: FileStore;
  readonly vendor: Vendor;
  readonly mails: readonly Mail[];
  readonly sent: Sent;
  readonly witness: Witness;
  readonly time: VirtualTime;
  readonly sealer: Surroundings["sealer"];
}

const sealer = openKeyRing({ key: Buffer.alloc(32, 7) });

export async function simulate(seed: number, options: Options = {}): Promise<Outcome> {
  const name = options.vendor ?? "hubspot";
  const chance = new Chance(`seed ${seed}`);
  const weather = drawWeather(seed, chance.split("weather"), name);
  const time = new VirtualTime();
  const witness = openWitness(time, options.trace === true);
  const ledger = await openLedger({ path: ":memory:", thread: "calling" });
  const records = openLocalRecords(":memory:");
  try {
    const disk = openMemoryDisk(sealer, time.clock("disk"), chance.split("disk"));
    const files = openFileStore(chance.split("files"));
    const vendor = openVendor(name, weather, time, chance.split("vendor"));
    const { mails, transmissions } = writeMails(chance.split("mails"), weather.mails, weather.stormMs);
    const plant = options.plant ?? {};
    const run = openCourse({ weather, ledger, records, disk, files, vendor, witness, time, chance, plant, sealer });
    const sent = startSenders(transmissions, run.host, time.trueClock("sender"), chance.split("senders"));
    witness.trace(`weather ${JSON.stringify(weather)}`);
    run.begin();
    const turns = await run.toTheEnd(sent);
    const world: World = { weather, ledger, records, disk, files, vendor, mails, sent, witness, time, sealer };
    const unsettled = run.settled() ? [] : ["it never settled"];
    const violations = [...witness.wrongs, ...unsettled, ...(await verdictOf(world))];
    return { seed, vendor: name, violations, coverage: witness.seen, trace: witness.lines, turns };
  } finally {
    records.close();
    await ledger.close();
  }
}
