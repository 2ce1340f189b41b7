/**
 * Mail through the real road (intake, ledger, parsing, plans, lane) to a vendor's sandbox in bad weather, on a clock that costs no time; at the
 * end the sky clears, and every mail is held against what is there. A vendor brings its rig.
 */
import { openHasher, openKeyRing } from "../../src/blobs/index.ts";
import { parse } from "../../src/mail/parse.ts";
import { compilePeople, noLists } from "../../src/mail/people.ts";
import { openThreadTokens } from "../../src/mail/thread-token.ts";
import type { EventRow, Ledger } from "../../src/model/ledger.ts";
import type { Clock, Random } from "../../src/model/ports.ts";
import { defaultMarks } from "../../src/model/threads.ts";
import { openIntake } from "../../src/pipeline/accept.ts";
import type { TenantPlan } from "../../src/pipeline/enrich.ts";
import type { ParsePool } from "../../src/pipeline/prepare.ts";
import { type RoadLane, startRoad } from "../../src/pipeline/road.ts";
import { unverified } from "../../src/pipeline/senders.ts";
import type { FaultPlan } from "../../src/sandbox/faults.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { openLedger } from "../../src/store/index.ts";
import { Chance } from "../simulation/chance.ts";
import { turn, VirtualTime } from "../simulation/clock.ts";
import { openMemoryDisk } from "../simulation/disk.ts";
import { noMetrics, recordingLog } from "./fixtures.ts";
import { laneBefore } from "./lane.ts";

/** What a vendor brings. */
export interface RoadRig {
  /** The `type:` of the destination. */
  readonly name: string;
  /** Beside the address, which the sandbox in process does without. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** With its own limits and search lag; `prepared`, as after `doctor --fix`. */
  open(ports: { readonly clock: Clock; readonly random: Pick<Random, "unit"> }): Sandbox;
  /** How the vendor says that there were too many calls: its status, headers and body. */
  readonly tooMany: Extract<FaultPlan["fault"], { kind: "status" }>;
  /** Every live activity: its whole text, and how many people it stands on. */
  activities(sandbox: Sandbox): readonly { readonly text: string; readonly people: number }[];
  /** The address of every live person, in whatever case. */
  people(sandbox: Sandbox): readonly string[];
}

export interface RoadOptions {
  readonly seed: number;
  readonly mails: number;
  readonly senders: number;
  /** Without: nothing goes wrong but the search lag. */
  readonly storm: boolean;
  /** One mail after the other comes within this; two hours by default. */
  readonly spreadMs?: number;
}

export interface RoadOutcome {
  readonly activities: number;
  /** Mails with two activities, by their tokens. */
  readonly doubled: readonly string[];
  /** Mails with neither an activity nor a visible outcome. */
  readonly lost: readonly string[];
  /** Mails whose delivery says that it was made, and which are not there. */
  readonly untrue: readonly string[];
  /** Reasons of dead letters; with a storm, none but `outcome_unknown` may be there. */
  readonly deadLetters: ReadonlyMap<string, number>;
  /** Details of those, for whoever reads a failure. */
  readonly details: readonly string[];
  readonly peopleTwice: readonly string[];
  readonly calls: number;
  /** Calls that met a fault. */
  readonly faults: number;
  /** Virtual. */
  readonly tookMs: number;
}

/** 20 % of all answers are lost, most of them after the commit; 10 % are 5xx, half of them after it. */
const storm: readonly FaultPlan[] = [
  { route: "*", probability: 0.12, fault: { kind: "commit_then_drop" } },
  // Of creates alone: half a 404 looks like a proxy's page, and rightly pauses the lane for an hour.
  { route: "*.create", probability: 0.06, fault: { kind: "commit_then_truncate" } },
  { route: "*", probability: 0.03, fault: { kind: "drop" } },
  { route: "*", probability: 0.02, fault: { kind: "slow_commit", ms: 45_000 } },
  { route: "*", probability: 0.05, fault: { kind: "commit_then_status", status: 504 } },
  { route: "*", probability: 0.05, fault: { kind: "status", status: 500 } },
];
const second = 1_000;
/** Now and then the vendor refuses so many calls in a row. */
const tooManyAtOnce = 25;
const tooManyEveryMs = 600 * second;
const mostTurns = 400_000;
const tenant = "acme";

