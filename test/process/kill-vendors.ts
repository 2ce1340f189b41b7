/** The vendors whose stand-ins answer a daemon that is killed again and again. */
import { systemClock } from "../../src/main/system.ts";
import { type CloseState, createCloseSandbox, sandboxKey } from "../../src/sandbox/close.ts";
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
import { createSalesforceSandbox, type SalesforceState, sandboxApp } from "../../src/sandbox/salesforce.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { createTrytonSandbox, sandboxLogin, type TrytonState } from "../../src/sandbox/tryton.ts";
import type { SandboxState as ZohoState } from "../../src/sandbox/zoho/state.ts";
import { createZohoSandbox, sandboxClient } from "../../src/sandbox/zoho.ts";

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

const closeState = (sandbox: Sandbox): CloseState => sandbox.state() as CloseState;
export const closeKills: KillVendor = {
  name: "close",
  open: (random) =>
    createCloseSandbox({ clock: systemClock, random, options: { prepared: true, limits: "off", searchLagMs: 300 } }),
  entry: (base_url) => ({
    id: "crm",
    type: "close",
    base_url,
    api_key: sandboxKey,
    ...hurried,
    calls_per_second: 10_000,
    search_calls_per_second: 10_000,
  }),
  create: "emails.create",
  tooMany: { kind: "status", status: 429, headers: { "retry-after": "1" }, body: "" },
  activities(sandbox) {
    const { emails, realMail } = closeState(sandbox);
    if (realMail > 0) throw new Error("mail would have been sent to people");
    return emails.map(({ subject, body_text, contact_id }) => ({
      subject: String(subject),
      body: String(body_text),
      contacts: contact_id === undefined ? 0 : 1,
    }));
  },
  contacts: (sandbox) => closeState(sandbox).contacts.length,
};

const salesforceState = (sandbox: Sandbox): SalesforceState => sandbox.state() as SalesforceState;
/** Whether our External ID may be unique on an EmailMessage: without, an unclear create has to be read back. */
export function salesforceKills(emailUnique: boolean): KillVendor {
  return {
    name: `salesforce, mails ${emailUnique ? "single by our key" : "not single"}`,
    open: () => createSalesforceSandbox({ clock: systemClock, options: { prepared: true, emailUnique } }),
    entry: (base_url) => ({
      id: "crm",
      type: "salesforce",
      base_url,
      client_id: sandboxApp.clientId,
      client_secret: sandboxApp.clientSecret,
      late_commit_ms: hurried.late_commit_ms,
      calls_per_second: 10_000,
    }),
    create: "EmailMessage.create",
    tooMany: {
      kind: "status",
      status: 429,
      headers: { "retry-after": "1" },
      body: [{ message: "Too many requests.", errorCode: "TOO_MANY" }],
    },
    activities(sandbox) {
      const { EmailMessage, EmailMessageRelation } = salesforceState(sandbox).records;
      return EmailMessage.filter(({ deleted }) => !deleted).map(({ id, values }) => ({
        subject: String(values.Subject),
        body: String(values.TextBody ?? ""),
        contacts: EmailMessageRelation.filter((one) => !one.deleted && one.values.EmailMessageId === id).length,
      }));
    },
    contacts: (sandbox) => salesforceState(sandbox).counts.Contact,
  };
}

const trytonState = (sandbox: Sandbox): TrytonState => sandbox.state() as TrytonState;
export const trytonKills: KillVendor = {
  name: "tryton",
  open: (random) => createTrytonSandbox({ clock: systemClock, random, options: { prepared: true, employees: [] } }),
  entry: (base_url) => ({
    id: "crm",
    type: "tryton",
    base_url,
    ...sandboxLogin,
    late_commit_ms: hurried.late_commit_ms,
    calls_per_second: 10_000,
  }),
  create: "note.create",
  tooMany: { kind: "status", status: 429, headers: { "retry-after": "1" }, body: "" },
  activities: (sandbox) =>
    trytonState(sandbox).notes.map(({ values }) => {
      const body = String(values.message);
      return { subject: body.split("\n")[0] ?? "", body, contacts: 1 };
    }),
  // The first is the company whose database it is.
  contacts: (sandbox) => trytonState(sandbox).parties.length - 1,
};

const zohoState = (sandbox: Sandbox): ZohoState => sandbox.state() as ZohoState;
export const zohoKills: KillVendor = {
  name: "zoho",
  open: (random) =>
    createZohoSandbox({ clock: systemClock, random, options: { prepared: true, limits: "off", searchLagMs: 300 } }),
  entry: (base_url) => ({
    id: "crm",
    type: "zoho",
    base_url,
    ...sandboxClient,
    ...hurried,
    credits_per_day: 100_000_000,
  }),
  create: "Emails.create",
  tooMany: {
    kind: "status",
    status: 429,
    headers: { "retry-after": "1" },
    body: { code: "TOO_MANY_REQUESTS", message: "Rate limit exceeded.", status: "error", details: {} },
  },
  // A mail that is twice on a record counts as two.
  activities: (sandbox) =>
    zohoState(sandbox).Emails.flatMap(({ subject, content, on, times }) => {
      const contacts = on.filter((place) => /^(?:Contacts|Leads)\//.test(place)).length;
      return Array.from({ length: Math.max(...times) }, () => ({ subject, body: content, contacts }));
    }),
  contacts: (sandbox) => zohoState(sandbox).counts.Contacts + zohoState(sandbox).counts.Leads,
};
