/** `type: close`: contacts, leads, opportunities and logged e-mails in a Close organization, each exactly once. Rules and limits: docs/crm/close.md. */
import { z } from "zod";
import type { Destination, Facts } from "../model/destination.ts";
import { apiVersion } from "./close/api.ts";
import { classify } from "./close/classify.ts";
import { dedupes, openSession } from "./close/session.ts";
import { baseUrl, secretWord } from "./shared/settings.ts";
import { maxBodyChars } from "./shared/text.ts";

const settings = z
  .strictObject({
    base_url: baseUrl("Close", "https://api.close.com"),
    api_key: secretWord("API key of a Close user"),
    organization_id: z
      .string()
      .regex(/^orga_\w{1,100}$/, "must be an organization's id (orga_...)")
      .optional()
      .describe("The organization. When given, Mailwright refuses a key of any other one."),
    user_id: z
      .string()
      .regex(/^user_\w{1,100}$/, "must be a user's id (user_...)")
      .optional()
      .describe("Whom logged e-mails and opportunities belong to; left out, it is the key's own user."),
    html: z.boolean().default(false).describe("Send the sender's HTML, as it was written, beside the mail's text."),
    late_commit_ms: z
      .int()
      .min(0)
      .default(600_000)
      .describe("How long after a call's deadline Close may still carry it out, in ms."),
    search_lag_ms: z
      .int()
      .min(0)
      .default(120_000)
      .describe("How long Close's search may not show a new contact, in ms. Close names no figure."),
    calls_per_second: z.int().min(1).default(10).describe("Calls a second, searches apart. Close names no figure."),
    search_calls_per_second: z.int().min(1).default(4).describe("Searches a second. Close names no figure."),
  })
  .describe("Close.");
type Settings = z.infer<typeof settings>;

const limitsOf = (calls: number, searches: number): Facts["limits"] => [
  { budget: "default", calls, perMs: 1_000 },
  { budget: "search", calls: searches, perMs: 1_000 },
];

export const facts: Facts = {
  vendor: "close",
  docs: "https://developer.close.com/api/overview/rate-limits",
  checked: "2026-11-24",
  apiVersion,
  limits: limitsOf(10, 4),
  maxBodyBytes: maxBodyChars,
  dedupe: dedupes,
  searchLagMs: 120_000,
  lateCommitMs: 600_000,
  // A logged e-mail cannot be changed; it stands on one contact and its lead, where all of the lead's opportunities are.
  can: {
    moveActivity: false,
    archive: true,
    linkForeignActivity: false,
    changeActivity: false,
    severalPeople: false,
    activityDeals: "none",
  },
  width: 8,
};

export const close: Destination<Settings> = {
  name: "close",
  facts,
  factsFor: (own) => ({
    ...facts,
    limits: limitsOf(own.calls_per_second, own.search_calls_per_second),
    searchLagMs: own.search_lag_ms,
    lateCommitMs: own.late_commit_ms,
  }),
  settings,
  classify,
  // HTTP Basic: the key as user, no password.
  reach: ({ base_url, api_key }) => ({
    baseUrl: base_url,
    headers: { authorization: `Basic ${Buffer.from(`${api_key}:`).toString("base64")}` },
  }),
  open: openSession,
};
