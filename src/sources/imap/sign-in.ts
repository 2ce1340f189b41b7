/** The access token of one mailbox: kept good while it is read, and first got by a person where a person has to sign in. */
import type { Clock, Log, Metrics } from "../../model/ports.ts";
import type { Token, TokenStore } from "../../model/tokens.ts";
import { type OpenWire, openWire } from "../../wire/http.ts";
import { awaitDevice, beginDevice, type DeviceClient, type DeviceCode } from "../../wire/oauth/device.ts";
import { keepToken, nameOf } from "../../wire/oauth.ts";
import { deviceOf, grantOf, type MailboxOauth } from "./oauth.ts";

export interface SignInOptions {
  /** Names the mailbox in the store of tokens and in sentences: `imap/acme/sales`. */
  readonly account: string;
  /** Whose mailbox it is, as the server calls it. */
  readonly user: string;
  readonly oauth: MailboxOauth;
  readonly tokens: TokenStore;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Log;
}

export interface SignIn {
  /** An access token for SASL OAUTHBEARER (RFC 7628) or XOAUTH2. Refused as a token keeper refuses. */
  token(): Promise<Pick<Token, "accessToken" | "expiresAt">>;
  /** The server refused this one. */
  reject(accessToken: string): void;
  close(): Promise<void>;
}

export function openSignIn(options: SignInOptions): SignIn {
  const { account, user, oauth, tokens, clock, log } = options;
  const grant = grantOf(oauth, user);
  const wire = wireOf(grant.tokenUrl, options);
  const keeper = keepToken({ account, grant, wire, tokens, clock, log });
  return {
    token: () => keeper.token(),
    reject: (accessToken) => keeper.reject(accessToken),
    close: () => wire.close(),
  };
}

/**
 * Shows a code, waits until a person has entered it, and keeps what came of it. Throws Refused. TypeError for ways in which nobody signs in.
 */
export async function signInByDevice(
  options: SignInOptions & { readonly show: (code: DeviceCode) => Promise<void>; readonly stop?: AbortSignal },
): Promise<void> {
  const { account, user, oauth, tokens, clock, show, stop } = options;
  const device = deviceOf(oauth);
  if (device === undefined) throw new TypeError(`nobody signs in for ${account} by a code`);
  const grant = grantOf(oauth, user);
  const wire = wireOf(grant.tokenUrl, options);
  const elsewhere =
    new URL(device.deviceUrl).origin === new URL(grant.tokenUrl).origin ? undefined : wireOf(device.deviceUrl, options);
  try {
    const client: DeviceClient = { account, wire, tokenUrl: grant.tokenUrl, clock, ...device };
    const code = await beginDevice({ ...client, wire: elsewhere ?? wire });
    await show(code);
    const at = clock.now();
    const token = await awaitDevice(client, code, stop);
    // A person's word is the newest there is, whatever another process keeps meanwhile.
    for (;;) {
      const { revision } = await tokens.load(account);
      if (await tokens.save(account, { token, grant: nameOf(grant), at }, revision)) return;
    }
  } finally {
    await wire.close();
    await elsewhere?.close();
  }
}

const wireOf = (url: string, { clock, metrics }: Pick<SignInOptions, "clock" | "metrics">): OpenWire =>
  openWire({ baseUrl: new URL(url).origin, headers: {}, vendor: "oauth", clock, metrics, connections: 2 });
