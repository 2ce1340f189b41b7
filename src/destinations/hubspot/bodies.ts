/** Builds the request bodies of HubSpot records from steps. Pure; test/destinations holds them against the types of HubSpot's own SDK. */
import type { ActivityStep, CompanyStep, DealStep, PersonStep } from "../../model/step.ts";
import type { Body } from "../shared/body.ts";
import { nameParts, shortLine, shortText, storable, subjectOf } from "../shared/text.ts";
import type { Association, ObjectName } from "./api.ts";

/** Ours alone in every account: nothing else writes them. */
export const ownProperties = {
  key: "mailwright_key",
  source: "mailwright_source",
  flags: "mailwright_flags",
  eventId: "mailwright_event_id",
  headers: "mailwright_headers",
} as const;
export type OwnProperty = (typeof ownProperties)[keyof typeof ownProperties];

export interface CreateBody {
  readonly properties: Record<string, string>;
  readonly associations: Association[];
}

export interface UpdateBody {
  readonly properties: Record<string, string>;
}

/** Which of our properties the account has; a value for one that it has not would refuse the whole record. */
export type Has = (property: OwnProperty) => boolean;

/** What a mapping wants on a new record, in this account's own names; `owner` is an id. */
export interface Wanted {
  readonly owner: string | undefined;
  readonly properties: Readonly<Record<string, string>>;
}

const maxHeadersChars = 60_000;
const maxRecipients = 200;

function properties(given: Readonly<Record<string, string | null | undefined>>): Record<string, string> {
  const kept = Object.entries(given).filter((pair): pair is [string, string] => typeof pair[1] === "string");
  return Object.fromEntries(kept);
}

const flagsOf = (flags: readonly string[]): string | undefined =>
  flags.length === 0 ? undefined : shortText(flags.join(";"));

/**
 * `hs_analytics_source` and `hs_object_source` are read-only for integrations, so the origin of a contact stands in a property of our own.
 * No `lifecyclestage` but where a mapping asks for a lead: else the account's own rules set it.
 */
export function contactBody(step: PersonStep, has: Has, { owner, properties: asked }: Wanted): CreateBody {
  const { first, last } = nameParts(step.name);
  return {
    properties: properties({
      ...asked,
      email: step.email.toLowerCase(),
      firstname: first,
      lastname: last,
      hubspot_owner_id: owner,
      [ownProperties.key]: has(ownProperties.key) ? step.key : undefined,
      [ownProperties.source]: has(ownProperties.source) ? step.source : undefined,
      [ownProperties.flags]: has(ownProperties.flags) ? flagsOf(step.flags) : undefined,
    }),
    associations: [],
  };
}

export function companyBody(step: CompanyStep, has: Has, { owner, properties: asked }: Wanted): CreateBody {
  return {
    properties: properties({
      ...asked,
      name: shortLine(step.name),
      domain: step.domain.toLowerCase(),
      hubspot_owner_id: owner,
      [ownProperties.key]: has(ownProperties.key) ? step.key : undefined,
    }),
    associations: [],
  };
}

export function dealBody(
  step: DealStep,
  { pipeline, stage }: { readonly pipeline: string; readonly stage: string },
  has: Has,
  { owner, properties: asked }: Wanted,
  marker: string | undefined,
  associations: Association[],
): CreateBody {
  return {
    properties: properties({
      ...asked,
      dealname: shortLine(step.name),
      pipeline,
      dealstage: stage,
      description: marker,
      hubspot_owner_id: owner,
      [ownProperties.key]: has(ownProperties.key) ? step.key : undefined,
    }),
    associations,
  };
}

