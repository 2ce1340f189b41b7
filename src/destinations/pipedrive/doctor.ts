/** Looks at a company for doctor, and makes the fields that it lacks. Weather (a 429, a time-out) is thrown; what can be mended is a finding. */
import { z } from "zod";
import type { AccountCheck, Finding } from "../../model/destination.ts";
import { Refused } from "../../model/outcome.ts";
import { type Account, faultOf, type KeyedObject, keyedObjects, type Standing, standingsOf } from "./account.ts";
import { type Api, asks, type ObjectName } from "./api.ts";
import { fieldBody } from "./bodies.ts";
import { reasonOf } from "./classify.ts";

const typesSchema = z.object({
  data: z.array(z.object({ key_string: z.string(), active_flag: z.boolean().nullish().catch(undefined) })).nullable(),
});
const objects: readonly ObjectName[] = ["persons", "organizations", "deals", "activities"];
const isForbidden = ({ status }: { status: number }): boolean => status === 403;

export async function check(api: Api, account: Account, activityType: string): Promise<AccountCheck> {
  const findings: Finding[] = [];
  let name: string;
  try {
    const { id, domain } = await account.company();
    name = id;
    findings.push({
      level: "ok",
      what: `Pipedrive takes the token; company ${id}${domain === undefined ? "" : ` (${domain})`}`,
    });
  } catch (error) {
    if (!(error instanceof Refused) || error.failure.kind !== "blocked") throw error;
    findings.push({ level: "problem", what: error.failure.reason, mend: "see docs/crm/pipedrive.md, The token" });
    return { account: undefined, findings };
  }
  for (const object of objects) findings.push(await checkRead(api, object));
  for (const object of keyedObjects) findings.push(...(await checkFields(account, object)));
  findings.push(await checkType(api, activityType));
  return { account: name, findings };
}

/** Whether the token may read; whether it may write shows only when something is written, and no check writes records. */
async function checkRead(api: Api, object: ObjectName): Promise<Finding> {
  const answer = await api.call(asks.list(object, { limit: "1" }), false, isForbidden);
  if (!isForbidden(answer)) return { level: "ok", what: `${object} can be read` };
  return {
    level: "problem",
    what: `the token may not read ${object}: ${reasonOf(answer)}`,
    mend: "give its user the permission, or take the token of one who has it",
  };
}

async function checkFields(account: Account, object: KeyedObject): Promise<Finding[]> {
  return standingsOf(object, await account.fields(object)).map((standing): Finding => {
    if (standing.codes.length === 1) return { level: "ok", what: `${object}: the field "${standing.name}" is there` };
    const what = faultOf(object, standing);
    if (standing.codes.length > 1) return { level: "problem", what, mend: "rename the others at Pipedrive" };
    return { level: "problem", what, mend: "mailwright doctor --fix creates it", fixable: true };
  });
}

async function checkType(api: Api, wanted: string): Promise<Finding> {
  const answer = await api.call(asks.activityTypes, false, isForbidden);
  if (isForbidden(answer))
    return { level: "warning", what: `whether there is an activity type ${wanted} cannot be seen` };
  const all = api.shaped(typesSchema, answer, false).data ?? [];
  const active = all.filter(({ active_flag }) => active_flag !== false).map(({ key_string }) => key_string);
  if (active.includes(wanted)) return { level: "ok", what: `mail is logged as activities of type ${wanted}` };
  return {
    level: "problem",
    what: `Pipedrive has no activity type ${wanted}; it has ${active.slice(0, 20).join(", ")}`,
    mend: "add one at Pipedrive (Company settings, Activities), or set activity_type",
  };
}

/** Idempotent: creates what is missing and reports on that alone. */
export async function fix(api: Api, account: Account): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const object of keyedObjects) {
    const missing = standingsOf(object, await account.fields(object)).filter(({ codes }) => codes.length === 0);
    for (const one of missing) findings.push(await addField(api, object, one));
  }
  account.forget();
  return findings;
}

/** Pipedrive takes a second field of the same name: after an unclear answer the next run looks first, as always. */
async function addField(api: Api, object: KeyedObject, { name }: Standing): Promise<Finding> {
  const refused = ({ status }: { status: number }): boolean => status === 400 || status === 403 || status === 422;
  const answer = await api.call(asks.addField(object, fieldBody(name)), true, refused);
  if (!refused(answer)) return { level: "ok", what: `${object}: the field "${name}" was made` };
  return {
    level: "problem",
    what: `Pipedrive did not make the field "${name}" on ${object}: ${reasonOf(answer)}`,
    mend: "run doctor --fix with the token of an administrator, or add the field by hand (type Text)",
  };
}
