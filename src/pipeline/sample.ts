/** Which delivered mails a person is asked to compare with what the CRM holds. */
import { createHash } from "node:crypto";
import type { Claim } from "../model/ledger.ts";

/** One in `every`, told from the mail alone, so that a mail that is delivered again is not asked about by another throw of the dice. 0: none. */
export function isSampled({ steps, eventId }: Pick<Claim, "steps" | "eventId">, every: number): boolean {
  if (every === 0) return false;
  const key = steps.find(({ kind }) => kind === "activity")?.key ?? eventId;
  const digest = createHash("sha256").update(`sample${key}`).digest();
  // 48 bits: a double holds them exactly.
  return digest.readUIntBE(0, 6) % every === 0;
}
