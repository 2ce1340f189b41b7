/** Drives a run to its end: chooses its messages, gives them out in small portions, and stops where it is told to. What is done is in the ledger. */
import type { Ground } from "../main.ts";
import type { EventRow } from "../model/ledger.ts";
import type { Cohort, RunProgress, RunRow } from "../model/runs.ts";
import { inCohort } from "../pipeline/cohort.ts";
import type { Cli } from "./cli.ts";
import { Failed } from "./exit.ts";
import { type Working, whileWorking } from "./open.ts";
import { storedEvent } from "./rows.ts";
import type { Worker } from "./shapes.ts";

/** Few enough that the backlog of live mail is not told from them, many enough that nobody idles between two portions. */
const portion = 200;
const lookMs = 100;
const tellMs = 2_000;
/** A lane that gets nowhere for so long goes on without us. */
const patienceMs = 15_000;

export interface Driven {
  readonly worker: Worker;
  readonly stopped: boolean;
}

export async function drive(cli: Cli, ground: Ground, id: number): Promise<Driven> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) cli.onSignal(signal, () => stop.abort());
  const run = await runOf(ground, id);
  if (run.state === "done") return { worker: "command", stopped: false };
  if (run.state === "choosing") await choose(ground, run, stop.signal);
  if (!stop.signal.aborted) {
    await change(ground, id, "running");
    const worker = await whileWorking(ground, async (working) => {
      do await handOut(cli, ground, id, working, stop.signal);
      while (run.kind === "undo" && !stop.signal.aborted && (await nextPass(ground, id, stop)));
      return working.by;
    });
    if (!stop.signal.aborted) {
      await change(ground, id, "done");
      return { worker, stopped: false };
    }
  }
  if (run.state !== "choosing") await change(ground, id, "stopped");
  return { worker: "command", stopped: true };
}

/** What hangs on others goes once those are gone. Where a CRM does not answer, the undo waits for somebody to go on with it. */
async function nextPass({ ledger }: Ground, id: number, stop: AbortController): Promise<boolean> {
  const { pending } = await ledger.runProgress(id);
  if (pending > 0) {
    stop.abort();
    return false;
  }
  return await ledger.nextPass(id);
}

async function change({ ledger, clock }: Ground, run: number, state: RunRow["state"]): Promise<void> {
  await ledger.stateRun({ run, state, now: clock.now() });
}

export async function runOf({ ledger }: Ground, id: number): Promise<RunRow> {
  const [run] = await ledger.runs({ id, limit: 1 });
  if (run === undefined) throw new Failed(`there is no run ${id}: \`mailwright mapping runs\``);
  return run;
}

/** Begun anew after a stop: what was chosen stays chosen, and nothing is chosen twice. */
async function choose(ground: Ground, run: RunRow, stop: AbortSignal): Promise<void> {
  for await (const rows of cohortRows(ground, run.tenant, run.cohort)) {
    if (stop.aborted) return;
    await ground.ledger.chooseForRun(
      run.id,
      rows.map(({ row }) => row.eventId),
    );
  }
}

export interface Chosen {
  readonly row: EventRow;
  readonly event: ReturnType<typeof storedEvent>;
}

/** Newest first, page by page. Of a message without content only its time can be asked: it belongs where nothing else is. */
export async function* cohortRows(
  { ledger, sealer }: Ground,
  tenant: string,
  cohort: Cohort,
): AsyncGenerator<readonly Chosen[]> {
  const { since, until = Number.MAX_SAFE_INTEGER, ...rest } = cohort;
  const belongs = inCohort(rest);
  const timesOnly = Object.keys(rest).length === 0;
  let before: number | undefined;
  for (;;) {
    const query = { tenant, limit: portion, ...(since === undefined ? {} : { since }) };
    const rows = await ledger.find({ ...query, ...(before === undefined ? {} : { before }) });
    const last = rows.at(-1);
    if (last === undefined) return;
    before = last.seq;
    yield rows.flatMap((row): Chosen[] => {
      if (row.receivedAt >= until || row.preparedAt === null) return [];
      const event = storedEvent(row, sealer);
      return (event === null ? timesOnly : belongs(event)) ? [{ row, event }] : [];
    });
  }
}

const openOf = ({ given, pending }: RunProgress): number => given + pending;

async function handOut(cli: Cli, ground: Ground, run: number, working: Working, stop: AbortSignal): Promise<void> {
  const { ledger, clock } = ground;
  let told = clock.now();
  for (;;) {
    let tally = await ledger.runProgress(run);
    let changedAt = clock.now();
    await working.turn(stop);
    // What a daemon works, or what waits for a time: the next portion waits for it, so that live mail's backlog stays live mail's.
    for (;;) {
      // An undo has ended it meanwhile: its messages are that one's.
      if (stop.aborted || (await runOf(ground, run)).state === "done") return;
      const now = await ledger.runProgress(run);
      if (openOf(now) !== openOf(tally)) changedAt = clock.now();
      tally = now;
      const room = tally.waiting > 0 && openOf(tally) < portion / 2;
      if (room || openOf(tally) === 0) break;
      if (tally.given === 0 && clock.now() - changedAt > patienceMs) {
        if (tally.waiting === 0) break;
        await cli.say(
          `run ${run}: ${tally.pending} deliveries wait for their CRM, and ${tally.waiting} messages for them`,
        );
        changedAt = clock.now();
      }
      await clock.sleep(lookMs, stop);
    }
    if (clock.now() - told >= tellMs) {
      told = clock.now();
      await cli.say(progress(run, tally));
    }
    if (tally.waiting === 0) return;
    const fed = await ledger.feedRun({ run, limit: portion, now: clock.now() });
    // A lane holds what waits.
    if (fed === 0) await clock.sleep(lookMs, stop);
  }
}

const progress = (run: number, { waiting, given, planned, unable, pending }: RunProgress): string =>
  `run ${run}: ${planned + unable} of ${waiting + given + planned + unable} messages planned, ${pending} deliveries pending`;
