/** HubSpot at the end of the road, where its emails take no unique key: the harder way. */
import { createHubspotSandbox, type SandboxState, sandboxToken } from "../../src/sandbox/hubspot.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import type { RoadRig } from "./road.ts";

// The rig opens no other sandbox.
const stateOf = (sandbox: Sandbox): SandboxState => sandbox.state() as SandboxState;

export const hubspotRoad: RoadRig = {
  name: "hubspot",
  settings: { token: sandboxToken },
  open: ({ clock, random }) =>
    createHubspotSandbox({ clock, random, options: { prepared: true, emailsUnique: "no", searchLagMs: 30_000 } }),
  tooMany: {
    kind: "status",
    status: 429,
    body: { status: "error", policyName: "TEN_SECONDLY_ROLLING", message: "You have reached your limit." },
  },
  activities: (sandbox) =>
    stateOf(sandbox)
      .emails.filter(({ archived }) => !archived)
      .map(({ properties, associations }) => ({
        text: properties.hs_email_text ?? "",
        people: associations.contacts?.length ?? 0,
      })),
  people: (sandbox) =>
    stateOf(sandbox)
      .contacts.filter(({ archived }) => !archived)
      .map(({ properties }) => properties.email ?? ""),
};
