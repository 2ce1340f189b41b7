/** Looks at a database for doctor, and makes the relation types that it lacks. Weather (a 429, a time-out) is thrown; what can be mended is a finding. */
import { z } from "zod";
import type { AccountCheck, Finding } from "../../model/destination.ts";
import { Refused } from "../../model/outcome.ts";
import { type Account, type AccountSettings, type Company, typeSchema, wantedModules } from "./account.ts";
import { type Api, apiVersion } from "./api.ts";

export interface Doctor {
  check(): Promise<AccountCheck>;
  /** Idempotent: makes what is missing and reports on that alone. */
  fix(): Promise<readonly Finding[]>;
}

const rights = ["read", "create", "write"] as const;
const accessSchema = z.record(
  z.string(),
  z.looseObject(Object.fromEntries(rights.map((right) => [right, z.union([z.boolean(), z.number()])]))),
);
const checkedModels = [
  ["party.party", "parties", rights],
  ["party.contact_mechanism", "contact mechanisms", rights],
  ["sale.opportunity", "opportunities", rights],
  ["ir.note", "notes", rights],
  ["party.relation.all", "relations of parties", rights],
  ["party.relation.type", "types of relations", ["read"]],
] as const;

export function openDoctor(api: Api, account: Account, { relation }: Pick<AccountSettings, "relation">): Doctor {
  async function checkModules(): Promise<Finding[]> {
    const findings: Finding[] = [];
    for (const name of wantedModules) {
      const isThere = await account.has(name);
      if (isThere) findings.push({ level: "ok", what: `the module ${name} is activated` });
      else
        findings.push({
          level: name === "party_relationship" ? "warning" : "problem",
          what: `the module ${name} is not activated`,
          mend: "install tryton-modules packages and activate it in Tryton's Administration, Modules (docs/crm/tryton.md)",
        });
    }
    return findings;
  }

  async function checkRights(): Promise<Finding[]> {
    const hasRelations = await account.has("party_relationship");
    const hasDeals = await account.has("sale_opportunity");
    const wanted = checkedModels.filter(
      ([model]) => (hasRelations || !model.startsWith("party.relation")) && (hasDeals || model !== "sale.opportunity"),
    );
    const params = [wanted.map(([model]) => model), await account.context()];
    const access = new Map(Object.entries(await api.ask("model.ir.model.access.get_access", params, accessSchema)));
    return wanted.map(([model, what, needed]): Finding => {
      const lacking = needed.filter((right) => !access.get(model)?.[right]);
      if (lacking.length === 0) return { level: "ok", what: `the user may ${needed.join(", ")} ${what}` };
      return {
        level: "problem",
        what: `the user may not ${lacking.join(", ")} ${what}`,
        mend: "give the user the groups named in docs/crm/tryton.md, The user",
      };
    });
  }

  async function checkRelation(): Promise<Finding[]> {
    if (!(await account.has("party_relationship"))) return [];
    if ((await account.relation()) !== undefined)
      return [{ level: "ok", what: `the relation type "${relation}" is there` }];
    return [
      {
        level: "warning",
        what: `the relation type "${relation}" is missing: people are not put in their companies`,
        mend: "mailwright doctor --fix makes it",
        fixable: true,
      },
    ];
  }

  async function typeNamed(name: string) {
    const search = { row: typeSchema, domain: [["name", "=", name]], fields: ["reverse"], limit: 1 };
    return (await api.search("party.relation.type", search, await account.context()))[0];
  }

  /** The way back first: whatever is cut off here, the next turn finds what is there and goes on. */
  async function makeTypes(): Promise<void> {
    const context = await account.context();
    const reverse = relation === "Works for" ? "Employs" : `${relation}, the other way`;
    const make = async (name: string, values: object): Promise<number> => {
      const there = await typeNamed(name);
      if (there !== undefined) return there.id;
      const made = await api.create("party.relation.type", { name, ...values }, context);
      if (made instanceof Refused) throw made;
      return Number(made);
    };
    const back = await make(reverse, {});
    const there = await make(relation, { reverse: back });
    await api.model("party.relation.type", "write", [[back], { reverse: there }, context], z.unknown(), true);
  }

  return {
    async check() {
      account.forget();
      const findings: Finding[] = [];
      let company: Company;
      try {
        company = await account.company();
        findings.push({ level: "ok", what: `Tryton takes the login; company ${company.name} (${company.id})` });
      } catch (error) {
        if (!(error instanceof Refused) || error.failure.kind !== "blocked") throw error;
        findings.push({ level: "problem", what: error.failure.reason, mend: "see docs/crm/tryton.md, The user" });
        return { account: undefined, findings };
      }
      findings.push(...(await checkModules()), ...(await checkRights()), ...(await checkRelation()));
      findings.push(versionFinding(await api.version()));
      return { account: await account.name(), findings };
    },
    async fix() {
      account.forget();
      if (!(await account.has("party_relationship")) || (await account.relation()) !== undefined) return [];
      try {
        await makeTypes();
      } catch (error) {
        if (!(error instanceof Refused) || !["permanent", "blocked"].includes(error.failure.kind)) throw error;
        return [
          {
            level: "problem",
            what: `Tryton did not make the relation type "${relation}": ${error.failure.reason}`,
            mend: "use a user of the group Party Administration for doctor --fix, or make a type with this name by hand",
          },
        ];
      } finally {
        account.forget();
      }
      return await checkRelation();
    },
  };
}

function versionFinding(version: string): Finding {
  const what = `Tryton ${version.slice(0, 20)}`;
  if (version.startsWith(`${apiVersion}.`)) return { level: "ok", what };
  return {
    level: "warning",
    what,
    mend: `Mailwright was tried with Tryton ${apiVersion} alone: try it on a copy first`,
  };
}
