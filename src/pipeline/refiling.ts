/** Brings the plans of messages in line with what became of their files: what was decided about a message, and by which rules, stays as it is. */
import { listedAnew, listTheSame, withFiles as withFileSteps } from "../mapping/filing.ts";
import type { Before } from "../mapping/moves.ts";
import type { CanonicalEvent } from "../model/event.ts";
import type { FileRow, FilesPlanned, FilesToPlan } from "../model/files.ts";
import type { EventRow, Ledger } from "../model/ledger.ts";
import type { Clock, Log, Metrics, Random, Sealer } from "../model/ports.ts";
import { retryDelayMs } from "./backoff.ts";
import { asError, LedgerFailed, viaLedger } from "./faults.ts";
import { mostFiles, withFiles } from "./filed.ts";
import { readMail, readSteps, writeMail, writeSteps } from "./stored.ts";
import { startTaking, type Taker } from "./taking.ts";

export interface RefilingPorts {
  readonly ledger: Pick<
    Ledger,
    "files" | "filesDueAt" | "filesPlanLater" | "filesPlanned" | "filesToPlan" | "find" | "steps"
  >;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  /** There may be a step to do in this lane. */
  refiled(lane: string): void;
}

export interface Refiling extends Taker {
  /** A message came out of the hands of a lane, or of the planning: what waited for that can be done. */
  freed(): void;
}

const firstRetryMs = 5_000;
/** Where nobody calls. */
const idleMs = 60_000;
const mostRemembered = 10_000;

export function startRefiling(tenants: readonly string[], ports: RefilingPorts): Refiling {
  const { clock, ledger, log, sealer } = ports;
  /** Attempts of this process that failed in a row, by event. */
  const failures = new Map<string, number>();
  let turn = 0;
  let dueAt: number | null = null;
  /** Some wait, for a time or for whoever has them in hand. */
  let somewait = false;

  async function take(room: number): Promise<readonly FilesToPlan[]> {
    const now = clock.now();
    const first = turn++ % Math.max(1, tenants.length);
    try {
      const inTurn = [...tenants.slice(first), ...tenants.slice(0, first)];
      const found = await ledger.filesToPlan({ tenants: inTurn, room, now });
      if (found.length > 0) return found;
      const { planning } = await ledger.filesDueAt(now);
      somewait = planning !== null;
      dueAt = planning === null || planning > now ? planning : now + idleMs;
      return [];
    } catch (error) {
      log.error({ err: asError(error) }, "the ledger did not say whose files have changed; asking again");
      dueAt = now + firstRetryMs;
      return [];
    }
  }

  async function work({ eventId, tenant, change }: FilesToPlan): Promise<void> {
    let row: EventRow | undefined;
    try {
      [row] = await viaLedger(ledger.find({ event: eventId, limit: 1 }));
      const planned = row === undefined ? nothing : await planOf(row);
      await viaLedger(ledger.filesPlanned({ eventId, change, now: clock.now(), ...planned }));
      failures.delete(eventId);
    } catch (error) {
      if (!(error instanceof LedgerFailed)) ports.metrics.count("defects_total", { where: "refiling" });
      const cause = error instanceof LedgerFailed ? error.cause : error;
      const tries = (failures.get(eventId) ?? 0) + 1;
      if (failures.size >= mostRemembered) failures.clear();
      failures.set(eventId, tries);
      log.error(
        { err: asError(cause), event_id: eventId, tenant, attempt: tries },
        "what became of a message's files could not be planned; it is tried again",
      );
      await later(eventId, tries);
    } finally {
      // A commit that failed may be on disk all the same, and nobody else would call for its steps.
      for (const { lane } of row?.deliveries ?? []) ports.refiled(lane);
    }
  }

  async function later(eventId: string, tries: number): Promise<void> {
    try {
      await ledger.filesPlanLater(eventId, clock.now() + retryDelayMs(tries, ports.random.unit(), firstRetryMs));
    } catch (error) {
      log.error({ err: asError(error), event_id: eventId }, "the ledger did not take a message back");
      // Or it would be given again at once, and again.
      await clock.sleep(firstRetryMs);
    }
  }

  /** Of an event or a plan that retention has removed there is nothing to bring in line. */
  async function planOf(row: EventRow): Promise<Pick<FilesPlanned, "sealedEvent" | "deliveries">> {
    if (row.sealedEvent === undefined) return nothing;
    const rows = await viaLedger(ledger.files({ event: row.eventId, limit: mostFiles }));
    const { plain } = sealer.open(row.sealedEvent);
    const before = readMail<CanonicalEvent>(plain);
    const event = withFiles(before, row.digest, rows);
    const became = new Map(rows.map((file) => [file.id, file]));
    const deliveries = [];
    for (const delivery of row.deliveries) {
      const sealed = await viaLedger(ledger.steps(delivery.id));
      if (sealed === undefined) continue;
      const old = readSteps(sealer.open(sealed).plain, () => plain);
      const steps = stepsOf({ ...delivery, rows: delivery.steps, steps: old }, became, row.tenant);
      if (steps === undefined) continue;
      deliveries.push({
        delivery: delivery.id,
        steps: steps.map(({ kind, key, why }) => ({ kind, key, why })),
        sealedSteps: sealer.seal(writeSteps(steps, event), `steps ${row.eventId}`),
      });
    }
    const same = JSON.stringify(before.message.attachments) === JSON.stringify(event.message.attachments);
    const sealedEvent = same ? {} : { sealedEvent: sealer.seal(writeMail(event), `event ${row.eventId}`) };
    return { ...sealedEvent, deliveries };
  }

  const taker = startTaking(clock, { width: () => 1, take, dueAt: () => dueAt, work });
  return {
    ...taker,
    freed() {
      if (somewait) taker.wake();
    },
  };
}

const nothing: Pick<FilesPlanned, "deliveries"> = { deliveries: [] };

/** Undefined where whoever reads the activity sees the same files. */
function stepsOf(before: Before, became: ReadonlyMap<string, FileRow>, tenant: string) {
  const steps = listedAnew(before.steps, became);
  if (listTheSame(steps, before.steps)) return undefined;
  const decision = withFileSteps({ kind: "steps", rule: "", steps }, before, tenant);
  return decision.kind === "steps" ? decision.steps : undefined;
}
