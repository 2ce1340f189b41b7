/** What one HubSpot account can do: its portal, which of our properties it has, and so how its records are kept single. Checks and mends it. */
import type { AccountCheck, Dedupe, Finding } from "../../model/destination.ts";
import { Refused } from "../../model/outcome.ts";
import { type Api, accountSchema, type ObjectName, paths, propertySchema, shaped } from "./api.ts";
import { type Has, type OwnProperty, ownProperties } from "./bodies.ts";
import { isConflict, reasonOf } from "./classify.ts";

/** How a property stands: `forbidden` when the token may not even look. */
type Standing = "unique" | "plain" | "missing" | "forbidden";

interface Need {
  readonly name: OwnProperty;
  readonly label: string;
  readonly description: string;
  readonly unique: boolean;
  readonly fieldType: "text" | "textarea";
}

const key: Need = {
  name: ownProperties.key,
  label: "Mailwright key",
  description: "Keeps a record single when Mailwright has to try again. Do not edit.",
  unique: true,
  fieldType: "text",
};
const flags: Need = {
  name: ownProperties.flags,
  label: "Mailwright flags",
  description: "What Mailwright found worth knowing: how far the sender can be trusted, for one.",
  unique: false,
  fieldType: "text",
};
const needs: Readonly<Record<ObjectName, readonly Need[]>> = {
  contacts: [
    {
      name: ownProperties.source,
      label: "Mailwright source",
      description: "How Mailwright came to make this contact: email.",
      unique: false,
      fieldType: "text",
    },
    flags,
  ],
  companies: [key],
  deals: [key],
  emails: [
    key,
    {
      name: ownProperties.eventId,
      label: "Mailwright event",
      description: "The event that this mail is in Mailwright, for mailwright explain.",
      unique: false,
      fieldType: "text",
    },
    {
      name: ownProperties.headers,
      label: "Mail headers",
      description: "The mail's headers as received, for audit.",
      unique: false,
      fieldType: "textarea",
    },
    flags,
  ],
  notes: [key],
};
const objectNames = Object.keys(needs) as ObjectName[];
const group = { name: "mailwright", label: "Mailwright" };

export interface AccountSettings {
  readonly portal_id?: string | undefined;
  readonly allow_missing_properties: boolean;
}

export interface Portal {
  readonly portalId: string;
  readonly uiDomain: string;
}

export interface Account {
  /** Asked once and remembered. Blocked when it is not the portal that the configuration names. */
  portal(): Promise<Portal>;
  /** Which of our properties the object has. Blocked when one could be there and is not. */
  has(object: ObjectName): Promise<Has>;
  dedupe(object: ObjectName): Promise<Dedupe>;
  /** The account's schema changed under us; looks again at the next question. */
  forget(object: ObjectName): void;
  check(): Promise<AccountCheck>;
  fix(): Promise<readonly Finding[]>;
}

