/** `type: hubspot`: contacts, companies, deals and logged emails in a HubSpot account, each exactly once. Rules and limits: docs/crm/hubspot.md. */
import { z } from "zod";
import type { DayBudget, Dedupe, Destination, Facts } from "../model/destination.ts";
import { apiVersion } from "./hubspot/api.ts";
import { classify } from "./hubspot/classify.ts";
import { openSession } from "./hubspot/session.ts";
import { tells } from "./hubspot/tells.ts";
import { baseUrl, liveReserve, secretWord } from "./shared/settings.ts";
import { maxBodyChars } from "./shared/text.ts";

const settings = z
  .strictObject({
    base_url: baseUrl("HubSpot", "https://api.hubapi.com"),
    token: secretWord("Service key or private-app token"),
    portal_id: z
      .string()
      .regex(/^\d{1,20}$/, "must be the account's number")
      .optional()
      .describe("The account's number (Hub ID). When given, Mailwright refuses a token of any other account."),
    owner_id: z
      .string()
      .regex(/^\d{1,20}$/, "must be an owner's number")
      .optional()
      .describe("Owner of the records made: activities without one are missing in HubSpot's reports per owner."),
    html: z
      .boolean()
      .default(false)
      .describe(
        "Send the sender's HTML, as it was written, beside the mail's text. HubSpot cleans HTML before it shows it, but other programs that read it from there may not.",
      ),
    allow_missing_properties: z
      .boolean()
      .default(false)
      .describe(
        "Log mail even though doctor --fix was not run: doubles are then kept out by a marker in the text alone.",
      ),
    late_commit_ms: z
      .int()
      .min(0)
      .default(600_000)
      .describe("How long after a call's deadline HubSpot may still carry it out, in ms."),
    search_lag_ms: z
      .int()
      .min(0)
      .default(60_000)
      .describe("How long HubSpot's search may not show a new record, in ms."),
    calls_per_10_seconds: z
      .int()
      .min(1)
      .optional()
      .describe(
        "The most calls in 10 seconds. Left out, what HubSpot's answers say (100 for Free and Starter, 190 for Professional and Enterprise), and 100 until the first.",
      ),
    search_calls_per_second: z
      .int()
      .min(1)
      .default(4)
      .describe("Searches a second, of the 5 that all apps of the account share."),
    live_reserve_percent: liveReserve,
  })
  .describe("HubSpot.");
type Settings = z.infer<typeof settings>;

const unique: Dedupe = { tier: "unique-key", absenceProvable: true };

/** Its answers tell how many calls a day has; it begins at midnight where the account is. */
const dayOf = (liveReserve: number): DayBudget => ({ unit: "calls", most: undefined, renews: "unsaid", liveReserve });

export const facts: Facts = {
  vendor: "hubspot",
  docs: "https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines",
  checked: "2026-11-24",
  apiVersion,
  limits: [
    { budget: "default", calls: 100, perMs: 10_000 },
    { budget: "search", calls: 4, perMs: 1_000, fixed: true },
  ],
  day: dayOf(20),
  maxBodyBytes: maxBodyChars,
  dedupe: { person: unique, company: unique, deal: unique, activity: unique, file: unique },
  searchLagMs: 60_000,
  lateCommitMs: 600_000,
  // A logged email keeps its associations editable, but its text and time stay; other programs' records can be associated.
  can: {
    moveActivity: true,
    archive: true,
    linkForeignActivity: true,
    changeActivity: true,
    severalPeople: true,
    activityDeals: "several",
  },
  width: 10,
};

export const hubspot: Destination<Settings> = {
  name: "hubspot",
  facts,
  factsFor: (own) => ({
    ...facts,
    limits: [
      {
        budget: "default",
        calls: own.calls_per_10_seconds ?? 100,
        perMs: 10_000,
        fixed: own.calls_per_10_seconds !== undefined,
      },
      { budget: "search", calls: own.search_calls_per_second, perMs: 1_000, fixed: true },
    ],
    day: dayOf(own.live_reserve_percent),
    searchLagMs: own.search_lag_ms,
    lateCommitMs: own.late_commit_ms,
  }),
  settings,
  classify,
  tells,
  // A static token. OAuth will hand its access token to the wire in the same header (docs/crm/hubspot.md, The token).
  reach: ({ base_url, token }) => ({ baseUrl: base_url, headers: { authorization: `Bearer ${token}` } }),
  open: openSession,
};
