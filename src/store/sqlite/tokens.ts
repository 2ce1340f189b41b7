/** OAuth tokens: sealed bytes by account, replaced only over what was read, and whose turn it is to ask for the next. */
import type { Connection } from "./connection.ts";
import type { Operations } from "./operations.ts";

interface Row {
  sealed: Uint8Array | null;
  revision: number;
}
interface Turn {
  account: string;
  holder: string;
  now: number;
  until: number;
}

export function openTokenRows(
  db: Connection,
): Pick<Operations, "tokenRow" | "keepToken" | "takeTokenTurn" | "dropToken"> {
  const one = db.prepare<[string], Row>("SELECT sealed, revision FROM token WHERE account = ?");
  const add = db.prepare<[string]>("INSERT INTO token (account, revision) VALUES (?, 0) ON CONFLICT DO NOTHING");
  const keep = db.prepare<[Uint8Array, string, number]>(
    "UPDATE token SET sealed = ?, revision = revision + 1, holder = NULL WHERE account = ? AND revision = ?",
  );
  // A turn from the future is one of before the clock was set back.
  const turn = db.prepare<[Turn]>(
    `UPDATE token SET holder = $holder, held_from = $now, held_until = $until WHERE account = $account
       AND (holder IS NULL OR holder = $holder OR held_until <= $now OR held_from > $now)`,
  );
  const drop = db.prepare<[string]>(
    "UPDATE token SET sealed = NULL, revision = revision + 1, holder = NULL WHERE account = ?",
  );
  return {
    tokenRow: (account) => one.get(account),
    keepToken({ account, sealed, over }) {
      add.run(account);
      return keep.run(sealed, account, over).changes > 0;
    },
    takeTokenTurn({ account, holder, now, until }) {
      add.run(account);
      return turn.run({ account, holder, now, until }).changes > 0;
    },
    dropToken: (account) => void drop.run(account),
  };
}