export async function driveRoad(
  rig: RoadRig,
  { seed, mails, senders, storm: stormy, spreadMs = 7_200 * second }: RoadOptions,
): Promise<RoadOutcome> {
  const chance = new Chance(`road ${rig.name} ${seed}`);
  const time = new VirtualTime();
  const ledger = await openLedger({ path: ":memory:", thread: "calling" });
  const clock = time.clock("daemon");
  const world = time.trueClock("world");
  const sandbox = rig.open({ clock: time.trueClock("vendor"), random: chance.split("sandbox") });
  const letters = lettersOf(chance.split("letters"), { mails, senders, spreadMs }, time.trueNow);
  try {
    const random = randomOf(chance.split("random"));
    const sealer = openKeyRing({ key: Buffer.alloc(32, 7) });
    const disk = openMemoryDisk(sealer, clock, chance.split("disk"));
    const shared = { ledger, spool: disk.spool, blobs: disk.blobs, sealer, clock, random, metrics: noMetrics };
    const { log } = recordingLog();
    const road = startRoad([planOf(tenant)], [laneTo(rig, sandbox, clock, tenant)], 4, {
      ...shared,
      log,
      hasher: openHasher(Buffer.alloc(32, 7)),
      threadTokens: openThreadTokens(Buffer.alloc(32, 7)),
      pool,
      senders: unverified,
    });
    const limits = { maxBytes: 1_000_000, inlineBytes: 65_536, backlog: 10_000, diskReserve: () => 0 };
    const plenty = { freeBytes: 1e12, totalBytes: 1e12 };
    const intake = openIntake(limits, { ...shared, log, disk: async () => plenty, wake: () => road.wake() });
    if (stormy) for (const plan of storm) sandbox.faults.plan(plan);
    let allIn = false;
    void comeIn(letters, intake, world).then(() => {
      allIn = true;
    });
    if (stormy) void tooMany(sandbox, rig, world, () => allIn);
    const began = time.trueNow;
    for (let turns = 0; ; turns++) {
      if (turns > mostTurns) throw new Error("the road does not come to its end");
      await turn();
      if (allIn && road.resting() && (await isSettled(ledger, clock))) break;
      if (!time.wakeNext()) throw new Error("nobody waits for anything, and it is not done");
    }
    const tookMs = time.trueNow - began;
    const stopping = road.stop(0);
    await time.advance(60 * second);
    await stopping;
    return judged(rig, sandbox, letters, await rowsOf(ledger), tookMs);
  } finally {
    await ledger.close();
  }
}

export const planOf = (tenant: string): TenantPlan => ({
  tenant,
  mapping: { createContact: "unverified", internal: "skip", disposableContacts: "hold" },
  people: compilePeople(noLists, () => false),
  threads: defaultMarks,
  arcSealers: [],
  lanes: [`${tenant}/crm`],
});

export function laneTo(rig: RoadRig, sandbox: Pick<Sandbox, "handle">, clock: Clock, tenant: string): RoadLane {
  const { facts, session, bucket } = laneBefore(sandbox, rig.name, rig.settings, clock);
  const settings = {
    tenant,
    destination: "crm",
    lane: `${tenant}/crm`,
    firstRetryMs: 5_000,
    retryWindowMs: 259_200_000,
  };
  return { settings: { ...settings, facts }, session, bucket };
}

/** In this process: the mails are harmless. */
export const pool: ParsePool = {
  async parse(raw) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of await raw()) chunks.push(chunk);
    return await parse(Buffer.concat(chunks));
  },
  headersOnly: () => Promise.reject(new Error("no mail of the road is hard to parse")),
};

interface Letter {
  readonly token: string;
  readonly from: string;
  readonly afterMs: number;
  readonly raw: Buffer;
}

