/** A year of mail through the whole road, to the built-in CRM, a vendor's sandbox, or both at once; time is the story's. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parse, stringify } from "yaml";
import { openGround, startWorks, systemClock } from "../../src/main.ts";
import type { EventRow } from "../../src/model/history.ts";
import type { Ledger } from "../../src/model/ledger.ts";
import type { Clock, Log } from "../../src/model/ports.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { startSandbox } from "../../src/sandbox/server.ts";
import { loadSettings } from "../../src/settings/index.ts";
import { Chance } from "../simulation/chance.ts";
import { startDnsServer } from "../support/dns-server.ts";
import { type Compared, compared } from "./compare.ts";
import { policies } from "./policies.ts";
import { type Year, yearBegins, yearOf } from "./story.ts";
import { localThere } from "./there.ts";
import type { YearMail } from "./told.ts";
import { truthOf } from "./truth.ts";
import { type YearVendor, yearVendors } from "./vendors.ts";

/** `both`: the built-in CRM and HubSpot. */
export const destinations: readonly string[] = ["local", "both", ...yearVendors.map(({ name }) => name)];

export interface YearRunOptions {
  readonly seed: number;
  readonly count: number;
  /** One of `destinations`. */
  readonly destination: string;
  /** A mapping file that ./policies.ts knows by its name. */
  readonly mapping: string;
  /** Mails that have nothing to do with each other come in another order. */
  readonly disorder?: boolean;
  progress?(done: number, of: number): void;
}

export interface YearRun {
  readonly mails: number;
  readonly lanes: readonly ({ readonly lane: string } & Compared)[];
  /** At the vendor's sandbox, by route. */
  readonly calls: ReadonlyMap<string, number>;
  readonly ms: number;
  readonly peakRssBytes: number;
  /** What the daemon's log says that is worse than information. */
  readonly complaints: readonly string[];
}

