/** The list of sandboxes, sorted by name. A new one is a file beside this one and a line here. */
import { closeVendor } from "./close.ts";
import { hubspotVendor } from "./hubspot.ts";
import { pipedriveVendor } from "./pipedrive.ts";
import { salesforceVendor } from "./salesforce.ts";
import type { SandboxVendor } from "./sandbox.ts";
import { trytonVendor } from "./tryton.ts";
import { zohoVendor } from "./zoho.ts";

export const vendors: readonly SandboxVendor[] = [
  closeVendor,
  hubspotVendor,
  pipedriveVendor,
  salesforceVendor,
  trytonVendor,
  zohoVendor,
];
