/** The vendor of a world: an account of one of them, its bad days, and the people who work in it. */
import type { Account, OpenAccount } from "./accounts/account.ts";
import { openClose } from "./accounts/close.ts";
import { openHubspot } from "./accounts/hubspot.ts";
import { openPipedrive } from "./accounts/pipedrive.ts";
import { openSalesforce } from "./accounts/salesforce.ts";
import { openTryton } from "./accounts/tryton.ts";
import { openZoho } from "./accounts/zoho.ts";
import type { Chance } from "./chance.ts";
import type { VirtualTime } from "./clock.ts";
import type { Weather } from "./weather.ts";

const accounts = new Map<string, OpenAccount>([
  ["hubspot", openHubspot],
  ["close", openClose],
  ["pipedrive", openPipedrive],
  ["salesforce", openSalesforce],
  ["tryton", openTryton],
  ["zoho", openZoho],
]);
export const vendorNames: readonly string[] = [...accounts.keys()];

export interface Vendor extends Account {
  /** Names that people gave: nobody else may change them. */
  readonly namesByHand: ReadonlyMap<string, string>;
  /** Ids of those whom people made, perhaps beside one that we had just made and that search did not show them either. */
  readonly madeByHand: ReadonlySet<string>;
  storm(): void;
  calm(): void;
  /** The token is refused for the next calls. */
  refuseToken(calls: number): void;
  /** A person does something to the account. Answers what, or undefined when there was nothing to do. */
  human(): string | undefined;
}

export function openVendor(name: string, weather: Weather, time: VirtualTime, chance: Chance): Vendor {
  const open = accounts.get(name);
  if (open === undefined) throw new RangeError(`--vendor is one of ${vendorNames.join(", ")}`);
  const account = open({ weather, time, chance });
  const { sandbox, hands: byHand, tooMany, locked } = account;
  const namesByHand = new Map<string, string>();
  const madeByHand = new Set<string>();
  const hands = chance.split("hands");

  function somebody(): { id: string; email: string } | undefined {
    const live = account.people().filter(({ gone }) => !gone);
    return live.length === 0 ? undefined : hands.pick(live);
  }

  return {
    ...account,
    namesByHand,
    madeByHand,
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
      const saysWhen = chance.flip(0.5);
      by("*", http.tooMany, saysWhen ? { ...tooMany, headers: { ...tooMany.headers, "retry-after": "7" } } : tooMany);
      if (locked !== undefined) by("*.create", http.locked, locked);
      by("*.create", http.garbled, { kind: "commit_then_truncate" });
      by("*.create", http.slowCommit, { kind: "slow_commit", ms: chance.between(20_000, 400_000) });
      by("*", http.slowAnswer, { kind: "slow_answer", ms: chance.between(1_000, 45_000) });
    },
    calm: () => sandbox.faults.clear(),
    refuseToken(calls) {
      sandbox.faults.plan({ route: "*", nth: 1, times: calls, fault: { kind: "status", status: 401 } });
    },
    human() {
      const found = somebody();
      switch (hands.between(0, 3)) {
        case 0: {
          const email = hands.pick(["ada@people.test", "bob@people.test", "eve@shop.test"]);
          if (account.people().some(({ all }) => all.includes(email))) return undefined;
          const id = byHand.add(email, "Byhand");
          namesByHand.set(id, "Byhand");
          madeByHand.add(id);
          return `adds ${email}`;
        }
        case 1: {
          if (found === undefined) return undefined;
          const name = `Hand${hands.hex(4)}`;
          byHand.rename(found.id, name);
          namesByHand.set(found.id, name);
          return `renames ${found.email}`;
        }
        case 2:
          if (found === undefined) return undefined;
          byHand.remove(found.id);
          return `deletes ${found.email}`;
        default: {
          const other = somebody();
          if (byHand.merge === undefined || found === undefined || other === undefined || other.id === found.id)
            return undefined;
          byHand.merge(found.id, other.id);
          namesByHand.delete(other.id);
          return `merges ${other.email} into ${found.email}`;
        }
      }
    },
  };
}
