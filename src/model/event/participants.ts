/** Who takes part in a message, seen from the tenant: which way it goes, and under whom it is filed. */
import { z } from "zod";

export const participantSchema = z.object({
  email: z.string().describe("As in the header's email."),
  name: z.string().nullable().describe("Display name; null where there is none."),
  part: z
    .enum(["sender", "recipient", "original_sender", "original_recipient", "reply_to"])
    .describe(
      "original_sender, original_recipient: of the mail that a colleague forwarded. reply_to: of Reply-To alone.",
    ),
  kinds: z
    .array(z.enum(["role", "freemail", "disposable", "no_reply"]))
    .describe("role: sales@, support@ and their like. freemail and disposable domains never make a company."),
  organisation: z
    .string()
    .nullable()
    .describe("Registrable domain (public suffix list); null for freemail and disposable domains."),
});
export type Participant = z.infer<typeof participantSchema>;

export const participantsSchema = z
  .object({
    direction: z
      .enum(["inbound", "outbound", "internal"])
      .describe("outbound: a colleague writes to a customer. internal: nobody outside takes part."),
    basis: z
      .enum(["sender", "list_author", "recipients", "original", "form", "broadcast", "nobody"])
      .describe(
        "Why filed_under names whom it names. sender: From. list_author: who wrote through a mailing list that put itself into From. recipients: To and Cc of a colleague's mail. original: of the mail that a colleague forwarded. form: Reply-To of a mail that the tenant's own web form or no-reply address sent. broadcast: a colleague's mail to more than 20 people outside, which is filed under none. nobody: no usable address, or nobody outside.",
      ),
    filed_under: z
      .array(participantSchema)
      .describe(
        "The people outside whose records the message belongs to, the main one first; empty where basis is broadcast or nobody.",
      ),
    others: z
      .array(participantSchema)
      .describe(
        "The other people outside who stand in To, Cc and Reply-To: they take part in the thread. 200 at most.",
      ),
    colleagues: z.array(z.string()).describe("Addresses of the tenant's own people in From, To and Cc. 200 at most."),
    forwarded_by: z
      .object({
        email: z.string().describe("The address of From."),
        name: z.string().nullable().describe("Display name."),
      })
      .nullable()
      .describe("The colleague who forwarded a mail to us, or the tenant's own web form."),
    list: z
      .object({
        address: z.string().nullable().describe("Of List-Post, or of From where the list put itself there."),
        own: z.boolean().describe("It is one of the tenant's own: a shared address that colleagues read."),
      })
      .nullable()
      .describe("The mailing list that the message came through."),
    excluded: z.string().nullable().describe("The entry of people.excluded that applies, where one does."),
  })
  .describe("Who takes part, seen from the tenant. What the mail claims: `auth` says how far that goes.");
export type Participants = z.infer<typeof participantsSchema>;
