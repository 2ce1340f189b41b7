/** One mailbox for as long as the daemon runs: held by lease, read session after session, left alone for a while after each failure. */
import type { HeldAccount } from "../../model/imap.ts";
import type { Intake } from "../../model/source.ts";
import { pauseAfter } from "./backoff.ts";
import { type Asked, accountName, BegunAnew, type ImapAccount, type ImapPorts } from "./context.ts";
import { type Credentials, openCredentials } from "./credentials.ts";
import { runSession } from "./session.ts";
import { openSteady, type Steady } from "./steady.ts";
import { ImapTrouble, type TroubleKind } from "./trouble.ts";

const leaseMs = 60_000;
const renewMs = 20_000;
/** A session that lasted so long was a good one. */
const steadyMs = 60_000;
/** A slow line may cost a token or two; a server that takes longer than tokens live is no slow line. */
const mostLate = 10;
/** After so long more connections are tried again. */
const narrowMs = 3600_000;

export class Account {
  readonly name: string;
  #account: ImapAccount;
  readonly #intake: Intake;
  readonly #ports: ImapPorts;
  readonly #stop: AbortSignal;
  readonly #time: Steady;
  #credentials: Credentials;
  /** Fires where waiting makes no sense any more: other settings, or an operator who asks. */
  #retry = new AbortController();
  #failures = 0;
  /** Logins that were refused since one was not; what else fails says nothing of the password. */
  #refusals = 0;
  /** Tokens whose time was over when they came to the server, since a login worked. */
  #late = 0;
  readonly #suspects = new Map<string, number>();
  readonly #asked = new Map<string, Asked>();
  #width = Number.POSITIVE_INFINITY;
  #widthUntil = Number.NEGATIVE_INFINITY;
  #paths: ReadonlySet<string> = new Set();

  constructor(account: ImapAccount, intake: Intake, ports: ImapPorts, stop: AbortSignal) {
    this.name = accountName(account);
    this.#account = account;
    this.#intake = intake;
    this.#ports = { ...ports, log: ports.log.with({ account: this.name }) };
    this.#stop = stop;
    this.#time = openSteady(ports.clock);
    this.#credentials = openCredentials(account, this.#ports);
    this.#connected(false);
  }

  /** With the password of today, at once. */
  reload(account: ImapAccount): void {
    this.#account = account;
    void this.#credentials.close();
    this.#credentials = openCredentials(account, this.#ports);
    this.#failures = 0;
    this.#refusals = 0;
    this.#retry.abort();
  }

  async run(): Promise<void> {
    let held: HeldAccount | undefined;
    while (!this.#stop.aborted) {
      try {
        held = await this.#hold(held?.token);
        if (held === undefined) {
          this.#ports.log.debug({}, "imap: another process reads this account");
          await this.#pause(renewMs);
          continue;
        }
        await this.#session(held);
      } catch (error) {
        await this.#after(error);
      }
    }
    await this.#credentials.close();
    if (held !== undefined) await this.#ports.ledger.releaseAccount(held).catch(() => undefined);
  }

