/** Tells the ledger which account a lane's CRM is, and notices when it has become another: by a new token, a new address, a new file. */
import type { Session } from "../model/destination.ts";
import type { Ledger } from "../model/ledger.ts";
import { viaLedger } from "./faults.ts";
import { openLocks } from "./locks.ts";

export interface Binding {
  /** Grows each time the account has become another. What was claimed under an older one holds ids of another account. */
  generation(): number;
  /** Asks the session and tells the ledger where they differ. Rejects like a look-up that failed, or with LedgerFailed. */
  follow(): Promise<void>;
}

export interface BindingPorts {
  readonly ledger: Pick<Ledger, "bind">;
  readonly session: Pick<Session, "account">;
  /** Nothing known of records is true any more. */
  moved(): void;
}

export function openBinding(lane: string, { ledger, session, moved }: BindingPorts): Binding {
  const locks = openLocks();
  let bound: string | undefined;
  let generation = 0;
  return {
    generation: () => generation,
    async follow() {
      if ((await session.account()) === bound) return;
      await locks.with(lane, async () => {
        // Asked again: while this one stood in line it may have changed once more.
        const account = await session.account();
        if (account === bound) return;
        if (await viaLedger(ledger.bind({ lane, account }))) {
          generation++;
          moved();
        }
        bound = account;
      });
    },
  };
}
