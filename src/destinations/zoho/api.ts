/** Zoho CRM's API as typed calls: paths, the one version constant, the token on every call, and what is read out of the answers. */
import { z } from "zod";
import type { DestinationPorts } from "../../model/destination.ts";
import type { Wire, WireRequest, WireResponse } from "../../model/wire.ts";
import { keepToken } from "../../wire/oauth.ts";
import { type Calls, openCalls, permanent } from "../shared/calls.ts";
import { classify, isForbidden, isNoRecord, isStaleToken, isUnclassified, reasonOf, tokenRefusal } from "./classify.ts";
import { type DataCenter, hostsOf, ownApi } from "./hosts.ts";
import { openRights } from "./rights.ts";

/** Checked 2026-11-29. https://www.zoho.com/crm/developer/docs/api/v8/ */
export const apiVersion = "v8";

export const modules = ["Contacts", "Leads", "Accounts", "Deals"] as const;
export type ModuleName = (typeof modules)[number];

/** What calls are counted under. */
export const metricName: Readonly<Record<ModuleName, string>> = {
  Contacts: "contact",
  Leads: "lead",
  Accounts: "account",
  Deals: "deal",
};

const base = `/crm/${apiVersion}`;
const e = encodeURIComponent;

export function queryOf(query: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(query).map(([name, value]) => `${name}=${e(value)}`);
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

/** Paths of the pinned version; every value from outside is percent-encoded here. */
export const paths = {
  module: (module: ModuleName, query: Readonly<Record<string, string>> = {}) => `${base}/${module}${queryOf(query)}`,
  record: (module: ModuleName, id: string, query: Readonly<Record<string, string>> = {}) =>
    `${base}/${module}/${e(id)}${queryOf(query)}`,
  related: (module: ModuleName, id: string, list: string, query: Readonly<Record<string, string>>) =>
    `${base}/${module}/${e(id)}/${list}${queryOf(query)}`,
  role: (deal: string, contact: string) => `${base}/Deals/${e(deal)}/Contact_Roles/${e(contact)}`,
  deleted: (module: ModuleName, page: number) =>
    `${base}/${module}/deleted${queryOf({ type: "all", per_page: "200", page: String(page) })}`,
  search: (module: ModuleName, query: Readonly<Record<string, string>>) => `${base}/${module}/search${queryOf(query)}`,
  coql: `${base}/coql`,
  associate: (module: ModuleName, id: string) => `${base}/${module}/${e(id)}/actions/associate_email`,
  mails: (module: ModuleName, id: string, query: Readonly<Record<string, string>>) =>
    `${base}/${module}/${e(id)}/Emails${queryOf(query)}`,
  mail: (module: ModuleName, id: string, message: string) => `${base}/${module}/${e(id)}/Emails/${e(message)}`,
  linkMails: (contact: string) => `${base}/Contacts/${e(contact)}/Emails/actions/link_record`,
  fields: (module: ModuleName) => `${base}/settings/fields${queryOf({ module })}`,
  users: (page: number) => `${base}/users${queryOf({ type: "ActiveUsers", per_page: "200", page: String(page) })}`,
  org: `${base}/org`,
} as const;

/** 19 digits, longer than a double is exact: they stay texts. They become part of paths: what is no plain word is nobody's id. */
export const idSchema = z.string().regex(/^\d{1,25}$/);
const lookup = z.object({ id: idSchema });
export type Lookup = z.infer<typeof lookup>;

/** A record as Zoho answers it: values of any type under the fields' names. */
export const recordSchema = z.looseObject({ id: idSchema });
export type ZohoRecord = z.infer<typeof recordSchema>;
export const recordsSchema = z.object({
  data: z.array(recordSchema),
  info: z.object({ more_records: z.boolean().optional() }).optional(),
});

export const textIn = (record: ZohoRecord, name: string): string | undefined => {
  const value = record[name];
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : undefined;
};
export const lookupIn = (record: ZohoRecord, name: string): string | undefined =>
  lookup.safeParse(record[name]).data?.id;

export const madeSchema = z.object({
  data: z.tuple([z.object({ code: z.literal("SUCCESS"), details: z.object({ id: idSchema }) })], z.unknown()),
});

export interface ApiSettings {
  readonly data_center: DataCenter;
  readonly base_url?: string | undefined;
  readonly client_id: string;
  readonly client_secret: string;
  readonly refresh_token: string;
}

export interface Api {
  readonly call: Calls["call"];
  readonly shaped: Calls["shaped"];
  /** All pages of a list that tells by `more_records` whether there is one more; half a list proves nothing, so it is refused. */
  pages(path: (page: number) => string, object: string): Promise<readonly ZohoRecord[]>;
}

/** 200 a page, and 2,000 is all that Zoho gives by the page. */
const mostPages = 10;

export function openApi(settings: ApiSettings, ports: DestinationPorts): Api {
  const calls = openCalls({
    vendor: "Zoho",
    wire: authorized(settings, ports),
    clock: ports.clock,
    metrics: ports.metrics,
    classify,
    isUnclassified,
  });
  const { shaped } = calls;
  const rights = openRights(
    (request) => calls.call(request, false, (reply) => isForbidden(reply) || isNoRecord(reply)),
    ports.clock,
  );

  const call: Calls["call"] = async (request, write, expected) => {
    const isMeant = (answer: WireResponse): boolean => expected?.(answer) === true;
    const answer = await calls.call(request, write, (reply) => isMeant(reply) || isForbidden(reply));
    if (isMeant(answer) || !isForbidden(answer)) return answer;
    throw await rights.refusal(request, reasonOf(answer));
  };

  return {
    call,
    shaped,
    async pages(path, object) {
      const found: ZohoRecord[] = [];
      for (let page = 1; page <= mostPages; page++) {
        const answer = await call({ method: "GET", path: path(page), object }, false);
        if (answer.status === 204) return found;
        const { data, info } = shaped(recordsSchema, answer, false);
        found.push(...data);
        if (info?.more_records !== true) return found;
      }
      throw permanent(`Zoho lists 2,000 ${object}s at most, and there are more`);
    },
  };
}

/**
 * The token on every call. A call that is refused for its token was not carried out: it goes out once more with another one, also where it
 * writes. `base_url` is where all goes if it is given; else what the token's answer names, if that is one of Zoho's own hosts.
 */
function authorized(settings: ApiSettings, ports: DestinationPorts): Wire {
  const { wire, wireTo, clock, log, tokens, lane } = ports;
  const hosts = hostsOf(settings.data_center);
  const tokenUrl = `${settings.base_url?.replace(/\/+$/, "") ?? hosts.accounts}/oauth/v2/token`;
  const keeper = keepToken({
    account: lane,
    grant: {
      kind: "refresh_token",
      tokenUrl,
      clientId: settings.client_id,
      clientSecret: settings.client_secret,
      refreshToken: settings.refresh_token,
    },
    wire: settings.base_url === undefined ? wireTo(hosts.accounts) : wireTo(new URL(tokenUrl).origin),
    tokens,
    clock,
    log,
    keep: ["api_domain"],
    means: tokenRefusal,
  });

  async function once(request: WireRequest): Promise<{ answer: WireResponse; accessToken: string }> {
    const { accessToken, extra } = await keeper.token();
    const named = settings.base_url === undefined ? ownApi(extra?.api_domain) : undefined;
    const there = named === undefined || named === hosts.api ? wire : wireTo(named);
    const headers = { ...request.headers, authorization: `Zoho-oauthtoken ${accessToken}` };
    // One credit for each: none of ours has more than ten rows.
    return { answer: await there.request({ ...request, headers, cost: 1 }), accessToken };
  }

  return {
    async request(request) {
      const first = await once(request);
      if (!isStaleToken(first.answer)) return first.answer;
      keeper.reject(first.accessToken);
      return (await once(request)).answer;
    },
  };
}
