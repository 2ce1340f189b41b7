/** Mails on records: associated by the API, or logged by somebody's mailbox; listed, read one by one, and never changed or taken away. */
import type { ZohoSandboxOptions } from "./options.ts";
import { timeOf, type World } from "./records.ts";
import { empty, fieldsOf, invalidId, ok, type Reply, type RowError, refused, rowError } from "./reply.ts";
import { type ModuleName, moduleNamed } from "./schema.ts";
import type { ZohoRecord } from "./store.ts";

export interface Party {
  readonly user_name: string;
  readonly email: string;
}

/** One mail on one record. */
export interface LoggedMail {
  /** Zoho's own id. */
  readonly messageId: string;
  readonly original: string;
  readonly module: ModuleName;
  readonly record: string;
  linked: { readonly module: ModuleName; readonly id: string } | undefined;
  readonly from: Party;
  readonly to: readonly Party[];
  readonly cc: readonly Party[];
  readonly subject: string;
  readonly content: string;
  readonly sent: boolean;
  readonly at: number;
  readonly source: "api" | "imap";
}

export interface Mails {
  all(): readonly LoggedMail[];
  /** By the record that it is on, or that it is linked with; the newest first. */
  of(module: ModuleName, record: string): readonly LoggedMail[];
  /** True where it cannot be associated once more. */
  taken(original: string, module: ModuleName, record: string): boolean;
  add(mail: Omit<LoggedMail, "messageId">): LoggedMail;
}

export function openMails(options: Pick<ZohoSandboxOptions, "mailKey">): Mails {
  const mails: LoggedMail[] = [];
  const taken = new Set<string>();
  const keyOf = (original: string, module: ModuleName, record: string): string =>
    options.mailKey === "org" ? original : `${module}/${record}/${original}`;
  return {
    all: () => mails,
    of: (module, record) =>
      mails
        .filter(
          (mail) =>
            (mail.module === module && mail.record === record) ||
            (mail.linked?.module === module && mail.linked.id === record),
        )
        .sort((a, b) => b.at - a.at),
    taken: (original, module, record) => taken.has(keyOf(original, module, record)),
    add(given) {
      const mail = { ...given, messageId: `${(mails.length + 1).toString(16).padStart(8, "0")}${"6f".repeat(28)}` };
      mails.push(mail);
      taken.add(keyOf(mail.original, mail.module, mail.record));
      return mail;
    },
  };
}

const perPage = 10;
const mostParties = 50;
const mostSubject = 250;
const mostOriginal = 255;
const known: ReadonlySet<string> = new Set([
  ...["from", "to", "cc", "bcc", "subject", "content", "mail_format", "date_time", "sent", "original_message_id"],
  ...["attachments", "owner", "linked_record"],
]);

class MailRefusal extends Error {
  readonly error: RowError;
  constructor(error: RowError) {
    super(error.message);
    this.error = error;
  }
}

const missing = (name: string): MailRefusal =>
  new MailRefusal(
    rowError("MANDATORY_NOT_FOUND", "required field not found", { api_name: name, json_path: `$.Emails[0].${name}` }),
  );
const invalid = (name: string, more: object = {}): MailRefusal =>
  new MailRefusal(
    rowError("INVALID_DATA", "invalid data", { ...more, api_name: name, json_path: `$.Emails[0].${name}` }),
  );

/** POST {module}/{id}/actions/associate_email. Errors of the mail stand in `Emails[]`. */
export function associate(world: World, module: ModuleName, id: string, body: unknown): Reply {
  const record = world.store.live(module, id);
  if (record === undefined) throw refused(400, "INVALID_DATA", "the related id given seems to be invalid");
  if (record.converted) throw refused(400, "CONVERTED_RECORD", "the lead is already converted", { id });
  const { Emails: given } = fieldsOf(body);
  if (!Array.isArray(given) || given.length === 0)
    throw refused(400, "MANDATORY_NOT_FOUND", "required field not found", { api_name: "Emails" });
  if (given.length > 1)
    throw refused(400, "INVALID_DATA", "invalid data", {
      maximum_length: 1,
      api_name: "Emails",
      json_path: "$.Emails",
    });
  try {
    const mail = world.mails.add(checked(world, record, fieldsOf(given[0])));
    const details = { message_id: mail.messageId };
    return ok(201, {
      Emails: [{ code: "SUCCESS", details, message: "The email has been associated.", status: "success" }],
    });
  } catch (error) {
    if (!(error instanceof MailRefusal)) throw error;
    return ok(400, { Emails: [error.error] });
  }
}

function checked(
  world: World,
  record: ZohoRecord,
  given: Readonly<Record<string, unknown>>,
): Omit<LoggedMail, "messageId"> {
  const stranger = Object.keys(given).find(
    (name) => !known.has(name) || (name === "linked_record" && world.options.linkedRecord === "unknown"),
  );
  if (stranger !== undefined) throw invalid(stranger);
  for (const name of ["from", "to", "subject", "content", "date_time", "sent", "original_message_id"])
    if (given[name] === undefined || given[name] === null || given[name] === "") throw missing(name);
  if (world.options.linkedRecord === "required" && given.linked_record === undefined) throw missing("linked_record");
  const { sent, mail_format } = given;
  if (typeof sent !== "boolean") throw invalid("sent");
  if (mail_format !== undefined && mail_format !== "html" && mail_format !== "text") throw invalid("mail_format");
  const original = text(given, "original_message_id", mostOriginal);
  const at = Date.parse(text(given, "date_time", 50));
  if (Number.isNaN(at)) throw invalid("date_time");
  const mail = {
    original,
    module: record.module,
    record: record.id,
    linked: linkedIn(world, given.linked_record),
    from: party(given.from, "from"),
    to: parties(given.to, "to"),
    cc: parties(given.cc ?? [], "cc"),
    subject: text(given, "subject", mostSubject),
    content: text(given, "content", world.options.maxContentChars),
    sent,
    at,
    source: "api",
  } as const;
  if (world.mails.taken(original, record.module, record.id)) {
    const message = "The message id you have specified is already associated with the record";
    throw new MailRefusal(
      rowError("DUPLICATE_DATA", message, {
        api_name: "original_message_id",
        json_path: "$.Emails[0].original_message_id",
      }),
    );
  }
  return mail;
}

