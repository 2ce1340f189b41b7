/** Makes the lanes of the configuration: one per destination account of a tenant, each with its session, its wire and its token bucket. */
import type { BoundDestination } from "../destinations/index.ts";
import type { Session } from "../model/destination.ts";
import type { Wire, WireResponse } from "../model/wire.ts";
import { type Bucket, openBucket } from "../pipeline/bucket.ts";
import type { RoadLane } from "../pipeline/road.ts";
import type { DestinationEntry, TenantSettings } from "../settings/index.ts";
import { type OpenWire, openWire } from "../wire/http.ts";
import type { Ground } from "./ground.ts";
import { bind, laneId } from "./plans.ts";

export interface OpenLane extends RoadLane {
  /** Takes changed credentials: the next call carries them. */
  reload(entry: DestinationEntry): void;
  close(): Promise<void>;
}

/** As much of the ground as a lane stands on. */
type LaneGround = Pick<Ground, "settings" | "clock" | "log" | "metrics" | "records" | "tokens">;

export function openLanes(ground: LaneGround): OpenLane[] {
  return ground.settings.tenants.flatMap((tenant) =>
    tenant.destinations.map((entry) => openLane(tenant, entry, ground)),
  );
}

function openLane(tenant: TenantSettings, entry: DestinationEntry, ground: LaneGround): OpenLane {
  const { clock, log, metrics, records, tokens, settings } = ground;
  const lane = laneId(tenant.id, entry.id);
  let bound = bind(entry);
  const { facts } = bound;
  const bucket = openBucket(facts.limits, clock, { day: facts.day, width: facts.width });
  const wire = openLaneWire(() => bound, bucket, ground);
  const others = openOtherWires(() => bound, bucket, ground);
  const ports = {
    tenant: tenant.id,
    lane,
    wire,
    wireTo: others.wireTo,
    clock,
    log: log.with({ lane }),
    metrics,
    records,
    tokens,
  };
  let session: Session | undefined;
  const current = (): Session => {
    session ??= bound.open(ports);
    return session;
  };
  return {
    bucket,
    session: followed(current),
    settings: {
      lane,
      tenant: tenant.id,
      destination: entry.id,
      facts,
      firstRetryMs: settings.retry.first_delay,
      retryWindowMs: settings.retry.window_hours * 3_600_000,
      sample: settings.review.sample,
    },
    reload(changed) {
      bound = bind(changed);
      session = undefined;
    },
    async close() {
      await session?.close?.();
      await wire.close();
      await others.close();
    },
  };
}

function openLaneWire(bound: () => BoundDestination, bucket: Bucket, { clock, metrics }: LaneGround) {
  const { reach, facts } = bound();
  if (reach === undefined) return { request: unreachable, close: async () => undefined };
  return openWire({
    baseUrl: reach.baseUrl,
    headers: async () => bound().reach?.headers ?? {},
    vendor: facts.vendor,
    clock,
    metrics,
    ...counted(bound, bucket, clock),
  });
}

/** Each call waits its turn, and what its answer tells of the vendor's limits is heard. */
const counted = (bound: () => BoundDestination, bucket: Bucket, clock: Ground["clock"]) => ({
  beforeCall: (budget: string, cost: number) => bucket.begin(budget, cost),
  afterCall: (budget: string, answer: WireResponse | undefined) =>
    bucket.end(budget, answer === undefined ? undefined : bound().tells(answer, clock.now())),
});

/** Wires to the other origins of a vendor, as its answers name them. */
function openOtherWires(bound: () => BoundDestination, bucket: Bucket, { clock, metrics }: LaneGround) {
  const open = new Map<string, OpenWire>();
  return {
    wireTo(baseUrl: string): Wire {
      const known = open.get(baseUrl);
      if (known !== undefined) return known;
      const { vendor } = bound().facts;
      const made = openWire({ baseUrl, headers: {}, vendor, clock, metrics, ...counted(bound, bucket, clock) });
      open.set(baseUrl, made);
      return made;
    },
    async close() {
      await Promise.all([...open.values()].map((wire) => wire.close()));
    },
  };
}

async function unreachable(): Promise<never> {
  throw new TypeError("this destination said that it needs no network, and yet it calls");
}

/** A session that is always the current one, so that lanes need not know of reloads. */
function followed(current: () => Session): Session {
  return {
    check: () => current().check(),
    account: () => current().account(),
    fix: async () => (await current().fix?.()) ?? [],
    dedupe: (kind) => current().dedupe(kind),
    find: (step, refs, asked) => current().find(step, refs, asked),
    put: (step, refs) => current().put(step, refs),
    read: (kind, id, whole) => current().read(kind, id, whole),
    asMade: async (step, refs) => await current().asMade?.(step, refs),
    link: (from, to) => current().link(from, to),
    unlink: (from, to) => current().unlink(from, to),
    archive: (kind, id) => current().archive(kind, id),
  };
}
