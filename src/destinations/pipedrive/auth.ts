/** How calls to Pipedrive prove themselves: a user's API token on each, or an app's grant, whose access token lives an hour and whose refresh token rotates. */
import type { DestinationPorts } from "../../model/destination.ts";
import type { Wire, WireRequest, WireResponse } from "../../model/wire.ts";
import { keepToken } from "../../wire/oauth.ts";

export interface AuthSettings {
  readonly base_url: string;
  readonly token?: string | undefined;
  readonly client_id?: string | undefined;
  readonly client_secret?: string | undefined;
  readonly refresh_token?: string | undefined;
}

export const standardUrl = "https://api.pipedrive.com";
const tokenHost = "https://oauth.pipedrive.com";

/** An answer of the token endpoint may name a host; none but Pipedrive's own is sent a token. */
export function ownApi(named: string | undefined): string | undefined {
  const url = URL.parse(named ?? "");
  const isOwn = url?.protocol === "https:" && /^[a-z0-9-]{1,63}\.pipedrive\.com$/.test(url.hostname) && url.port === "";
  return isOwn ? url.origin : undefined;
}

/** With an API token the lane's own wire carries it. A `base_url` that is given takes everything, the tokens too. */
export function authorized(settings: AuthSettings, ports: DestinationPorts): Wire {
  const { client_id: clientId, client_secret: clientSecret, refresh_token: refreshToken, base_url } = settings;
  if (clientId === undefined || clientSecret === undefined || refreshToken === undefined) return ports.wire;
  const isStandard = base_url === standardUrl;
  const tokenUrl = `${isStandard ? tokenHost : base_url.replace(/\/+$/, "")}/oauth/token`;
  const { wire, wireTo, tokens, clock, log, lane } = ports;
  const keeper = keepToken({
    account: lane,
    grant: { kind: "refresh_token", tokenUrl, clientId, clientSecret, refreshToken, clientAuth: "basic" },
    wire: wireTo(new URL(tokenUrl).origin),
    tokens,
    clock,
    log,
    keep: ["api_domain"],
  });

  async function once(request: WireRequest): Promise<{ answer: WireResponse; accessToken: string }> {
    const { accessToken, extra } = await keeper.token();
    const named = isStandard ? ownApi(extra?.api_domain) : undefined;
    const there = named === undefined ? wire : wireTo(named);
    const headers = { ...request.headers, authorization: `Bearer ${accessToken}` };
    return { answer: await there.request({ ...request, headers }), accessToken };
  }

  return {
    async request(request) {
      const first = await once(request);
      if (first.answer.status !== 401) return first.answer;
      // It was not carried out, also where it writes: once more, with another token.
      keeper.reject(first.accessToken);
      return (await once(request)).answer;
    },
  };
}
