/** Looks at an account for doctor, and makes the properties that it lacks. Weather (a 429, a time-out) is thrown; what can be mended is a finding. */
import type { AccountCheck, Finding } from "../../model/destination.ts";
import { Refused } from "../../model/outcome.ts";
import type { Account } from "./account.ts";
import { type Api, type ObjectName, paths } from "./api.ts";
import { isConflict, reasonOf } from "./classify.ts";
import { groupBody, type Need, neededObjects, needs, propertyBody, standingOf } from "./properties.ts";

export async function check(api: Api, account: Account): Promise<AccountCheck> {
  const findings: Finding[] = [];
  let name: string;
  try {
    name = (await account.portal()).portalId;
    findings.push({ level: "ok", what: `HubSpot takes the token; account ${name}` });
  } catch (error) {
    if (!(error instanceof Refused) || error.failure.kind !== "blocked") throw error;
    findings.push({ level: "problem", what: error.failure.reason, mend: "see docs/crm/hubspot.md, The token" });
    return { account: undefined, findings };
  }
  for (const object of neededObjects) {
    findings.push(await checkScope(api, object));
    for (const need of needs[object]) findings.push(await checkProperty(api, object, need));
  }
  return { account: name, findings };
}

const scopes: Readonly<Record<ObjectName, string>> = {
  contacts: "crm.objects.contacts.read and crm.objects.contacts.write",
  companies: "crm.objects.companies.read and crm.objects.companies.write",
  deals: "crm.objects.deals.read and crm.objects.deals.write",
  emails: "sales-email-read and crm.objects.contacts.write",
};

/** Whether the token may read; whether it may write shows only when something is written, and no check writes records. */
async function checkScope(api: Api, object: ObjectName): Promise<Finding> {
  const request = { method: "GET", path: `${paths.objects(object)}?limit=1`, object: "check" } as const;
  const answer = await api.call(request, false, ({ status }) => status === 403);
  if (answer.status !== 403) return { level: "ok", what: `${object} can be read` };
  return {
    level: "problem",
    what: `the token may not read ${object}: ${reasonOf(answer)}`,
    mend: `give it the scopes ${scopes[object]}`,
  };
}

const schemaScope = (object: ObjectName): string =>
  `crm.schemas.${object === "companies" || object === "deals" ? object : "contacts"}.read and .write`;

async function checkProperty(api: Api, object: ObjectName, need: Need): Promise<Finding> {
  const name = `${object}.${need.name}`;
  const standing = await standingOf(api, object, need);
  switch (standing) {
    case "unique":
      return { level: "ok", what: `${name} is there and unique: HubSpot itself keeps these records single` };
    case "plain":
      if (!need.unique) return { level: "ok", what: `${name} is there` };
      return {
        level: "warning",
        what: `${name} is there but not unique, which cannot be changed: after a lost answer Mailwright reads back before it writes again`,
        mend: "where the account allows unique properties here: archive the property at HubSpot, then run mailwright doctor --fix",
      };
    case "missing":
      return {
        level: "problem",
        what: `${name} is missing`,
        mend: "mailwright doctor --fix creates it",
        fixable: true,
      };
    case "forbidden":
      return {
        level: "warning",
        what: `the token may not look at ${name}: Mailwright does without it, and marks the text of mails instead of using a key`,
        mend: `give it the scopes ${schemaScope(object)}, then run mailwright doctor --fix`,
      };
    default:
      return standing satisfies never;
  }
}

/** Idempotent: creates what is missing and reports on that alone. */
export async function fix(api: Api): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const object of neededObjects) {
    let grouped = false;
    for (const need of needs[object]) {
      if ((await standingOf(api, object, need)) !== "missing") continue;
      if (!grouped) await createGroup(api, object);
      grouped = true;
      findings.push(await createNeeded(api, object, need));
    }
  }
  return findings;
}

async function createNeeded(api: Api, object: ObjectName, need: Need): Promise<Finding> {
  const refusal = await createProperty(api, object, need, need.unique);
  // Whether emails take unique properties is not documented. Without, there is still a key that can be read back.
  const settled = refusal !== undefined && need.unique ? await createProperty(api, object, need, false) : refusal;
  if (settled === undefined) return await checkProperty(api, object, need);
  const what = `HubSpot did not create ${object}.${need.name}: ${settled}`;
  return {
    level: "problem",
    what,
    mend: `give the token the scopes ${schemaScope(object)}, or create the property by hand`,
  };
}

const refusedOrThere = ({ status }: { status: number }) => status === 400 || status === 403 || status === 409;

async function createGroup(api: Api, object: ObjectName): Promise<void> {
  // 409: there already. A 400 or 403 will be said again, and reported, for the property.
  const request = { method: "POST", path: paths.propertyGroups(object), object: "property", body: groupBody } as const;
  await api.call(request, true, refusedOrThere);
}

/** Undefined when the property is there now, by us or by somebody else; otherwise HubSpot's words. */
async function createProperty(api: Api, object: ObjectName, need: Need, unique: boolean): Promise<string | undefined> {
  const body = propertyBody(need, unique);
  const answer = await api.call(
    { method: "POST", path: paths.properties(object), object: "property", body },
    true,
    refusedOrThere,
  );
  return answer.status < 300 || isConflict(answer) ? undefined : reasonOf(answer);
}
