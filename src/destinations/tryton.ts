/** `type: tryton`: parties, opportunities and notes in a Tryton database, each exactly once. Rules and limits: docs/crm/tryton.md. */
import { z } from "zod";
import type { Destination, Facts } from "../model/destination.ts";
import { baseUrl } from "./shared/settings.ts";
import { maxBodyChars } from "./shared/text.ts";
import { apiVersion } from "./tryton/api.ts";
import { classify } from "./tryton/classify.ts";
import { dedupes, openSession } from "./tryton/session.ts";

const number = (what: string) => z.int().min(1).describe(what);

const settings = z
  .strictObject({
    base_url: baseUrl("Tryton", "http://127.0.0.1:8000")
      .removeDefault()
      .describe("Where the Tryton server answers: https, or http on this host."),
    database: z
      .string()
      .regex(/^[\w.-]{1,63}$/, "must be a database's name: letters, digits, dots, dashes")
      .describe("The database, as it is named when you log in."),
    // A colon would end the name in the header that carries the session.
    user: z
      .string()
      .regex(/^[^:\p{Cc}]{1,200}$/u, "must be a login without colons")
      .describe("Login of the user that Mailwright works as: one of its own, whom nobody else uses."),
    password: z
      .string()
      .regex(/^[^\p{Cc}]{1,1000}$/u, "must be one line")
      .describe("The user's password (secret). Give it by reference to the environment or to a file, never in clear.")
      .meta({ secret: true }),
    company_id: number("Tryton's number of the company that opportunities belong to; else the user's own.").optional(),
    employee_id: number(
      "Employee of the opportunities that no mapping names an owner for; else the user's own.",
    ).optional(),
    relation: z
      .string()
      .regex(/^[^\p{Cc}]{1,100}$/u, "must be one line")
      .default("Works for")
      .describe("Type of the relation from a person to the company; doctor --fix makes it."),
    late_commit_ms: z
      .int()
      .min(0)
      .default(600_000)
      .describe("How long after a call's deadline Tryton may still carry it out, in ms."),
    calls_per_second: z.int().min(1).default(50).describe("Calls a second. Tryton itself has no limit."),
  })
  .describe("Tryton.");
type Settings = z.infer<typeof settings>;

const limitsOf = (calls: number): Facts["limits"] => [{ budget: "default", calls, perMs: 1_000 }];

export const facts: Facts = {
  vendor: "tryton",
  docs: "https://docs.tryton.org/projects/server/en/6.0/",
  checked: "2026-11-29",
  apiVersion,
  limits: limitsOf(50),
  maxBodyBytes: maxBodyChars,
  dedupe: dedupes,
  searchLagMs: 0,
  lateCommitMs: 600_000,
  // A note stands on one record. That of an opportunity leads on to its party and to its contact.
  can: {
    moveActivity: false,
    archive: true,
    linkForeignActivity: false,
    changeActivity: true,
    severalPeople: false,
    activityDeals: "one",
  },
  width: 4,
};

export const tryton: Destination<Settings> = {
  name: "tryton",
  facts,
  factsFor: (own) => ({ ...facts, limits: limitsOf(own.calls_per_second), lateCommitMs: own.late_commit_ms }),
  settings,
  classify,
  // The session is not here: it ends, and tryton/login.ts puts it on each call.
  reach: ({ base_url }) => ({ baseUrl: base_url, headers: {} }),
  open: openSession,
};
