/** A HubSpot session on a sandbox in process, as the tests of both want it. */
import { hubspot } from "../../src/destinations/hubspot.ts";
import type { Session } from "../../src/model/destination.ts";
import type { StepKind } from "../../src/model/step.ts";
import type { RecordDump } from "../../src/sandbox/hubspot/state.ts";
import {
  createHubspotSandbox,
  type HubspotSandbox,
  type HubspotSandboxOptions,
  sandboxToken,
} from "../../src/sandbox/hubspot.ts";
import { wireTo } from "../../src/sandbox/wire.ts";
import type { VendorRig } from "./contract.ts";
import { type ManualClock, manualClock, portsFor, recordingLog } from "./fixtures.ts";

export interface HubspotRig extends VendorRig {
  readonly sandbox: HubspotSandbox;
  readonly clock: ManualClock;
}

const objects = { person: "contacts", company: "companies", deal: "deals", activity: "emails" } as const;

export function openHubspot(
  sandbox: HubspotSandbox,
  clock: ManualClock,
  more: Record<string, unknown> = {},
  log = recordingLog().log,
): Session {
  const settings = hubspot.settings.parse({ token: sandboxToken, ...more });
  const reach = hubspot.reach(settings);
  const wire = wireTo({ sandbox, clock, headers: reach?.headers ?? {} });
  return hubspot.open(settings, portsFor(clock, wire, undefined, log));
}

export function hubspotRig(
  options: Partial<HubspotSandboxOptions> = {},
  settings: Record<string, unknown> = {},
): HubspotRig {
  const clock = manualClock();
  const sandbox = createHubspotSandbox({ clock, options: { prepared: true, ...options } });
  const { log, lines } = recordingLog();
  const session = openHubspot(sandbox, clock, settings, log);
  const { actors } = sandbox;
  const dump = (object: "contacts" | "deals" | "emails", id: string): RecordDump | undefined =>
    sandbox.state()[object].find((record) => record.id === id);
  const property = (object: "contacts" | "deals" | "emails", id: string, name: string) =>
    dump(object, id)?.properties[name];
  return {
    facts: hubspot.facts,
    session,
    sandbox,
    clock,
    lines,
    count: async (kind: StepKind) => sandbox.state().counts[objects[kind as keyof typeof objects]],
    someoneAddsContact: async (email, name) => actors.personAddsContact({ email, firstname: name }),
    someoneMovesDeal: async (id, dealstage) => actors.personEdits("deals", id, { dealstage }),
    stageOf: async (id) => property("deals", id, "dealstage"),
    contactName: async (id) => property("contacts", id, "firstname"),
    textOf: async (id) => property("emails", id, "hs_email_text") ?? "",
    filesOf: async (id) => property("emails", id, "hs_email_text") ?? "",
    linksOf: async (id) => Object.values(dump("emails", id)?.associations ?? {}).flat(),
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
        sandbox.faults.plan({ route: "emails.update", fault });
      },
      someoneEdits: (id, edit) =>
        actors.personEdits("emails", id, { hs_email_text: edit(property("emails", id, "hs_email_text") ?? "") }),
      failRead: (kind) =>
        sandbox.faults.plan({ route: `${objects[kind]}.get`, fault: { kind: "status", status: 502 } }),
      revokeToken: () => sandbox.revoke(sandboxToken),
      limitNext() {
        const body = {
          message: "You have reached your ten_secondly_rolling limit.",
          policyName: "TEN_SECONDLY_ROLLING",
        };
        sandbox.faults.plan({
          route: "*",
          fault: { kind: "status", status: 429, headers: { "retry-after": "7" }, body },
        });
        return clock.now() + 7_000;
      },
      refuseActivity: (message) =>
        sandbox.faults.plan({
          route: "emails.create",
          fault: { kind: "status", status: 400, body: { category: "VALIDATION_ERROR", message } },
        }),
    },
    close: async () => undefined,
  };
}
