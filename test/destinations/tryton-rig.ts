/** A Tryton session on a sandbox in process, as the tests of both want it. */
import { tryton } from "../../src/destinations/tryton.ts";
import type { Session } from "../../src/model/destination.ts";
import type { Step, StepKind } from "../../src/model/step.ts";
import {
  createTrytonSandbox,
  type RecordDump,
  sandboxLogin,
  type TrytonSandbox,
  type TrytonSandboxOptions,
} from "../../src/sandbox/tryton.ts";
import { wireTo } from "../../src/sandbox/wire.ts";
import type { VendorRig } from "./contract.ts";
import { type ManualClock, manualClock, portsFor, recordingLog } from "./fixtures.ts";

/** More words than PostgreSQL's full-text search has places for, and not more than a note has room for. */
export const longText = Array.from({ length: 17_500 }, (_, n) => (n % 1_296).toString(36)).join(" ");

export interface TrytonRig extends VendorRig {
  readonly sandbox: TrytonSandbox;
  readonly clock: ManualClock;
}

/** Tables of a database count each for themselves; the contract compares the numbers of all kinds. */
const firstIds = { "party.party": 1, "sale.opportunity": 500_001, "ir.note": 900_001 };

/** The contract speaks of stages by other names than Tryton's, which are fixed. */
export const stages = [
  ["appointmentscheduled", "lead"],
  ["closedwon", "won"],
  ["closedlost", "lost"],
] as const;

const own = (step: Step): Step =>
  step.kind === "deal" ? { ...step, stage: stages.find(([word]) => word === step.stage)?.[1] ?? step.stage } : step;

export const inOwnStages = (session: Session): Session => ({
  ...session,
  find: (step, refs, asked) => session.find(own(step), refs, asked),
  put: (step, refs) => session.put(own(step), refs),
});

export function openTryton(
  sandbox: TrytonSandbox,
  clock: ManualClock,
  more: Record<string, unknown> = {},
  log = recordingLog().log,
): Session {
  const settings = tryton.settings.parse({ base_url: "http://tryton.test", ...sandboxLogin, ...more });
  const wire = wireTo({ sandbox, clock, headers: tryton.reach(settings)?.headers ?? {} });
  return inOwnStages(tryton.open(settings, portsFor(clock, wire, undefined, log)));
}

/** What a mail's own text is, below the lines that say who wrote to whom. */
export const bodyOf = (message: string): string => message.slice(message.indexOf("\n\n") + 2);
export const headOf = (message: string): string => message.slice(0, message.indexOf("\n\n") + 2);

export const textIn = (dump: RecordDump | undefined, name: string): string => {
  const value = dump?.values[name];
  return typeof value === "string" ? value : "";
};

export function trytonRig(
  options: Partial<TrytonSandboxOptions> = {},
  settings: Record<string, unknown> = {},
): TrytonRig {
  const clock = manualClock();
  const sandbox = createTrytonSandbox({ clock, options: { prepared: true, employees: [], firstIds, ...options } });
  const { log, lines } = recordingLog();
  const session = openTryton(sandbox, clock, settings, log);
  const { actors } = sandbox;
  const { state } = sandbox;
  const byId = (all: readonly RecordDump[], id: unknown) => all.find((one) => one.id === String(id));
  const message = (id: string): string => textIn(byId(state().notes, id), "message");
  const ownCompany = "1";
  const parties = () => state().parties.filter(({ id, values }) => id !== ownCompany && values.active !== false);
  const isCompany = ({ values }: RecordDump): boolean => String(values.code).startsWith("co-");

  function count(kind: StepKind): number {
    switch (kind) {
      case "person":
        return parties().filter((party) => !isCompany(party)).length;
      case "company":
        return parties().filter(isCompany).length;
      case "deal":
        return state().opportunities.filter(({ values }) => values.state !== "cancelled").length;
      default:
        return state().notes.length;
    }
  }

  /** The note's own record, and those that it leads on to. */
  function linksOf(id: string): string[] {
    const { notes, opportunities, relations, mechanisms } = state();
    const [model, on = ""] = textIn(byId(notes, id), "resource").split(",");
    if (model === "") return [];
    if (model === "party.party") {
      const firms = relations
        .filter(({ values }) => String(values.from_) === on)
        .map(({ values }) => String(values.to));
      return [...new Set([on, ...firms])];
    }
    const deal = byId(opportunities, on)?.values;
    const contact = byId(mechanisms, deal?.contact)?.values.party;
    const all = [on, deal?.party, contact].filter((end) => end !== undefined && end !== null);
    return [...new Set(all.map(String))];
  }

  return {
    facts: tryton.facts,
    session,
    sandbox,
    clock,
    lines,
    count: async (kind) => count(kind),
    someoneAddsContact: async (email, name) => actors.personAddsParty({ email, name }),
    someoneMovesDeal: async (id, stage) =>
      actors.personMovesOpportunity(id, stages.find(([word]) => word === stage)?.[1] ?? stage),
    stageOf: async (id) => {
      const found = byId(state().opportunities, id)?.values.state;
      return stages.find(([, word]) => word === found)?.[0];
    },
    contactName: async (id) => textIn(byId(state().parties, id), "name"),
    textOf: async (id) => bodyOf(message(id)),
    filesOf: async (id) => message(id),
    linksOf: async (id) => linksOf(id),
    weather: {
      secret: sandboxLogin.password,
      loseAnswer(kind, how) {
        const route = { person: "party.create", deal: "opportunity.create", activity: "note.create" }[kind];
        const fault =
          how === "drop"
            ? ({ kind: "commit_then_drop" } as const)
            : ({ kind: "commit_then_status", status: 504 } as const);
        sandbox.faults.plan({ route, fault });
      },
      loseChange(how) {
        const fault = {
          drop: { kind: "commit_then_drop" } as const,
          status: { kind: "commit_then_status", status: 504 } as const,
          unsent: { kind: "drop" } as const,
        }[how];
        sandbox.faults.plan({ route: "note.write", fault });
      },
      someoneEdits: (id, edit) =>
        actors.personEdits("ir.note", id, { message: headOf(message(id)) + edit(bodyOf(message(id))) }),
      failRead: () =>
        sandbox.faults.plan({ route: "contact_mechanism.search_read", fault: { kind: "status", status: 502 } }),
      revokeToken: () => sandbox.sessions.changePassword(),
      limitNext() {
        const headers = { "retry-after": "7" };
        sandbox.faults.plan({ route: "*", fault: { kind: "status", status: 429, headers } });
        return clock.now() + 7_000;
      },
      refuseActivity: (words) =>
        sandbox.faults.plan({
          route: "note.create",
          fault: { kind: "status", status: 200, body: { id: 1, error: ["UserError", [words, "", null]] } },
        }),
    },
    close: async () => undefined,
  };
}