export function openAccount(api: Api, settings: AccountSettings): Account {
  let portal: Promise<Portal> | undefined;
  const standings = new Map<ObjectName, Promise<ReadonlyMap<OwnProperty, Standing>>>();

  async function askPortal(): Promise<Portal> {
    const answer = await api.call({ method: "GET", path: paths.account, object: "account" }, false);
    const details = shaped(accountSchema, answer, false);
    if (settings.portal_id !== undefined && settings.portal_id !== details.portalId) {
      const reason = `the token is for HubSpot account ${details.portalId}, the configuration's portal_id says ${settings.portal_id}`;
      throw new Refused({ kind: "blocked", reason });
    }
    api.timeZone = details.timeZone;
    const uiDomain =
      details.uiDomain !== undefined && /^[a-z0-9.-]{4,80}$/.test(details.uiDomain)
        ? details.uiDomain
        : "app.hubspot.com";
    return { portalId: details.portalId, uiDomain };
  }

  /** One question at a time, its answer kept, its failure not. */
  function askedPortal(): Promise<Portal> {
    portal ??= askPortal().catch((error: unknown) => {
      portal = undefined;
      throw error;
    });
    return portal;
  }

  async function standing(object: ObjectName, need: Need): Promise<Standing> {
    const request = { method: "GET", path: paths.property(object, need.name), object: "property" } as const;
    const answer = await api.call(request, false, ({ status }) => status === 403 || status === 404);
    if (answer.status === 403) return "forbidden";
    if (answer.status === 404) return "missing";
    return shaped(propertySchema, answer, false).hasUniqueValue === true ? "unique" : "plain";
  }

  async function ask(object: ObjectName): Promise<ReadonlyMap<OwnProperty, Standing>> {
    await askedPortal();
    const found = new Map<OwnProperty, Standing>();
    for (const need of needs[object]) found.set(need.name, await standing(object, need));
    return found;
  }

  function asked(object: ObjectName): Promise<ReadonlyMap<OwnProperty, Standing>> {
    const known = standings.get(object);
    if (known !== undefined) return known;
    const question = ask(object).then(
      (found) => required(object, found),
      (error: unknown) => {
        standings.delete(object);
        throw error;
      },
    );
    standings.set(object, question);
    return question;
  }

  /** A property that `doctor --fix` could make is worth waiting for; mail that waits is not lost, a doubled activity stays doubled. */
  function required(object: ObjectName, found: ReadonlyMap<OwnProperty, Standing>): ReadonlyMap<OwnProperty, Standing> {
    const missing = [...found].filter(([, state]) => state === "missing").map(([name]) => name);
    if (missing.length === 0 || settings.allow_missing_properties) return found;
    standings.delete(object);
    const reason = `HubSpot has no ${missing.join(", ")} on ${object}: run mailwright doctor --fix, or set allow_missing_properties`;
    throw new Refused({ kind: "blocked", reason });
  }

  const account: Account = {
    portal: askedPortal,
    async has(object) {
      const found = await asked(object);
      return (property) => {
        const state = found.get(property);
        return state === "unique" || state === "plain";
      };
    },
    async dedupe(object) {
      return object === "contacts"
        ? { tier: "unique-key", absenceProvable: true }
        : dedupeOf(object, (await asked(object)).get(key.name));
    },
    forget(object) {
      standings.delete(object);
    },
    check: () => check(api, askedPortal, standing),
    async fix() {
      standings.clear();
      return await fix(api, standing);
    },
  };
  return account;
}

/** The three tiers of docs/crm/hubspot.md. */
function dedupeOf(object: ObjectName, state: Standing | undefined): Dedupe {
  if (state === "unique") return { tier: "unique-key", absenceProvable: true };
  // A company hangs on nothing whose list could be read to its end: only a search could find it, and a search lags.
  if (object === "companies") return { tier: "key-readback", absenceProvable: false };
  return { tier: state === "plain" ? "key-readback" : "marker-readback", absenceProvable: true };
}

type AskStanding = (object: ObjectName, need: Need) => Promise<Standing>;

/** One look at the account for doctor. Weather (a 429, a time-out) is thrown; what the operator can mend becomes a finding. */
async function check(api: Api, portal: () => Promise<Portal>, standing: AskStanding): Promise<AccountCheck> {
  const findings: Finding[] = [];
  let name: string | undefined;
  try {
    name = (await portal()).portalId;
    findings.push({ level: "ok", what: `HubSpot takes the token; account ${name}` });
  } catch (error) {
    if (!(error instanceof Refused) || error.failure.kind !== "blocked") throw error;
    findings.push({ level: "problem", what: error.failure.reason, mend: "see docs/crm/hubspot.md, The token" });
    return { account: undefined, findings };
  }
  for (const object of objectNames) {
    findings.push(await checkScope(api, object));
    for (const need of needs[object]) findings.push(await checkProperty(object, need, standing));
  }
  return { account: name, findings };
}

