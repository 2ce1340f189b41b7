/** What a mail may make at a CRM, by how sure it is who sent it. */
import { type TrustLevel, trustLevels } from "../model/event.ts";
import type { Mapping } from "./plan.ts";

export const atLeast = (level: TrustLevel, wanted: TrustLevel): boolean =>
  trustLevels.indexOf(level) >= trustLevels.indexOf(wanted);

/**
 * A contact from trust.create_contact on. A company and a deal only by a verified sender: nobody sees at a glance that one was made by a
 * forged mail, and others hang on them. Nothing at all by a suspicious one.
 */
export function mayCreate(
  kind: "person" | "company" | "deal",
  trust: TrustLevel,
  { createContact }: Pick<Mapping, "createContact">,
): boolean {
  switch (kind) {
    case "person":
      return trust !== "suspicious" && atLeast(trust, createContact);
    case "company":
    case "deal":
      return trust === "verified";
    default:
      return kind satisfies never;
  }
}

/** Whether a colleague's word for who wrote something counts: only where it is sure that a colleague said it. */
export const vouches = (trust: TrustLevel): boolean => atLeast(trust, "aligned-weak");
