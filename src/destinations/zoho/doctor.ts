/** Looks at an organisation for doctor, and makes the fields that it lacks. Weather (a 429, a time-out) is thrown; what can be mended is a finding. */
import type { AccountCheck, Finding } from "../../model/destination.ts";
import { Refused } from "../../model/outcome.ts";
import { type Api, type ModuleName, metricName, modules, paths, recordsSchema } from "./api.ts";
import { errorsOf, isDuplicate, isNoRecord, reasonOf } from "./classify.ts";
import { type Account, needs, type OwnField, ownFields } from "./fields.ts";

export async function check(api: Api, account: Account): Promise<AccountCheck> {
  const findings: Finding[] = [];
  let name: string;
  try {
    const { id, company_name, license_details } = await account.org();
    name = id;
    const edition = license_details?.paid_type;
    const words = [company_name, edition == null ? undefined : `edition ${edition}`].filter(Boolean).join(", ");
    findings.push({
      level: "ok",
      what: `Zoho takes the grant; organisation ${id}${words === "" ? "" : ` (${words})`}`,
    });
  } catch (error) {
    findings.push(blockedIn(error, "see docs/crm/zoho.md, The grant"));
    return { account: undefined, findings };
  }
  let contact: string | undefined;
  for (const module of modules) {
    const read = await probe(api, module);
    findings.push(read.finding);
    if (module === "Contacts") contact = read.first;
    findings.push(...(await checkFields(account, module)));
  }
  if (contact !== undefined) findings.push(await checkMails(api, contact));
  findings.push(await checkQuery(api));
  return { account: name, findings };
}

function blockedIn(error: unknown, mend: string): Finding {
  if (!(error instanceof Refused) || error.failure.kind !== "blocked") throw error;
  return { level: "problem", what: error.failure.reason, mend };
}

const refusedFor = ({ status }: { status: number }): boolean => status === 401 || status === 403;
const scopes = "give the grant the scopes of docs/crm/zoho.md, Scopes";

/** Whether the grant may read; whether it may write shows only when something is written, and no check writes records. */
async function probe(api: Api, module: ModuleName): Promise<{ finding: Finding; first: string | undefined }> {
  const path = paths.module(module, { fields: "id", per_page: "1" });
  const answer = await api.call({ method: "GET", path, object: "check" }, false, refusedFor);
  if (refusedFor(answer)) {
    const what = `the grant may not read ${module}: ${reasonOf(answer)}`;
    return { finding: { level: "problem", what, mend: scopes }, first: undefined };
  }
  const first = answer.status === 204 ? undefined : api.shaped(recordsSchema, answer, false).data[0]?.id;
  return { finding: { level: "ok", what: `${module} can be read` }, first };
}

async function checkMails(api: Api, contact: string): Promise<Finding> {
  const request = { method: "GET", path: paths.mails("Contacts", contact, {}), object: "check" } as const;
  const answer = await api.call(request, false, (reply) => refusedFor(reply) || isNoRecord(reply));
  if (!refusedFor(answer)) return { level: "ok", what: "mails of contacts can be read" };
  return { level: "problem", what: `the grant may not read mails: ${reasonOf(answer)}`, mend: scopes };
}

async function checkQuery(api: Api): Promise<Finding> {
  const body = { select_query: "select id from Contacts where (Email = 'nobody@mailwright.invalid') limit 1" };
  const answer = await api.call({ method: "POST", path: paths.coql, object: "check", body }, false, refusedFor);
  if (!refusedFor(answer)) return { level: "ok", what: "COQL answers" };
  return { level: "problem", what: `the grant may not use COQL: ${reasonOf(answer)}`, mend: scopes };
}

async function checkFields(account: Account, module: ModuleName): Promise<Finding[]> {
  let there: Awaited<ReturnType<Account["look"]>>;
  try {
    there = await account.look(module);
  } catch (error) {
    return [blockedIn(error, scopes)];
  }
  return needs[module].map((name): Finding => {
    const field = `${module}.${name}`;
    if (!there.has(name)) {
      const isKey = name === ownFields.key;
      const mend = "mailwright doctor --fix creates it";
      return { level: isKey ? "problem" : "warning", what: `${field} is missing`, mend, fixable: true };
    }
    if (name !== ownFields.key) return { level: "ok", what: `${field} is there` };
    if (there.isUnique(name))
      return { level: "ok", what: `${field} is there and unique: Zoho itself keeps these records single` };
    return {
      level: "warning",
      what: `${field} is there but not unique: after a lost answer Mailwright reads back, and what cannot be told becomes a dead letter`,
      mend: "where the edition has unique fields: in Setup, Modules and Fields, set 'Do not allow duplicate values' on it",
    };
  });
}

/** Idempotent: creates what is missing and reports on that alone. */
export async function fix(api: Api, account: Account): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const module of modules) {
    const there = await account.look(module);
    for (const name of needs[module]) if (!there.has(name)) findings.push(await create(api, account, module, name));
  }
  return findings;
}

export function fieldBody(name: OwnField, unique: boolean) {
  const label = name.replaceAll("_", " ");
  const length = name === ownFields.key ? 64 : 255;
  return {
    field_label: label,
    data_type: "text",
    length,
    ...(unique ? { unique: { casesensitive: false } } : {}),
  } as const;
}

async function create(api: Api, account: Account, module: ModuleName, name: OwnField): Promise<Finding> {
  const refusal = await ask(api, module, name, name === ownFields.key);
  // Not every edition has unique fields. Without, there is still a key that can be read back.
  const settled = refusal !== undefined && name === ownFields.key ? await ask(api, module, name, false) : refusal;
  account.forget();
  if (settled === undefined) {
    const found = (await checkFields(account, module)).find(({ what }) => what.startsWith(`${module}.${name} `));
    if (found !== undefined) return found;
  }
  return {
    level: "problem",
    what: `Zoho did not create ${module}.${name}: ${settled ?? "no words"}`,
    mend: `create it by hand: Setup, Modules and Fields, ${metricName[module]}s, a single line named '${fieldBody(name, true).field_label}'`,
  };
}

/** Undefined when the field is there now, by us or by somebody else; otherwise Zoho's words. */
async function ask(api: Api, module: ModuleName, name: OwnField, unique: boolean): Promise<string | undefined> {
  const body = { fields: [fieldBody(name, unique)] };
  const request = { method: "POST", path: paths.fields(module), object: "field", body } as const;
  const answer = await api.call(request, true, (reply) => reply.status < 500 && errorsOf(reply).length > 0);
  return errorsOf(answer).length === 0 || isDuplicate(answer) ? undefined : reasonOf(answer);
}
