/** Tryton at the end of the road: it has no limits and no lag, and keeps people alone single. */
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { createTrytonSandbox, sandboxLogin, type TrytonState } from "../../src/sandbox/tryton.ts";
import type { RoadRig } from "./road.ts";

// The rig opens no other sandbox.
const stateOf = (sandbox: Sandbox): TrytonState => sandbox.state() as TrytonState;

export const trytonRoad: RoadRig = {
  name: "tryton",
  settings: { base_url: "http://tryton.test", ...sandboxLogin },
  open: ({ clock, random }) => createTrytonSandbox({ clock, random, options: { prepared: true, employees: [] } }),
  tooMany: { kind: "status", status: 429, headers: { "retry-after": "5" }, body: "" },
  activities: (sandbox) => stateOf(sandbox).notes.map(({ values }) => ({ text: String(values.message), people: 1 })),
  people: (sandbox) =>
    stateOf(sandbox)
      .mechanisms.filter(({ values }) => values.type === "email")
      .map(({ values }) => String(values.value)),
};
