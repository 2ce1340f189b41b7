/** A Close session on a sandbox in process, as the tests of both want it. */
import { close } from "../../src/destinations/close.ts";
import type { Session } from "../../src/model/destination.ts";
import type { StepKind } from "../../src/model/step.ts";
import {
  type CloseSandbox,
  type CloseSandboxOptions,
  createCloseSandbox,
  type RecordDump,
  sandboxKey,
} from "../../src/sandbox/close.ts";
import { wireTo } from "../../src/sandbox/wire.ts";
import type { VendorRig } from "./contract.ts";
import { type ManualClock, manualClock, portsFor, recordingLog } from "./fixtures.ts";

export interface CloseRig extends VendorRig {
  readonly sandbox: CloseSandbox;
  readonly clock: ManualClock;
}

const tables = { person: "contacts", company: "leads", deal: "opportunities", activity: "emails" } as const;
/** The stages that the contract's deals are in, and are moved to. */
export const pipelines = [
  {
    id: "pipe_1",
    name: "Sales",
    statuses: [
      { id: "stat_1", label: "appointmentscheduled", type: "active" },
      { id: "stat_2", label: "closedwon", type: "won" },
      { id: "stat_3", label: "closedlost", type: "lost" },
    ],
  },
] as const;

export function openClose(
  sandbox: CloseSandbox,
  clock: ManualClock,
  more: Record<string, unknown> = {},
  log = recordingLog().log,
): Session {
  const settings = close.settings.parse({ api_key: sandboxKey, ...more });
  const wire = wireTo({ sandbox, clock, headers: close.reach(settings)?.headers ?? {} });
  return close.open(settings, portsFor(clock, wire, undefined, log));
}

export function closeRig(options: Partial<CloseSandboxOptions> = {}, settings: Record<string, unknown> = {}): CloseRig {
  const clock = manualClock();
  const sandbox = createCloseSandbox({
    clock,
    options: { prepared: true, searchLagMs: 0, limits: "off", pipelines, ...options },
  });
  const { log, lines } = recordingLog();
  const session = openClose(sandbox, clock, settings, log);
  const { actors } = sandbox;
  const dump = (kind: keyof typeof tables, id: string): RecordDump | undefined =>
    sandbox.state()[tables[kind]].find((record) => record.id === id);
  const text = (kind: keyof typeof tables, id: string, name: string): string | undefined => {
    const value = dump(kind, id)?.[name];
    return typeof value === "string" ? value : undefined;
  };
  return {
    facts: close.facts,
    session,
    sandbox,
    clock,
    lines,
    count: async (kind: StepKind) => sandbox.state()[tables[kind as keyof typeof tables]].length,
    someoneAddsContact: async (email, name) => actors.personAddsContact({ email, name }),
    someoneMovesDeal: async (id, label) => actors.personMovesOpportunity(id, label),
    stageOf: async (id) => text("deal", id, "status_label"),
    contactName: async (id) => text("person", id, "name"),
    textOf: async (id) => text("activity", id, "body_text") ?? "",
    filesOf: async (id) => text("activity", id, "body_text") ?? "",
    linksOf: async (id) =>
      [text("activity", id, "contact_id"), text("activity", id, "lead_id")].filter((link) => link !== undefined),
    weather: {
      secret: sandboxKey,
      loseAnswer(kind, how) {
        const route = kind === "person" ? "leads.create" : `${tables[kind]}.create`;
        const fault =
          how === "drop"
            ? ({ kind: "commit_then_drop" } as const)
            : ({ kind: "commit_then_status", status: 504 } as const);
        sandbox.faults.plan({ route, fault });
      },
      loseChange: () => undefined,
      someoneEdits: () => undefined,
      failRead: () => sandbox.faults.plan({ route: "search.search", fault: { kind: "status", status: 502 } }),
      revokeToken: () => sandbox.revoke(sandboxKey),
      limitNext() {
        sandbox.faults.plan({
          route: "*",
          fault: { kind: "status", status: 429, headers: { "retry-after": "7" }, body: "" },
        });
        return clock.now() + 7_000;
      },
      refuseActivity: (error) =>
        sandbox.faults.plan({ route: "emails.create", fault: { kind: "status", status: 400, body: { error } } }),
    },
    close: async () => undefined,
  };
}
