/** The vendors whose stand-ins answer a daemon that is killed again and again. */
import { systemClock } from "../../src/main/system.ts";
import type { FaultPlan } from "../../src/sandbox/faults.ts";
import {
  createHubspotSandbox,
  type SandboxState as HubspotState,
  sandboxToken as hubspotToken,
} from "../../src/sandbox/hubspot.ts";
import {
  createPipedriveSandbox,
  type SandboxState as PipedriveState,
  sandboxToken as pipedriveToken,
} from "../../src/sandbox/pipedrive.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";

export interface KillVendor {
  readonly name: string;
  open(random: { unit(): number }): Sandbox;
  /** The destination that reaches it. */
  entry(url: string): Record<string, unknown>;
  /** The route by which a mail is logged. */
  readonly create: string;
  readonly tooMany: Extract<FaultPlan["fault"], { kind: "status" }>;
  activities(
    sandbox: Sandbox,
  ): readonly { readonly subject: string; readonly body: string; readonly contacts: number }[];
  contacts(sandbox: Sandbox): number;
}

/** The sandboxes never commit later than they answer, so that a test need not wait ten minutes for a second read. */
const hurried = { late_commit_ms: 300, search_lag_ms: 300 };

/** `emailsUnique`: whether HubSpot keeps our key single on emails. Without, an unclear create has to be read back. */
export function hubspotKills(emailsUnique: "yes" | "no" | "propertiesForbidden"): KillVendor {
  const stateOf = (sandbox: Sandbox): HubspotState => sandbox.state() as HubspotState;
  return {
    name: `hubspot, ${emailsUnique}`,
    open: (random) =>
      createHubspotSandbox({ clock: systemClock, random, options: { emailsUnique, prepared: true, limits: "off" } }),
    entry: (base_url) => ({
      id: "crm",
      type: "hubspot",
      base_url,
      token: hubspotToken,
      ...hurried,
      allow_missing_properties: true,
      calls_per_10_seconds: 100_000,
      search_calls_per_second: 1_000,
    }),
    create: "emails.create",
    tooMany: {
      kind: "status",
      status: 429,
      body: {
        status: "error",
        errorType: "RATE_LIMIT",
        policyName: "SECONDLY",
        message: "You have reached your secondly limit.",
      },
    },
    activities: (sandbox) =>
      stateOf(sandbox)
        .emails.filter(({ archived }) => !archived)
        .map(({ properties, associations }) => ({
          subject: properties.hs_email_subject ?? "",
          body: properties.hs_email_text ?? "",
          contacts: associations.contacts?.length ?? 0,
        })),
    contacts: (sandbox) => stateOf(sandbox).counts.contacts,
  };
}

const pipedriveState = (sandbox: Sandbox): PipedriveState => sandbox.state() as PipedriveState;
export const pipedriveKills: KillVendor = {
  name: "pipedrive",
  open: (random) =>
    createPipedriveSandbox({
      clock: systemClock,
      random,
      options: { prepared: true, limits: "off", searchLagMs: 300 },
    }),
  entry: (base_url) => ({
    id: "crm",
    type: "pipedrive",
    base_url,
    token: pipedriveToken,
    ...hurried,
    calls_per_2_seconds: 20_000,
    searches_per_2_seconds: 20_000,
  }),
  create: "activities.create",
  tooMany: {
    kind: "status",
    status: 429,
    headers: { "x-ratelimit-reset": "1" },
    body: { success: false, error: "request over limit", errorCode: 429 },
  },
  activities: (sandbox) =>
    pipedriveState(sandbox)
      .activities.filter(({ deleted }) => !deleted)
      .map(({ own, links }) => ({
        subject: String(own.subject),
        body: String(own.note),
        contacts: links.persons.length,
      })),
  contacts: (sandbox) => pipedriveState(sandbox).counts.persons,
};