function lettersOf(
  chance: Chance,
  { mails, senders, spreadMs }: { readonly mails: number; readonly senders: number; readonly spreadMs: number },
  begins: number,
): Letter[] {
  return Array.from({ length: mails }, (_, at): Letter => {
    const token = `tk${at}x${chance.hex(8)}`;
    const from = `person${chance.between(0, senders - 1)}@people${at % 3}.test`;
    const afterMs = Math.floor((spreadMs * at) / mails);
    const lines = [
      `From: Person Number${at} <${from}>`,
      "To: deals@in.test",
      `Date: ${new Date(begins + afterMs).toUTCString().replace("GMT", "+0000")}`,
      `Subject: about the order ${at}`,
      `Message-ID: <${token}@people.test>`,
      "",
      `${token} and what else there is to say`,
      "",
    ];
    return { token, from, afterMs, raw: Buffer.from(lines.join("\r\n")) };
  });
}

async function comeIn(letters: readonly Letter[], intake: ReturnType<typeof openIntake>, world: Clock): Promise<void> {
  const began = world.now();
  for (const { raw, afterMs } of letters) {
    await world.sleep(Math.max(0, began + afterMs - world.now()));
    const envelope = { kind: "smtp" as const, tenant, routes: ["deals@in.test"], received_at: world.now() };
    await intake.accept(once(raw), [envelope]);
  }
}

export async function* once(raw: Uint8Array): AsyncGenerator<Uint8Array> {
  yield raw;
}

async function tooMany(sandbox: Sandbox, rig: RoadRig, world: Clock, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await world.sleep(tooManyEveryMs);
    sandbox.faults.plan({ route: "*", nth: 1, times: tooManyAtOnce, fault: rig.tooMany });
  }
  // What has not come to its end by then does so under a clear sky.
  await world.sleep(tooManyEveryMs);
  sandbox.faults.clear();
}

export async function isSettled(ledger: Pick<Ledger, "stats">, clock: Clock): Promise<boolean> {
  const { received, deliveries } = await ledger.stats(clock.now());
  return received === 0 && deliveries.pending === 0;
}

export async function rowsOf(ledger: Pick<Ledger, "find">): Promise<readonly EventRow[]> {
  const rows: EventRow[] = [];
  for (let before: number | undefined; ; before = rows.at(-1)?.seq) {
    const found = await ledger.find({ limit: 200, ...(before === undefined ? {} : { before }) });
    rows.push(...found);
    if (found.length < 200) return rows;
  }
}

function judged(
  rig: RoadRig,
  sandbox: Sandbox,
  letters: readonly Letter[],
  rows: readonly EventRow[],
  tookMs: number,
): RoadOutcome {
  const seen = rig.activities(sandbox);
  const byId = new Map(rows.map((row) => [row.messageId, row]));
  const [doubled, lost, untrue, details]: string[][] = [[], [], [], []];
  const deadLetters = new Map<string, number>();
  for (const { token } of letters) {
    const there = seen.filter(({ text }) => text.includes(token)).length;
    const delivery = byId.get(`<${token}@people.test>`)?.deliveries[0];
    if (there > 1) doubled?.push(token);
    if (delivery?.state === "processed" && there === 0) untrue?.push(token);
    if (delivery?.state !== "processed" && delivery?.state !== "failed") lost?.push(`${token}: ${delivery?.state}`);
    if (delivery?.state !== "failed") continue;
    const reason = delivery.reason ?? "none";
    deadLetters.set(reason, (deadLetters.get(reason) ?? 0) + 1);
    details?.push(`${token}: ${reason}: ${delivery.detail}`);
  }
  const people = rig.people(sandbox).map((address) => address.toLowerCase());
  return {
    activities: seen.length,
    doubled: doubled ?? [],
    lost: lost ?? [],
    untrue: untrue ?? [],
    deadLetters,
    details: details ?? [],
    peopleTwice: people.filter((address, at) => people.indexOf(address) < at),
    calls: sandbox.log.length,
    faults: sandbox.log.filter(({ fault }) => fault !== undefined).length,
    tookMs,
  };
}

export function randomOf(chance: Chance): Random {
  return {
    unit: () => chance.unit(),
    uuid(now) {
      const at = now.toString(16).padStart(12, "0").slice(-12);
      return `${at.slice(0, 8)}-${at.slice(8)}-7${chance.hex(3)}-8${chance.hex(3)}-${chance.hex(12)}`;
    },
  };
}
