/** Where OAuth tokens are kept: sealed under the name of their account, in the ledger. */
import { z } from "zod";
import type { Log, Sealer } from "../model/ports.ts";
import type { Obtained, TokenRows, TokenStore } from "../model/tokens.ts";

export interface KeptTokensOptions {
  readonly rows: TokenRows;
  readonly sealer: Pick<Sealer, "seal" | "open">;
  readonly log: Log;
  /** Names this process among all that may ever share the ledger. */
  readonly holder: string;
}

const obtainedSchema = z.object({
  token: z.object({
    accessToken: z.string(),
    expiresAt: z.number(),
    refreshToken: z.string().optional(),
    extra: z.record(z.string(), z.string()).optional(),
  }),
  grant: z.string(),
  at: z.number(),
});

export function openKeptTokens({ rows, sealer, log, holder }: KeptTokensOptions): TokenStore {
  function opened(account: string, sealed: Uint8Array): Obtained | undefined {
    try {
      const { plain, label } = sealer.open(sealed);
      // The label is sealed too: a row copied over another's is not taken for it.
      if (label !== labelOf(account)) throw new TypeError("it was kept for another account");
      return obtainedSchema.parse(JSON.parse(Buffer.from(plain).toString("utf8"))) as Obtained;
    } catch (error) {
      // Never what JSON or zod say of it: they cite.
      const reason =
        error instanceof Error && error.name === "SealBroken" ? error.message : "it is not what was kept there";
      log.warn({ account, reason }, "the token that was kept cannot be read; the configured sign-in is used again");
      return undefined;
    }
  }
  return {
    async load(account) {
      const row = await rows.tokenRow(account);
      if (row === undefined) return { obtained: undefined, revision: 0 };
      return { obtained: row.sealed === null ? undefined : opened(account, row.sealed), revision: row.revision };
    },
    async save(account, obtained, over) {
      const sealed = sealer.seal(Buffer.from(JSON.stringify(obtained)), labelOf(account));
      return await rows.keepToken({ account, sealed, over });
    },
    turn: (account, keeper, now, until) => rows.takeTokenTurn({ account, holder: `${holder}.${keeper}`, now, until }),
    drop: (account) => rows.dropToken(account),
  };
}

const labelOf = (account: string): string => `token ${account}`;
