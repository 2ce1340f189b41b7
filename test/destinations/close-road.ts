/** Close at the end of the road: its search lags, and it keeps nothing single. */
import { type CloseState, createCloseSandbox, sandboxKey } from "../../src/sandbox/close.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import type { RoadRig } from "./road.ts";

// The rig opens no other sandbox.
const stateOf = (sandbox: Sandbox): CloseState => sandbox.state() as CloseState;

export const closeRoad: RoadRig = {
  name: "close",
  settings: { api_key: sandboxKey },
  open: ({ clock, random }) => createCloseSandbox({ clock, random, options: { prepared: true, searchLagMs: 60_000 } }),
  tooMany: { kind: "status", status: 429, headers: { "retry-after": "5" }, body: "" },
  activities(sandbox) {
    const { emails, realMail } = stateOf(sandbox);
    if (realMail > 0) throw new Error("mail would have been sent to people");
    return emails.map(({ body_text, contact_id }) => ({
      text: String(body_text),
      people: contact_id === undefined ? 0 : 1,
    }));
  },
  people: (sandbox) =>
    stateOf(sandbox).contacts.flatMap(({ emails }) => (emails as { email: string }[]).map(({ email }) => email)),
};
