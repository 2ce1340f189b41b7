/** The road as a whole: opens the intake, the preparing and the lanes on one ledger, and closes them in the order that loses nothing. */
import type { Ledger } from "../model/ledger.ts";
import { openAhead } from "./ahead.ts";
import type { Bucket } from "./bucket.ts";
import type { LanePorts, LaneSettings } from "./drain.ts";
import { startLane } from "./drain.ts";
import type { TenantPlan } from "./enrich.ts";
import { type FileRoom, type FilesPorts, startFiles } from "./files.ts";
import { type PreparePorts, startPreparing } from "./prepare.ts";

export interface RoadLane {
  readonly settings: LaneSettings;
  readonly session: LanePorts["session"];
  readonly bucket: Bucket;
}

export interface Road {
  /** Something was accepted, or a command changed the ledger: everybody looks again. */
  wake(): void;
  /** The next message of each of these tenants is decided by what is said here. */
  replan(plans: readonly TenantPlan[]): void;
  /** True while a message is parsed, planned or delivered. */
  busy(): boolean;
  /** Not even with the files of messages that are delivered. */
  resting(): boolean;
  /** Resolves when nothing is in flight and nothing is due: what is left waits for a time, a vendor or a person. */
  settled(): Promise<void>;
  /** Takes up nothing new; resolves when what is in flight has been written down, or after `graceMs`, leaving intents behind. */
  stop(graceMs: number): Promise<void>;
}

export interface RoadPorts extends Omit<PreparePorts, "prepared" | "listed" | "ledger"> {
  readonly ledger: PreparePorts["ledger"] & LanePorts["ledger"] & FilesPorts["ledger"];
  /** Where files are kept and checked; without it they are listed only. */
  readonly files?: FileRoom;
  /** A message was prepared, or a delivery left its lane: there may be raw bytes to put away. */
  moved?(): void;
}

/** `parseWidth`: messages in hand at once between the ledger and the parse children. */
export function startRoad(
  tenants: readonly TenantPlan[],
  roadLanes: readonly RoadLane[],
  parseWidth: number,
  ports: RoadPorts,
): Road {
  const { sealer, clock, random, log, metrics } = ports;
  const ahead = openAhead();
  const ledger = telling(ports.ledger, () => {
    ports.moved?.();
    files?.freed();
  });
  const lanes = new Map(
    roadLanes.map(({ settings, session, bucket }) => [
      settings.lane,
      startLane(settings, { ledger, session, bucket, ahead, sealer, clock, random, log, metrics }),
    ]),
  );
  const preparing = startPreparing(tenants, parseWidth, {
    ...ports,
    ledger,
    ahead,
    prepared: (lane) => lanes.get(lane)?.wake(),
    listed: () => files?.listed(),
  });
  const ids = tenants.map(({ tenant }) => tenant);
  const files =
    ports.files === undefined
      ? undefined
      : startFiles(
          ids,
          { ...ports, ...ports.files, ledger, refiled: (lane) => lanes.get(lane)?.wake() },
          preparing.wake,
        );
  const live = [preparing, ...lanes.values()];
  const parts = [...live, ...(files?.parts ?? [])];
  return {
    wake() {
      for (const part of parts) part.wake();
    },
    replan: preparing.replan,
    busy: () => live.some((part) => part.busy()),
    resting: () => !parts.some((part) => part.busy()),
    async settled() {
      do {
        for (const part of parts) await part.quiet();
      } while (parts.some((part) => part.busy()));
    },
    async stop(graceMs) {
      const grace = new AbortController();
      await Promise.race([Promise.all(parts.map((part) => part.stop())), clock.sleep(graceMs, grace.signal)]);
      grace.abort();
    },
  };
}

/** The same ledger, which says when something may have come to its end. */
function telling<L extends RoadPorts["ledger"]>(ledger: L, moved: () => void): L {
  const told = async <T>(call: Promise<T>): Promise<T> => {
    try {
      return await call;
    } finally {
      // A commit that failed may be on disk all the same.
      moved();
    }
  };
  const ends: Pick<Ledger, "prepare" | "settle"> = {
    prepare: (items) => told(ledger.prepare(items)),
    settle: (settlement) => told(ledger.settle(settlement)),
  };
  return Object.assign(Object.create(ledger) as L, ends);
}
