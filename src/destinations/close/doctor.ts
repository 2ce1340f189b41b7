/** Looks at an organization for doctor, and makes the custom fields that it lacks. Weather (a 429, a time-out) is thrown; what can be mended is a finding. */
import type { AccountCheck, Finding } from "../../model/destination.ts";
import { Refused } from "../../model/outcome.ts";
import { type Account, allOwn, type OwnField } from "./account.ts";
import { type Api, paths } from "./api.ts";
import { addressSearch } from "./bodies.ts";
import { reasonOf } from "./classify.ts";

export async function check(api: Api, account: Account): Promise<AccountCheck> {
  account.forget();
  const findings: Finding[] = [];
  let organization: string;
  try {
    organization = await account.organization();
    findings.push({ level: "ok", what: `Close takes the API key; organization ${organization}` });
  } catch (error) {
    if (!(error instanceof Refused) || error.failure.kind !== "blocked") throw error;
    findings.push({ level: "problem", what: error.failure.reason, mend: "see docs/crm/close.md, The key" });
    return { account: undefined, findings };
  }
  findings.push(...(await checkRights(api)));
  for (const field of allOwn) findings.push(await checkField(account, field));
  return { account: organization, findings };
}

const reads = [
  ["contacts", { method: "GET", path: `${paths.contacts}?_limit=1` }],
  ["leads", { method: "GET", path: `${paths.leads}?_limit=1` }],
  ["opportunities", { method: "GET", path: `${paths.opportunities}?_limit=1` }],
  ["e-mails", { method: "GET", path: `${paths.emails}?_limit=1` }],
  ["pipelines", { method: "GET", path: paths.pipelines }],
  [
    "the search",
    { method: "POST", path: paths.search, budget: "search", body: addressSearch("doctor@mailwright.invalid") },
  ],
] as const;

/** Keys have no scopes: they may what their user may. Whether that is to write shows only when something is written, and no check writes records. */
async function checkRights(api: Api): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [what, request] of reads) {
    const answer = await api.call(
      { ...request, object: "check" },
      false,
      ({ status }) => status === 403 || status === 400,
    );
    if (answer.status === 200) findings.push({ level: "ok", what: `${what} can be read` });
    else
      findings.push({
        level: "problem",
        what: `the key's user may not read ${what}: ${reasonOf(answer)}`,
        mend: "give the user a role at Close that sees all leads and may create and edit them (docs/crm/close.md, The key)",
      });
  }
  return findings;
}

const plurals = { lead: "leads", contact: "contacts", opportunity: "opportunities" } as const;

async function checkField(account: Account, field: OwnField): Promise<Finding> {
  const { object, name } = field;
  if ((await account.idOf(field)) !== undefined)
    return { level: "ok", what: `the field "${name}" of ${plurals[object]} is there` };
  return {
    // Without flags, and without a word on who made it, a contact is a contact all the same.
    level: object === "contact" ? "warning" : "problem",
    what: `the field "${name}" of ${plurals[object]} is missing`,
    mend: "mailwright doctor --fix creates it",
    fixable: true,
  };
}

/** Idempotent: creates what is missing and reports on that alone. */
export async function fix(api: Api, account: Account): Promise<readonly Finding[]> {
  account.forget();
  const findings: Finding[] = [];
  for (const field of allOwn) {
    if ((await account.idOf(field)) !== undefined) continue;
    const { object, ...own } = field;
    const body = { ...own, type: "text" };
    const request = { method: "POST", path: paths.fields(object), object: "custom_field", body } as const;
    const answer = await api.call(request, true, ({ status }) => status === 400 || status === 403);
    account.forget();
    if (answer.status < 300) findings.push(await checkField(account, field));
    else
      findings.push({
        level: "problem",
        what: `Close did not create the field "${body.name}" of ${plurals[object]}: ${reasonOf(answer)}`,
        mend: "use the key of an administrator for doctor --fix, or create a field of type text with this name by hand",
      });
  }
  return findings;
}
