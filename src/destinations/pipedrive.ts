/** `type: pipedrive`: persons, organizations, deals and logged mails in a Pipedrive company, each exactly once. Rules and limits: docs/crm/pipedrive.md. */
import { z } from "zod";
import type { Destination, Facts } from "../model/destination.ts";
import { apiVersion } from "./pipedrive/api.ts";
import { classify } from "./pipedrive/classify.ts";
import { maxNoteChars } from "./pipedrive/note.ts";
import { dedupeOf, openSession } from "./pipedrive/session.ts";
import { baseUrl, secretWord } from "./shared/settings.ts";

const settings = z
  .strictObject({
    base_url: baseUrl("Pipedrive", "https://api.pipedrive.com"),
    token: secretWord("API token of a Pipedrive user (Personal preferences, API)"),
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
      .default(18)
      .describe(
        "The token's burst limit: 20 for Lite, 40 for Growth, 100 for Premium, 120 for Ultimate; leave some to others.",
      ),
    searches_per_2_seconds: z.int().min(1).default(8).describe("Searches in two seconds, of 10 on every plan."),
    reserve_tokens: z
      .int()
      .min(0)
      .default(0)
      .describe(
        "Tokens of the company's daily budget that are left to its other programs: with fewer, the lane waits. Works where Pipedrive's answers name what is left.",
      ),
  })
  .describe("Pipedrive.");
type Settings = z.infer<typeof settings>;

const limitsOf = (calls: number, searches: number): Facts["limits"] => [
  { budget: "default", calls, perMs: 2_000 },
  { budget: "search", calls: searches, perMs: 2_000 },
];

export const facts: Facts = {
  vendor: "pipedrive",
  docs: "https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting",
  checked: "2026-11-29",
  apiVersion,
  limits: limitsOf(18, 8),
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
    searchLagMs: own.search_lag_ms,
    lateCommitMs: own.late_commit_ms,
  }),
  settings,
  classify,
  reach: ({ base_url, token }) => ({ baseUrl: base_url, headers: { "x-api-token": token } }),
  open: openSession,
};
