/** `type: zoho`: contacts or leads, accounts, deals and associated mails in a Zoho CRM organisation. Rules and limits: docs/crm/zoho.md. */
import { z } from "zod";
import type { DayBudget, Dedupe, Destination, Facts } from "../model/destination.ts";
import { baseUrl, liveReserve, secretWord } from "./shared/settings.ts";
import { apiVersion } from "./zoho/api.ts";
import { maxContentChars } from "./zoho/bodies.ts";
import { classify } from "./zoho/classify.ts";
import { dataCenters, hostsOf } from "./zoho/hosts.ts";
import { openSession } from "./zoho/session.ts";
import { tells } from "./zoho/tells.ts";

const id = (what: string) => z.string().regex(/^\d{1,25}$/, `must be ${what} number`);

const settings = z
  .strictObject({
    data_center: z
      .enum(dataCenters)
      .default("com")
      .describe(
        "Where the organisation is, by the end of the address at which you use Zoho CRM (crm.zoho.eu: eu). It decides the hosts of accounts and API.",
      ),
    base_url: baseUrl("Zoho", "https://www.zohoapis.com")
      .removeDefault()
      .optional()
      .describe(
        "Only for the sandbox or a proxy: where both the accounts server and the API are then, whatever the data center.",
      ),
    client_id: z
      .string()
      .regex(/^[!-~]{1,200}$/, "must be one printable word")
      .describe("The client's id, from Zoho's API console."),
    client_secret: secretWord("The client's secret"),
    refresh_token: secretWord("The refresh token of the grant"),
    org_id: id("the organisation's")
      .optional()
      .describe("The organisation's number. When given, Mailwright refuses a grant of any other one."),
    owner_id: id("a user's")
      .optional()
      .describe("Owner of the records made, by the user's number; else the user of the grant."),
    workflows: z
      .boolean()
      .default(true)
      .describe(
        "Whether workflows, approvals and blueprints of the organisation run for the records that Mailwright makes.",
      ),
    closing_days: z
      .int()
      .min(0)
      .max(3_650)
      .default(30)
      .describe("A new deal is expected to close so many days later: Zoho wants a date."),
    allow_missing_fields: z
      .boolean()
      .default(false)
      .describe(
        "Log mail even though doctor --fix was not run: after a lost answer a new contact or account then becomes a dead letter.",
      ),
    late_commit_ms: z
      .int()
      .min(0)
      .default(600_000)
      .describe("How long after a call's deadline Zoho may still carry it out, in ms."),
    search_lag_ms: z.int().min(0).default(60_000).describe("How long Zoho's index may not show a new record, in ms."),
    credits_per_day: z
      .int()
      .min(1)
      .default(50_000)
      .describe(
        "Credits that Mailwright may use in 24 hours: 5,000 is all that the Free edition has, 50,000 the least of the others. All apps share them.",
      ),
    live_reserve_percent: liveReserve,
  })
  .describe("Zoho CRM.");
type Settings = z.infer<typeof settings>;

const unique: Dedupe = { tier: "unique-key", absenceProvable: true };

/** Zoho's answers seldom tell what is left: counted here, by the hour, over the last 24. */
const dayOf = (credits: number, liveReserve: number): DayBudget => ({
  unit: "credits",
  most: credits,
  renews: "rolling",
  liveReserve,
});

export const facts: Facts = {
  vendor: "zoho",
  docs: "https://www.zoho.com/crm/developer/docs/api/v8/api-limits.html",
  checked: "2026-11-29",
  apiVersion,
  // Calls in flight are what Zoho limits, and credits of a day.
  limits: [],
  day: dayOf(50_000, 20),
  maxBodyBytes: maxContentChars,
  dedupe: { person: unique, company: unique, deal: unique, activity: unique },
  searchLagMs: 60_000,
  lateCommitMs: 600_000,
  // What associate_email took can be put on more records, and neither changed nor taken off one.
  can: {
    moveActivity: false,
    archive: true,
    linkForeignActivity: false,
    changeActivity: false,
    severalPeople: true,
    activityDeals: "one",
  },
  // Calls in flight are limited, from 5 on, for all apps of the organisation together.
  width: 4,
};

export const zoho: Destination<Settings> = {
  name: "zoho",
  facts,
  factsFor: (own) => ({
    ...facts,
    day: dayOf(own.credits_per_day, own.live_reserve_percent),
    searchLagMs: own.search_lag_ms,
    lateCommitMs: own.late_commit_ms,
  }),
  settings,
  classify,
  tells,
  // The token is not here: it lives an hour, and zoho/api.ts puts it on each call.
  reach: ({ base_url, data_center }) => ({ baseUrl: base_url ?? hostsOf(data_center).api, headers: {} }),
  open: openSession,
};
