/** The vendors whose sandboxes a year can end at. A new one is a file and a line here. */
import type { Clock } from "../../src/model/ports.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { closeYear } from "./close.ts";
import { hubspotYear } from "./hubspot.ts";
import { pipedriveYear } from "./pipedrive.ts";

import { salesforceYear } from "./salesforce.ts";

import type { There } from "./there.ts";
import { trytonYear } from "./tryton.ts";
import { zohoYear } from "./zoho.ts";

export interface YearVendor {
  /** The `type:` of the destination, and its id. */
  readonly name: string;
  /** As after `doctor --fix`, without limits and without search lag: the story's time leaps. */
  open(clock: Clock): Sandbox;
  /** Of the destination, beside id and type. */
  settings(url: string): Readonly<Record<string, unknown>>;
  there(sandbox: Sandbox, words: YearWords): There;
  /** A person writes into a deal what it is worth. */
  worth?(sandbox: Sandbox, deal: string, amount: string): void;
}

/** For a CRM that holds our keys and not our words. */
export interface YearWords {
  /** The event of the activity whose key begins with these 16 digits, as they stand in a marker. */
  eventOf(marker: string): string;
  /** Of all companies of the story. */
  readonly domains: readonly string[];
}

export const yearVendors: readonly YearVendor[] = [
  closeYear,
  hubspotYear,
  pipedriveYear,
  salesforceYear,
  trytonYear,
  zohoYear,
];
