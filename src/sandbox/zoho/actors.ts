/** Everybody else at work in the organisation: people, their mailboxes, administrators. */
import type { World } from "./records.ts";
import type { ModuleName } from "./schema.ts";
import type { Value, ZohoRecord } from "./store.ts";

export interface Actors {
  /** A salesperson makes a contact, a lead or an account by hand. Answers its id. */
  personAdds(module: ModuleName, values: Readonly<Record<string, Value>>): string;
  /** Any edit by hand: a renamed contact, a deal moved to another stage. */
  personEdits(module: ModuleName, id: string, values: Readonly<Record<string, Value>>): void;
  /** Into the recycle bin. */
  personDeletes(module: ModuleName, id: string): void;
  /** A lead becomes a contact. Answers the contact's id. */
  personConverts(leadId: string): string;
  /** Somebody's own mailbox, connected to Zoho, logs the same mail by itself. */
  mailboxLogs(mail: {
    messageId: string;
    contactId: string;
    subject: string;
    from: string;
    to: string;
    at: number;
  }): void;
  adminDeletesField(module: ModuleName, name: string): void;
  /** Sharing rules: the user of the grant is not shown this record any more. */
  adminHides(id: string): void;
}

export function openActors({ store, schema, mails }: World): Actors {
  const record = (module: ModuleName, id: string): ZohoRecord => {
    const found = store.live(module, id);
    if (found === undefined) throw new Error(`the sandbox has no ${module} ${id}`);
    return found;
  };
  return {
    personAdds: (module, values) => store.create(module, values, 0).id,
    personEdits: (module, id, values) => store.update(record(module, id), values, 0),
    personDeletes: (module, id) => store.remove(record(module, id)),
    personConverts(leadId) {
      const lead = record("Leads", leadId);
      const { First_Name = null, Last_Name = null, Email = null } = lead.values;
      lead.converted = true;
      return store.create("Contacts", { First_Name, Last_Name, Email }, 0).id;
    },
    mailboxLogs({ messageId, contactId, subject, from, to, at }) {
      const party = (email: string) => ({ user_name: email, email });
      const mail = {
        original: messageId,
        module: "Contacts",
        record: record("Contacts", contactId).id,
        linked: undefined,
      } as const;
      mails.add({
        ...mail,
        from: party(from),
        to: [party(to)],
        cc: [],
        subject,
        content: "",
        sent: false,
        at,
        source: "imap",
      });
    },
    adminDeletesField: (module, name) => schema.remove(module, name),
    adminHides: (id) => void store.hidden.add(id),
  };
}