export function emailBody(
  step: ActivityStep,
  body: Body,
  has: Has,
  { owner, properties: asked }: Wanted,
  associations: Association[],
): CreateBody {
  return {
    properties: properties({
      ...asked,
      hs_timestamp: new Date(step.at).toISOString(),
      hs_email_direction: directionOf(step),
      // Received mail too: the other states speak of HubSpot's own sending.
      hs_email_status: "SENT",
      hs_email_subject: subjectOf(step.subject),
      hs_email_text: body.text,
      hs_email_html: body.html,
      hs_email_headers: emailHeaders(step),
      hubspot_owner_id: owner,
      [ownProperties.key]: has(ownProperties.key) ? step.key : undefined,
      [ownProperties.eventId]: has(ownProperties.eventId) ? step.event_id : undefined,
      [ownProperties.headers]: has(ownProperties.headers) ? auditHeaders(step) : undefined,
      [ownProperties.flags]: has(ownProperties.flags) ? flagsOf(step.flags) : undefined,
    }),
    associations,
  };
}

/**
 * Sent by us, received, or forwarded to the CRM, whichever way it went at first.
 * https://developers.hubspot.com/docs/api-reference/crm-emails-v3/guide (checked 2026-11-28)
 */
function directionOf({ direction, forwarded_by }: ActivityStep): "INCOMING_EMAIL" | "EMAIL" | "FORWARDED_EMAIL" {
  if (forwarded_by != null) return "FORWARDED_EMAIL";
  return direction === "inbound" ? "INCOMING_EMAIL" : "EMAIL";
}

/** The bodies of an email that is there, where they are to be others; null leaves one as it is. */
export function filesBody(text: string | null, html: string | null): UpdateBody {
  return { properties: properties({ hs_email_text: text, hs_email_html: html }) };
}

type Mailbox = NonNullable<ActivityStep["from"]>;

/**
 * Not RFC headers: a JSON text of HubSpot's own shape, from which it fills `hs_email_from_email` and its like.
 * https://developers.hubspot.com/docs/api-reference/crm-emails-v3/guide (checked 2026-11-24)
 */
function emailHeaders({ from, to, cc }: ActivityStep): string {
  const upTo = (most: number): string => {
    const some = (list: readonly Mailbox[]) => list.slice(0, most).map(mailbox);
    return JSON.stringify({ ...(from === null ? {} : { from: mailbox(from) }), to: some(to), cc: some(cc), bcc: [] });
  };
  let most = maxRecipients;
  let written = upTo(most);
  while (written.length > maxHeadersChars) {
    most = Math.floor(most / 2);
    written = upTo(most);
  }
  return written;
}

function mailbox({ email, name }: Mailbox): { email: string; firstName?: string; lastName?: string } {
  const { first, last } = nameParts(name);
  return {
    email: shortText(email),
    ...(first === undefined ? {} : { firstName: first.slice(0, 60) }),
    ...(last === undefined ? {} : { lastName: last.slice(0, 60) }),
  };
}

function auditHeaders({ headers }: ActivityStep): string {
  const lines = headers.map(([name, value]) => `${name}: ${value.replace(/[\r\n]+/g, " ")}`).join("\n");
  return storable(lines.slice(0, maxHeadersChars));
}

/** Beside those: what else we write, and what people write by hand. HubSpot fills others by itself, which say nothing of a person. */
export const watchedProperties: Readonly<Record<ObjectName, readonly string[]>> = {
  contacts: ["phone", "mobilephone", "jobtitle", "company", "hs_lead_status"],
  companies: ["hs_lead_status"],
  deals: ["amount", "closedate", "description", "dealtype"],
  emails: ["hs_email_status", "hs_email_html"],
};

/** What find, put and read ask HubSpot to show of each object. */
export const shownProperties: Readonly<Record<ObjectName, readonly string[]>> = {
  contacts: ["email", "firstname", "lastname", "hs_additional_emails", "hubspot_owner_id"],
  companies: ["name", "domain", "hubspot_owner_id"],
  deals: ["dealname", "pipeline", "dealstage", "hubspot_owner_id"],
  emails: ["hs_timestamp", "hs_email_subject", "hs_email_direction", "hs_email_text", "hubspot_owner_id"],
};
