/** Builds the request bodies of Zoho's records and mails from steps. Pure; what had to be cut is said. */
import type { ActivityStep, CompanyStep, DealStep, PersonStep } from "../../model/step.ts";
import { bodyOf } from "../shared/body.ts";
import { count, markerOf, nameParts, subjectOf, unbroken } from "../shared/text.ts";
import type { Lookup, ModuleName } from "./api.ts";
import { type Module, ownFields } from "./fields.ts";

export type Value = string | number | boolean | readonly string[] | Lookup;
export type RecordBody = Readonly<Record<string, Value>>;

export interface Built {
  readonly body: RecordBody;
  /** Says what was cut; undefined when everything is there. */
  readonly note: string | undefined;
}

/** What a mapping wants on a new record, in this organisation's own names; `owner` is an id. */
export interface Wanted {
  readonly owner: string | undefined;
  readonly fields: RecordBody;
}

/** Texts of a record, each within what its field takes. */
const flat = (text: string): string => unbroken(text).toWellFormed().replace(/\s+/g, " ").trim();

function builder(module: Module) {
  const body: Record<string, Value> = {};
  const cuts: string[] = [];
  return {
    text(name: string, value: string | undefined, otherwise: number) {
      const plain = value === undefined ? "" : flat(value);
      if (plain === "") return;
      const most = module.length(name, otherwise);
      body[name] = plain.length <= most ? plain : plain.slice(0, most).toWellFormed().trim();
      if (plain.length > most) cuts.push(`${name} cut to ${count(most)} of ${count(plain.length)} characters`);
    },
    set(name: string, value: Value | undefined) {
      if (value !== undefined) body[name] = value;
    },
    own(name: string, value: string | undefined) {
      if (value !== undefined && module.has(name)) body[name] = value.slice(0, module.length(name, 255));
    },
    built: (wanted: Wanted): Built => ({
      body: {
        ...wanted.fields,
        ...body,
        ...(wanted.owner === undefined ? {} : { Owner: { id: wanted.owner } }),
      },
      note: cuts.length === 0 ? undefined : cuts.join("; "),
    }),
  };
}

const flagsOf = (flags: readonly string[]): string | undefined => (flags.length === 0 ? undefined : flags.join(";"));

/** A surname is mandatory at Zoho: of one word it is that, and without a name the address. */
export function personBody(step: PersonStep, module: Module, wanted: Wanted): Built {
  const build = builder(module);
  const { first, last } = nameParts(step.name);
  const email = step.email.toLowerCase();
  build.text("Last_Name", last ?? first ?? email, 80);
  if (last !== undefined) build.text("First_Name", first, 40);
  build.set("Email", email);
  if (module.name === "Leads") build.text("Company", email.slice(email.lastIndexOf("@") + 1), 200);
  build.own(ownFields.key, step.key);
  build.own(ownFields.flags, flagsOf(step.flags));
  return build.built(wanted);
}

export function accountBody(step: CompanyStep, module: Module, wanted: Wanted): Built {
  const build = builder(module);
  build.text("Account_Name", step.name === "" ? step.domain : step.name, 200);
  build.text("Website", step.domain.toLowerCase(), 450);
  build.own(ownFields.key, step.key);
  return build.built(wanted);
}

export interface DealParts {
  readonly pipeline: string | undefined;
  readonly stage: string;
  /** YYYY-MM-DD. */
  readonly closing: string;
  readonly contact: string | undefined;
  readonly account: string | undefined;
}

export function dealBody(step: DealStep, parts: DealParts, module: Module, wanted: Wanted): Built {
  const build = builder(module);
  const lookup = (id: string | undefined): Lookup | undefined => (id === undefined ? undefined : { id });
  build.text("Deal_Name", step.name === "" ? "(no name)" : step.name, 120);
  build.set("Stage", parts.stage);
  build.set("Pipeline", parts.pipeline);
  if (wanted.fields.Closing_Date === undefined) build.set("Closing_Date", parts.closing);
  build.set("Contact_Name", lookup(parts.contact));
  build.set("Account_Name", lookup(parts.account));
  if (module.has(ownFields.key)) build.own(ownFields.key, step.key);
  else build.set("Description", markerOf(step.key));
  return build.built(wanted);
}

export interface Party {
  readonly user_name: string;
  readonly email: string;
}

