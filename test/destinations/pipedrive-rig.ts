/** A Pipedrive session on a sandbox in process, as the tests of both want it. */
import { pipedrive } from "../../src/destinations/pipedrive.ts";
import type { Session } from "../../src/model/destination.ts";
import type { Clock } from "../../src/model/ports.ts";
import type { StepKind } from "../../src/model/step.ts";
import type { RecordDump } from "../../src/sandbox/pipedrive/state.ts";
import {
  createPipedriveSandbox,
  type PipedriveSandbox,
  type PipedriveSandboxOptions,
  sandboxToken,
} from "../../src/sandbox/pipedrive.ts";
import { wireTo } from "../../src/sandbox/wire.ts";
import type { VendorRig } from "./contract.ts";
import { type ManualClock, manualClock, portsFor, recordingLog } from "./fixtures.ts";

export interface PipedriveRig extends VendorRig {
  readonly sandbox: PipedriveSandbox;
  readonly clock: ManualClock;
}

const objects = { person: "persons", company: "organizations", deal: "deals", activity: "activities" } as const;
/** With a stage that has the name which the fixtures' deals ask for. */
export const pipelines = [
  { name: "Pipeline", stages: ["Qualified", "appointmentscheduled", "Proposal Made"] },
  { name: "Renewals", stages: ["Due", "Offered"] },
];

export function openPipedrive(
  sandbox: PipedriveSandbox,
  clock: Clock,
  more: Record<string, unknown> = {},
  log = recordingLog().log,
): Session {
  const settings = pipedrive.settings.parse({ token: sandboxToken, ...more });
  const wire = wireTo({ sandbox, clock, headers: pipedrive.reach(settings)?.headers ?? {} });
  return pipedrive.open(settings, portsFor(clock, wire, undefined, log));
}

export function pipedriveRig(
  options: Partial<PipedriveSandboxOptions> = {},
  settings: Record<string, unknown> = {},
): PipedriveRig {
  const clock = manualClock();
  const sandbox = createPipedriveSandbox({
    clock,
    options: { prepared: true, pipelines, limits: "off", ...options },
  });
  const { log, lines } = recordingLog();
  const session = openPipedrive(sandbox, clock, settings, log);
  const { actors } = sandbox;
  const dump = (object: "persons" | "deals" | "activities", id: string): RecordDump | undefined =>
    sandbox.state()[object].find((record) => record.id === id);
  const note = (id: string): string => String(dump("activities", id)?.own.note ?? "");
  return {
    facts: pipedrive.facts,
    session,
    sandbox,
    clock,
    lines,
    count: async (kind: StepKind) => sandbox.state().counts[objects[kind as keyof typeof objects]],
    someoneAddsContact: async (email, name) => String(actors.repAddsPerson({ email, name })),
    // A deal that is won or lost keeps its stage here: the state says it.
    someoneMovesDeal: async (id, stage) =>
      actors.repMovesDeal(Number(id), stage === "closedwon" ? "won" : stage === "closedlost" ? "lost" : stage),
    stageOf: async (id) => (dump("deals", id)?.own.status === "won" ? "closedwon" : "open"),
    contactName: async (id) => String(dump("persons", id)?.own.name),
    textOf: async (id) => note(id),
    filesOf: async (id) => note(id).replace(/<[^<>]*>/g, ""),
    linksOf: async (id) => Object.values(dump("activities", id)?.links ?? {}).flat(),
    weather: {
      secret: sandboxToken,
      loseAnswer(kind, how) {
        const fault =
          how === "drop"
            ? ({ kind: "commit_then_drop" } as const)
            : ({ kind: "commit_then_status", status: 504 } as const);
        sandbox.faults.plan({ route: `${objects[kind]}.create`, fault });
      },
      loseChange(how) {
        const fault =
          how === "status"
            ? ({ kind: "commit_then_status", status: 504 } as const)
            : ({ kind: how === "drop" ? "commit_then_drop" : "drop" } as const);
        sandbox.faults.plan({ route: "activities.update", fault });
      },
      someoneEdits: (id, edit) => actors.repEdits("activities", Number(id), { note: edit(note(id)) }),
      failRead: (kind) =>
        sandbox.faults.plan({ route: `${objects[kind]}.search`, fault: { kind: "status", status: 502 } }),
      revokeToken: () => sandbox.revoke(sandboxToken),
      limitNext() {
        const body = { success: false, error: "request over limit", errorCode: 429 };
        const headers = { "x-ratelimit-reset": "7", "x-ratelimit-remaining": "0" };
        sandbox.faults.plan({ route: "*", fault: { kind: "status", status: 429, headers, body } });
        return clock.now() + 7_000;
      },
      refuseActivity: (error) =>
        sandbox.faults.plan({
          route: "activities.create",
          fault: { kind: "status", status: 400, body: { success: false, error, code: "ERR_INVALID_INPUT" } },
        }),
    },
    close: async () => undefined,
  };
}
