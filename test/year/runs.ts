/**
 * Two mappings over one year: compared, laid over what the other one filed, and taken back; each against the truth, each ended in the middle
 * by SIGKILL and by SIGINT and gone on with, beside a daemon or without one.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { z } from "zod";
import type { RunReport } from "../../src/cli/run-shapes.ts";
import { type ShapeName, shapes } from "../../src/cli/shapes.ts";
import type { Ledger } from "../../src/model/ledger.ts";
import { openLedger, openLocalRecords } from "../../src/store/index.ts";
import { bin, type RunningDaemon, startDaemon } from "../process/daemon.ts";
import type { Mismatch } from "./compare.ts";
import { counted, type PredictedDiff, predictedDiff } from "./predicted.ts";
import { compareAll, look, mappingOf, openStage, policyOf, type Stage, type StageOptions, takeYear } from "./stage.ts";
import type { There } from "./there.ts";
import { type Truth, truthOf } from "./truth.ts";

export type Ends = readonly (readonly [share: number, signal: "SIGKILL" | "SIGINT"])[];

export interface RunsOptions extends StageOptions {
  /** The mapping that is laid over what `mapping` filed. */
  readonly to: string;
  /** In the words of the command line. */
  readonly cohort: string;
  /** Where the commands are ended: a share of the messages that are planned by then, and how. */
  readonly ends: { readonly apply: Ends; readonly undo: Ends };
  /** While one runs: it is killed too, and started again. */
  readonly daemon: { readonly apply: boolean; readonly undo: boolean };
  tell?(line: string, mismatches: readonly Mismatch[]): void;
}

export interface RunsTold {
  /** Of each stage, what is not as the truth has it. */
  readonly mismatches: Readonly<Record<"year" | "applied" | "undone", readonly Mismatch[]>>;
  readonly diff: { readonly there: PredictedDiff; readonly truth: PredictedDiff };
  readonly applied: RunReport;
  readonly undone: RunReport;
  /** How the commands were ended, and after how many messages. */
  readonly ended: readonly string[];
  /** What the daemon's log calls an error. */
  readonly complaints: readonly string[];
  /** Records that a person changed after the run, and that have to be left alone. */
  readonly touched: readonly string[];
}

export async function runRuns(options: RunsOptions): Promise<RunsTold> {
  const stage = await openStage(options);
  const tell = options.tell ?? (() => undefined);
  try {
    await takeYear(stage, options);
    stage.clock.moveTo(Date.now());
    const old = truthOf(stage.year, policyOf(options.mapping));
    const before = await look(stage);
    const year = mismatchesOf(stage, old, before);
    tell(`${before.rows.size} messages taken: ${year.length} differences`, year);
    const fresh = join(stage.dir, "new.yaml");
    writeFileSync(fresh, mappingOf(stage.year, options.to));
    const diff = await comparison(stage, old, policyOf(options.to), fresh);
    const play = openPlay(stage, options);

    const applied = await play.through(
      "mapping apply",
      [fresh, "--cohort", ...options.cohort.split(" ")],
      options.daemon.apply,
    );
    const chosen = await play.chosen(applied.run);
    const laid = truthOf(stage.year, policyOf(options.to), { over: old, isMeant: (id) => chosen.has(id) });
    const after = await look(stage);
    const appliedWrong = mismatchesOf(stage, laid, after);
    tell(`applied to ${applied.messages.planned}: ${appliedWrong.length} differences`, appliedWrong);

    const touched = touch(stage, before.there, after.there);
    const undone = await play.through("mapping undo", [String(applied.run)], options.daemon.undo);
    const left = await look(stage);
    const undoneWrong = mismatchesOf(stage, old, { ...left, there: withoutTouched(left.there, touched, old) });
    tell(`taken back, ${undone.left.length + undone.left_out} left: ${undoneWrong.length} differences`, undoneWrong);
    const survivors = [...left.there.values()].flatMap(({ deals }) => deals.map(({ id }) => id));
    const lost = touched.filter((id) => !survivors.includes(id));
    if (lost.length > 0) throw new Error(`what a person changed is gone: ${lost.join(", ")}`);

    return {
      mismatches: { year, applied: appliedWrong, undone: undoneWrong },
      diff,
      applied,
      undone,
      ended: play.ended,
      complaints: [...stage.complaints, ...play.complaints],
      touched,
    };
  } finally {
    await stage.close();
  }
}