export async function runYear(options: YearRunOptions): Promise<YearRun> {
  const policy = policies.get(basename(options.mapping));
  if (policy === undefined)
    throw new RangeError(`no truth is known for ${options.mapping}: ${[...policies.keys()].join(", ")}`);
  const year = yearOf(options);
  const began = performance.now();
  const dir = mkdtempSync(join(tmpdir(), "mailwright-year-"));
  const clock = openStoryClock();
  const dns = await startDnsServer();
  year.publish(dns.zone);
  const counted = new Map<string, number>();
  const { local, vendor } = chosen(options.destination);
  const account = counting((vendor ?? yearVendors[0])?.open(clock), counted);
  const sandbox = await startSandbox(account);
  try {
    const entries = [
      ...(local ? [{ id: "crm", type: "local" }] : []),
      ...(vendor === undefined ? [] : [{ id: vendor.name, type: vendor.name, ...vendor.settings(sandbox.url) }]),
    ];
    const lanes = entries.map(({ id }) => `acme/${id}`);
    const config = configured(dir, year, options, dns.address, entries);
    const { log, lines } = complaints();
    const opened = await openGround(loadSettings(config, {}), { thread: "worker", log, exclusive: true });
    const ground = { ...opened, clock };
    try {
      const works = await startWorks(ground);
      const memory = watchMemory();
      try {
        const mails = options.disorder === true ? disordered(year.mails, options.seed) : year.mails;
        await take(mails, works, clock, options.progress);
      } finally {
        await works.stop(10_000);
      }
      const rows = await rowsOf(ground.ledger);
      const truth = truthOf(year, policy);
      return {
        mails: year.mails.length,
        lanes: lanes.map((lane) => ({
          lane,
          ...compared(year, truth, {
            lane,
            rows,
            owners: lane === "acme/crm",
            there: lane === "acme/crm" || vendor === undefined ? localThere(ground.records) : vendor.there(account),
          }),
        })),
        calls: counted,
        ms: performance.now() - began,
        peakRssBytes: memory.peak(),
        complaints: lines,
      };
    } finally {
      await ground.close();
    }
  } finally {
    await sandbox.close();
    await dns.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

function chosen(destination: string): { local: boolean; vendor: YearVendor | undefined } {
  const name = destination === "both" ? "hubspot" : destination;
  const vendor = yearVendors.find((known) => known.name === name);
  if (vendor === undefined && name !== "local") throw new RangeError(`a year cannot end at ${destination}`);
  return { local: destination === "both" || destination === "local", vendor };
}

interface StoryClock extends Clock {
  /** The story has come to this moment. */
  moveTo(at: number): void;
}

/** Runs on by itself, so that whoever sleeps wakes up; and leaps to the next mail. */
function openStoryClock(): StoryClock {
  let ahead = yearBegins - systemClock.now();
  return {
    now: () => systemClock.now() + ahead,
    sleep: systemClock.sleep,
    moveTo(at) {
      ahead = Math.max(ahead, at - systemClock.now());
    },
  };
}

type Works = Awaited<ReturnType<typeof startWorks>>;
const mostAtOnce = 12;

/** Mails that have nothing to do with each other come in one moment; before all others the road has come to rest. */
async function take(
  mails: readonly YearMail[],
  { intake, road }: Works,
  clock: StoryClock,
  progress?: YearRunOptions["progress"],
): Promise<void> {
  let done = 0;
  while (done < mails.length) {
    const together = unrelated(mails, done);
    clock.moveTo(together.at(-1)?.at ?? 0);
    await Promise.all(together.map(({ raw, envelope }) => intake.accept(pieces(raw), [envelope])));
    await road.settled();
    done += together.length;
    progress?.(done, mails.length);
  }
}

/** Each mail goes past as many of those before it as chance will have, and never past one that it has to do with. */
function disordered(mails: readonly YearMail[], seed: number): YearMail[] {
  const chance = new Chance(`disorder ${seed}`);
  const order: YearMail[] = [];
  for (const mail of mails) {
    const touched = new Set(mail.touches);
    let at = order.length;
    for (let steps = chance.between(0, 40); steps > 0 && at > 0; steps--) {
      if (order[at - 1]?.touches.some((key) => touched.has(key)) === true) break;
      at--;
    }
    order.splice(at, 0, mail);
  }
  return order;
}

function unrelated(mails: readonly YearMail[], from: number): YearMail[] {
  const touched = new Set<string>();
  const found: YearMail[] = [];
  for (let at = from; at < mails.length && found.length < mostAtOnce; at++) {
    const mail = mails[at];
    if (mail === undefined || mail.touches.some((key) => touched.has(key))) break;
    for (const key of mail.touches) touched.add(key);
    found.push(mail);
  }
  return found;
}

async function* pieces(raw: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < raw.length; at += 16_384) yield raw.subarray(at, at + 16_384);
}

function configured(
  dir: string,
  year: Year,
  { mapping }: YearRunOptions,
  dns: string,
  entries: readonly object[],
): string {
  const file = parse(readFileSync(mapping, "utf8")) as { same_person?: string[][] };
  writeFileSync(
    join(dir, "mapping.yaml"),
    stringify({ ...file, same_person: [...(file.same_person ?? []), ...year.samePerson] }),
  );
  const tenant = {
    id: "acme",
    recipients: [`*@${year.cast.inbound}`],
    mapping: "./mapping.yaml",
    people: {
      own_domains: [year.cast.own.domain],
      colleagues: year.cast.colleagues.map(({ name }) => name),
      excluded: ["tax-office.example"],
    },
    destinations: entries,
  };
  const config = join(dir, "mailwright.yaml");
  const age = "3650d";
  writeFileSync(
    config,
    stringify({
      data_dir: "./data",
      limits: { disk_reserve_bytes: 0, disk_reserve_percent: 0 },
      dns: { servers: [dns], verify: true },
      retention: { raw: age, event: age, attachment: age, quarantined: age, preview: age },
      tenants: [tenant],
    }),
  );
  return config;
}

async function rowsOf(ledger: Pick<Ledger, "find">): Promise<Map<string, EventRow>> {
  const rows = new Map<string, EventRow>();
  let before: number | undefined;
  for (;;) {
    const found = await ledger.find({ limit: 500, ...(before === undefined ? {} : { before }) });
    for (const row of found) rows.set((row.messageId ?? row.eventId).replace(/^<|>$/g, ""), row);
    before = found.at(-1)?.seq;
    if (before === undefined || found.length < 500) return rows;
  }
}

/** The sandbox's own log keeps the last calls only. */
function counting(sandbox: Sandbox | undefined, counted: Map<string, number>): Sandbox {
  if (sandbox === undefined) throw new RangeError("there is no vendor");
  return {
    ...sandbox,
    async handle(request) {
      const reply = await sandbox.handle(request);
      const route = sandbox.log.at(-1)?.route ?? "unknown";
      counted.set(route, (counted.get(route) ?? 0) + 1);
      return reply;
    },
  };
}

/** What the daemon would have somebody look at. */
function complaints(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const quiet = (): void => undefined;
  const line: Log["warn"] = (fields, message) => {
    const shown = Object.entries(fields).map(
      ([name, value]) => `${name} ${value instanceof Error ? (value.stack ?? value.message) : value}`,
    );
    lines.push(`${message} (${shown.join(", ")})`);
  };
  const log: Log = { debug: quiet, info: quiet, warn: line, error: line, with: () => log };
  return { log, lines };
}

function watchMemory(): { peak(): number } {
  let most = process.memoryUsage.rss();
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, 500);
  timer.unref();
  return {
    peak() {
      clearInterval(timer);
      return most;
    },
  };
}
