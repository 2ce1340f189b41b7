/** The daemon of a world: the real road on wrapped ports, opened the way the program's main opens it. */

import { openHasher } from "../../src/blobs/index.ts";
import { type BoundDestination, destinations } from "../../src/destinations/index.ts";
import { compilePeople, noLists } from "../../src/mail/people.ts";
import { openThreadTokens } from "../../src/mail/thread-token.ts";
import type { Blobs, Spool, Store } from "../../src/model/blob.ts";
import type { FileExtractor, Scanner } from "../../src/model/checking.ts";
import type { Session } from "../../src/model/destination.ts";
import type { Ledger } from "../../src/model/ledger.ts";
import type { Clock, Log, Metrics, Random, Sealer } from "../../src/model/ports.ts";
import type { LocalRecords } from "../../src/model/records.ts";
import type { Intake } from "../../src/model/source.ts";
import { defaultMarks } from "../../src/model/threads.ts";
import type { TokenStore } from "../../src/model/tokens.ts";
import type { WireRequest } from "../../src/model/wire.ts";
import { type IntakePorts, openIntake } from "../../src/pipeline/accept.ts";
import { openBucket } from "../../src/pipeline/bucket.ts";
import type { TenantPlan } from "../../src/pipeline/enrich.ts";
import type { FileRoom } from "../../src/pipeline/files.ts";
import type { ParsePool } from "../../src/pipeline/prepare.ts";
import { type Retention, startRetaining } from "../../src/pipeline/retain.ts";
import { type Road, type RoadLane, startRoad } from "../../src/pipeline/road.ts";
import { unverified } from "../../src/pipeline/senders.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { wireTo } from "../../src/sandbox/wire.ts";
import { testJudge } from "../support/file-room.ts";
import type { Account } from "./accounts/account.ts";
import type { MemoryDisk } from "./disk.ts";
import { type Life, mortal, mortalSync } from "./life.ts";

/** What the process finds around itself; the ledger and the records are the real ones, perhaps on a failing disk. */
export interface Surroundings {
  readonly ledger: Ledger;
  readonly records: LocalRecords;
  readonly disk: Pick<MemoryDisk, "spool" | "blobs">;
  readonly sandbox: Pick<Sandbox, "handle">;
  /** The account behind it. */
  readonly account: Pick<Account, "type" | "settings">;
  /** OAuth's; kept where the ledger is. */
  readonly tokens: TokenStore;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly retention: Retention;
  readonly globexMakesContacts: boolean;
  parsing(life: Life): ParsePool;
  readonly store: Store;
  readonly extractor: FileExtractor;
  readonly scanner: Scanner;
  diskSpace(): { freeBytes: number; totalBytes: number };
  /** Where a test plants a fault. */
  readonly plant: Plant;
}

/** Wrongs that can be done to the road, each at one port. Undefined members leave it as it is. */
export interface Plant {
  ledger?(ledger: Ledger, clock: Clock): Ledger;
  blobs?(blobs: Blobs): Blobs;
  store?(store: Store): Store;
  intake?(intake: Intake): Intake;
  session?(session: Session, lane: string): Session;
  request?(request: WireRequest, send: (request: WireRequest) => Promise<unknown>): Promise<unknown>;
  parsing?(pool: ParsePool): ParsePool;
}

export interface Daemon {
  readonly intake: Intake;
  readonly road: Road;
  stop(graceMs: number): Promise<void>;
}

export const lanes = { acme: ["acme/hub", "acme/crm"], globex: ["globex/crm"] } as const;
const people = compilePeople(noLists, () => false);
const tenantPlans = (globexMakesContacts: boolean): readonly TenantPlan[] => [
  {
    tenant: "acme",
    mapping: { createContact: "unverified", internal: "skip", disposableContacts: "hold" },
    people,
    threads: defaultMarks,
    arcSealers: [],
    lanes: lanes.acme,
  },
  {
    tenant: "globex",
    mapping: {
      createContact: globexMakesContacts ? "unverified" : "verified",
      internal: "skip",
      disposableContacts: "hold",
    },
    people,
    threads: defaultMarks,
    arcSealers: [],
    lanes: lanes.globex,
  },
];
const hasher = openHasher(Buffer.alloc(32, 7));
const threadTokens = openThreadTokens(Buffer.alloc(32, 7));
const limits = {
  maxBytes: 1_000_000,
  inlineBytes: 2_048,
  backlog: 1_000,
  diskReserve: (total: number) => total / 10,
};

