/** `type: pipedrive`: persons, organizations, deals and logged mails in a Pipedrive company, each exactly once. Rules and limits: docs/crm/pipedrive.md. */
import { z } from "zod";
import type { DayBudget, Destination, Facts } from "../model/destination.ts";
import { apiVersion } from "./pipedrive/api.ts";
import { standardUrl } from "./pipedrive/auth.ts";
import { classify } from "./pipedrive/classify.ts";
import { maxNoteChars } from "./pipedrive/note.ts";
import { dedupeOf, openSession } from "./pipedrive/session.ts";
import { tells } from "./pipedrive/tells.ts";
import { allKept, baseUrl, liveReserve, secretWord } from "./shared/settings.ts";

const settings = z
  .strictObject({
    base_url: baseUrl("Pipedrive", standardUrl),
    token: secretWord("API token of a Pipedrive user (Personal preferences, API)").optional(),
    client_id: z
      .string()
      .regex(/^[!-~]{1,200}$/, "must be one printable word")
      .optional()
      .describe("In the place of token: the client id of your app in Pipedrive's Developer Hub."),
    client_secret: secretWord("With client_id: the app's client secret").optional(),
    refresh_token: secretWord(
      "With client_id: the refresh token of the grant to begin with; those that follow are kept sealed in the ledger",
    ).optional(),
    company_id: z
      .string()
      .regex(/^\w{1,40}$/, "must be the company's number")
      .optional()
      .describe("The company's number. When given, Mailwright refuses a token of any other company."),
    owner_id: z
      .int()
      .min(1)
      .optional()
      .describe("Number of the user who owns the records made; the token's user where it is not set."),
    activity_type: z
      .string()
      .regex(/^[a-z0-9_-]{1,100}$/i, "must be the key of an activity type")
      .default("email")
      .describe("Key of the activity type that mail is logged as. Every company can change its list; doctor shows it."),
    late_commit_ms: z
      .int()
      .min(0)
      .default(600_000)
      .describe("How long after a call's deadline Pipedrive may still carry it out, in ms."),
    search_lag_ms: z
      .int()
      .min(0)
      .default(900_000)
      .describe("How long Pipedrive's search may not show a change, in ms. Pipedrive names no figure."),
    calls_per_2_seconds: z
      .int()
      .min(1)
      .optional()
      .describe(
        "The most calls in two seconds. Left out, nine tenths of what Pipedrive's answers say (20 for Lite, 40 for Growth, 100 for Premium, 120 for Ultimate), and 18 until the first.",
      ),
    searches_per_2_seconds: z.int().min(1).default(8).describe("Searches in two seconds, of 10 on every plan."),
    tokens_per_day: z
      .int()
      .min(1)
      .optional()
      .describe(
        "Tokens that Mailwright may use a day, where Pipedrive's answers do not name what is left: 30,000 for each seat of Lite, times 2, 5, 7 for Growth, Premium, Ultimate. All programs of the company share them.",
      ),
    live_reserve_percent: liveReserve,
    reserve_tokens: z
      .int()
      .min(0)
      .default(0)
      .describe(
        "Tokens of the company's daily budget that are left to its other programs: with fewer, the lane waits. Works where Pipedrive's answers name what is left.",
      ),
  })
  .superRefine(({ token, client_id, client_secret, refresh_token, ...own }, context) => {
    const parts = { client_id, client_secret, refresh_token };
    const missing = Object.entries(parts).filter(([, value]) => value === undefined);
    const add = (message: string, path: string) => context.addIssue({ code: "custom", message, path: [path] });
    const { tokens_per_day: day = Number.POSITIVE_INFINITY, reserve_tokens, live_reserve_percent } = own;
    const kept = allKept(live_reserve_percent + (reserve_tokens / day) * 100, "reserve_tokens");
    if (kept !== undefined) add(kept, "live_reserve_percent");
    if (token !== undefined && missing.length < 3)
      add("give token, or client_id with its two others, not both", "token");
    if (token === undefined)
      for (const [name] of missing) add("give token, or client_id, client_secret and refresh_token", name);
  })
  .describe("Pipedrive.");
type Settings = z.infer<typeof settings>;

const limitsOf = (calls: number | undefined, searches: number): Facts["limits"] => [
  {
    budget: "default",
    calls: calls ?? 18,
    perMs: 2_000,
    fixed: calls !== undefined,
    share: calls === undefined ? 0.9 : 1,
  },
  { budget: "search", calls: searches, perMs: 2_000, fixed: true },
];
/** To midnight where Pipedrive's servers are, which is taken to be UTC. */
const dayOf = (most: number | undefined, liveReserve: number, units: number): DayBudget => ({
  unit: "tokens",
  most,
  renews: "utc",
  liveReserve,
  others: { units },
});

export const facts: Facts = {
  vendor: "pipedrive",
  docs: "https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting",
  checked: "2026-11-29",
  apiVersion,
  limits: limitsOf(undefined, 8),
  day: dayOf(undefined, 20, 0),
  maxBodyBytes: maxNoteChars,
  dedupe: Object.fromEntries(
    (["person", "company", "deal", "activity", "file"] as const).map((kind) => [kind, dedupeOf(kind)]),
  ),
  searchLagMs: 900_000,
  lateCommitMs: 600_000,
  // Which deal and organization a logged mail is on can be changed, its note too; of each there is room for one.
  can: {
    moveActivity: true,
    archive: true,
    linkForeignActivity: true,
    changeActivity: true,
    severalPeople: true,
    activityDeals: "one",
  },
  width: 6,
};

export const pipedrive: Destination<Settings> = {
  name: "pipedrive",
  facts,
  factsFor: (own) => ({
    ...facts,
    limits: limitsOf(own.calls_per_2_seconds, own.searches_per_2_seconds),
    day: dayOf(own.tokens_per_day, own.live_reserve_percent, own.reserve_tokens),
    searchLagMs: own.search_lag_ms,
    lateCommitMs: own.late_commit_ms,
  }),
  settings,
  classify,
  tells,
  // An app's access token is not here: it lives an hour, and pipedrive/auth.ts puts it on each call.
  reach: ({ base_url, token }) => ({
    baseUrl: base_url,
    headers: token === undefined ? {} : { "x-api-token": token },
  }),
  open: openSession,
};