function text(given: Readonly<Record<string, unknown>>, name: string, most: number): string {
  const value = given[name];
  if (typeof value !== "string") throw invalid(name, { expected_data_type: "text" });
  if (value.length > most) throw invalid(name, { maximum_length: most });
  return value;
}

function party(given: unknown, name: string): Party {
  const { user_name, email } = fieldsOf(given);
  if (typeof email !== "string" || !/^[^\s@<>"]+@[^\s@<>"]+$/.test(email)) throw invalid(`${name}.email`);
  if (typeof user_name !== "string" || user_name === "" || user_name.length > 255) throw invalid(`${name}.user_name`);
  return { user_name, email };
}

function parties(given: unknown, name: string): Party[] {
  if (!Array.isArray(given)) throw invalid(name, { expected_data_type: "jsonarray" });
  if (given.length > mostParties) throw invalid(name, { maximum_length: mostParties });
  if (name === "to" && given.length === 0) throw missing("to");
  return given.map((one) => party(one, name));
}

function linkedIn({ store }: World, given: unknown): LoggedMail["linked"] {
  if (given === undefined) return undefined;
  const { id, module: of } = fieldsOf(given);
  const module = moduleNamed(String(fieldsOf(of).api_name));
  if (typeof id !== "string" || module === undefined || store.live(module, id) === undefined)
    throw invalid("linked_record");
  return { module, id };
}

function shownMail({ options }: World, mail: LoggedMail, withContent: boolean): object {
  return {
    message_id: mail.messageId,
    subject: mail.subject,
    summary: mail.content.slice(0, 80),
    from: mail.from,
    to: mail.to,
    cc: mail.cc,
    sent: mail.sent,
    read: true,
    time: timeOf(mail.at),
    source: mail.source,
    owner: { name: options.users[0]?.name, id: options.users[0]?.id },
    linked_record:
      mail.linked === undefined
        ? null
        : { id: mail.linked.id, name: "", module: { api_name: mail.linked.module, id: "1" } },
    has_attachment: false,
    status: [],
    ...(withContent ? { content: mail.content, mail_format: "text" } : {}),
  };
}

/** GET {module}/{id}/Emails: ten a page, without their content, and without the id that their headers gave them. */
export function listMails(world: World, module: ModuleName, id: string, query: URLSearchParams): Reply {
  if (world.store.live(module, id) === undefined) throw invalidId();
  const from = Number(query.get("index") ?? 0) || 0;
  const all = world.mails.of(module, id);
  const rows = all.slice(from, from + perPage);
  if (rows.length === 0) return empty();
  const next = from + perPage < all.length ? String(from + perPage) : null;
  const prev = from > 0 ? String(Math.max(0, from - perPage)) : null;
  const info = {
    count: rows.length,
    per_page: perPage,
    next_index: next,
    prev_index: prev,
    more_records: next !== null,
  };
  return ok(200, { Emails: rows.map((mail) => shownMail(world, mail, false)), info });
}

export function readMail(world: World, module: ModuleName, id: string, messageId: string): Reply {
  if (world.store.live(module, id) === undefined) throw invalidId();
  const found = world.mails.of(module, id).find((mail) => mail.messageId === messageId);
  return found === undefined ? empty() : ok(200, { Emails: [shownMail(world, found, true)] });
}

/** POST Contacts/{id}/Emails/actions/link_record: a deal to mails of a contact, each of which has one at a time. */
export function linkMails(world: World, id: string, body: unknown): Reply {
  if (world.store.live("Contacts", id) === undefined) throw invalidId();
  const { Emails: given } = fieldsOf(body);
  if (!Array.isArray(given) || given.length === 0)
    throw refused(400, "MANDATORY_NOT_FOUND", "required field not found", { api_name: "Emails" });
  let bad = 0;
  const rows = given.map((one) => {
    try {
      return linkOne(world, id, fieldsOf(one));
    } catch (error) {
      if (!(error instanceof MailRefusal)) throw error;
      bad++;
      return error.error;
    }
  });
  return ok(bad === 0 ? 200 : bad < rows.length ? 207 : 400, { Emails: rows });
}

function linkOne(world: World, id: string, given: Readonly<Record<string, unknown>>): object {
  for (const name of ["message_id", "owner", "linked_record"]) if (given[name] === undefined) throw missing(name);
  const mail = world.mails.of("Contacts", id).find(({ messageId }) => messageId === given.message_id);
  if (mail === undefined) throw invalid("message_id");
  if (typeof fieldsOf(given.owner).id !== "string") throw invalid("owner");
  const linked = linkedIn(world, given.linked_record);
  if (linked?.module !== "Deals") throw invalid("linked_record");
  mail.linked = linked;
  const details = { message_id: mail.messageId };
  return { code: "SUCCESS", details, message: "The email is linked.", status: "success" };
}
