/** What a test may look at: every record with its values, how often each key is there, and every mail with the records that it is on. */

import type { Table } from "../sandbox.ts";
import type { LoggedMail } from "./emails.ts";
import type { World } from "./records.ts";
import type { ModuleName, moduleNames } from "./schema.ts";
import type { ZohoRecord } from "./store.ts";

export interface RecordDump {
  readonly id: string;
  readonly values: ZohoRecord["values"];
  readonly archived: boolean;
  /** Of a deal: contacts with a role in it. */
  readonly roles: readonly string[];
}

export interface MailDump {
  /** The Message-ID under which it was associated. */
  readonly original: string;
  /** Zoho's own ids, one for each record. */
  readonly ids: readonly string[];
  readonly subject: string;
  readonly content: string;
  readonly sent: boolean;
  readonly at: number;
  readonly from: string;
  readonly to: readonly string[];
  /** `Contacts/365...`, each record once. */
  readonly on: readonly string[];
  /** How often it is on each of them: anything but 1 is a doubled mail. */
  readonly times: readonly number[];
  readonly source: LoggedMail["source"];
}

export interface SandboxState {
  readonly orgId: string;
  /** Calls answered or dropped so far. */
  readonly calls: number;
  readonly credits: number;
  /** Answers held back now. */
  readonly held: number;
  /** Live records by module, and mails. */
  readonly counts: Readonly<Record<ModuleName | "Emails", number>>;
  /** How many live records have each Mailwright_Key, by module: anything but 1 is a fault of the connector. */
  readonly keys: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly Contacts: readonly RecordDump[];
  readonly Leads: readonly RecordDump[];
  readonly Accounts: readonly RecordDump[];
  readonly Deals: readonly RecordDump[];
  readonly Emails: readonly MailDump[];
  /** Records that workflows ran for. */
  readonly workflows: number;
}

export function stateOf(
  { store, mails, options }: World,
  counted: Pick<SandboxState, "calls" | "credits" | "held">,
): SandboxState {
  const keys: Record<string, Record<string, number>> = {};
  const dumps = (module: ModuleName): RecordDump[] => {
    const tally: Record<string, number> = Object.create(null) as Record<string, number>;
    keys[module] = tally;
    return [...store.all(module)].map((record) => {
      const archived = record.deletedAt !== undefined || record.converted;
      const key = record.values.Mailwright_Key;
      if (typeof key === "string" && !archived) tally[key] = (tally[key] ?? 0) + 1;
      return { id: record.id, values: { ...record.values }, archived, roles: [...record.roles] };
    });
  };
  const [Contacts, Leads, Accounts, Deals] = [dumps("Contacts"), dumps("Leads"), dumps("Accounts"), dumps("Deals")];
  const live = (all: readonly RecordDump[]): number => all.filter(({ archived }) => !archived).length;
  const Emails = mailsOf(mails.all());
  const counts = {
    Contacts: live(Contacts),
    Leads: live(Leads),
    Accounts: live(Accounts),
    Deals: live(Deals),
    Emails: Emails.length,
  } satisfies Record<(typeof moduleNames)[number] | "Emails", number>;
  return {
    orgId: options.orgId,
    ...counted,
    counts,
    keys,
    Contacts,
    Leads,
    Accounts,
    Deals,
    Emails,
    workflows: store.workflows.length,
  };
}

function mailsOf(all: readonly LoggedMail[]): MailDump[] {
  const byId = new Map<string, LoggedMail[]>();
  for (const mail of all) byId.set(mail.original, [...(byId.get(mail.original) ?? []), mail]);
  return [...byId.values()].map((same) => {
    const [first] = same;
    if (first === undefined) throw new Error("a group of mails is never empty");
    const on = new Map<string, number>();
    const count = (place: string, more: number): void => void on.set(place, Math.max(on.get(place) ?? 0, 0) + more);
    for (const { module, record } of same) count(`${module}/${record}`, 1);
    for (const { linked } of same)
      if (linked !== undefined && !on.has(`${linked.module}/${linked.id}`)) count(`${linked.module}/${linked.id}`, 1);
    const { original, subject, content, sent, at, from, to, source } = first;
    return {
      original,
      ids: same.map(({ messageId }) => messageId),
      subject,
      content,
      sent,
      at,
      from: from.email,
      to: to.map(({ email }) => email),
      on: [...on.keys()],
      times: [...on.values()],
      source,
    };
  });
}

const worded = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

export const tablesOf = (state: SandboxState): Table[] => [
  ...(["Contacts", "Leads", "Accounts", "Deals"] as const).map((name) => ({
    name,
    rows: state[name]
      .filter(({ archived }) => !archived)
      .map(({ id, values, roles }) => {
        const shown = Object.entries(values).map(([field, value]) => [field, worded(value)] as const);
        return { id, ...Object.fromEntries(shown), ...(roles.length === 0 ? {} : { Contact_Roles: roles.join(", ") }) };
      }),
  })),
  {
    name: "Emails",
    rows: state.Emails.map(({ original, subject, content, sent, from, to, on }) => ({
      original_message_id: original,
      subject,
      content,
      sent: String(sent),
      from,
      to: to.join(", "),
      on: on.join(", "),
    })),
  },
];
