/** The daemon: everything that runs between start and stop, opened in the order in which it can be trusted and closed in the other. */
import { startHttp } from "../http/index.ts";
import type { FileStatus } from "../model/files.ts";
import type { PreviewOfFile } from "../model/preview.ts";
import { reviewKinds } from "../model/reviews.ts";
import type { Intake, RunningSource } from "../model/source.ts";
import { withoutCrowd } from "../pipeline/crowd.ts";
import type { TenantPlan } from "../pipeline/enrich.ts";
import { asError } from "../pipeline/faults.ts";
import { startParsePool } from "../pipeline/parsing.ts";
import { startRetaining } from "../pipeline/retain.ts";
import { type Road, startRoad } from "../pipeline/road.ts";
import { compileRoutes, type Settings } from "../settings/index.ts";
import type { RunningImap } from "../sources/imap.ts";
import { sources } from "../sources/index.ts";
import { auditNightly } from "./coverage.ts";
import { openDoor } from "./door.ts";
import { forgetTrail, openFileRoom, removeOldFiles, sweepAll } from "./file-room.ts";
import type { Ground } from "./ground.ts";
import { tuneHeap } from "./heap.ts";
import { openGroundIntake } from "./intake.ts";
import { type OpenLane, openLanes } from "./lanes.ts";
import { mailboxesOf } from "./mailbox-names.ts";
import { readMailboxes } from "./mailboxes.ts";
import { openRules, registerMappings } from "./mappings.ts";
import { unopenedMail } from "./other-key.ts";
import { laneId, tenantPlans } from "./plans.ts";
import { listenForPokes } from "./poke.ts";
import { openSettingsSenders } from "./senders.ts";
import { stopGraceMs } from "./stopping.ts";
import { strandedWork } from "./stranded.ts";

export interface Daemon {
  readonly smtp: { readonly host: string; readonly port: number } | undefined;
  readonly http: { readonly host: string; readonly port: number };
  readonly road: Road;
  /** Takes changed certificates and secrets, and the mapping files of the tenants named (SIGHUP); blocked lanes are tried again. */
  reload(settings: Settings, remapped: readonly string[]): Promise<void>;
  /** Within `graceMs`: no new mail, what is in flight is written down, the rest stays in the ledger. */
  stop(graceMs: number): Promise<void>;
}

/**
 * In hand at once, for each parser. With 48 the parsers are less often idle; but each message in hand at the end of a process has lost an
 * attempt, and under kill -9 again and again mails lost their bodies to the limit on attempts (decision 0013).
 */
export const messagesPerParser = 16;

/** Works the ledger of the ground's data folder without any source: the road, the attic and the parsers. Needs the folder's lock. */
export interface Works {
  readonly road: Road;
  readonly intake: Intake;
  readonly lanes: readonly OpenLane[];
  readonly previewOf: PreviewOfFile | undefined;
  stop(graceMs: number): Promise<void>;
}

export async function startWorks(ground: Ground): Promise<Works> {
  const works = await openWorks(ground, false);
  try {
    await works.parsing;
    return works;
  } catch (error) {
    await works.stop(0);
    throw error;
  }
}

interface OpenedWorks extends Works {
  /** Resolves when mail is parsed; until then what is accepted waits. Rejects when no parser can be started. */
  readonly parsing: Promise<void>;
}

