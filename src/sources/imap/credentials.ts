/** What one logs in with: the password of the configuration, or a token that is good now. */
import { Refused } from "../../model/outcome.ts";
import type { Clock, Log, Metrics } from "../../model/ports.ts";
import type { Token, TokenStore } from "../../model/tokens.ts";
import type { Login } from "./client.ts";
import { accountName, type ImapAccount } from "./context.ts";
import { openSignIn, type SignInOptions } from "./sign-in.ts";
import { ImapTrouble } from "./trouble.ts";

export interface CredentialPorts {
  readonly tokens: TokenStore;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Log;
}

/**
 * What may be done after a refused login. `final`: a password stays wrong. `renewable`: another token may be had. `late`: so it may, and this one's
 * time was over when it came to the server, which says nothing of the sign-in.
 */
export interface Credentials {
  /** Rejects with ImapTrouble: `auth` where the sign-in is refused, `connection` where it cannot be asked for now. */
  login(): Promise<Login>;
  /** The server refused the last one. */
  refused(): "final" | "renewable" | "late";
  close(): Promise<void>;
}

/** Names a mailbox in the store of tokens. */
export const tokenAccount = (account: ImapAccount): string => `imap/${accountName(account)}`;

export function signInOptions(account: ImapAccount, ports: CredentialPorts): SignInOptions | undefined {
  const { user, oauth } = account.settings;
  if (oauth === undefined) return undefined;
  const { tokens, clock, metrics, log } = ports;
  return { account: tokenAccount(account), user, oauth, tokens, clock, metrics, log };
}

export function openCredentials(account: ImapAccount, ports: CredentialPorts): Credentials {
  const { settings } = account;
  const options = signInOptions(account, ports);
  if (options === undefined) {
    const login: Login = { settings, auth: { pass: settings.password ?? "" } };
    return { login: async () => login, refused: () => "final", close: async () => undefined };
  }
  const signIn = openSignIn(options);
  let last: Pick<Token, "accessToken" | "expiresAt"> | undefined;
  return {
    async login() {
      try {
        last = await signIn.token();
      } catch (error) {
        throw troubleOfRefusal(error);
      }
      return { settings, auth: { accessToken: last.accessToken } };
    },
    refused() {
      if (last === undefined) return "final";
      const isLate = last.expiresAt <= ports.clock.now();
      signIn.reject(last.accessToken);
      last = undefined;
      return isLate ? "late" : "renewable";
    },
    close: () => signIn.close(),
  };
}

function troubleOfRefusal(error: unknown): unknown {
  if (!(error instanceof Refused)) return error;
  const { kind, reason } = error.failure;
  return new ImapTrouble(kind === "blocked" ? "auth" : kind === "rate_limited" ? "limit" : "connection", reason, {
    cause: error,
  });
}