  async #session(held: HeldAccount): Promise<void> {
    const begunAt = this.#time();
    if (begunAt >= this.#widthUntil) this.#width = Number.POSITIVE_INFINITY;
    const ending = new AbortController();
    const end = () => ending.abort();
    this.#stop.addEventListener("abort", end, { once: true });
    const leased = this.#keepLease(held, ending);
    try {
      const ended = await runSession({
        account: this.#account,
        login: await this.#credentials.login(),
        intake: this.#intake,
        ports: this.#ports,
        held,
        stop: ending.signal,
        suspects: this.#suspects,
        asked: this.#asked,
        width: this.#width,
        onOpen: (paths) => {
          this.#paths = new Set(paths);
          this.#connected(true);
          this.#refusals = 0;
          this.#late = 0;
        },
        onCaughtUp: async () => {
          await this.#unblock();
          await this.#hold(held.token, true);
        },
      });
      if (ended === "narrow") {
        const had = Math.min(this.#width, this.#account.settings.connections);
        this.#width = Math.max(1, had - 1);
        this.#widthUntil = this.#time() + narrowMs;
        this.#ports.log.warn({ connections: this.#width }, "imap: the server refuses more connections");
      }
    } finally {
      // A server that drops us again and again, however far we come, is not asked every second.
      if (this.#time() - begunAt > steadyMs) this.#failures = 0;
      ending.abort();
      this.#stop.removeEventListener("abort", end);
      this.#connected(false);
      await leased;
    }
  }

  #hold(token: string | undefined, opened = false): Promise<HeldAccount | undefined> {
    const { clock, ledger } = this.#ports;
    const now = clock.now();
    const selectors = [...this.#account.settings.folders].sort().join("\n");
    const kept = token === undefined ? {} : { token };
    return ledger.holdAccount({ account: this.name, now, until: now + leaseMs, selectors, opened, ...kept });
  }

  /** A lease that another took ends the session; a ledger that does not answer does not, for the fence keeps us honest. */
  async #keepLease(held: HeldAccount, ending: AbortController): Promise<void> {
    for (;;) {
      await this.#ports.clock.sleep(renewMs, ending.signal);
      if (ending.signal.aborted) return;
      const renewed = await this.#hold(held.token).catch(() => held);
      if (renewed?.token === held.token) continue;
      this.#ports.log.warn({}, "imap: another process took this account over");
      ending.abort();
    }
  }

  async #after(error: unknown): Promise<void> {
    if (this.#stop.aborted || error instanceof BegunAnew) return await this.#pause(1_000);
    const { clock, log, metrics, random } = this.#ports;
    const kind: TroubleKind = error instanceof ImapTrouble ? error.kind : "connection";
    const refused = kind === "auth" ? this.#credentials.refused() : "final";
    if (refused === "late" && ++this.#late <= mostLate) return await this.#pause(1_000);
    const failures = kind === "auth" ? ++this.#refusals : ++this.#failures;
    // A token can end before its time: one that is got anew is tried before anything is said.
    if (refused !== "final" && failures === 1) return await this.#pause(1_000);
    const pause = pauseAfter(kind, failures, random.unit());
    const { tenant, settings } = this.#account;
    metrics.count("imap_disconnects_total", { tenant, account: settings.id, reason: kind });
    if (!(error instanceof ImapTrouble)) log.error({ err: error as Error }, "imap: a defect ended the session");
    if (kind === "auth") {
      const reason = (error as Error).message;
      await this.#ports.ledger
        .blockAccount({ account: this.name, at: clock.now(), reason })
        .catch((failed: unknown) => log.warn({ err: failed as Error }, "imap: the ledger does not answer"));
      log.error(
        { retry_minutes: Math.round(pause / 60_000) },
        "imap: the server refuses the login; nothing is read. Mend user and password, then reload (SIGHUP)",
      );
    } else {
      log.warn({ reason: kind, retry_seconds: Math.round(pause / 1000) }, "imap: the connection ended");
      if (error instanceof ImapTrouble) log.debug({ detail: error.message }, "imap: why");
    }
    await this.#pause(pause);
  }

  async #unblock(): Promise<void> {
    await this.#ports.ledger.blockAccount({ account: this.name, at: this.#ports.clock.now(), reason: null });
  }

  /** One of the folders that the configuration asks for, as the server had them last. */
  reads(path: string): boolean {
    return this.#paths.has(path);
  }

  async #pause(ms: number): Promise<void> {
    if (this.#stop.aborted) return;
    const over = new AbortController();
    const end = () => over.abort();
    this.#retry = new AbortController();
    for (const signal of [this.#stop, this.#retry.signal]) signal.addEventListener("abort", end, { once: true });
    await this.#ports.clock.sleep(ms, over.signal);
    this.#stop.removeEventListener("abort", end);
  }

  #connected(is: boolean): void {
    const { tenant, settings } = this.#account;
    this.#ports.metrics.gauge("imap_connected", is ? 1 : 0, { tenant, account: settings.id });
  }
}
