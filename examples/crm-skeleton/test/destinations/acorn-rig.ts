/** An Acorn session on a sandbox in process, as the contract suite wants it. */
import { acorn } from "../../src/destinations/acorn.ts";
import type { StepKind } from "../../src/model/step.ts";
import { createAcornSandbox, sandboxToken } from "../../src/sandbox/acorn.ts";
import { wireTo } from "../../src/sandbox/wire.ts";
import type { VendorRig } from "./contract.ts";
import { manualClock, portsFor, recordingLog } from "./fixtures.ts";

const objects = { person: "people", company: "companies", deal: "deals", activity: "mails" } as const;

export function acornRig(): VendorRig {
  const clock = manualClock();
  const sandbox = createAcornSandbox({ clock });
  const { log, lines } = recordingLog();
  const settings = acorn.settings.parse({ token: sandboxToken });
  const wire = wireTo({ sandbox, clock, headers: acorn.reach(settings)?.headers ?? {} });
  const live = (kind: keyof typeof objects) => sandbox.state()[objects[kind]].filter(({ archived }) => !archived);
  const field = (kind: keyof typeof objects, id: string, name: string): string | undefined => {
    const value = sandbox.state()[objects[kind]].find((record) => record.id === id)?.[name];
    return typeof value === "string" ? value : undefined;
  };
  return {
    facts: acorn.facts,
    session: acorn.open(settings, portsFor(clock, wire, undefined, log)),
    lines,
    count: async (kind: StepKind) => live(kind as keyof typeof objects).length,
    someoneAddsContact: async (email, name) => sandbox.addPerson(email, name),
    someoneMovesDeal: async (id, stage) => sandbox.edit("deals", id, "stage", stage),
    stageOf: async (id) => field("deal", id, "stage"),
    contactName: async (id) => field("person", id, "name"),
    textOf: async (id) => field("activity", id, "text") ?? "",
    filesOf: async (id) => field("activity", id, "text") ?? "",
    async linksOf(id) {
      const mail = live("activity").find((record) => record.id === id);
      return [mail?.person_ids ?? [], mail?.company_id ?? []].flat().map(String);
    },
    weather: {
      secret: sandboxToken,
      loseAnswer: (kind, how) =>
        sandbox.faults.plan({
          route: `${objects[kind]}.create`,
          fault: how === "drop" ? { kind: "commit_then_drop" } : { kind: "commit_then_status", status: 504 },
        }),
      loseChange: () => undefined,
      someoneEdits: () => undefined,
      failRead: () => sandbox.faults.plan({ route: "people.list", fault: { kind: "status", status: 502 } }),
      revokeToken: () => sandbox.revoke(),
      limitNext() {
        sandbox.faults.plan({ route: "*", fault: { kind: "status", status: 429, headers: { "retry-after": "7" } } });
        return clock.now() + 7_000;
      },
      refuseActivity: (error) =>
        sandbox.faults.plan({ route: "mails.create", fault: { kind: "status", status: 400, body: { error } } }),
    },
    close: async () => undefined,
  };
}
