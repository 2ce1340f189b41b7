/** A Zoho session on a sandbox in process, as the tests of both want it. */
import { zoho } from "../../src/destinations/zoho.ts";
import type { Session } from "../../src/model/destination.ts";
import type { StepKind } from "../../src/model/step.ts";
import { wireTo } from "../../src/sandbox/wire.ts";
import type { MailDump, RecordDump } from "../../src/sandbox/zoho/state.ts";
import { createZohoSandbox, sandboxClient, type ZohoSandbox, type ZohoSandboxOptions } from "../../src/sandbox/zoho.ts";
import type { VendorRig } from "./contract.ts";
import { type ManualClock, manualClock, portsFor, recordingLog } from "./fixtures.ts";

export interface ZohoRig extends VendorRig {
  readonly sandbox: ZohoSandbox;
  readonly clock: ManualClock;
  mail(id: string): MailDump | undefined;
}

/** The contract speaks of stages by other names than Zoho's. */
export const pipelines: ZohoSandboxOptions["pipelines"] = [
  {
    name: "Standard (Standard)",
    stages: [
      { name: "Qualification", forecast: "Open" },
      { name: "appointmentscheduled", forecast: "Open" },
      { name: "closedwon", forecast: "Closed Won" },
      { name: "closedlost", forecast: "Closed Lost" },
    ],
  },
  { name: "Renewals", stages: [{ name: "Due", forecast: "Open" }] },
];

export function openZoho(
  sandbox: ZohoSandbox,
  clock: ManualClock,
  more: Record<string, unknown> = {},
  log = recordingLog().log,
): Session {
  const settings = zoho.settings.parse({ ...sandboxClient, ...more });
  const wire = wireTo({ sandbox, clock, headers: zoho.reach(settings)?.headers ?? {} });
  return zoho.open(settings, portsFor(clock, wire, undefined, log));
}

const routes = { person: "Contacts.create", deal: "Deals.create", activity: "Emails.create" } as const;

export function zohoRig(options: Partial<ZohoSandboxOptions> = {}, settings: Record<string, unknown> = {}): ZohoRig {
  const clock = manualClock();
  const sandbox = createZohoSandbox({ clock, options: { prepared: true, pipelines, ...options } });
  const { log, lines } = recordingLog();
  const session = openZoho(sandbox, clock, settings, log);
  const { actors } = sandbox;
  const text = (dump: RecordDump | undefined, name: string): string | undefined => {
    const value = dump?.values[name];
    return typeof value === "string" ? value : undefined;
  };
  const mail = (id: string): MailDump | undefined => {
    const message = id.slice(id.lastIndexOf("/") + 1);
    return sandbox.state().Emails.find((one) => one.ids.includes(message));
  };
  const count = (kind: StepKind): number => {
    const { counts } = sandbox.state();
    switch (kind) {
      case "person":
        return counts.Contacts + counts.Leads;
      case "company":
        return counts.Accounts;
      case "deal":
        return counts.Deals;
      default:
        return counts.Emails;
    }
  };
  return {
    facts: zoho.facts,
    session,
    sandbox,
    clock,
    lines,
    mail,
    count: async (kind) => count(kind),
    someoneAddsContact: async (email, name) => actors.personAdds("Contacts", { Email: email, Last_Name: name }),
    someoneMovesDeal: async (id, Stage) => actors.personEdits("Deals", id, { Stage }),
    stageOf: async (id) =>
      text(
        sandbox.state().Deals.find((one) => one.id === id),
        "Stage",
      ),
    contactName: async (id) =>
      text(
        sandbox.state().Contacts.find((one) => one.id === id),
        "Last_Name",
      ),
    textOf: async (id) => mail(id)?.content ?? "",
    filesOf: async (id) => mail(id)?.content ?? "",
    linksOf: async (id) => (mail(id)?.on ?? []).map((place) => place.replace(/^(Contacts|Accounts|Deals)\//, "")),
    weather: {
      secret: sandboxClient.refresh_token,
      loseAnswer(kind, how) {
        const fault =
          how === "drop"
            ? ({ kind: "commit_then_drop" } as const)
            : ({ kind: "commit_then_status", status: 504 } as const);
        sandbox.faults.plan({ route: routes[kind], fault });
      },
      loseChange: () => undefined,
      someoneEdits: () => undefined,
      failRead: () => sandbox.faults.plan({ route: "coql.query", fault: { kind: "status", status: 502 } }),
      revokeToken: () => sandbox.tokens.revoke(sandboxClient.refresh_token),
      limitNext() {
        const headers = { "retry-after": "7" };
        sandbox.faults.plan({ route: "*", fault: { kind: "status", status: 429, headers } });
        return clock.now() + 7_000;
      },
      refuseActivity: (message) =>
        sandbox.faults.plan({
          route: "Emails.create",
          fault: {
            kind: "status",
            status: 400,
            body: { Emails: [{ code: "INVALID_DATA", details: {}, message, status: "error" }] },
          },
        }),
    },
    close: async () => undefined,
  };
}
