/** Keeps an account's access token good: one request for the next at a time, what rotates saved before it is used, refusals in words. */
import { createHash } from "node:crypto";
import { type Failure, Refused } from "../model/outcome.ts";
import type { Obtained, Token, TokenKeeper, TokenStore } from "../model/tokens.ts";
import { nameOf } from "./oauth/ask.ts";
import { askEndpoint, type Endpoint } from "./oauth/endpoint.ts";

export { nameOf };

/**
 * `wire`: to the origin of the grant's `tokenUrl`. `lifeMs`: how long a token is taken to live where the vendor does not say (half an hour
 * by default). `keep`: fields of the answer for Token.extra. `means`: the vendor's own reading of a refusal, asked first.
 */
export interface KeepTokenOptions extends Endpoint {
  readonly tokens: TokenStore;
}

const second = 1_000;
const minute = 60 * second;
/** A call to a vendor ends within 30 s; whoever holds the turn longer than this is dead or was asleep. */
const turnMs = 40 * second;
const lookAgainMs = 250;
/** Less life than that is not handed out any more, even where no other can be had: the call it is for takes time too. */
const leastLifeMs = 5 * second;
const longestBackoffMs = minute;
/** An endpoint that said no is left alone for so long: many calls may want the token at once. */
const blockedMs = 10 * second;
/** A token that the vendor's API refuses so soon was never good. */
const youngMs = minute;
/** Refusals further apart than this are not in a row. */
const rowMs = 5 * minute;

/** So that two keepers in one process are not taken for one. */
let keepers = 0;

export function keepToken(options: KeepTokenOptions): TokenKeeper {
  const keeper = new Keeper(options);
  return { token: () => keeper.token(), reject: (accessToken) => keeper.reject(accessToken) };
}

class Keeper {
  private readonly options: KeepTokenOptions;
  private readonly number: number;
  private readonly chance: number;
  private name: string | undefined;
  private held: Obtained | undefined;
  private revision = 0;
  /** Got from the vendor, and not yet durable: a rotated refresh token in it is nowhere else. */
  private unsaved: Obtained | undefined;
  private asking: Promise<Token> | undefined;
  private refusal: { readonly failure: Failure; readonly since: number; readonly until: number } | undefined;
  private failures = 0;
  private rejected: string | undefined;
  /** Tokens in a row that the vendor's API refused right after they were got. */
  private rejectedYoung = 0;
  private rejectedAt = Number.NEGATIVE_INFINITY;

  constructor(options: KeepTokenOptions) {
    this.options = options;
    keepers += 1;
    this.number = keepers;
    this.chance = fractionOf(options.account);
  }

  token(): Promise<Token> {
    const good = this.good();
    if (good !== undefined) return Promise.resolve(good);
    this.asking ??= this.next().finally(() => {
      this.asking = undefined;
    });
    return this.asking;
  }

  reject(accessToken: string): void {
    if (this.held?.token.accessToken !== accessToken || this.rejected === accessToken) return;
    const { account, clock } = this.options;
    const now = clock.now();
    const { at, token } = this.held;
    if (now - this.rejectedAt > rowMs || now - at >= youngMs) this.rejectedYoung = 0;
    // One whose time was over on the way says nothing of the others.
    if (now - at < youngMs && now < token.expiresAt) this.rejectedYoung += 1;
    this.rejectedAt = now;
    this.rejected = accessToken;
    this.held = spent(this.held);
    if (this.rejectedYoung < 2) return;
    // A vendor that refuses what it gives would otherwise be asked for a token with every call.
    const reason = `the vendor refuses the tokens that it gives for ${account}: look at its scopes and its user`;
    this.refusal = { failure: { kind: "blocked", reason }, since: now, until: now + youngMs };
  }

  private good(): Token | undefined {
    if (this.unsaved !== undefined || this.held === undefined) return undefined;
    return isFresh(this.held, this.options.clock.now(), this.chance) ? this.held.token : undefined;
  }

  private async next(): Promise<Token> {
    const { account, clock } = this.options;
    const begun = clock.now();
    for (;;) {
      await this.load();
      const now = clock.now();
      const good = this.good();
      if (good !== undefined) return good;
      const { refusal } = this;
      if (refusal !== undefined && now >= refusal.since && now < refusal.until)
        return this.unlessAlive(refusal.failure, now);
      if (await this.turn(now, now + turnMs)) break;
      if (isAlive(this.held, now)) return this.held.token;
      if (now - begun > 2 * turnMs) {
        const reason = `another process has asked for the token of ${account}, and it did not come`;
        throw new Refused({ kind: "retryable", reason });
      }
      await clock.sleep(lookAgainMs);
    }
    try {
      return await this.inTurn();
    } finally {
      const now = clock.now();
      // Where it cannot be given back it ends by itself.
      await this.turn(now, now).catch(() => undefined);
    }
  }

