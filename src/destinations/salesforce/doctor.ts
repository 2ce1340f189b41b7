/** Looks at an org for doctor. It mends nothing: fields are made by deploying deploy/salesforce, which needs an administrator. */
import type { AccountCheck, Finding } from "../../model/destination.ts";
import { Refused } from "../../model/outcome.ts";
import { type Api, type ObjectName, paths } from "./api.ts";
import { ownFields } from "./bodies.ts";
import { deploy, noObject, type Org, type Shape } from "./org.ts";
import type { Usage } from "./usage.ts";

/** Which of our fields each object is to have. */
export const neededFields: Readonly<Record<ObjectName, readonly string[]>> = {
  Contact: [ownFields.key, ownFields.flags],
  Lead: [ownFields.key, ownFields.flags],
  Account: [ownFields.key],
  Opportunity: [ownFields.key],
  EmailMessage: [ownFields.key, ownFields.event, ownFields.flags, ownFields.files],
};

export async function check(api: Api, org: Org, usage: Usage): Promise<AccountCheck> {
  const findings: Finding[] = [];
  org.forget();
  let id: string;
  let calls: readonly Finding[];
  try {
    calls = await spent(api, usage);
    id = await org.id();
    findings.push({ level: "ok", what: `Salesforce takes the sign-in; org ${id} (${await org.name()})` });
  } catch (error) {
    if (!(error instanceof Refused) || error.failure.kind !== "blocked") throw error;
    findings.push({ level: "problem", what: error.failure.reason, mend: "see docs/crm/salesforce.md, Signing in" });
    return { account: undefined, findings };
  }
  for (const object of Object.keys(neededFields) as ObjectName[]) {
    const shape = await org.look(object);
    if (shape === undefined)
      findings.push({ level: "problem", what: noObject(object), mend: "see docs/crm/salesforce.md" });
    else findings.push(...neededFields[object].map((name) => fieldFinding(object, name, shape)));
  }
  return { account: id, findings: [...findings, ...calls] };
}

function fieldFinding(object: ObjectName, name: string, { fields }: Shape): Finding {
  const field = fields.get(name);
  const what = `${object}.${name}`;
  const isKey = name === ownFields.key;
  if (field?.createable !== true) {
    if (isKey) return { level: "problem", what: `${what} is missing, or the user may not set it`, mend: deploy };
    return { level: "warning", what: `${what} is missing: Mailwright does without it`, mend: deploy };
  }
  if (!isKey) return { level: "ok", what: `${what} is there` };
  if (field.unique)
    return { level: "ok", what: `${what} is there and unique: Salesforce itself keeps these records single` };
  return {
    level: "warning",
    what: `${what} is there but not unique: after a lost answer Mailwright reads back before it writes again`,
    mend: "where the org allows it, make the field unique",
  };
}

async function spent(api: Api, usage: Usage): Promise<readonly Finding[]> {
  await api.call({ method: "GET", path: paths.limits, object: "setup" }, false);
  const seen = usage.last();
  if (seen === undefined || seen.most === 0) return [];
  const percent = Math.round((seen.used / seen.most) * 100);
  const what = `the org has used ${seen.used} of its ${seen.most} API calls of a day (${percent} %)`;
  return [percent < 80 ? { level: "ok", what } : { level: "warning", what, mend: "look which app makes so many" }];
}