/** One mail as associate_email takes it. https://www.zoho.com/crm/developer/docs/api/v8/associate-email.html (checked 2026-11-29) */
export interface MailBody {
  readonly from: Party;
  readonly to: readonly Party[];
  readonly cc: readonly Party[];
  readonly subject: string;
  readonly content: string;
  readonly mail_format: "text";
  readonly date_time: string;
  readonly sent: boolean;
  readonly original_message_id: string;
  readonly linked_record?: { readonly module: { readonly api_name: ModuleName }; readonly id: string };
}

/** The least that any of Zoho's papers allows. */
export const maxContentChars = 32_000;
const maxSubjectChars = 250;
const maxParties = 50;
const nobody = "unknown@mailwright.invalid";

/** A mail without a sender or a receiver is one all the same, and Zoho wants both. RFC 2606 §2: `.invalid` is nobody's. */
export function mailBody(step: ActivityStep, limit: number): { mail: MailBody; note: string | undefined } {
  const notes: string[] = [];
  const several = (name: string, boxes: readonly Mailbox[]): Party[] => {
    const all = boxes.flatMap((box) => partyOf(box) ?? []);
    if (all.length > maxParties) notes.push(`${name} cut to ${maxParties} of ${all.length} addresses`);
    return all.slice(0, maxParties);
  };
  const body = bodyOf(step, limit, endOf(step), false);
  if (body.note !== undefined) notes.push(body.note);
  const whole = subjectOf(step.subject).trim();
  if (whole.length > maxSubjectChars) notes.push(`subject cut to ${maxSubjectChars} of ${whole.length} characters`);
  const subject = whole.slice(0, maxSubjectChars).toWellFormed().trim();
  const to = several("To", step.to);
  const someone = { user_name: "unknown", email: nobody };
  const mail: MailBody = {
    from: (step.from === null ? undefined : partyOf(step.from)) ?? someone,
    to: to.length > 0 ? to : [someone],
    cc: several("Cc", step.cc),
    subject: subject === "" ? "(no subject)" : subject,
    content: body.text,
    mail_format: "text",
    date_time: timeOf(step.at),
    sent: step.direction === "outbound",
    original_message_id: originalId(step),
  };
  return { mail, note: notes.length === 0 ? undefined : notes.join("; ") };
}

/** Zoho counts seconds. */
export const timeOf = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}+00:00`;

/** What no field can hold for us, as the last line: the event for `mailwright explain`, the flags, and the marker of a read-back. */
const endOf = ({ event_id, flags, key }: ActivityStep): string =>
  `[Mailwright event ${[event_id, ...flags].join(", ").slice(0, 300)}] ${markerOf(key)}`;

/**
 * The mail's own Message-ID, so that Zoho itself knows the same mail from somebody's mailbox. Where it has none, or where another mail came
 * under the same one (a forged id must not suppress a mail), one that is made of our key.
 */
export function originalId({ message_id, key, flags }: ActivityStep): string {
  const isUsable = message_id !== null && /^[!-~]{3,255}$/.test(message_id) && !flags.includes("message_id_conflict");
  return isUsable ? message_id : `<${key.slice(0, 40)}@mailwright.invalid>`;
}

type Mailbox = NonNullable<ActivityStep["from"]>;

function partyOf({ email, name }: Mailbox): Party | undefined {
  if (!/^[^\s@<>"(),:;[\]\\]{1,128}@[^\s@<>"(),:;[\]\\]{1,126}$/.test(email)) return undefined;
  const named = flat(name ?? "");
  return { user_name: (named === "" ? email : named).slice(0, 255).toWellFormed(), email };
}

/** Beside those that we write: what people write by hand. */
export const watchedFields: Readonly<Record<ModuleName, readonly string[]>> = {
  Contacts: ["Phone", "Mobile", "Title", "Department"],
  Leads: ["Phone", "Mobile", "Title", "Lead_Status"],
  Accounts: ["Phone", "Account_Type"],
  Deals: ["Amount", "Closing_Date", "Description", "Type"],
};

/** What find, put and read ask Zoho to show of each module. */
export const shownFields: Readonly<Record<ModuleName, readonly string[]>> = {
  Contacts: ["Email", "First_Name", "Last_Name", "Secondary_Email", "Account_Name", "Owner"],
  Leads: ["Email", "First_Name", "Last_Name", "Secondary_Email", "Company", "Owner"],
  Accounts: ["Account_Name", "Website", "Owner"],
  Deals: ["Deal_Name", "Pipeline", "Stage", "Contact_Name", "Account_Name", "Owner"],
};
