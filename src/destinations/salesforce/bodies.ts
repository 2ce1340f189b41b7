/** Builds the fields of Salesforce records from steps. Pure; test/destinations holds them against the types of jsforce. */
import type { ActivityStep, CompanyStep, DealStep, PersonStep } from "../../model/step.ts";
import type { Body } from "../shared/body.ts";
import { nameParts, storable, unbroken } from "../shared/text.ts";

/** Ours alone in every org: nothing else writes them. deploy/salesforce makes them. */
export const ownFields = {
  key: "Mailwright_Key__c",
  flags: "Mailwright_Flags__c",
  event: "Mailwright_Event__c",
  files: "Mailwright_Files__c",
} as const;
export const ownField = /\bMailwright_(?:Key|Flags|Event|Files)__c\b/i;

export type Fields = Readonly<Record<string, string | number | boolean | null | undefined>>;

const bare = (text: string): string => unbroken(text).toWellFormed().trim();
const flagsOf = (flags: readonly string[]): string | undefined => (flags.length === 0 ? undefined : flags.join(";"));

/** A person has a last name at Salesforce: what is all that is known of him, else the part of his address that is his own. */
function namesOf({ name, email }: PersonStep): { FirstName?: string; LastName: string } {
  const { first, last } = nameParts(name);
  if (last !== undefined) return { ...(first === undefined ? {} : { FirstName: first }), LastName: last };
  return { LastName: first ?? (bare(email.split("@")[0] ?? "") || "(unknown)") };
}

export interface PersonWishes {
  readonly OwnerId: string | undefined;
  readonly LeadSource: string | undefined;
  readonly key: string;
}

export function contactBody(step: PersonStep, { OwnerId, LeadSource, key }: PersonWishes) {
  return {
    ...namesOf(step),
    Email: step.email.toLowerCase(),
    OwnerId,
    LeadSource,
    [ownFields.key]: key,
    [ownFields.flags]: flagsOf(step.flags),
  };
}

/** A lead has a company: the domain of his address, until somebody knows better. */
export function leadBody(step: PersonStep, { OwnerId, LeadSource, key }: PersonWishes) {
  return {
    ...namesOf(step),
    Company: bare(step.email.split("@").at(-1) ?? "").toLowerCase() || "(unknown)",
    Email: step.email.toLowerCase(),
    OwnerId,
    LeadSource,
    [ownFields.key]: key,
    [ownFields.flags]: flagsOf(step.flags),
  };
}

export function accountBody(step: CompanyStep, OwnerId: string | undefined, key: string) {
  return {
    Name: bare(step.name) || step.domain,
    Website: step.domain.toLowerCase(),
    OwnerId,
    [ownFields.key]: key,
  };
}

export interface DealWishes {
  readonly OwnerId: string | undefined;
  readonly StageName: string;
  readonly RecordTypeId: string | undefined;
  readonly AccountId: string | undefined;
  /** `2026-12-31`. */
  readonly CloseDate: string;
  readonly key: string;
}

export function opportunityBody(step: DealStep, { key, ...wishes }: DealWishes) {
  return { ...wishes, Name: bare(step.name) || "(no subject)", [ownFields.key]: key };
}

export interface MailWishes {
  readonly OwnerId?: undefined;
  readonly RelatedToId: string | undefined;
  readonly key: string;
}

/** EmailMessage.Status: read, and sent. Others speak of Salesforce's own sending and of drafts. */
const statuses = { inbound: "1", outbound: "3" } as const;
const maxIdentifierChars = 255;
const maxAddressesChars = 4_000;

export function emailBody(step: ActivityStep, body: Body, { RelatedToId, key }: MailWishes, files: string | undefined) {
  return {
    Subject: bare(step.subject),
    TextBody: body.text,
    HtmlBody: body.html ?? undefined,
    Headers: headersOf(step) || undefined,
    FromName: step.from?.name == null ? undefined : bare(step.from.name),
    FromAddress: step.from === null ? undefined : bare(step.from.email),
    ToAddress: addressesOf(step.to),
    CcAddress: addressesOf(step.cc),
    Incoming: step.direction === "inbound",
    Status: statuses[step.direction],
    MessageDate: new Date(step.at).toISOString(),
    MessageIdentifier: identifier(step.message_id),
    ThreadIdentifier: identifier(threadOf(step)),
    RelatedToId,
    [ownFields.key]: key,
    [ownFields.event]: step.event_id,
    [ownFields.flags]: flagsOf(step.flags),
    [ownFields.files]: files,
  };
}

type Mailbox = NonNullable<ActivityStep["from"]>;

/** As many whole addresses as there is room for. */
function addressesOf(list: readonly Mailbox[]): string | undefined {
  let written = "";
  for (const { email } of list) {
    const next = written === "" ? bare(email) : `${written}; ${bare(email)}`;
    if (next.length > maxAddressesChars) break;
    written = next;
  }
  return written === "" ? undefined : written;
}

/** Half an identifier would be another mail's. */
const identifier = (id: string | null | undefined): string | undefined =>
  id == null || id.length > maxIdentifierChars ? undefined : bare(id);

/** The first mail of the thread, as the mail itself has it: RFC 5322 §3.6.4 lists the oldest first. */
function threadOf({ headers, message_id }: ActivityStep): string | null {
  const value = (wanted: string): string | undefined => headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
  const root = /<[^<>\s]{1,253}>/.exec(value("references") ?? value("in-reply-to") ?? "")?.[0];
  return root ?? message_id;
}

const headersOf = ({ headers }: ActivityStep): string =>
  storable(headers.map(([name, value]) => `${name}: ${value.replace(/[\r\n]+/g, " ")}`).join("\n"));

/** How a person took part, as a row of its own: the sender's has to be one, and one form for all can be added to later. */
export type RelationType = "FromAddress" | "ToAddress" | "OtherAddress";

/** Who is filed first wrote a mail that came in, and got one that went out; which of the others got it how is in the mail's own fields. */
export const relationTypeOf = (direction: ActivityStep["direction"], index: number): RelationType => {
  if (direction === "outbound") return "ToAddress";
  return index === 0 ? "FromAddress" : "OtherAddress";
};

export function relationBody(EmailMessageId: string, RelationId: string, RelationType: RelationType) {
  return { EmailMessageId, RelationId, RelationType };
}

export const roleBody = (OpportunityId: string, ContactId: string) => ({ OpportunityId, ContactId });

/** What else a snapshot to compare later holds: what we write, and what people write by hand. */
export const watchedFields = {
  Contact: ["Phone", "MobilePhone", "Title", "LeadSource", "Description"],
  Lead: ["Phone", "MobilePhone", "Title", "LeadSource", "Status"],
  Account: ["Phone", "Industry", "Description"],
  Opportunity: ["Amount", "CloseDate", "Description", "Type", "NextStep"],
  EmailMessage: ["Status", "HtmlBody", "IsExternallyVisible", ownFields.files],
} as const;

/** What read shows of each object. */
export const shownFields = {
  Contact: ["Email", "FirstName", "LastName", "AccountId", "OwnerId"],
  Lead: ["Email", "FirstName", "LastName", "Company", "OwnerId"],
  Account: ["Name", "Website", "OwnerId"],
  Opportunity: ["Name", "StageName", "RecordTypeId", "AccountId", "OwnerId"],
  EmailMessage: ["Subject", "MessageDate", "Incoming", "TextBody", "RelatedToId"],
} as const;
