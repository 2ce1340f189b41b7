/** The settings that sources and destinations bring along, as the schema of the whole configuration needs them. */
import { z } from "zod";

export interface DestinationSettings {
  readonly name: string;
  readonly settings: z.ZodObject;
}

export const smtpSettings = z
  .strictObject({
    host: z.string().min(1).default("0.0.0.0").describe("Address to listen on."),
    port: z.int().min(0).max(65_535).default(2525).describe("Port to listen on; 0 picks a free one and logs it."),
  })
  .describe("The SMTP listener.");

export const destinationSettings: readonly DestinationSettings[] = [
  { name: "local", settings: z.strictObject({}).describe("The built-in CRM in the data folder.") },
];
