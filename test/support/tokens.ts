/** OAuth tokens kept in memory, with the rows' own rules: for tests of whoever needs a store of them. */
import type { Obtained, TokenStore } from "../../src/model/tokens.ts";

interface Row {
  obtained: Obtained | undefined;
  revision: number;
  turn: { keeper: number; from: number; until: number } | undefined;
}

export function memoryTokens(): TokenStore & { readonly rows: ReadonlyMap<string, Row> } {
  const rows = new Map<string, Row>();
  const row = (account: string): Row => {
    const there = rows.get(account) ?? { obtained: undefined, revision: 0, turn: undefined };
    rows.set(account, there);
    return there;
  };
  return {
    rows,
    load: async (account) => ({ obtained: row(account).obtained, revision: row(account).revision }),
    async save(account, obtained, over) {
      const there = row(account);
      if (there.revision !== over) return false;
      Object.assign(there, { obtained, revision: over + 1, turn: undefined });
      return true;
    },
    async turn(account, keeper, now, until) {
      const there = row(account);
      const { turn } = there;
      // A turn from the future is one of before the clock was set back.
      if (turn !== undefined && turn.keeper !== keeper && turn.until > now && turn.from <= now) return false;
      there.turn = { keeper, from: now, until };
      return true;
    },
    async drop(account) {
      const there = row(account);
      Object.assign(there, { obtained: undefined, revision: there.revision + 1, turn: undefined });
    },
  };
}
