/** Pipedrive at the end of the road, with its limits of the smallest plan and a search that lags. */
import { createPipedriveSandbox, type SandboxState, sandboxToken } from "../../src/sandbox/pipedrive.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import type { RoadRig } from "./road.ts";

// The rig opens no other sandbox.
const stateOf = (sandbox: Sandbox): SandboxState => sandbox.state() as SandboxState;

export const pipedriveRoad: RoadRig = {
  name: "pipedrive",
  settings: { token: sandboxToken },
  open: ({ clock, random }) =>
    createPipedriveSandbox({ clock, random, options: { prepared: true, searchLagMs: 60_000 } }),
  tooMany: {
    kind: "status",
    status: 429,
    headers: { "x-ratelimit-reset": "2", "x-ratelimit-remaining": "0" },
    body: { success: false, error: "request over limit", errorCode: 429 },
  },
  activities: (sandbox) =>
    stateOf(sandbox)
      .activities.filter(({ deleted }) => !deleted)
      .map(({ own, links }) => ({ text: String(own.note ?? ""), people: links.persons.length })),
  people: (sandbox) =>
    stateOf(sandbox)
      .persons.filter(({ deleted }) => !deleted)
      .map(({ own }) => String((own.emails as readonly { value: string }[])[0]?.value ?? "")),
};
