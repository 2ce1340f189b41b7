/** `type: acorn`: people, companies, deals and mails at Acorn, each exactly once. Rules and limits: docs/crm/acorn.md. */
import { z } from "zod";
import type { Destination, Facts } from "../model/destination.ts";
import { apiVersion, classify } from "./acorn/api.ts";
import { dedupes, openSession } from "./acorn/session.ts";
import { baseUrl, secretWord } from "./shared/settings.ts";
import { maxBodyChars } from "./shared/text.ts";

const settings = z
  .strictObject({
    base_url: baseUrl("Acorn", "https://api.acorn.example"),
    token: secretWord("Token of an Acorn account"),
  })
  .describe("Acorn.");
type Settings = z.infer<typeof settings>;

export const facts: Facts = {
  vendor: "acorn",
  docs: "https://acorn.example/docs/api",
  // The day on which you read that page last.
  checked: "2026-11-29",
  apiVersion,
  limits: [{ budget: "default", calls: 10, perMs: 1_000 }],
  maxBodyBytes: maxBodyChars,
  dedupe: dedupes,
  searchLagMs: 0,
  lateCommitMs: 600_000,
  can: {
    moveActivity: true,
    archive: true,
    linkForeignActivity: false,
    changeActivity: false,
    severalPeople: true,
    activityDeals: "none",
  },
  width: 4,
};

export const acorn: Destination<Settings> = {
  name: "acorn",
  facts,
  settings,
  classify,
  reach: ({ base_url, token }) => ({ baseUrl: base_url, headers: { authorization: `Bearer ${token}` } }),
  open: openSession,
};
