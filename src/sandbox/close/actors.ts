/** Everybody else at work in the organization: people, and Close's own mailbox sync. */
import type { Fields } from "./store.ts";
import { statuses, type World } from "./world.ts";

export interface Actors {
  /** A salesperson makes a lead with a contact by hand. Answers the contact's id. */
  personAddsContact(contact: { email: string; name?: string }): string;
  personEdits(object: "lead" | "contact" | "opportunity" | "email", id: string, fields: Fields): void;
  /** To the status of this label. */
  personMovesOpportunity(id: string, label: string): void;
  personDeletes(object: "lead" | "contact" | "opportunity" | "email", id: string): void;
  /** Everything of the loser stands on the survivor from now on. */
  personMergesLeads(survivorId: string, loserId: string): void;
  /** Close's own sync logs a mail that it saw in a mailbox. Answers the id of its e-mail. */
  syncLogs(mail: { contactId: string; messageId: string; sender: string; subject: string; at: number }): string;
}

export function openActors(world: World): Actors {
  const { store } = world;
  return {
    personAddsContact({ email, name = email }) {
      const lead = store.create("lead", { name });
      return store.create("contact", { lead_id: lead.id, name, emails: [{ email, type: "office" }] }).id;
    },
    personEdits: (object, id, fields) => store.update(store.live(object, id), fields),
    personMovesOpportunity(id, label) {
      const status = statuses(world).find((one) => one.label === label);
      if (status === undefined) throw new RangeError(`the sandbox has no status ${label}`);
      store.update(store.live("opportunity", id), {
        status_id: status.id,
        status_label: status.label,
        status_type: status.type,
      });
    },
    personDeletes: (object, id) => store.remove(store.live(object, id)),
    personMergesLeads: (survivor, loser) => store.merge(store.live("lead", survivor), store.live("lead", loser)),
    syncLogs({ contactId, messageId, sender, subject, at }) {
      const when = new Date(at).toISOString();
      return store.create("email", {
        lead_id: store.live("contact", contactId).fields.lead_id,
        contact_id: contactId,
        status: "inbox",
        direction: "incoming",
        sender,
        subject,
        body_text: "as the mailbox has it",
        message_ids: [messageId],
        activity_at: when,
        date_created: when,
      }).id;
    },
  };
}