async function openWorks(ground: Ground, door: boolean): Promise<OpenedWorks> {
  const { settings, ledger, clock, log, metrics } = ground;
  const freed = await ledger.reclaim(clock.now());
  if (freed > 0) log.info({ leases: freed }, "going on with what was in flight when the last process ended");
  const unopened = await unopenedMail(ledger, ground.sealer);
  if (unopened !== undefined) {
    const fields = { event_id: unopened.eventId, err: asError(unopened.error) };
    log.error(
      fields,
      "stored mail does not open with this master key, which new mail is sealed with: mailwright doctor",
    );
  }
  const lanes = openLanes(ground);
  for (const { settings: lane } of lanes) await ledger.pause({ lane: lane.lane, kind: "resume" });
  for (const { of, kind, waiting, more } of await strandedWork(ledger, settings)) {
    const fields = { [kind === "messages" ? "tenant" : "lane"]: of, waiting, more };
    log.warn(fields, `${kind} wait in the ledger for what is not in the configuration any more; nobody works them`);
  }
  // Before anything runs: what the settings ask for and cannot have is refused.
  const files = await openFileRoom(ground, door);
  const children = settings.limits.parse_children;
  const pool = startParsePool({ children, log, metrics });
  const senders = openSettingsSenders(settings, { log, metrics });
  let moved = (): void => undefined;
  const plans = await plansOf(ground);
  const road = startRoad(plans, lanes, children * messagesPerParser, {
    ...ground,
    ledger: withheld(ledger, pool.opened),
    pool,
    senders: withoutCrowd(senders, (children * messagesPerParser) / 2, clock),
    moved: () => moved(),
    rulesOf: openRules(ledger),
    files,
  });
  const retaining = startRetaining({ rawMs: settings.retention.raw, eventMs: settings.retention.event }, road.busy, {
    ...ground,
    maintain: () => ledger.maintain(),
    async removeFiles() {
      const removed = await removeOldFiles(ground, false);
      if (removed.files + removed.previews > 0) road.wake();
      return removed;
    },
    forgetTrail: () => forgetTrail(ground, false),
    async sweepStores() {
      const { unneeded } = await sweepAll(ground, false);
      if (unneeded > 0) road.wake();
      return unneeded;
    },
  });
  moved = retaining.wake;
  const intake = openGroundIntake(ground, road.wake);
  return {
    road,
    intake,
    lanes,
    previewOf: files.previewOf,
    parsing: pool.opened,
    async stop(graceMs) {
      await road.stop(graceMs);
      await retaining.stop();
      await senders.close();
      await files.close();
      await pool.close();
      for (const lane of lanes) await lane.close();
    },
  };
}

/** With the numbers of their mapping files, which the ledger has before anything is decided by them. */
async function plansOf(ground: Ground, only?: readonly string[]): Promise<TenantPlan[]> {
  const wanted = (tenant: string): boolean => only?.includes(tenant) !== false;
  const tenants = ground.settings.tenants.filter(({ id }) => wanted(id));
  const versions = await registerMappings({ ...ground, settings: { ...ground.settings, tenants } });
  return tenantPlans(ground.settings, { linkOf: ground.links?.of, versions }).filter(({ tenant }) => wanted(tenant));
}

/**
 * The ledger, which gives nothing to parse before there is a parser: to give it is to record an attempt, and a process that ended before it
 * could parse must not be counted against a message.
 */
function withheld(ledger: Ground["ledger"], opened: Promise<void>): Ground["ledger"] {
  const open = opened.then(
    () => true,
    () => false,
  );
  const attempt: Ground["ledger"]["attempt"] = async (asked) => ((await open) ? await ledger.attempt(asked) : []);
  return { ...ledger, attempt };
}

/** Needs an exclusive ground, which is the caller's to close. Rejects with a sentence when a port is taken. */
export async function startDaemon(ground: Ground): Promise<Daemon> {
  const { settings, log } = ground;
  tuneHeap();
  if (!ground.exclusive) throw new TypeError("a daemon needs a ground that holds the data folder's lock");
  const opened: (() => Promise<void>)[] = [];
  const unwind = async () => {
    for (const close of opened.reverse()) await close();
  };
  try {
    const works = await openWorks(ground, true);
    opened.push(() => works.stop(stopGraceMs));
    const pokes = await listenForPokes(settings.data_dir, works.road.wake);
    opened.push(() => pokes.stop());
    const mailboxes = await readMailboxes(ground, works.intake);
    opened.push(() => mailboxes.stop(1_000));
    const nightly = auditNightly(ground, works.intake);
    opened.push(() => nightly.stop(1_000));
    const status = openStatus(ground, works, mailboxes);
    const http = await startHttp({
      ...openDoor(ground, ground.ledger, ground.stores, works.previewOf),
      ...status,
      log,
    });
    opened.push(() => http.stop(1_000));
    const source = await startSmtp(ground, works.intake);
    opened.push(() => source.stop(1_000));
    log.info({ host: source.address?.host, port: source.address?.port }, "SMTP is listening");
    log.info({ host: http.address.host, port: http.address.port }, "HTTP is listening");
    // Mail is taken already: it is in the ledger, where it would wait anyway.
    await works.parsing;
    log.info({}, "parsing");
    return {
      smtp: source.address,
      http: http.address,
      road: works.road,
      async reload(changed, remapped) {
        await reload(ground, works, source, changed, remapped);
        mailboxes.reload(mailboxesOf(changed));
      },
      async stop(graceMs) {
        const until = ground.clock.now() + graceMs;
        const left = () => Math.max(0, until - ground.clock.now());
        status.drain();
        await Promise.all([source, mailboxes, nightly].map((each) => each.stop(Math.floor(graceMs / 2))));
        await pokes.stop();
        await works.stop(Math.floor(left() * 0.8));
        await http.stop(Math.min(500, left()));
      },
    };
  } catch (error) {
    await unwind();
    throw error;
  }
}

