/** The vendors whose open questions can be put to a live account, sorted by name. */
import { closeProbes } from "./close.ts";
import { hubspotProbes } from "./hubspot.ts";
import type { ProbedVendor } from "./lab.ts";
import { pipedriveProbes } from "./pipedrive.ts";
import { salesforceProbes } from "./salesforce.ts";
import { zohoProbes } from "./zoho.ts";

export const probedVendors: readonly ProbedVendor[] = [
  closeProbes,
  hubspotProbes,
  pipedriveProbes,
  salesforceProbes,
  zohoProbes,
];
