/** Salesforce's REST API as typed calls: the one version constant, paths, composites, queries in parts, and the org's daily calls. */
import { z } from "zod";
import { Refused } from "../../model/outcome.ts";
import type { Clock, Metrics } from "../../model/ports.ts";
import type { TokenKeeper } from "../../model/tokens.ts";
import type { Wire, WireRequest, WireResponse } from "../../model/wire.ts";
import { openCalls } from "../shared/calls.ts";
import { classify, isExpired, isUnclassified, partsOf } from "./classify.ts";
import type { Usage } from "./usage.ts";

/**
 * Three releases a year, each with a version; old ones live for years. Checked 2026-11-29.
 * https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/intro_rest.htm
 */
export const apiVersion = "v67.0";
const root = `/services/data/${apiVersion}`;

/** The objects that records of ours are. */
export type ObjectName = "Contact" | "Lead" | "Account" | "Opportunity" | "EmailMessage";
type AnyObject = ObjectName | "EmailMessageRelation" | "OpportunityContactRole";

const metricNames: Readonly<Record<AnyObject, string>> = {
  Contact: "contact",
  Lead: "lead",
  Account: "account",
  Opportunity: "opportunity",
  EmailMessage: "email",
  EmailMessageRelation: "association",
  OpportunityContactRole: "association",
};
export const metricName = (object: AnyObject): string => metricNames[object];

/** Record ids become part of paths and of queries: what is none is nobody's. */
export const idSchema = z.string().regex(/^[0-9A-Za-z]{15}(?:[A-Z0-5]{3})?$/);
export const isId = (text: string): boolean => idSchema.safeParse(text).success;

/** Every value from outside is percent-encoded here. */
export const paths = {
  records: (object: AnyObject) => `${root}/sobjects/${object}`,
  record: (object: AnyObject, id: string) => `${root}/sobjects/${object}/${encodeURIComponent(id)}`,
  describe: (object: ObjectName) => `${root}/sobjects/${object}/describe`,
  /** With `deleted` those of the recycle bin too. */
  query: (soql: string, deleted: boolean) => `${root}/${deleted ? "queryAll" : "query"}?q=${encodeURIComponent(soql)}`,
  composite: `${root}/composite`,
  limits: `${root}/limits`,
} as const;

const rowSchema = z.looseObject({ Id: idSchema });
export type Row = z.infer<typeof rowSchema>;
const pageSchema = z.object({
  done: z.boolean(),
  nextRecordsUrl: z.string().optional(),
  records: z.array(rowSchema),
});
export const madeSchema = z.object({ id: idSchema });

/** A field of a row as text; null where it has none. */
export function textOf(row: Row, name: string): string | null {
  const value = row[name];
  return value === null || value === undefined || typeof value === "object" ? null : String(value);
}

export interface Question {
  readonly soql: string;
  readonly deleted?: boolean;
}

export interface SubRequest {
  readonly method: "POST" | "GET";
  readonly url: string;
  readonly referenceId: string;
  readonly body?: object;
}

export interface Api {
  /** An answer that is no failure by `classify`, or one that is `expected`. Refused otherwise. */
  call(request: WireRequest, write: boolean, expected?: (answer: WireResponse) => boolean): Promise<WireResponse>;
  shaped<T>(schema: z.ZodType<T>, answer: WireResponse, write: boolean): T;
  /** All rows, or a refusal: half a list proves nothing. */
  query(object: AnyObject | "User" | "OpportunityStage" | "Organization", question: Question): Promise<readonly Row[]>;
  /** Several questions with one call. Each is to fit one answer: give it a LIMIT. */
  queries(object: AnyObject, questions: readonly Question[]): Promise<readonly (readonly Row[])[]>;
  /** All of it or nothing. The answer is that of the part that failed, or of all. */
  composite(
    object: AnyObject,
    parts: readonly SubRequest[],
    expected?: (answer: WireResponse) => boolean,
  ): Promise<WireResponse>;
}

export interface ApiPorts {
  readonly wire: Wire;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly keeper: TokenKeeper;
  readonly usage: Usage;
  /** Sent with every call: what the org's duplicate rules are told. */
  readonly headers: Readonly<Record<string, string>>;
  /** Where the org is; a token for another place is no use here. */
  readonly baseUrl: string;
}

const mostPages = 500;

export function openApi({ wire, clock, metrics, keeper, usage, headers, baseUrl }: ApiPorts): Api {
  const calls = openCalls({ vendor: "Salesforce", wire, clock, metrics, classify, isUnclassified });

  async function session(): Promise<string> {
    const { accessToken, extra } = await keeper.token();
    const instance = URL.parse(extra?.instance_url ?? "");
    if (instance !== null && instance.host !== new URL(baseUrl).host) {
      const reason = `Salesforce says that this org is at ${instance.origin.slice(0, 200)}: set base_url to it`;
      throw new Refused({ kind: "blocked", reason });
    }
    return accessToken;
  }

  async function call(
    request: WireRequest,
    write: boolean,
    expected?: (answer: WireResponse) => boolean,
  ): Promise<WireResponse> {
    for (let renewed = false; ; renewed = true) {
      const token = await session();
      usage.check(clock.now());
      const sent = { ...request, headers: { ...headers, ...request.headers, authorization: `Bearer ${token}` } };
      const answer = await calls.call(sent, write, (one) => {
        usage.saw(one.headers["sforce-limit-info"], clock.now());
        return (!renewed && isExpired(one)) || expected?.(one) === true;
      });
      if (!isExpired(answer)) return answer;
      // Salesforce looks at the session first: nothing was carried out, and the same call is safe with another one.
      keeper.reject(token);
    }
  }

  async function query(object: string, { soql, deleted = false }: Question): Promise<readonly Row[]> {
    const rows: Row[] = [];
    let path = paths.query(soql, deleted);
    for (let page = 0; page < mostPages; page++) {
      const answer = await call({ method: "GET", path, object: metricNames[object as AnyObject] ?? "setup" }, false);
      const { done, nextRecordsUrl, records } = calls.shaped(pageSchema, answer, false);
      rows.push(...records);
      if (done) return rows;
      if (nextRecordsUrl?.startsWith(`${root}/query`) !== true) break;
      path = nextRecordsUrl;
    }
    throw new Refused({ kind: "retryable", reason: "Salesforce's answer to a query does not come to its end" });
  }

  return {
    call,
    shaped: calls.shaped,
    query,
    async queries(object, questions) {
      const [only] = questions;
      if (only === undefined) return [];
      if (questions.length === 1) return [await query(object, only)];
      const parts = questions.map(({ soql, deleted = false }, index) => ({
        method: "GET" as const,
        url: paths.query(soql, deleted),
        referenceId: `q${index}`,
      }));
      const body = { allOrNone: false, compositeRequest: parts };
      const request = { method: "POST", path: paths.composite, object: metricName(object), body } as const;
      const answer = await call(request, false);
      return parts.map(({ referenceId }) => {
        const part = partsOf(answer)?.find((one) => one.referenceId === referenceId);
        const page = calls.shaped(pageSchema, { ...answer, json: part?.json }, false);
        if (page.done) return page.records;
        throw new Refused({ kind: "retryable", reason: "Salesforce's answer to a query does not come to its end" });
      });
    },
    async composite(object, parts, expected) {
      const body = { allOrNone: true, compositeRequest: parts };
      const request = { method: "POST", path: paths.composite, object: metricName(object), body } as const;
      return await call(request, true, expected);
    },
  };
}