const readScopes: Readonly<Record<ObjectName, string>> = {
  contacts: "crm.objects.contacts.read and crm.objects.contacts.write",
  companies: "crm.objects.companies.read and crm.objects.companies.write",
  deals: "crm.objects.deals.read and crm.objects.deals.write",
  emails: "sales-email-read and crm.objects.contacts.write",
  notes: "crm.objects.contacts.read and crm.objects.contacts.write",
};

/** Whether the token may read; whether it may write shows only when something is written, and no check writes records. */
async function checkScope(api: Api, object: ObjectName): Promise<Finding> {
  const request = { method: "GET", path: `${paths.objects(object)}?limit=1`, object: "check" } as const;
  const answer = await api.call(request, false, ({ status }) => status === 403);
  if (answer.status !== 403) return { level: "ok", what: `${object} can be read` };
  return {
    level: "problem",
    what: `the token may not read ${object}: ${reasonOf(answer)}`,
    mend: `give it the scopes ${readScopes[object]}`,
  };
}

async function checkProperty(object: ObjectName, need: Need, standing: AskStanding): Promise<Finding> {
  const name = `${object}.${need.name}`;
  switch (await standing(object, need)) {
    case "unique":
      return {
        level: "ok",
        what: `${name} is there and unique: records of this kind are exactly one, enforced by HubSpot`,
      };
    case "plain":
      if (!need.unique) return { level: "ok", what: `${name} is there` };
      return {
        level: "warning",
        what: `${name} is there but not unique, which cannot be changed later: after a lost answer Mailwright reads back before it writes again`,
        mend: "archive the property at HubSpot and run mailwright doctor --fix, if the account allows unique properties here",
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
        what: `the token may not look at ${name}: Mailwright does without it and marks the text instead`,
        mend: `give it the scope crm.schemas.${object === "emails" || object === "notes" ? "contacts" : object}.read and .write, then mailwright doctor --fix`,
      };
  }
}

async function fix(api: Api, standing: AskStanding): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const object of objectNames) {
    let grouped = false;
    for (const need of needs[object]) {
      if ((await standing(object, need)) !== "missing") continue;
      if (!grouped) await createGroup(api, object);
      grouped = true;
      const refusal = await createProperty(api, object, need, need.unique);
      // Whether these objects take unique properties is not documented: without it there is still a key to read back.
      const settled = refusal !== undefined && need.unique ? await createProperty(api, object, need, false) : refusal;
      if (settled === undefined) findings.push(await checkProperty(object, need, standing));
      else
        findings.push({
          level: "problem",
          what: `HubSpot did not create ${object}.${need.name}: ${settled}`,
          mend: "see docs/crm/hubspot.md, Scopes",
        });
    }
  }
  return findings;
}

const refusedOrThere = ({ status }: { status: number }) => status === 400 || status === 403 || status === 409;

async function createGroup(api: Api, object: ObjectName): Promise<void> {
  // 409: there already. 400 and 403 will be said again, and reported, for the property.
  await api.call(
    { method: "POST", path: paths.propertyGroups(object), object: "property", body: group },
    true,
    refusedOrThere,
  );
}

/** Undefined when the property is there now, by us or by somebody else; otherwise HubSpot's words. */
async function createProperty(api: Api, object: ObjectName, need: Need, unique: boolean): Promise<string | undefined> {
  const request = {
    method: "POST",
    path: paths.properties(object),
    object: "property",
    body: propertyBody(need, unique),
  } as const;
  const answer = await api.call(request, true, refusedOrThere);
  return answer.status === 409 || isConflict(answer) || answer.status < 300 ? undefined : reasonOf(answer);
}

export function propertyBody({ name, label, description, fieldType }: Need, hasUniqueValue: boolean) {
  return {
    name,
    label,
    description,
    groupName: group.name,
    type: "string",
    fieldType,
    hasUniqueValue,
    formField: false,
  } as const;
}
