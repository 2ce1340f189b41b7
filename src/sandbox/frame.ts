/** What all sandboxes do alike around a vendor's account: one call after the other, the fault that each meets, the log, and starting anew. */
import type { Clock, Random } from "../model/ports.ts";
import { type Fault, type Faults, openFaults } from "./faults.ts";
import { openHeld } from "./held.ts";
import type { Dropped, LoggedCall, Reply, Sandbox, SandboxReply, SandboxRequest, Table } from "./sandbox.ts";

/** Which call this is (`emails.create`; undefined for none that a fault could meet), and the doing of it with all its checks. */
export interface Prepared {
  readonly route: string | undefined;
  run(): Reply;
}

export interface FrameParts<Account> {
  readonly clock: Pick<Clock, "now" | "sleep">;
  readonly random: Pick<Random, "unit">;
  /** An account as new. */
  open(): Account;
  prepare(account: Account, request: SandboxRequest): Prepared;
  /** Carries it out; what the account throws to refuse it becomes the vendor's answer. `number`: of the call, from 1. */
  answer(run: () => Reply, number: number): Reply;
  /** What an edge in front of the vendor answers: a page. */
  edge(status: number): Reply;
  /** The vendor's usual words for a refusal that a plan names without a body. */
  refusal(status: number, headers: Readonly<Record<string, string>>): Reply;
  state(account: Account, calls: number, held: number): object;
  tables(account: Account): readonly Table[];
}

export interface Framed<Account> extends Sandbox {
  account(): Account;
}

const maxLog = 10_000;

export function openFrame<Account>(parts: FrameParts<Account>): Framed<Account> {
  const { clock, random } = parts;
  const held = openHeld();
  const log: LoggedCall[] = [];
  let account = parts.open();
  let faults: Faults = openFaults(random);
  let calls = 0;

  /** Faults come first, so that a plan counts calls and not what limits let through. */
  async function handle(request: SandboxRequest): Promise<SandboxReply> {
    const number = ++calls;
    const { route, run } = parts.prepare(account, request);
    const fault = route === undefined ? undefined : faults.next(route);
    const reply = await meet(fault, () => parts.answer(run, number));
    log.push({
      at: clock.now(),
      route: route ?? "unknown",
      method: request.method,
      path: request.path,
      status: "drop" in reply ? null : reply.status,
      fault: fault?.kind,
    });
    if (log.length > maxLog) log.splice(0, maxLog / 2);
    return reply;
  }

  async function meet(fault: Fault | undefined, commit: () => Reply): Promise<Reply | Dropped> {
    switch (fault?.kind) {
      case undefined:
        return commit();
      case "drop":
        return { drop: true };
      case "commit_then_drop":
        commit();
        return { drop: true };
      case "commit_then_status":
        commit();
        return parts.edge(fault.status);
      case "commit_then_truncate":
        return truncated(commit());
      case "commit_then_hang": {
        const reply = commit();
        await held.wait();
        return reply;
      }
      case "hang":
        await held.wait();
        return commit();
      case "slow_commit":
        await clock.sleep(fault.ms);
        return commit();
      case "slow_answer": {
        const reply = commit();
        await clock.sleep(fault.ms);
        return reply;
      }
      case "status":
        return plannedStatus(fault);
      default:
        return fault satisfies never;
    }
  }

  function plannedStatus({ status, headers, body }: Extract<Fault, { kind: "status" }>): Reply {
    if (typeof body === "string") return { status, headers, body };
    if (body !== undefined)
      return { status, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) };
    if (status < 500) return parts.refusal(status, headers);
    const page = parts.edge(status);
    return { ...page, headers: { ...page.headers, ...headers } };
  }

  return {
    handle,
    account: () => account,
    state: () => parts.state(account, calls, held.count()),
    tables: () => parts.tables(account),
    faults: { plan: (plan) => faults.plan(plan), clear: () => faults.clear() },
    log,
    release: held.release,
    whenHeld: held.whenHeld,
    reset() {
      held.release();
      account = parts.open();
      faults = openFaults(random);
      log.length = 0;
      calls = 0;
    },
  };
}

function truncated(reply: Reply): Reply {
  return { ...reply, body: reply.body.slice(0, Math.floor(reply.body.length / 2)) };
}

/** What an edge in front of any vendor answers: a page, not JSON. */
export const edgePage = (status: number): Reply => ({
  status,
  headers: { "content-type": "text/html" },
  body: `<html><head><title>${status}</title></head><body><h1>Error ${status}</h1></body></html>`,
});

/** The same chances on every run (a 32-bit linear congruence), where no source of chance is handed in. */
export function fixedRandom(): Pick<Random, "unit"> {
  let state = 0x2545f491;
  return {
    unit() {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    },
  };
}
