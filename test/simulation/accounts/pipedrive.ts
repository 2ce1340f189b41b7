/** Pipedrive in a world: nothing is single there, search lags, and people can take a person away or merge two. */
import { createPipedriveSandbox, sandboxToken } from "../../../src/sandbox/pipedrive.ts";
import type { Account, AccountPorts } from "./account.ts";

export function openPipedrive({ time, chance }: AccountPorts): Account {
  const draw = chance.split("account");
  const sandbox = createPipedriveSandbox({
    clock: time.trueClock("vendor"),
    random: chance.split("sandbox"),
    options: {
      prepared: true,
      searchLagMs: 60_000,
      limits: draw.flip(0.2) ? { burst: 20, searches: 10, dailyTokens: 30_000 } : "off",
      dailyHeaders: draw.flip(0.5),
      goneTarget: draw.pick(["reject", "accept"]),
      activitiesOf: draw.pick(["primary", "participants"]),
      readsDeleted: draw.flip(0.5),
      respellsNotes: draw.flip(0.5),
    },
  });
  const { actors } = sandbox;
  return {
    type: "pipedrive",
    settings: { token: sandboxToken },
    sandbox,
    tooMany: {
      kind: "status",
      status: 429,
      headers: { "x-ratelimit-reset": "2", "x-ratelimit-remaining": "0" },
      body: { success: false, error: "request over limit", errorCode: 429 },
    },
    mayStayUnknown: true,
    keepsPeopleSingle: false,
    refusesSender: false,
    activities: () =>
      sandbox
        .state()
        .activities.filter(({ deleted }) => !deleted)
        .map(({ id, own, links }) => {
          const note = String(own.note ?? "");
          return {
            id,
            subject: String(own.subject),
            text: note,
            from: /From: (?:[^<]*?&lt;)?([\w.+-]+@[\w.-]+)/.exec(note)?.[1] ?? null,
            people: [...new Set(links.persons)],
          };
        }),
    people: () =>
      sandbox.state().persons.map(({ id, own, deleted }) => ({
        id,
        email: String((own.emails as readonly { value: string }[])[0]?.value ?? ""),
        name: String(own.name),
        gone: deleted,
        all: JSON.stringify(own),
      })),
    hands: {
      add: (email, name) => String(actors.repAddsPerson({ email, name })),
      rename: (id, name) => actors.repEdits("persons", Number(id), { name }),
      remove: (id) => actors.repDeletes("persons", Number(id)),
      merge: (survivor, loser) => actors.repMergesPersons(Number(survivor), Number(loser)),
    },
  };
}
