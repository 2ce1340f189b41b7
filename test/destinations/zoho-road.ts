/** Zoho at the end of the road, with an index that lags and limits of its own. */
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import type { SandboxState } from "../../src/sandbox/zoho/state.ts";
import { createZohoSandbox, sandboxClient } from "../../src/sandbox/zoho.ts";
import type { RoadRig } from "./road.ts";

// The rig opens no other sandbox.
const stateOf = (sandbox: Sandbox): SandboxState => sandbox.state() as SandboxState;

export const zohoRoad: RoadRig = {
  name: "zoho",
  settings: sandboxClient,
  open: ({ clock, random }) =>
    createZohoSandbox({ clock, random, options: { prepared: true, searchLagMs: 30_000, coqlLags: true } }),
  tooMany: {
    kind: "status",
    status: 429,
    headers: {},
    body: { code: "TOO_MANY_REQUESTS", message: "Rate limit exceeded.", status: "error", details: {} },
  },
  // A mail that is twice on a record counts as two.
  activities: (sandbox) =>
    stateOf(sandbox).Emails.flatMap(({ content, on, times }) => {
      const people = on.filter((place) => /^(Contacts|Leads)\//.test(place)).length;
      return Array.from({ length: Math.max(...times) }, () => ({ text: content, people }));
    }),
  people: (sandbox) =>
    [...stateOf(sandbox).Contacts, ...stateOf(sandbox).Leads]
      .filter(({ archived }) => !archived)
      .map(({ values }) => String(values.Email ?? "")),
};
