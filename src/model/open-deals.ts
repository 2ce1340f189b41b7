/** What every CRM means by the open deals that a mail is logged on. */
import type { OpenDealChoice } from "./mapping.ts";

export const openDealCounts: Readonly<Record<OpenDealChoice, number>> = { newest: 1, recent_five: 5 };

/** For the story of the message: which they were is decided at the CRM, in the moment in which the mail is logged. */
export const openDealsNote = (ids: readonly string[]): string =>
  `logged on ${ids.length === 1 ? "the contact's open deal" : `${ids.length} open deals of the contact:`} ${ids.join(", ")}`;
