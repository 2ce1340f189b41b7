/** Tryton in a world: people are single by their code, all else is found again; sessions end, and parties are replaced. */
import { createTrytonSandbox, sandboxLogin } from "../../../src/sandbox/tryton.ts";
import type { Account, AccountPorts } from "./account.ts";

/** The company whose database it is. */
const own = "1";

export function openTryton({ time, chance }: AccountPorts): Account {
  const draw = chance.split("account");
  const sandbox = createTrytonSandbox({
    clock: time.trueClock("vendor"),
    random: chance.split("sandbox"),
    options: { prepared: true, employees: [], sessionMs: draw.pick([900_000, 30 * 24 * 3_600_000]) },
  });
  const { actors } = sandbox;
  const partyOf = (resource: unknown): string[] => {
    const [model, id = ""] = String(resource).split(",");
    return model === "party.party" ? [id] : [];
  };
  return {
    type: "tryton",
    settings: { base_url: "http://tryton.test", ...sandboxLogin },
    sandbox,
    tooMany: { kind: "status", status: 429, headers: {}, body: "" },
    // Its notes carry a marker and no unique key: of two calls without an answer nobody knows.
    mayStayUnknown: true,
    keepsPeopleSingle: true,
    refusesSender: false,
    activities: () =>
      sandbox.state().notes.map(({ id, values }) => {
        const text = String(values.message);
        return {
          id,
          subject: text.split("\n")[0] ?? "",
          // Below the lines that say who wrote to whom.
          text: text.slice(text.indexOf("\n\n") + 2),
          from: /^From: (?:.*<)?([\w.+-]+@[\w.-]+)>?$/m.exec(text)?.[1] ?? null,
          people: partyOf(values.resource),
        };
      }),
    people: () =>
      sandbox
        .state()
        .parties.filter(({ id }) => id !== own)
        .map(({ id, values }) => ({
          id,
          email: String(values.email ?? ""),
          name: String(values.name),
          gone: values.active === false,
          all: JSON.stringify(values),
        })),
    hands: {
      add: (email, name) => actors.personAddsParty({ email, name }),
      rename: (id, name) => actors.personEdits("party.party", id, { name }),
      remove: (id) => actors.personEdits("party.party", id, { active: false }),
      merge: (survivor, loser) => actors.personReplacesParty(loser, survivor),
    },
  };
}
