/** Step keys: what makes one record one record, computed from the mail alone so that a rebuilt ledger doubles nothing. */
import { hash } from "node:crypto";
import type { StepKind } from "../model/step.ts";

/** Hex SHA-256 over (tenant, kind, natural key). Every part is prefixed by its length, so that no two triples share an encoding. */
export function stepKey(tenant: string, kind: StepKind, natural: readonly string[]): string {
  // In one go: a plan has some ten keys, and a hash object for each was a third of what it costs.
  return hash("sha256", [tenant, kind, ...natural].map((part) => `${Buffer.byteLength(part)}:${part}`).join(""));
}

/** A person is an address. Local parts are compared in lower case: every CRM does, though RFC 5321 §2.4 allows them to differ. */
export const personKey = (tenant: string, email: string): string => stepKey(tenant, "person", [email.toLowerCase()]);

/**
 * An activity is a message: its Message-ID and its content. Both, so that a forged mail under a known id is an activity of its own
 * and cannot suppress the real one; the digest alone when there is no id.
 */
export const activityKey = (tenant: string, messageId: string | null, digest: string): string =>
  stepKey(tenant, "activity", messageId === null ? [digest] : [messageId, digest]);

/** A company is a registrable domain. */
export const companyKey = (tenant: string, domain: string): string =>
  stepKey(tenant, "company", [domain.toLowerCase()]);

/** A deal is the message that first asked for it; which one that was is fixed in the ledger. */
export const dealKey = (tenant: string, messageId: string | null, digest: string): string =>
  stepKey(tenant, "deal", messageId === null ? [digest] : [messageId, digest]);
