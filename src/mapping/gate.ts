/** What a mail may make at a CRM, by how sure it is who sent it. */
import type { TrustReasonCode } from "../model/event/trust-reasons.ts";
import { type CanonicalEvent, type TrustLevel, trustLevels } from "../model/event.ts";
import type { SureLevel } from "../model/mapping.ts";
import type { Mapping } from "./plan.ts";

export const atLeast = (level: TrustLevel, wanted: TrustLevel): boolean =>
  trustLevels.indexOf(level) >= trustLevels.indexOf(wanted);

/** Nothing at all by a suspicious one. */
export const mayMakeContact = (trust: TrustLevel, { createContact }: Pick<Mapping, "createContact">): boolean =>
  trust !== "suspicious" && atLeast(trust, createContact);

/** What takes a mail that DMARC passed off `verified` takes it off a person's trust too: that was given to the sender, and this is about the mail. */
const doubts: ReadonlySet<string> = new Set<TrustReasonCode>(["message_id_conflict", "reply_to_elsewhere"]);

/**
 * A company and a deal only by a sender who is sure: nobody sees at a glance that one was made by a forged mail, and others hang on them. That a
 * person trusts a sender is bound to the domain that vouched for him, and shows in the reasons where that vouched again.
 */
export function isSure({ auth }: CanonicalEvent, wanted: SureLevel = "trusted"): boolean {
  switch (wanted) {
    case "verified":
      return auth.trust === "verified";
    case "trusted":
      return (
        auth.trust === "verified" ||
        (auth.trust === "aligned-weak" &&
          auth.reasons.some(({ code }) => code === "sender_trusted") &&
          !auth.reasons.some(({ code }) => doubts.has(code)))
      );
    case "aligned-weak":
      return atLeast(auth.trust, "aligned-weak");
    default:
      return wanted satisfies never;
  }
}

/** Whether a colleague's word for who wrote something counts: only where it is sure that a colleague said it. */
export const vouches = (trust: TrustLevel): boolean => atLeast(trust, "aligned-weak");
