/** Builds the request bodies of Close records from steps. Pure. */
import type { ActivityStep, CompanyStep, DealStep, PersonStep } from "../../model/step.ts";
import type { Body } from "../shared/body.ts";
import { shortLine, shortText, storable, subjectOf } from "../shared/text.ts";

const maxRecipients = 200;

/** By the names that Close takes: `custom.cf_...` for custom fields. */
export type Values = Readonly<Record<string, string>>;

/**
 * `outbox` and `scheduled` would send real mail, and a draft is somebody's to send. A logged mail has one of these two states and no other, by type.
 * https://developer.close.com/api/resources/activities/emails/create (checked 2026-11-24)
 */
export type LoggedStatus = "inbox" | "sent";

export interface EmailBody {
  readonly lead_id: string;
  readonly contact_id?: string;
  readonly user_id?: string;
  readonly status: LoggedStatus;
  readonly sender: string;
  readonly to: readonly string[];
  readonly cc: readonly string[];
  readonly bcc: readonly string[];
  readonly subject: string;
  readonly body_text: string;
  readonly body_html?: string;
  readonly date_created: string;
  readonly activity_at: string;
}

export const contactBody = ({ email, name }: PersonStep, values: Values) => ({
  ...values,
  ...(nameOf(name) === undefined ? {} : { name: nameOf(name) }),
  emails: [{ email: email.toLowerCase(), type: "office" }],
});
export type ContactBody = ReturnType<typeof contactBody>;

/** A contact always stands on a lead: made with it in one call, there is one outcome to be sure of and not two. */
export const personLeadBody = (step: PersonStep, contact: ContactBody, lead: Values) => ({
  name: shortText(step.company?.domain ?? nameOf(step.name) ?? step.email.toLowerCase()),
  ...lead,
  contacts: [contact],
});

export const companyBody = (step: CompanyStep, values: Values) => ({ ...values, name: shortLine(step.name) });

export interface DealParts {
  readonly lead: string;
  readonly contact: string | undefined;
  readonly status: string;
  readonly user: string | undefined;
}

/** Close's opportunities have no title: what they are about stands in their note. */
export const dealBody = (step: DealStep, { lead, contact, status, user }: DealParts, values: Values) => ({
  ...values,
  lead_id: lead,
  ...(contact === undefined ? {} : { contact_id: contact }),
  status_id: status,
  ...(user === undefined ? {} : { user_id: user }),
  note: shortLine(step.name),
});

export interface EmailParts {
  readonly lead: string;
  readonly contact: string | undefined;
  readonly user: string | undefined;
  readonly body: Body;
}

export function emailBody(step: ActivityStep, sender: string, { lead, contact, user, body }: EmailParts): EmailBody {
  const at = new Date(timeOf(step)).toISOString().replace("Z", "000+00:00");
  return {
    lead_id: lead,
    ...(contact === undefined ? {} : { contact_id: contact }),
    ...(user === undefined ? {} : { user_id: user }),
    status: step.direction === "inbound" ? "inbox" : "sent",
    sender,
    to: addresses(step.to),
    cc: addresses(step.cc),
    bcc: [],
    subject: subjectOf(step.subject),
    body_text: body.text,
    ...(body.html === null ? {} : { body_html: body.html }),
    date_created: at,
    activity_at: at,
  };
}

/** The mail's second, and within it a millisecond of our key's: one list of a few seconds shows it again. */
export const timeOf = ({ at, key }: Pick<ActivityStep, "at" | "key">): number =>
  Math.floor(at / 1_000) * 1_000 + (Number.parseInt(key.slice(0, 3), 16) % 1_000);

/** What Close would refuse as an address, the mail is not lost for. */
const isAddress = (text: string): boolean => /^[^\s@<>"(),;:\\[\]]{1,128}@[^\s@<>"(),;:\\[\]]{1,128}$/.test(text);

const addresses = (all: ActivityStep["to"]): string[] =>
  all
    .map(({ email }) => email)
    .filter(isAddress)
    .slice(0, maxRecipients);

/** Undefined where the mail names nobody whom Close would take. */
export function senderOf({ from }: Pick<ActivityStep, "from">): string | undefined {
  if (from === null || !isAddress(from.email)) return undefined;
  const name = shortText(storable((from.name ?? "").replace(/["\\<>\s]+/g, " ")));
  return name === "" ? from.email : `"${name}" <${from.email}>`;
}

function nameOf(name: string | null): string | undefined {
  const shown = shortLine((name ?? "").replace(/\s+/g, " "));
  return shown === "" || shown.includes("@") ? undefined : shown;
}

export const flagsOf = (flags: readonly string[]): string | undefined =>
  flags.length === 0 ? undefined : shortText(flags.join("; "));

/**
 * `exact_value`, since words would match other people's addresses too; every hit is looked at again all the same.
 * https://developer.close.com/api/resources/advanced-filtering (checked 2026-11-24)
 */
export const addressSearch = (address: string, more: readonly string[] = []) => ({
  query: {
    type: "and",
    queries: [
      { type: "object_type", object_type: "contact" },
      {
        type: "has_related",
        this_object_type: "contact",
        related_object_type: "contact_email",
        related_query: {
          type: "field_condition",
          field: { type: "regular_field", object_type: "contact_email", field_name: "email" },
          condition: { type: "text", mode: "exact_value", value: address },
        },
      },
    ],
  },
  _fields: { contact: ["id", "lead_id", "name", "emails", "date_created", ...more] },
  results_limit: 10,
  include_counts: false,
  cursor: null,
});

export const companySearch = (field: string, key: string) => ({
  query: {
    type: "and",
    queries: [
      { type: "object_type", object_type: "lead" },
      {
        type: "field_condition",
        field: { type: "custom_field", custom_field_id: field },
        condition: { type: "text", mode: "exact_value", value: key },
      },
    ],
  },
  _fields: { lead: ["id", "date_created"] },
  results_limit: 10,
  include_counts: false,
  cursor: null,
});
