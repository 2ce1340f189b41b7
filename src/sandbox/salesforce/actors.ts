/** Everybody else at work in the org: people, administrators, Einstein Activity Capture and Email-to-Case, other apps. */
import { timeShown } from "./checks.ts";
import type { ObjectName } from "./ids.ts";
import type { World } from "./routes.ts";
import type { Values } from "./store.ts";

export interface Actors {
  /** A salesperson makes a contact by hand. Answers its id. */
  personAddsContact(values: { Email: string; LastName: string; FirstName?: string; AccountId?: string }): string;
  personAddsLead(values: { Email: string; LastName: string; Company: string }): string;
  personAddsAccount(values: { Name: string; Website?: string }): string;
  /** Any edit by hand: a renamed contact, an opportunity moved to another stage. */
  personEdits(object: ObjectName, id: string, values: Values): void;
  personDeletes(object: ObjectName, id: string): void;
  /** The loser goes to the recycle bin; what belonged to it belongs to the survivor. */
  personMergesContacts(survivorId: string, loserId: string): void;
  /** Answers the id of the contact that the lead became. */
  personConvertsLead(leadId: string): string;
  /** A mailbox sync, or Email-to-Case, logs the same mail by itself. Answers the id of its EmailMessage. */
  syncLogs(mail: { messageId: string; from: string; subject: string; at: number; contactId?: string }): string;
  adminDeletesField(object: ObjectName, field: string): void;
  /** Takes the permission set away, or assigns it. */
  adminPermits(permitted: boolean): void;
  adminDeploys(): void;
}

export function openActors({ store, schema, options }: World): Actors {
  const record = (object: ObjectName, id: string) => store.live(object, id);
  const add = (object: ObjectName, values: Values): string => store.insert(object, values).id;
  return {
    personAddsContact: (values) => add("Contact", values),
    personAddsLead: (values) => add("Lead", values),
    personAddsAccount: (values) => add("Account", values),
    personEdits: (object, id, values) => store.change(record(object, id), values),
    personDeletes: (object, id) => store.remove(record(object, id)),
    personMergesContacts(survivorId, loserId) {
      const loser = record("Contact", loserId);
      for (const [object, field] of [
        ["EmailMessageRelation", "RelationId"],
        ["OpportunityContactRole", "ContactId"],
      ] as const) {
        for (const one of store.all(object))
          if (one.values[field] === loser.id) store.change(one, { [field]: record("Contact", survivorId).id });
      }
      store.change(loser, { MasterRecordId: survivorId });
      store.remove(loser);
    },
    personConvertsLead(leadId) {
      const lead = record("Lead", leadId);
      const { FirstName = null, LastName = null, Email = null, Company = null } = lead.values;
      const account = add("Account", { Name: Company });
      const contact = add("Contact", { FirstName, LastName, Email, AccountId: account });
      store.change(lead, { IsConverted: true, ConvertedContactId: contact, ConvertedAccountId: account });
      return contact;
    },
    syncLogs({ messageId, from, subject, at, contactId }) {
      const id = add("EmailMessage", {
        Subject: subject,
        FromAddress: from,
        Incoming: true,
        Status: "1",
        MessageDate: timeShown(at),
        MessageIdentifier: messageId,
        TextBody: "as the mailbox sync had it",
      });
      if (contactId !== undefined)
        add("EmailMessageRelation", { EmailMessageId: id, RelationId: contactId, RelationType: "FromAddress" });
      return id;
    },
    adminDeletesField(object, field) {
      schema.remove(object, field);
      for (const one of store.all(object)) store.change(one, { [field]: null });
    },
    adminPermits: (permitted) => schema.permit(permitted),
    adminDeploys: () => void (options.prepared || schema.deploy()),
  };
}
