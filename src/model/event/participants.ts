/** Who takes part in a message, seen from the tenant: which way it goes, and under whom it is filed. */
import { z } from "zod";

export const participantSchema = z.object({
  email: z.string().describe("As in the header's email."),
  name: z.string().nullable().describe("Display name; null where there is none."),
  part: z
    .enum(["sender", "recipient", "original_sender", "reply_to"])
    .describe("original_sender: of the mail that a colleague forwarded."),
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
    filed_under: z
      .array(participantSchema)
      .describe(
        "The people outside whose records the message belongs to, the main one first; empty for internal mail.",
      ),
    others: z
      .array(participantSchema)
      .describe("The other people outside who stand in To and Cc: they take part in the thread."),
    colleagues: z.array(z.string()).describe("Addresses of the tenant's own people in From, To and Cc."),
    forwarded_by: z
      .object({
        email: z.string().describe("The address of From."),
        name: z.string().nullable().describe("Display name."),
      })
      .nullable()
      .describe("The colleague who forwarded a customer's mail to us."),
    excluded: z.string().nullable().describe("The entry of people.excluded that applies, where one does."),
  })
  .describe("Who takes part, seen from the tenant.");
export type Participants = z.infer<typeof participantsSchema>;
