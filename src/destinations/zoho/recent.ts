/** What this session made a moment ago: where no key is unique, an index that lags must not have us make it a second time. */
import type { Ref } from "../../model/destination.ts";
import type { Clock } from "../../model/ports.ts";
import { type Account, ownFields } from "./fields.ts";
import type { Place, Records } from "./records.ts";

export interface Recent {
  made(key: string, place: Place): void;
  /** Read to be sure: somebody may have deleted it since. */
  find(key: string): Promise<Ref | undefined>;
}

const mostRemembered = 10_000;

export function openRecent(records: Records, account: Account, clock: Clock, lagMs: number): Recent {
  const remembered = new Map<string, { readonly place: Place; readonly at: number }>();
  return {
    made(key, place) {
      if (remembered.size >= mostRemembered) remembered.clear();
      remembered.set(key, { place, at: clock.now() });
    },
    async find(key) {
      const made = remembered.get(key);
      if (made === undefined || clock.now() - made.at > lagMs) return undefined;
      // Zoho itself refuses a second one there.
      if ((await account.module(made.place.module)).isUnique(ownFields.key)) return undefined;
      return (await records.get(made.place, [])) === undefined ? undefined : records.refOf(made.place, true);
    },
  };
}
