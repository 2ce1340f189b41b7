/** `type: salesforce`: contacts or leads, accounts, opportunities and logged mails in a Salesforce org, each exactly once. Rules and limits: docs/crm/salesforce.md. */
import { z } from "zod";
import type { DayBudget, Dedupe, Destination, Facts } from "../model/destination.ts";
import { apiVersion } from "./salesforce/api.ts";
import { classify } from "./salesforce/classify.ts";
import { openSession } from "./salesforce/session.ts";
import { tells } from "./salesforce/usage.ts";
import { allKept, baseUrl, liveReserve, secretWord } from "./shared/settings.ts";
import { maxBodyChars } from "./shared/text.ts";

const settings = z
  .strictObject({
    base_url: baseUrl("Salesforce", "https://login.salesforce.com").describe(
      "The org's My Domain: https://NAME.my.salesforce.com. Change it for the sandbox or a proxy; loopback and private addresses are allowed.",
    ),
    client_id: z
      .string()
      .regex(/^[!-~]{1,500}$/, "must be one printable word")
      .describe("Consumer key of the External Client App."),
    client_secret: secretWord("Consumer secret of the app: signs in as the run-as user that the app names").optional(),
    username: z
      .string()
      .regex(/^[!-~]{1,500}$/, "must be one printable word")
      .optional()
      .describe("With private_key: the user whom the daemon works as, by the Username, which looks like an address."),
    private_key: z
      .string()
      .max(20_000)
      .regex(/^-----BEGIN [A-Z ]*PRIVATE KEY-----\s/, "must be a private key as PEM")
      .optional()
      .describe(
        "Signs in without a secret of the app (RFC 7523): the private key as PEM whose certificate the app has (secret). Give it by reference to a file, never in clear.",
      )
      .meta({ secret: true }),
    audience: z
      .url({ protocol: /^https$/, error: "an https: URL" })
      .default("https://login.salesforce.com")
      .describe("With private_key: the login host; https://test.salesforce.com for a sandbox of Salesforce's."),
    owner_id: z
      .string()
      .regex(/^005[0-9A-Za-z]{12}(?:[A-Z0-5]{3})?$/, "must be a user's id, which begins with 005")
      .optional()
      .describe(
        "Owner of the contacts, leads, accounts and opportunities made; else they are the user's who signs in.",
      ),
    html: z
      .boolean()
      .default(false)
      .describe("Send the sender's HTML, as it was written, beside the mail's text: Salesforce shows it instead."),
    close_days: z
      .int()
      .min(1)
      .max(3_650)
      .default(90)
      .describe("Close date of a new opportunity, which Salesforce requires: so many days from now."),
    synced_mail: z
      .enum(["take", "ignore"])
      .default("take")
      .describe(
        "A mail that Einstein Activity Capture or Email-to-Case has logged already: take it, or log it a second time. Taking costs one call more for each mail.",
      ),
    pass_duplicate_alerts: z
      .boolean()
      .default(false)
      .describe("Save what a duplicate rule only warns of. A rule that blocks is a dead letter either way."),
    daily_reserve_percent: z
      .int()
      .min(0)
      .max(99)
      .default(10)
      .describe("Part of the org's API calls of a day that is left to its other apps, in percent."),
    live_reserve_percent: liveReserve,
    calls_per_second: z.int().min(1).default(20).describe("Calls a second; Salesforce names no such limit."),
    late_commit_ms: z
      .int()
      .min(0)
      .default(600_000)
      .describe("How long after a call's deadline Salesforce may still carry it out, in ms."),
  })
  .superRefine(({ client_secret, username, private_key, daily_reserve_percent, live_reserve_percent }, context) => {
    const message = allKept(daily_reserve_percent + live_reserve_percent, "daily_reserve_percent");
    if (message !== undefined) context.addIssue({ code: "custom", message, path: ["live_reserve_percent"] });
    const withKey = private_key !== undefined;
    if (withKey === (client_secret !== undefined)) {
      const message = withKey
        ? "give client_secret or private_key, not both"
        : "give client_secret, or username and private_key";
      context.addIssue({ code: "custom", message, path: [withKey ? "client_secret" : "client_id"] });
    }
    if (withKey && username === undefined)
      context.addIssue({
        code: "custom",
        message: "with private_key the daemon signs in as a user: give username",
        path: ["private_key"],
      });
  })
  .describe("Salesforce.");
type Settings = z.infer<typeof settings>;

const unique: Dedupe = { tier: "unique-key", absenceProvable: true };

/** Every answer tells how many calls the org has used and may use in 24 hours. */
const dayOf = (liveReserve: number, percent: number): DayBudget => ({
  unit: "calls",
  most: undefined,
  renews: "unsaid",
  liveReserve,
  others: { percent },
});

export const facts: Facts = {
  vendor: "salesforce",
  docs: "https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/intro_rest.htm",
  checked: "2026-11-29",
  apiVersion,
  limits: [{ budget: "default", calls: 20, perMs: 1_000, fixed: true }],
  day: dayOf(20, 10),
  maxBodyBytes: maxBodyChars,
  dedupe: { person: unique, company: unique, deal: unique, activity: unique, file: unique },
  // SOQL reads what is committed.
  searchLagMs: 0,
  lateCommitMs: 600_000,
  can: {
    // RelatedToId cannot be changed on a mail that is no draft; our own field with its list of files can.
    moveActivity: false,
    archive: true,
    linkForeignActivity: true,
    changeActivity: true,
    severalPeople: true,
    activityDeals: "one",
  },
  width: 8,
};

export const salesforce: Destination<Settings> = {
  name: "salesforce",
  facts,
  factsFor: (own) => ({
    ...facts,
    limits: [{ budget: "default", calls: own.calls_per_second, perMs: 1_000, fixed: true }],
    day: dayOf(own.live_reserve_percent, own.daily_reserve_percent),
    lateCommitMs: own.late_commit_ms,
  }),
  settings,
  classify,
  tells,
  // The session goes with each call: it changes.
  reach: ({ base_url }) => ({ baseUrl: base_url, headers: {} }),
  open: openSession,
};
