/** The shapes of what doctor and storage print with --json. */
import { z } from "zod";

export const doctorReport = z.object({
  ok: z.boolean().describe("True when no problem remains; warnings may."),
  findings: z.array(
    z.object({
      level: z.enum(["ok", "warning", "problem"]),
      about: z
        .string()
        .describe("data, key, ledger, storage, ports, dns, tls, clamd, or the lane as tenant/destination."),
      what: z.string(),
      mend: z.string().nullable(),
      fixable: z.boolean().describe("True when `mailwright doctor --fix` can mend it."),
    }),
  ),
});
export type DoctorReport = z.infer<typeof doctorReport>;

export const lifecycleApplied = z.object({
  dry_run: z.boolean(),
  buckets: z.array(
    z.object({
      bucket: z.string(),
      prefix: z.string(),
      tenants: z.array(z.string()),
      before: z.array(z.string()).describe("The rules of ours that it had, as sentences."),
      after: z.array(z.string()),
      others: z.number().int().describe("Rules of others, which stay as they are."),
      unsupported: z.string().nullable().describe("Why it has none, where the service knows no such rules."),
    }),
  ),
});
export type LifecycleApplied = z.infer<typeof lifecycleApplied>;
