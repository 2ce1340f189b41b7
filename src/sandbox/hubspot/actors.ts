/** Everybody else at work in the account: people, a connected inbox, HubSpot itself. */
import { makeCompany, type World } from "./objects.ts";
import type { SandboxRecord } from "./store.ts";

export interface Actors {
  /** A salesperson makes a contact by hand. Answers its id. */
  personAddsContact(properties: { email: string; firstname?: string; lastname?: string }): string;
  personAddsSecondaryEmail(contactId: string, email: string): void;
  /** Any edit by hand: a renamed contact, a deal moved to another stage. */
  personEdits(
    object: "contacts" | "companies" | "deals" | "emails",
    id: string,
    properties: Record<string, string>,
  ): void;
  personArchives(object: "contacts" | "companies" | "deals" | "emails", id: string): void;
  /** The loser's id leads to the survivor from now on. */
  personMergesContacts(survivorId: string, loserId: string): void;
  /** HubSpot's connected inbox logs the same mail by itself. Answers the id of its email. */
  inboxLogs(mail: { messageId: string; contactId: string; subject: string; at: number }): string;
  /** HubSpot makes a company out of the contact's domain. Answers its id. */
  hubspotAddsCompany(contactId: string): string | undefined;
}

export function openActors(world: World): Actors {
  const { store } = world;
  const record = (object: Parameters<Actors["personEdits"]>[0], id: string): SandboxRecord =>
    store.live(object, id, null);
  return {
    personAddsContact: (properties) =>
      store.createWith("contacts", { ...properties, email: properties.email.toLowerCase() }, []).id,
    personAddsSecondaryEmail(id, email) {
      const contact = record("contacts", id);
      const others = [contact.properties.hs_additional_emails, email.toLowerCase()].filter(Boolean);
      store.update(contact, { hs_additional_emails: others.join(";") });
    },
    personEdits: (object, id, properties) => store.update(record(object, id), properties),
    personArchives: (object, id) => store.archive(record(object, id)),
    personMergesContacts: (survivor, loser) => store.merge(record("contacts", survivor), record("contacts", loser)),
    inboxLogs({ messageId, contactId, subject, at }) {
      const properties = {
        hs_timestamp: new Date(at).toISOString(),
        hs_email_direction: "INCOMING_EMAIL",
        hs_email_status: "SENT",
        hs_email_subject: subject,
        hs_email_message_id: messageId,
        hs_email_thread_id: messageId,
      };
      return store.createWith("emails", properties, [{ object: "contacts", id: contactId, type: 198 }]).id;
    },
    hubspotAddsCompany: (contactId) => makeCompany(world, record("contacts", contactId))?.id,
  };
}