/** As `startWorks` does: free what a dead process left, resume the lanes, then the road, the attic and the intake. */
export async function startDaemon(life: Life, given: Surroundings): Promise<Daemon> {
  const world = mortalWorld(life, given);
  const { ledger, clock, log, metrics } = world;
  await ledger.reclaim(clock.now());
  const opened = openLanes(life, world, given);
  for (const { settings } of opened) await ledger.pause({ lane: settings.lane, kind: "resume" });
  const plain = given.plant.parsing?.(given.parsing(life)) ?? given.parsing(life);
  const pool = mortal(life, "pool", plain);
  let moved = (): void => undefined;
  const road = startRoad(tenantPlans(given.globexMakesContacts), opened, 4, {
    ...world,
    hasher,
    threadTokens,
    pool,
    senders: unverified,
    moved: () => moved(),
    files: fileRoom(life, given),
  });
  const retaining = startRetaining(given.retention, road.busy, {
    ...world,
    log,
    metrics,
    maintain: async () => undefined,
  });
  moved = retaining.wake;
  const wake = (): void => {
    road.wake();
    retaining.wake();
  };
  const ports: IntakePorts = {
    ...world,
    wake,
    disk: () => life.call("disk.space", () => given.diskSpace()),
  };
  const intake = openIntake(limits, ports);
  return {
    intake: given.plant.intake?.(intake) ?? intake,
    road,
    async stop(graceMs) {
      await retaining.stop();
      await road.stop(graceMs);
    },
  };
}

function fileRoom(life: Life, given: Surroundings): FileRoom {
  const store = mortal(life, "store", given.plant.store?.(given.store) ?? given.store);
  return {
    stores: { of: () => store, close: async () => undefined },
    extractor: mortal(life, "extractor", given.extractor),
    scanner: mortal(life, "scanner", given.scanner),
    judge: testJudge,
    scanWidth: 2,
  };
}

function mortalWorld(life: Life, given: Surroundings) {
  const { clock } = given;
  const ledger = given.plant.ledger?.(given.ledger, clock) ?? given.ledger;
  return {
    ledger: mortal(life, "ledger", ledger),
    spool: mortalSpool(life, given.disk.spool),
    blobs: mortal(life, "blobs", given.plant.blobs?.(given.disk.blobs) ?? given.disk.blobs),
    sealer: given.sealer,
    random: given.random,
    log: given.log,
    metrics: given.metrics,
    clock: {
      now: () => clock.now(),
      sleep: (ms: number, signal?: AbortSignal) => life.call("clock.sleep", () => clock.sleep(ms, signal)),
    },
  };
}

function mortalSpool(life: Life, spool: Spool): Spool {
  const calls = mortal(life, "spool", spool);
  return {
    read: calls.read,
    link: calls.link,
    remove: calls.remove,
    sweepDrafts: calls.sweepDrafts,
    create: async (label) => mortal(life, "draft", await calls.create(label)),
    async *list() {
      yield* await life.call("spool.list", async () => {
        const all: { name: string; bytes: number; at: number }[] = [];
        for await (const entry of spool.list()) all.push(entry);
        return all;
      });
    },
  };
}

function openLanes(life: Life, world: ReturnType<typeof mortalWorld>, given: Surroundings): RoadLane[] {
  const { clock, log, metrics } = world;
  const vendor = bind(given.account.type, given.account.settings);
  const local = bind("local", {});
  const bucket = openBucket(vendor.facts.limits, clock);
  const direct = wireTo({
    sandbox: given.sandbox,
    clock,
    headers: vendor.reach?.headers ?? {},
    beforeCall: (budget) => bucket.take(budget),
  });
  const send = (request: WireRequest) => life.call("wire.request", () => direct.request(request));
  const planted = given.plant.request;
  const request = planted === undefined ? send : (((call: WireRequest) => planted(call, send)) as typeof send);
  const records = mortalSync(life, "records", given.records);
  const tokens = mortal(life, "tokens", given.tokens);
  const laneOf = (tenant: string, destination: string, bound: BoundDestination): RoadLane => {
    const lane = `${tenant}/${destination}`;
    const wire = { request };
    const ports = { tenant, lane, wire, wireTo: () => wire, tokens, clock, log, metrics, records };
    const session = bound.open(ports);
    return {
      settings: { lane, tenant, destination, facts: bound.facts, firstRetryMs: 5_000, retryWindowMs: 72 * 3_600_000 },
      session: given.plant.session?.(session, lane) ?? session,
      bucket: bound === vendor ? bucket : openBucket(bound.facts.limits, clock),
    };
  };
  return [laneOf("acme", "hub", vendor), laneOf("acme", "crm", local), laneOf("globex", "crm", local)];
}

function bind(type: string, settings: object): BoundDestination {
  const found = destinations.find(({ name }) => name === type);
  if (found === undefined) throw new TypeError(`there is no destination ${type}`);
  return found.bind(settings);
}