  private async inTurn(): Promise<Token> {
    const { grant, clock } = this.options;
    // Whoever had the turn before may have left a good one.
    await this.load();
    if (this.unsaved !== undefined) return await this.save(this.unsaved);
    const good = this.good();
    if (good !== undefined) return good;
    const known = this.held?.token.refreshToken;
    const got = await askEndpoint(
      this.options,
      known ?? (grant.kind === "refresh_token" ? grant.refreshToken : undefined),
    );
    if (got.kind === "refused") return this.unlessAlive(this.refuse(got.failure), clock.now());
    this.failures = 0;
    this.refusal = undefined;
    const refreshToken = got.token.refreshToken ?? known;
    const token = refreshToken === undefined ? got.token : { ...got.token, refreshToken };
    return await this.save({ token, grant: this.grantName(), at: got.asked });
  }

  /** Refused when what rotated could not be saved: it is saved first when the token is asked for again. */
  private async save(obtained: Obtained): Promise<Token> {
    const { account, tokens, log } = this.options;
    const rotated = obtained.token.refreshToken !== this.held?.token.refreshToken;
    let saved: boolean;
    try {
      saved = await tokens.save(account, obtained, this.revision);
      this.unsaved = undefined;
    } catch (error) {
      if (rotated) {
        this.unsaved = obtained;
        throw unstored(account, error);
      }
      log.warn({ account }, "the token could not be saved; it is used all the same");
      this.held = obtained;
      return obtained.token;
    }
    if (saved) {
      this.revision += 1;
      this.held = obtained;
      return obtained.token;
    }
    // Our turn had run out, and another process kept one meanwhile: theirs is the later one.
    this.held = undefined;
    await this.load();
    if (this.held === undefined) return await this.save(obtained);
    log.info({ account }, "another process has renewed the token meanwhile; its one is used");
    const theirs = this.good();
    if (theirs !== undefined) return theirs;
    throw new Refused({ kind: "retryable", reason: `another process renews the token of ${account} at the same time` });
  }

  private async load(): Promise<void> {
    const { account, tokens } = this.options;
    const kept = await tokens.load(account).catch((error: unknown) => {
      throw unstored(account, error);
    });
    if (kept.revision === this.revision && this.held !== undefined) return;
    this.revision = kept.revision;
    const { obtained } = kept;
    if (obtained === undefined || obtained.grant !== this.grantName()) this.held = undefined;
    else this.held = obtained.token.accessToken === this.rejected ? spent(obtained) : obtained;
  }

  private turn(now: number, until: number): Promise<boolean> {
    const { account, tokens } = this.options;
    return tokens.turn(account, this.number, now, until).catch((error: unknown) => {
      throw unstored(account, error);
    });
  }

  private grantName(): string {
    try {
      this.name ??= nameOf(this.options.grant);
      return this.name;
    } catch (error) {
      // What the key's reader says of it may cite the key.
      const reason = `the assertion for ${this.options.account} could not be signed: look at the private key`;
      throw new Refused({ kind: "blocked", reason }, { cause: error });
    }
  }

  private refuse(failure: Failure): Failure {
    this.failures += 1;
    const since = this.options.clock.now();
    const backoff = Math.min(longestBackoffMs, second * 2 ** Math.min(this.failures - 1, 10)) * (1 - this.chance / 2);
    const until =
      failure.kind === "rate_limited" ? failure.until : since + (failure.kind === "blocked" ? blockedMs : backoff);
    this.refusal = { failure, since, until };
    return failure;
  }

  /** While the token at hand lives, an endpoint that is away is no reason to stop. */
  private unlessAlive(failure: Failure, now: number): Token {
    if (failure.kind === "blocked" || !isAlive(this.held, now)) throw new Refused(failure);
    const { account, log } = this.options;
    log.warn({ account, reason: failure.reason }, "the token could not be renewed yet; the one at hand still lives");
    return this.held.token;
  }
}

const unstored = (account: string, cause: unknown): Refused =>
  new Refused(
    { kind: "retryable", reason: `the token of ${account} could not be read from or kept in the ledger` },
    { cause },
  );

/** Its refresh token is still the newest there is, its access token of no use. */
const spent = (obtained: Obtained): Obtained => ({ ...obtained, token: { ...obtained.token, expiresAt: 0 } });

function isAlive(held: Obtained | undefined, now: number): held is Obtained {
  return held !== undefined && held.token.expiresAt - now > leastLifeMs;
}

/**
 * Renewed a minute or a tenth of its life before it ends, whichever is earlier, and never before half of it is over; accounts at different
 * times, so that a hundred that began together do not ask together. A clock set back makes no token live longer.
 */
export function isFresh({ token, at }: Obtained, now: number, chance: number): boolean {
  const life = token.expiresAt - at;
  if (life <= 0 || now < at - minute) return false;
  const margin = Math.min(Math.max(minute, life / 10) + (chance * life) / 20, life / 2);
  return now < token.expiresAt - margin;
}

/** In [0, 1), the same for the same account: chance that needs no dice. */
function fractionOf(account: string): number {
  return createHash("sha256").update(account).digest().readUInt32BE(0) / 2 ** 32;
}
