/** HubSpot in a world: the in-process sandbox, its bad days, and the people who work in the same account. */
import { createHubspotSandbox, type HubspotSandbox } from "../../src/sandbox/hubspot.ts";
import type { Chance } from "./chance.ts";
import type { VirtualTime } from "./clock.ts";
import { blockedSender } from "./mails.ts";
import type { Weather } from "./weather.ts";

export interface Vendor {
  readonly sandbox: HubspotSandbox;
  /** First names that people gave: nobody else may change them. */
  readonly namesByHand: ReadonlyMap<string, string>;
  storm(): void;
  calm(): void;
  /** The token is refused for the next calls. */
  refuseToken(calls: number): void;
  /** A person does something to the account. Answers what, or undefined when there was nothing to do. */
  human(): string | undefined;
}

export function openVendor(weather: Weather, time: VirtualTime, chance: Chance): Vendor {
  const options = { ...weather.account, prepared: true, blocklist: [blockedSender], searchLagMs: 30_000 };
  const sandbox = createHubspotSandbox({ clock: time.trueClock("vendor"), random: chance.split("sandbox"), options });
  const namesByHand = new Map<string, string>();
  const hands = chance.split("hands");

  function contact(): { id: string; email: string } | undefined {
    const live = sandbox.state().contacts.filter(({ archived }) => !archived);
    if (live.length === 0) return undefined;
    const { id, properties } = hands.pick(live);
    return { id, email: properties.email ?? "" };
  }

  return {
    sandbox,
    namesByHand,
    storm() {
      const { http } = weather;
      const by = (
        route: string,
        probability: number,
        fault: Parameters<typeof sandbox.faults.plan>[0]["fault"],
      ): void => {
        if (probability > 0) sandbox.faults.plan({ route, probability, fault });
      };
      by("*", http.drop, { kind: "drop" });
      by("*.create", http.lostAnswer, { kind: "commit_then_drop" });
      by("*.create", http.edgeError, { kind: "commit_then_status", status: chance.pick([502, 504, 524]) });
      by("*", http.edgeError / 4, { kind: "commit_then_status", status: 504 });
      by("*", http.serverError, { kind: "status", status: chance.pick([500, 503]) });
      by("*", http.tooMany, { kind: "status", status: 429, headers: chance.flip(0.5) ? { "retry-after": "7" } : {} });
      by("*.create", http.locked, { kind: "status", status: 423 });
      by("*.create", http.garbled, { kind: "commit_then_truncate" });
      by("*.create", http.slowCommit, { kind: "slow_commit", ms: chance.between(20_000, 400_000) });
      by("*", http.slowAnswer, { kind: "slow_answer", ms: chance.between(1_000, 45_000) });
    },
    calm: () => sandbox.faults.clear(),
    refuseToken(calls) {
      sandbox.faults.plan({ route: "*", nth: 1, times: calls, fault: { kind: "status", status: 401 } });
    },
    human() {
      const { actors } = sandbox;
      const found = contact();
      switch (hands.between(0, 3)) {
        case 0: {
          const email = hands.pick(["ada@people.test", "bob@people.test", "eve@shop.test"]);
          const known = sandbox.state().contacts.some(({ properties }) => JSON.stringify(properties).includes(email));
          if (known) return undefined;
          namesByHand.set(actors.personAddsContact({ email, firstname: "Byhand" }), "Byhand");
          return `adds ${email}`;
        }
        case 1: {
          if (found === undefined) return undefined;
          const name = `Hand${hands.hex(4)}`;
          actors.personEdits("contacts", found.id, { firstname: name });
          namesByHand.set(found.id, name);
          return `renames ${found.email}`;
        }
        case 2:
          if (found === undefined) return undefined;
          actors.personArchives("contacts", found.id);
          return `deletes ${found.email}`;
        default: {
          const other = contact();
          if (found === undefined || other === undefined || other.id === found.id) return undefined;
          actors.personMergesContacts(found.id, other.id);
          namesByHand.delete(other.id);
          return `merges ${other.email} into ${found.email}`;
        }
      }
    },
  };
}
