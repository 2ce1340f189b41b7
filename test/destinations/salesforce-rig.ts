/** A Salesforce session on a sandbox in process, as the tests of both want it. */
import { salesforce } from "../../src/destinations/salesforce.ts";
import type { Session } from "../../src/model/destination.ts";
import type { StepKind } from "../../src/model/step.ts";
import type { DumpedObject } from "../../src/sandbox/salesforce/state.ts";
import {
  createSalesforceSandbox,
  type RecordDump,
  type SalesforceSandbox,
  type SalesforceSandboxOptions,
  sandboxApp,
} from "../../src/sandbox/salesforce.ts";
import { wireTo } from "../../src/sandbox/wire.ts";
import type { VendorRig } from "./contract.ts";
import { type ManualClock, manualClock, portsFor, recordingLog } from "./fixtures.ts";

export interface SalesforceRig extends VendorRig {
  readonly sandbox: SalesforceSandbox;
  readonly clock: ManualClock;
  record(object: DumpedObject, id: string): RecordDump | undefined;
}

const objects = { person: "Contact", company: "Account", deal: "Opportunity", activity: "EmailMessage" } as const;

/** The stages of the contract's steps, beside those of a new org. */
export const stages: SalesforceSandboxOptions["stages"] = [
  { name: "appointmentscheduled", closed: false, won: false },
  { name: "Qualification", closed: false, won: false },
  { name: "closedwon", closed: true, won: true },
  { name: "closedlost", closed: true, won: false },
];

export const baseUrl = "http://salesforce.invalid";

export function openSalesforce(
  sandbox: SalesforceSandbox,
  clock: ManualClock,
  more: Record<string, unknown> = {},
  log = recordingLog().log,
): Session {
  const settings = salesforce.settings.parse({
    base_url: baseUrl,
    client_id: sandboxApp.clientId,
    client_secret: sandboxApp.clientSecret,
    ...more,
  });
  const wire = wireTo({ sandbox, clock, headers: salesforce.reach(settings)?.headers ?? {} });
  return salesforce.open(settings, portsFor(clock, wire, undefined, log));
}

/** Every account that a mail is on: its own, its opportunity's, those of its people. */
function linksOf(sandbox: SalesforceSandbox, id: string): string[] {
  const { records } = sandbox.state();
  const of = (object: DumpedObject) => records[object].filter(({ deleted }) => !deleted);
  const related = of("EmailMessage").find((one) => one.id === id)?.values.RelatedToId;
  const people = of("EmailMessageRelation")
    .filter(({ values }) => values.EmailMessageId === id)
    .map(({ values }) => values.RelationId);
  const direct = [related, ...people].filter((one) => typeof one === "string");
  const accounts = [...of("Opportunity"), ...of("Contact")]
    .filter((one) => direct.includes(one.id))
    .flatMap(({ values }) => (typeof values.AccountId === "string" ? [values.AccountId] : []));
  return [...new Set([...direct, ...accounts])];
}

export function salesforceRig(
  options: Partial<SalesforceSandboxOptions> = {},
  settings: Record<string, unknown> = {},
): SalesforceRig {
  const clock = manualClock();
  const sandbox = createSalesforceSandbox({ clock, options: { prepared: true, stages, ...options } });
  const { log, lines } = recordingLog();
  const session = openSalesforce(sandbox, clock, settings, log);
  const { actors, faults } = sandbox;
  const record = (object: DumpedObject, id: string): RecordDump | undefined =>
    sandbox.state().records[object].find((one) => one.id === id);
  const text = (object: DumpedObject, id: string, field: string): string | null => {
    const value = record(object, id)?.values[field];
    return value === undefined || value === null ? null : String(value);
  };
  const files = (id: string): string | null => text("EmailMessage", id, "Mailwright_Files__c");
  const lost = (how: "drop" | "status" | "unsent") => {
    if (how === "status") return { kind: "commit_then_status", status: 504 } as const;
    return { kind: how === "drop" ? "commit_then_drop" : "drop" } as const;
  };
  return {
    facts: salesforce.facts,
    session,
    sandbox,
    clock,
    lines,
    record,
    count: async (kind: StepKind) => sandbox.state().counts[objects[kind as keyof typeof objects]],
    someoneAddsContact: async (Email, LastName) => actors.personAddsContact({ Email, LastName }),
    someoneMovesDeal: async (id, StageName) => actors.personEdits("Opportunity", id, { StageName }),
    stageOf: async (id) => text("Opportunity", id, "StageName"),
    contactName: async (id) => text("Contact", id, "Name"),
    // The part of a mail that can change is the field with its list of files.
    textOf: async (id) => files(id) ?? text("EmailMessage", id, "TextBody") ?? "",
    filesOf: async (id) => files(id) ?? "",
    linksOf: async (id) => linksOf(sandbox, id),
    weather: {
      secret: "00D8a0000004Cfq!AQEAQ000001.secretsecretsecret",
      loseAnswer: (kind, how) => faults.plan({ route: `${objects[kind]}.create`, fault: lost(how) }),
      loseChange: (how) => faults.plan({ route: "EmailMessage.update", fault: lost(how) }),
      someoneEdits: (id, edit) =>
        actors.personEdits("EmailMessage", id, { Mailwright_Files__c: edit(files(id) ?? "") }),
      failRead: (kind) => faults.plan({ route: `${objects[kind]}.query`, fault: { kind: "status", status: 502 } }),
      revokeToken: () => sandbox.sessions.revoke(),
      limitNext() {
        const body = [{ message: "TotalRequests Limit exceeded.", errorCode: "REQUEST_LIMIT_EXCEEDED" }];
        faults.plan({ route: "*", fault: { kind: "status", status: 403, body } });
        return clock.now() + 900_000;
      },
      refuseActivity: (message) =>
        faults.plan({
          route: "EmailMessage.create",
          fault: {
            kind: "status",
            status: 400,
            body: [{ message, errorCode: "FIELD_CUSTOM_VALIDATION_EXCEPTION", fields: ["Subject"] }],
          },
        }),
    },
    close: async () => undefined,
  };
}
