/** Tryton's JSON-RPC as typed calls: one path, the one version constant, and what is read out of the answers. */
import { z } from "zod";
import type { DestinationPorts } from "../../model/destination.ts";
import { Refused } from "../../model/outcome.ts";
import type { WireResponse } from "../../model/wire.ts";
import { openCalls } from "../shared/calls.ts";
import { classify, isUnclassified, isUserError } from "./classify.ts";
import { type LoginSettings, signedIn } from "./login.ts";

/** Checked 2026-11-29 against 6.0.29, Debian 12's. https://docs.tryton.org/projects/server/en/6.0/ */
export const apiVersion = "6.0";

export const models = [
  "party.party",
  "party.contact_mechanism",
  "party.relation.all",
  "party.relation.type",
  "sale.opportunity",
  "ir.note",
  "ir.module",
  "company.company",
  "company.employee",
] as const;
export type Model = (typeof models)[number];

/** What calls are counted under. */
const metricName: Readonly<Record<Model, string>> = {
  "party.party": "party",
  "party.contact_mechanism": "party",
  "party.relation.all": "relation",
  "party.relation.type": "relation",
  "sale.opportunity": "opportunity",
  "ir.note": "note",
  "ir.module": "check",
  "company.company": "check",
  "company.employee": "employee",
};

export type Values = Readonly<Record<string, unknown>>;
export type Domain = readonly unknown[];

/** The last parameter of every call. The language is that of Tryton's words, which end up in dead letters. */
export interface Context extends Readonly<Record<string, unknown>> {
  readonly language: "en";
}

export const idSchema = z.int().min(1);
/** Ids are numbers at Tryton; what is no such number is nobody's id. */
export const isId = (text: string): boolean => /^[1-9]\d{0,14}$/.test(text);

export interface Search<T> {
  readonly row: z.ZodType<T>;
  readonly domain: Domain;
  readonly fields: readonly string[];
  /** Of a page. Default 200. */
  readonly limit?: number;
  readonly newestFirst?: boolean;
  readonly offset?: number;
}

export interface Api {
  /** `common.db.login` and the like apart: `model.<model>.<method>` with its parameters, the context last. */
  model<T>(model: Model, method: string, params: readonly unknown[], result: z.ZodType<T>, write: boolean): Promise<T>;
  search<T>(model: Model, search: Search<T>, context: Context): Promise<T[]>;
  /** All pages, or a refusal: half a list proves nothing. */
  all<T>(model: Model, search: Search<T>, context: Context): Promise<T[]>;
  /** The id; a refusal in Tryton's own words is handed back, since it may be about a key that is taken. */
  create(model: Model, values: Values, context: Context): Promise<string | Refused>;
  /** Any method, for checks. */
  ask<T>(method: string, params: readonly unknown[], result: z.ZodType<T>): Promise<T>;
  /** Of the server: 6.0.29. */
  version(): Promise<string>;
  logout(): Promise<void>;
}

const pageRows = 200;
const mostPages = 1_000;

export function openApi(settings: LoginSettings, ports: Pick<DestinationPorts, "wire" | "clock" | "metrics">): Api {
  const path = `/${encodeURIComponent(settings.database)}/`;
  const { clock, metrics } = ports;
  const wire = signedIn(settings, path, ports);
  const { call, shaped } = openCalls({ vendor: "Tryton", wire, clock, metrics, classify, isUnclassified });
  let number = 0;

  async function rpc(
    object: string,
    method: string,
    params: readonly unknown[],
    write: boolean,
    expected?: (answer: WireResponse) => boolean,
  ): Promise<WireResponse> {
    number++;
    return await call({ method: "POST", path, object, body: { id: number, method, params } }, write, expected);
  }
  const resultOf = <T>(result: z.ZodType<T>, answer: WireResponse, write: boolean): T =>
    shaped(z.object({ result }), answer, write).result;

  const api: Api = {
    async model(model, method, params, result, write) {
      const answer = await rpc(metricName[model], `model.${model}.${method}`, params, write);
      return resultOf(result, answer, write);
    },
    async search(model, { row, domain, fields, limit = pageRows, newestFirst = false, offset = 0 }, context) {
      const order = [["id", newestFirst ? "DESC" : "ASC"]];
      const params = [domain, offset, limit, order, fields, context];
      return await api.model(model, "search_read", params, z.array(row), false);
    },
    async all<T>(model: Model, search: Search<T>, context: Context) {
      const { limit = pageRows } = search;
      const found: T[] = [];
      for (let page = 0; page < mostPages; page++) {
        const rows: T[] = await api.search(model, { ...search, offset: found.length }, context);
        found.push(...rows);
        if (rows.length < limit) return found;
      }
      throw new Refused({ kind: "retryable", reason: `Tryton's list of ${model} does not end` });
    },
    async create(model, values, context) {
      const answer = await rpc(metricName[model], `model.${model}.create`, [[values], context], true, isUserError);
      if (isUserError(answer)) {
        const failure = classify(answer, true, clock.now());
        return new Refused(failure ?? { kind: "permanent", reason: "Tryton refused it without a word" });
      }
      const [id] = resultOf(z.tuple([idSchema]), answer, true);
      return String(id);
    },
    logout: wire.logout,
    async version() {
      const body = { id: 0, method: "common.server.version", params: [] };
      const answer = await call({ method: "POST", path: "/", object: "check", body }, false);
      return resultOf(z.string(), answer, false);
    },
    ask: async (method, params, result) => resultOf(result, await rpc("check", method, params, false), false),
  };
  return api;
}