const mismatchesOf = (stage: Stage, truth: Truth, seen: Awaited<ReturnType<typeof look>>): Mismatch[] =>
  compareAll(stage, truth, seen).flatMap(({ lane, mismatches }) =>
    mismatches.map((one) => ({ ...one, class: `${lane}: ${one.class}` })),
  );

/** Killed once, which must leave no trace; then to its end. */
async function comparison(
  stage: Stage,
  old: Truth,
  policy: ReturnType<typeof policyOf>,
  fresh: string,
): Promise<RunsTold["diff"]> {
  const killed = start(stage, ["mapping", "diff", "current", fresh]);
  await Promise.race([new Promise((resolve) => setTimeout(resolve, 700)), once(killed, "exit")]);
  killed.kill("SIGKILL");
  const report = await shaped(stage, "mapping diff", ["current", fresh]);
  return {
    there: counted(report),
    truth: predictedDiff(old, truthOf(stage.year, policy, { over: old, isMeant: () => true })),
  };
}

const start = ({ config, dir }: Stage, args: readonly string[], stdio: "ignore" | "pipe" = "ignore"): ChildProcess =>
  spawn(process.execPath, [bin, ...args, "--config", config], { cwd: dir, stdio: ["ignore", stdio, stdio] });

async function shaped<N extends ShapeName>(
  stage: Stage,
  name: N,
  args: readonly string[],
): Promise<z.infer<(typeof shapes)[N]>> {
  const child = start(stage, [...name.split(" "), ...args, "--limit", "1000", "--json"], "pipe");
  let [out, err] = ["", ""];
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${name} ${args.join(" ")} ended with ${code}: ${err.slice(-2_000)}`);
  return shapes[name].parse(JSON.parse(out)) as z.infer<(typeof shapes)[N]>;
}

/** Runs commands to their end through all that may end them before it. */
function openPlay(stage: Stage, { ends, tell = () => undefined }: Pick<RunsOptions, "ends" | "tell">) {
  const ended: string[] = [];
  const complaints = new Set<string>();
  const complain = (daemon: RunningDaemon | undefined): void => {
    for (const line of daemon?.lines ?? [])
      if (line.level === "error") complaints.add(JSON.stringify({ ...line, time: undefined }));
  };
  const path = join(stage.dir, "data", "ledger.sqlite");
  let runs = 0;

  async function inLedger<T>(ask: (ledger: Ledger) => Promise<T>): Promise<T> {
    const ledger = await openLedger({ path, thread: "calling" });
    try {
      return await ask(ledger);
    } finally {
      await ledger.close();
    }
  }

  /** True where it was ended by the signal, false where it came to its end before. */
  async function endedAt(child: ChildProcess, run: number, share: number, signal: NodeJS.Signals): Promise<boolean> {
    const exit = once(child, "exit").then(([code]) => code as number | null);
    let code: number | null | undefined;
    void exit.then((found) => {
      code = found;
    });
    return await inLedger(async (ledger) => {
      let first: string | undefined;
      while (code === undefined) {
        const progress = await ledger.runProgress(run);
        const { planned, waiting, given, unable } = progress;
        const all = planned + waiting + given + unable;
        // Not before it does something: one that only starts has not heard of signals yet.
        first ??= JSON.stringify(progress);
        if (first !== JSON.stringify(progress) && planned >= all * share) {
          child.kill(signal);
          ended.push(`${signal} at ${planned} of ${all}`);
          break;
        }
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      const found = await exit;
      // Beside a daemon that works on what was given out before, it may not have heard of signals yet.
      if (signal === "SIGINT") ended.push(found === 4 ? "and it stopped" : `and it ended with ${found}`);
      return found === 4 || found === null;
    });
  }

  return {
    ended,
    async through<N extends "mapping apply" | "mapping undo">(
      name: N,
      args: readonly string[],
      beside: boolean,
    ): Promise<RunReport> {
      const run = ++runs;
      const home = {
        dir: stage.dir,
        config: stage.config,
        dataDir: join(stage.dir, "data"),
        remove: async () => undefined,
      };
      let daemon = beside ? await startDaemon(home) : undefined;
      // A daemon that no longer gets on says why in its log.
      const watch = setInterval(() => {
        complain(daemon);
        for (const line of complaints) tell(`log: ${line.slice(0, 600)}`, []);
      }, 60_000);
      try {
        let asked: readonly string[] = args;
        for (const [share, signal] of ends[name === "mapping apply" ? "apply" : "undo"]) {
          const child = start(stage, [...name.split(" "), ...asked]);
          if (!(await endedAt(child, run, share, signal))) break;
          asked = ["--continue", String(run)];
          if (daemon === undefined || signal !== "SIGKILL") continue;
          complain(daemon);
          await daemon.kill("SIGKILL");
          daemon = await startDaemon(home);
        }
        const known = await inLedger((ledger) => ledger.runs({ id: run, limit: 1 }));
        const rest =
          known.length === 0
            ? args
            : known[0]?.state === "done"
              ? ["--status", String(run)]
              : ["--continue", String(run)];
        return await shaped(stage, name, rest);
      } finally {
        clearInterval(watch);
        complain(daemon);
        await daemon?.kill("SIGTERM");
      }
    },
    complaints,
    /** Message-IDs of the run's cohort, without brackets. */
    async chosen(run: number): Promise<Set<string>> {
      const found = new Set<string>();
      await inLedger(async (ledger) => {
        let after = 0;
        for (;;) {
          const page = await ledger.runEvents({ run, after, limit: 1_000 });
          for (const { messageId, eventId } of page) found.add((messageId ?? eventId).replace(/^<|>$/g, ""));
          after = page.at(-1)?.seq ?? 0;
          if (page.length < 1_000) return;
        }
      });
      return found;
    },
  };
}

const mostTouched = 3;

/** People fill in what their new deals are worth: at each CRM, in the first few that the run made. */
function touch(stage: Stage, before: ReadonlyMap<string, There>, after: ReadonlyMap<string, There>): string[] {
  return [...after].flatMap(([lane, { deals }]) => {
    const known = new Set(before.get(lane)?.deals.map(({ id }) => id));
    const made = deals.filter(({ id }) => !known.has(id)).slice(0, mostTouched);
    for (const { id } of made) {
      if (lane !== "acme/crm") stage.vendor?.worth?.(stage.account, id, "5000");
      else {
        const records = openLocalRecords(join(stage.dir, "data", "crm.sqlite"));
        records.amend(id, { amount: 5_000 });
        records.close();
      }
    }
    return made.map(({ id }) => id);
  });
}

/** A deal that stays keeps its company and its contacts, which the truth of before knows nothing of. */
function withoutTouched(
  there: ReadonlyMap<string, There>,
  touched: readonly string[],
  { contacts, companies }: Truth,
): ReadonlyMap<string, There> {
  return new Map(
    [...there].map(([lane, its]) => {
      const kept = new Set(its.deals.filter(({ id }) => touched.includes(id)).flatMap(({ of }) => of));
      return [
        lane,
        {
          ...its,
          deals: its.deals.filter(({ id }) => !touched.includes(id)),
          companies: its.companies.filter((domain) => companies.has(domain) || !kept.has(domain)),
          contacts: its.contacts.filter(({ address }) => contacts.has(address) || !kept.has(address)),
        },
      ] as const;
    }),
  );
}
