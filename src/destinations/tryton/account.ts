/** Which database and company it is, what is activated there, and the context of every call. Asked once, remembered for an hour. */
import { z } from "zod";
import { Refused } from "../../model/outcome.ts";
import type { Clock } from "../../model/ports.ts";
import { openMemo } from "../shared/calls.ts";
import { type Api, type Context, idSchema } from "./api.ts";

export interface AccountSettings {
  readonly database: string;
  readonly company_id?: number | undefined;
  readonly employee_id?: number | undefined;
  readonly relation: string;
}

/** What Mailwright works with, beyond Tryton's own. Without the last one people stand beside their companies and not in them. */
export const wantedModules = ["party", "company", "sale_opportunity", "party_relationship"] as const;
type ModuleName = (typeof wantedModules)[number];

export interface Company {
  readonly id: number;
  readonly name: string;
  /** When its record was made: no two databases have that in common, unless one is the other's copy. */
  readonly made: string;
}

export interface Account {
  /** Blocked where the user has no company. */
  context(): Promise<Context>;
  company(): Promise<Company>;
  /** As a word to compare. */
  name(): Promise<string>;
  /** Whom opportunities belong to that no mapping names an owner for. */
  employee(): Promise<number | undefined>;
  has(module: ModuleName): Promise<boolean>;
  /** The type of the relation from a person to a company; undefined where it was not made, or where nothing knows of relations. */
  relation(): Promise<string | undefined>;
  forget(): void;
}

export const bare: Context = { language: "en" };
const forgetMs = 3_600_000;

const preferencesSchema = z.looseObject({ company: idSchema.nullish(), employee: idSchema.nullish() });
const moment = z.looseObject({
  year: z.int(),
  month: z.int(),
  day: z.int(),
  hour: z.int(),
  minute: z.int(),
  second: z.int(),
  microsecond: z.int(),
});
const companySchema = z.object({ id: idSchema, rec_name: z.string(), create_date: moment.nullish() });
const moduleSchema = z.object({ name: z.string() });
export const typeSchema = z.object({ id: idSchema, reverse: idSchema.nullish() });

function stampOf(at: z.infer<typeof moment> | null | undefined): string {
  if (at == null) return "unknown";
  const two = (n: number): string => String(n).padStart(2, "0");
  return `${at.year}${two(at.month)}${two(at.day)}T${two(at.hour)}${two(at.minute)}${two(at.second)}.${at.microsecond}`;
}

export function openAccount(api: Api, settings: AccountSettings, clock: Clock): Account {
  const memo = openMemo(clock, forgetMs);
  const preferences = () =>
    memo.once("preferences", () => api.ask("model.res.user.get_preferences", [true, bare], preferencesSchema));

  async function companyId(): Promise<number> {
    const id = settings.company_id ?? (await preferences()).company;
    if (id != null) return id;
    memo.forget();
    const reason = "Tryton's user has no company: give it one in its preferences, or name it in company_id";
    throw new Refused({ kind: "blocked", reason });
  }

  const account: Account = {
    async context() {
      const company = await companyId();
      return { ...bare, company, companies: [company] };
    },
    company: () =>
      memo.once("company", async () => {
        const context = await account.context();
        const domain = [["id", "=", context.company]];
        const fields = ["rec_name", "create_date"];
        const [found] = await api.search("company.company", { row: companySchema, domain, fields, limit: 1 }, context);
        if (found !== undefined) return { id: found.id, name: found.rec_name, made: stampOf(found.create_date) };
        const reason = `Tryton shows no company ${context.company} to this user; look at company_id`;
        throw new Refused({ kind: "blocked", reason });
      }),
    async name() {
      const { id, made } = await account.company();
      return `tryton:${settings.database}:${id}:${made}`;
    },
    employee: async () => settings.employee_id ?? (await preferences()).employee ?? undefined,
    async has(module) {
      const names = await memo.once("modules", async () => {
        const domain = [
          ["name", "in", [...wantedModules]],
          ["state", "=", "activated"],
        ];
        const rows = await api.search("ir.module", { row: moduleSchema, domain, fields: ["name"] }, bare);
        return rows.map(({ name }) => name);
      });
      return names.includes(module);
    },
    relation: () =>
      memo.once("relation", async () => {
        if (!(await account.has("party_relationship"))) return undefined;
        const domain = [["name", "=", settings.relation]];
        const search = { row: typeSchema, domain, fields: ["reverse"], limit: 1 };
        const [found] = await api.search("party.relation.type", search, await account.context());
        return found === undefined ? undefined : String(found.id);
      }),
    forget: memo.forget,
  };
  return account;
}
