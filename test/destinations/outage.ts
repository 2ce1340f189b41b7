/**
 * One CRM goes away for three days and comes back with its own limits, while mail goes on to it and to another tenant's: on a clock that costs
 * no time. What is away is away in every way: pages of an edge, connections cut and refused, calls that nobody answers.
 */
import { openHasher, openKeyRing } from "../../src/blobs/index.ts";
import { openThreadTokens } from "../../src/mail/thread-token.ts";
import type { EventRow } from "../../src/model/ledger.ts";
import type { Clock } from "../../src/model/ports.ts";
import { WireBroken } from "../../src/model/wire.ts";
import { openIntake } from "../../src/pipeline/accept.ts";
import { startRoad } from "../../src/pipeline/road.ts";
import { unverified } from "../../src/pipeline/senders.ts";
import { edgePage } from "../../src/sandbox/frame.ts";
import type { LoggedCall, Sandbox } from "../../src/sandbox/sandbox.ts";
import { openLedger } from "../../src/store/index.ts";
import { Chance } from "../simulation/chance.ts";
import { turn, VirtualTime } from "../simulation/clock.ts";
import { openMemoryDisk } from "../simulation/disk.ts";
import { noMetrics, recordingLog } from "./fixtures.ts";
import { isSettled, laneTo, once, planOf, pool, type RoadRig, randomOf, rowsOf } from "./road.ts";

const hour = 3_600_000;
export const outageMs = 72 * hour;
/** When it is back it takes no more than this at first: everybody comes at once. */
const narrow = { calls: 2, perMs: 2_000, forMs: 2 * hour };
/** Mail comes for so long before it, and so long after it. */
const beforeMs = 6 * hour;
const afterMs = 12 * hour;
const spanMs = beforeMs + outageMs + afterMs;
const tenants = ["acme", "globex"] as const;
const mostTurns = 400_000;

export interface OutageOptions {
  /** acme's, which goes away. */
  readonly away: RoadRig;
  /** globex's, which does not. */
  readonly other: RoadRig;
  /** Without: the same mail on the same days, and nothing is the matter. */
  readonly outage: boolean;
  readonly threads: number;
  readonly mailsPerThread: number;
}

interface Fate {
  readonly token: string;
  readonly thread: number;
  readonly state: string;
  readonly detail: string | null;
  /** From its acceptance to its place in the CRM. */
  readonly tookMs: number;
  readonly attempts: number;
  /** As the CRM has them, in its own order of creation. */
  readonly activities: readonly number[];
}

export interface OutageOutcome {
  /** In the order in which they were sent. */
  readonly acme: readonly Fate[];
  readonly globex: readonly Fate[];
  readonly peopleTwice: readonly string[];
  /** What the CRM was asked once it was back. */
  readonly callsSince: readonly LoggedCall[];
  /** How many calls it refused then, as too many. */
  readonly refusedSince: number;
  /** From its return until nothing that it had been sent meanwhile was left. */
  readonly caughtUpMs: number;
}

export async function driveOutage(options: OutageOptions): Promise<OutageOutcome> {
  const chance = new Chance("outage");
  const time = new VirtualTime();
  const ledger = await openLedger({ path: ":memory:", thread: "calling" });
  const clock = time.clock("daemon");
  const vendorClock = time.trueClock("vendor");
  const begins = time.trueNow;
  const backAt = begins + beforeMs + outageMs;
  const [acme, globex] = [options.away, options.other].map((rig, index) =>
    rig.open({ clock: vendorClock, random: chance.split(`sandbox ${index}`) }),
  ) as [Sandbox, Sandbox];
  try {
    const sealer = openKeyRing({ key: Buffer.alloc(32, 7) });
    const disk = openMemoryDisk(sealer, clock, chance.split("disk"));
    const random = randomOf(chance.split("random"));
    const { log } = recordingLog();
    const shared = { ledger, spool: disk.spool, blobs: disk.blobs, sealer, clock, random, log, metrics: noMetrics };
    const goes = goingAway(
      acme,
      options.away,
      options.outage ? begins + beforeMs : Number.POSITIVE_INFINITY,
      vendorClock,
    );
    const lanes = [laneTo(options.away, goes, clock, "acme"), laneTo(options.other, globex, clock, "globex")];
    const road = startRoad(tenants.map(planOf), lanes, 4, {
      ...shared,
      hasher: openHasher(Buffer.alloc(32, 7)),
      threadTokens: openThreadTokens(Buffer.alloc(32, 7)),
      pool,
      senders: unverified,
    });
    const limits = { maxBytes: 1_000_000, inlineBytes: 65_536, backlog: 10_000, diskReserve: () => 0 };
    const plenty = { freeBytes: 1e12, totalBytes: 1e12 };
    const intake = openIntake(limits, { ...shared, disk: async () => plenty, wake: () => road.wake() });
    const letters = lettersOf(options, begins);
    let allIn = false;
    const world = time.trueClock("world");
    void comeIn(letters, intake, world).then(() => {
      allIn = true;
    });
    for (let turns = 0; ; turns++) {
      if (turns > mostTurns) throw new Error("it does not come to its end");
      await turn();
      if (allIn && road.resting() && (await isSettled(ledger, clock))) break;
      if (!time.wakeNext()) throw new Error("nobody waits for anything, and it is not done");
    }
    const stopping = road.stop(0);
    await time.advance(60_000);
    await stopping;
    const rows = await rowsOf(ledger);
    const fatesOf = (tenant: (typeof tenants)[number], rig: RoadRig, sandbox: Sandbox): Fate[] => {
      const logged = rig.activities(sandbox);
      return letters.filter((letter) => letter.tenant === tenant).map((letter) => fateOf(letter, rows, logged));
    };
    const people = options.away.people(acme).map((address) => address.toLowerCase());
    const meanwhile = rows.filter((row) => row.tenant === "acme" && row.receivedAt < backAt);
    const last = Math.max(...meanwhile.map(({ deliveries: [delivery] }) => delivery?.settledAt ?? 0));
    return {
      acme: fatesOf("acme", options.away, acme),
      globex: fatesOf("globex", options.other, globex),
      peopleTwice: people.filter((address, at) => people.indexOf(address) < at),
      callsSince: acme.log.filter(({ at }) => at >= backAt),
      refusedSince: goes.refused(),
      caughtUpMs: last - backAt,
    };
  } finally {
    await ledger.close();
  }
}

