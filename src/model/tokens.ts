/** OAuth's short-lived tokens: what is asked with, what is got, and where it is kept. */

export interface Token {
  readonly accessToken: string;
  /** Epoch ms. */
  readonly expiresAt: number;
  readonly refreshToken?: string;
  /** What else the vendor said that calls need: instance_url, api_domain. Bounded. */
  readonly extra?: Readonly<Record<string, string>>;
}

/** A token with where it comes from. */
export interface Obtained {
  readonly token: Token;
  /** Names the grant that it was got with, so that a changed configuration is not served from what was kept for the one before. */
  readonly grant: string;
  /** Epoch ms. */
  readonly at: number;
}

export interface Kept {
  /** Undefined where there is none, or where what is kept cannot be opened any more. */
  readonly obtained: Obtained | undefined;
  /** Counts the changes; 0 where nothing was ever kept. */
  readonly revision: number;
}

/** Sealed in the ledger. `account`: `acme/crm` for a destination, `imap/sales` for a mailbox. */
export interface TokenStore {
  load(account: string): Promise<Kept>;
  /** Durable when it resolves; `over` is the revision that was loaded. False, and nothing kept, when somebody kept another meanwhile. */
  save(account: string, obtained: Obtained, over: number): Promise<boolean>;
  /**
   * Whether it is this keeper's turn to ask the vendor, until then: a refresh token that rotates must not be used by two processes.
   * `keeper` is a number of its own in this process; asking with `until` = `now` gives the turn back.
   */
  turn(account: string, keeper: number, now: number, until: number): Promise<boolean>;
  drop(account: string): Promise<void>;
}

export interface TokenKeeper {
  /**
   * Good for a minute at least, where tokens live two; one request at a time however many ask. Refused: blocked where the grant is revoked,
   * retryable where the endpoint is away, rate_limited where it says so.
   */
  token(): Promise<Token>;
  /** The vendor said 401 to this one: the next ask gets another. */
  reject(accessToken: string): void;
}

interface Endpoint {
  readonly tokenUrl: string;
  readonly scope?: string;
  /** How the client proves itself; `basic` is HTTP's, RFC 6749 §2.3.1. Default `body`. */
  readonly clientAuth?: "body" | "basic";
}

export type Grant =
  /** Without `refreshToken` the one to begin with is in the store: a person signed in by `mailwright init`. */
  | (Endpoint & {
      readonly kind: "refresh_token";
      readonly clientId: string;
      readonly clientSecret?: string;
      readonly refreshToken?: string;
    })
  | (Endpoint & { readonly kind: "client_credentials"; readonly clientId: string; readonly clientSecret: string })
  /** RFC 7523 §2.1: a signed JWT in the place of a person. `now` is epoch ms. */
  | (Endpoint & { readonly kind: "jwt_bearer"; assertion(now: number): string });

/** The ledger's part: sealed bytes under a name, changed by one at a time. */
export interface TokenRows {
  tokenRow(account: string): Promise<{ readonly sealed: Uint8Array | null; readonly revision: number } | undefined>;
  /** False when the row is not at that revision any more. Ends the turn. */
  keepToken(kept: { readonly account: string; readonly sealed: Uint8Array; readonly over: number }): Promise<boolean>;
  takeTokenTurn(turn: {
    readonly account: string;
    readonly holder: string;
    readonly now: number;
    readonly until: number;
  }): Promise<boolean>;
  dropToken(account: string): Promise<void>;
}