async function startSmtp(ground: Ground, intake: Intake): Promise<RunningSource> {
  const { smtp } = await sources.smtp();
  const { settings, clock, log, metrics } = ground;
  return smtp.start(settings.smtp, intake, { clock, log, metrics, route: compileRoutes(settings.tenants) });
}

async function reload(
  ground: Ground,
  works: Works,
  source: RunningSource,
  changed: Settings,
  remapped: readonly string[],
): Promise<void> {
  // Taken last: where anything else fails, everything stays as it was.
  const plans = remapped.length > 0 ? await plansOf({ ...ground, settings: changed }, remapped) : [];
  await source.reload?.();
  ground.stores.reload(changed);
  for (const tenant of changed.tenants) {
    for (const entry of tenant.destinations) {
      const lane = works.lanes.find(({ settings }) => settings.lane === laneId(tenant.id, entry.id));
      lane?.reload(entry);
    }
  }
  for (const { settings } of works.lanes) await ground.ledger.pause({ lane: settings.lane, kind: "resume" });
  works.road.replan(plans);
  works.road.wake();
  ground.log.info({}, "certificates, secrets and mapping files were read again");
}

/** Also of those that have none: a gauge that is not set again would go on telling of reviews that were resolved. */
async function gaugeReviews({ ledger, metrics, settings }: Ground, now: number): Promise<void> {
  const tally = await ledger.reviewTally();
  for (const tenant of new Set([...settings.tenants.map(({ id }) => id), ...tally.map((row) => row.tenant)])) {
    for (const kind of reviewKinds) {
      const found = tally.find((row) => row.tenant === tenant && row.kind === kind);
      metrics.gauge("review_open", found?.open ?? 0, { tenant, kind });
      const age = found === undefined ? 0 : Math.max(0, now - found.oldestAt) / 1000;
      metrics.gauge("review_oldest_age_seconds", age, { tenant, kind });
    }
  }
}

/** Also of those that have none, as with reviews. */
async function gaugeFiles({ ledger, metrics, settings }: Ground, now: number): Promise<void> {
  const tally = await ledger.fileTally();
  for (const tenant of new Set([...settings.tenants.map(({ id }) => id), ...tally.map((row) => row.tenant)])) {
    const of = (status: FileStatus) => tally.find((row) => row.tenant === tenant && row.status === status);
    const hidden = of("quarantined");
    metrics.gauge("attachment_checking_depth", of("checking")?.files ?? 0, { tenant });
    metrics.gauge("quarantine_depth", hidden?.files ?? 0, { tenant });
    const age = hidden === undefined ? 0 : Math.max(0, now - hidden.oldestAt) / 1000;
    metrics.gauge("quarantine_oldest_age_seconds", age, { tenant });
  }
}

/** What /readyz, /livez and /metrics say. */
function openStatus(ground: Ground, works: Works, mailboxes: RunningImap) {
  const { ledger, metrics, clock } = ground;
  let draining = false;

  async function ready(): Promise<{ ready: boolean; reasons: string[] }> {
    const pressure = await works.intake.pressure();
    const reasons = [...(draining ? ["shutting down"] : []), ...(pressure === undefined ? [] : [pressure.reason])];
    return { ready: reasons.length === 0, reasons };
  }

  async function text(): Promise<string> {
    const now = clock.now();
    const stats = await ledger.stats(now);
    metrics.gauge("received_depth", stats.received);
    metrics.gauge("ledger_bytes", stats.bytes);
    metrics.gauge("ledger_unarchived", stats.unarchived);
    for (const lane of await ledger.lanes()) {
      const labels = { tenant: lane.tenant, crm: lane.lane.slice(lane.tenant.length + 1) };
      metrics.gauge("queue_depth", lane.pending, labels);
      metrics.gauge(
        "queue_oldest_age_seconds",
        lane.oldestPendingAt === null ? 0 : Math.max(0, now - lane.oldestPendingAt) / 1000,
        labels,
      );
      metrics.gauge("dead_letter_count", lane.failed, labels);
      metrics.gauge("held_count", lane.held, labels);
      metrics.gauge("lane_blocked", lane.blockedReason === null ? 0 : 1, labels);
      metrics.gauge("lane_paused", lane.pausedUntil !== null && lane.pausedUntil > now ? 1 : 0, labels);
    }
    await gaugeReviews(ground, now);
    await gaugeFiles(ground, now);
    await mailboxes.gauge();
    return await metrics.text();
  }

  return {
    live: () => true,
    ready,
    metrics: { text, contentType: metrics.contentType },
    drain() {
      draining = true;
    },
  };
}
