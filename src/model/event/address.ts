/** A mailbox from a header, as the eye sees it and as a machine takes it. */
import { z } from "zod";

export const addressSchema = z
  .object({
    name: z.string().describe("Display name as decoded; empty when there is none."),
    email: z
      .string()
      .nullable()
      .describe("Local part as given, domain in lower-case ASCII; null when the header holds no usable address."),
    email_unicode: z.string().nullable().describe("The address with its domain in Unicode, for display only."),
    local: z.string().nullable().describe("The part before the @, as given; null where email is."),
    domain: z.string().nullable().describe("The part after the @, in lower-case ASCII; null where email is."),
    raw: z.string().describe("The mailbox as written in the header."),
    anomalies: z.array(z.string()).describe("What is odd about this address: stable codes."),
  })
  .describe("A mailbox from a header.");
export type Address = z.infer<typeof addressSchema>;