interface GoingAway extends Pick<Sandbox, "handle"> {
  refused(): number;
}

/**
 * In turn: an edge that says 503 and 504, connections that are cut, calls that nobody answers, and for most of the time nothing that listens.
 * Back again, it is narrow at first.
 */
function goingAway(sandbox: Sandbox, { tooMany }: RoadRig, from: number, clock: Clock): GoingAway {
  const until = from + outageMs;
  let [calls, refused] = [0, 0];
  let taken: number[] = [];
  return {
    refused: () => refused,
    async handle(request) {
      const now = clock.now();
      if (now < from || now >= until + narrow.forMs) return await sandbox.handle(request);
      if (now >= until) {
        taken = taken.filter((at) => at > now - narrow.perMs);
        if (taken.length < narrow.calls) {
          taken.push(now);
          return await sandbox.handle(request);
        }
        refused++;
        return { status: tooMany.status, headers: tooMany.headers ?? {}, body: JSON.stringify(tooMany.body) };
      }
      switch (++calls % 8) {
        case 1:
          return edgePage(503);
        case 3:
          return edgePage(504);
        case 5:
          return { drop: true };
        case 7:
          await clock.sleep(10 * 60_000);
          return { drop: true };
        default:
          throw new WireBroken("the connection was refused (ECONNREFUSED); nothing was sent", false);
      }
    },
  };
}

interface Letter {
  readonly tenant: (typeof tenants)[number];
  readonly thread: number;
  readonly token: string;
  readonly afterMs: number;
  readonly raw: Buffer;
}

/** Each thread is one customer's; its mails are spread over the whole time, each tenant's at the same moments. */
function lettersOf({ threads, mailsPerThread }: OutageOptions, begins: number): Letter[] {
  const all = Array.from({ length: threads * mailsPerThread }, (_, at) => {
    const afterMs = Math.floor((spanMs * at) / (threads * mailsPerThread));
    return tenants.map((tenant): Letter => {
      const thread = at % threads;
      const token = `tk${tenant}x${at}x`;
      const first = at === thread;
      const lines = [
        `From: Person Number${thread} <person${thread}@people${thread % 3}.test>`,
        "To: deals@in.test",
        `Date: ${new Date(begins + afterMs).toUTCString().replace("GMT", "+0000")}`,
        `Subject: ${first ? "" : "Re: "}about the order ${thread}`,
        `Message-ID: <${token}@people.test>`,
        ...(first ? [] : [`References: <tk${tenant}x${thread}x@people.test>`]),
        "",
        `${token} and what else there is to say`,
        "",
      ];
      return { tenant, thread, token, afterMs, raw: Buffer.from(lines.join("\r\n")) };
    });
  });
  return all.flat();
}

async function comeIn(letters: readonly Letter[], intake: ReturnType<typeof openIntake>, world: Clock): Promise<void> {
  const began = world.now();
  for (const { tenant, raw, afterMs } of letters) {
    await world.sleep(Math.max(0, began + afterMs - world.now()));
    await intake.accept(once(raw), [{ kind: "smtp", tenant, routes: ["deals@in.test"], received_at: world.now() }]);
  }
}

function fateOf(letter: Letter, rows: readonly EventRow[], logged: ReturnType<RoadRig["activities"]>): Fate {
  const row = rows.find(({ messageId }) => messageId === `<${letter.token}@people.test>`);
  const delivery = row?.deliveries[0];
  return {
    token: letter.token,
    thread: letter.thread,
    state: delivery?.state ?? "lost",
    detail: delivery?.detail ?? null,
    tookMs: (delivery?.settledAt ?? Number.NaN) - (row?.receivedAt ?? Number.NaN),
    attempts: delivery?.attempts ?? 0,
    activities: logged.flatMap(({ text }, order) => (text.includes(letter.token) ? [order] : [])),
  };
}
