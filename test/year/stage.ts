/** Where a year is played: a folder with a configuration, the CRMs, a name server, and a clock that follows the story. */
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
import { localThere, type There } from "./there.ts";
import type { YearMail } from "./told.ts";
import type { Policy, Truth } from "./truth.ts";
import { type YearVendor, yearVendors } from "./vendors.ts";

/** `both`: the built-in CRM and HubSpot. */
export const destinations: readonly string[] = ["local", "both", ...yearVendors.map(({ name }) => name)];

export interface StageOptions {
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

export interface Stage {
  readonly year: Year;
  readonly dir: string;
  readonly config: string;
  readonly lanes: readonly string[];
  readonly account: Sandbox;
  /** Whose sandbox `account` is. */
  readonly vendor: YearVendor | undefined;
  readonly clock: StoryClock;
  /** Calls of the sandbox, by route. */
  readonly calls: ReadonlyMap<string, number>;
  /** What a log says that is worse than information. */
  readonly complaints: readonly string[];
  readonly log: Log;
  close(): Promise<void>;
}

export async function openStage(options: StageOptions): Promise<Stage> {
  const year = yearOf(options);
  const dir = mkdtempSync(join(tmpdir(), "mailwright-year-"));
  const clock = openStoryClock();
  const dns = await startDnsServer();
  year.publish(dns.zone);
  const calls = new Map<string, number>();
  const { local, vendor } = chosen(options.destination);
  const account = counting((vendor ?? yearVendors[0])?.open(clock), calls);
  const sandbox = await startSandbox(account);
  const entries = [
    ...(local ? [{ id: "crm", type: "local" }] : []),
    ...(vendor === undefined ? [] : [{ id: vendor.name, type: vendor.name, ...vendor.settings(sandbox.url) }]),
  ];
  const { log, lines } = complaints();
  return {
    year,
    dir,
    config: configured(dir, year, options, dns.address, entries),
    lanes: entries.map(({ id }) => `acme/${id}`),
    account,
    vendor,
    clock,
    calls,
    complaints: lines,
    log,
    async close() {
      await sandbox.close();
      await dns.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function chosen(destination: string): { local: boolean; vendor: YearVendor | undefined } {
  const name = destination === "both" ? "hubspot" : destination;
  const vendor = yearVendors.find((known) => known.name === name);
  if (vendor === undefined && name !== "local") throw new RangeError(`a year cannot end at ${destination}`);
  return { local: destination === "both" || destination === "local", vendor };
}

export function policyOf(mapping: string): Policy {
  const policy = policies.get(basename(mapping));
  if (policy === undefined)
    throw new RangeError(`no truth is known for ${mapping}: ${[...policies.keys()].join(", ")}`);
  return policy;
}

/** All mails of the year, in its own time. */
export async function takeYear(stage: Stage, options: StageOptions): Promise<void> {
  const { year, clock, config, log } = stage;
  const opened = await openGround(loadSettings(config, {}), { thread: "worker", log, exclusive: true });
  try {
    const works = await startWorks({ ...opened, clock });
    try {
      const mails = options.disorder === true ? disordered(year.mails, options.seed) : year.mails;
      await take(mails, works, clock, options.progress);
    } finally {
      await works.stop(10_000);
    }
  } finally {
    await opened.close();
  }
}

/** What is there now, and what the ledger says of each mail; also beside a daemon. */
export async function look(
  stage: Stage,
): Promise<{ readonly rows: Map<string, EventRow>; readonly there: ReadonlyMap<string, There> }> {
  const { config, log, lanes, account, vendor } = stage;
  const ground = await openGround(loadSettings(config, {}), { thread: "calling", check: "none", log });
  try {
    const rows = await rowsOf(ground.ledger);
    const words = { eventOf: eventsBy(rows), domains: domainsOf(stage) };
    const there = lanes.map((lane) => {
      return [
        lane,
        lane === "acme/crm" || vendor === undefined ? localThere(ground.records) : vendor.there(account, words),
      ] as const;
    });
    return { rows, there: new Map(there) };
  } finally {
    await ground.close();
  }
}

export function compareAll(
  { year }: Stage,
  truth: Truth,
  { rows, there }: Awaited<ReturnType<typeof look>>,
): ({ readonly lane: string } & Compared)[] {
  return [...there].map(([lane, its]) => ({
    lane,
    ...compared(year, truth, { lane, rows, owners: lane === "acme/crm", there: its }),
  }));
}

export interface StoryClock extends Clock {
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
  progress?: StageOptions["progress"],
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

/** The text of a mapping file, with who is one person in this year. */
export function mappingOf({ samePerson }: Year, file: string): string {
  const rules = parse(readFileSync(file, "utf8")) as { same_person?: string[][] };
  return stringify({ ...rules, same_person: [...(rules.same_person ?? []), ...samePerson] });
}

function configured(
  dir: string,
  year: Year,
  { mapping }: StageOptions,
  dns: string,
  entries: readonly object[],
): string {
  writeFileSync(join(dir, "mapping.yaml"), mappingOf(year, mapping));
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
      smtp: { host: "127.0.0.1", port: 0 },
      http: { host: "127.0.0.1", port: 0 },
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

/** By the beginning of the activity's key. */
function eventsBy(rows: ReadonlyMap<string, EventRow>): (marker: string) => string {
  const events = new Map<string, string>();
  for (const { eventId, deliveries } of rows.values())
    for (const { kind, key } of deliveries.flatMap(({ steps }) => steps))
      if (kind === "activity") events.set(key.slice(0, 16), eventId);
  return (marker) => events.get(marker) ?? "";
}

const domainsOf = ({ year }: Stage): string[] => [
  ...new Set(year.mails.flatMap(({ told }) => [told.from, ...told.under].flatMap((one) => one?.company ?? []))),
];
