/** What one HubSpot account can do: its portal, which of our properties it has, and so how its records are kept single. Asked once, remembered. */
import type { Dedupe } from "../../model/destination.ts";
import { Refused } from "../../model/outcome.ts";
import { type Api, accountSchema, type ObjectName, paths, shaped } from "./api.ts";
import { type Has, type OwnProperty, ownProperties } from "./bodies.ts";
import { needs, type Standing, standingOf } from "./properties.ts";

export interface AccountSettings {
  readonly portal_id?: string | undefined;
  readonly allow_missing_properties: boolean;
}

export interface Portal {
  readonly portalId: string;
  readonly uiDomain: string;
}

export interface Account {
  /** Blocked when it is not the portal that the configuration names. */
  portal(): Promise<Portal>;
  /** Which of our properties the object has; the portal is known from then on. Blocked when one could be there and is not. */
  has(object: ObjectName): Promise<Has>;
  dedupe(object: ObjectName): Promise<Dedupe>;
  /** The account's schema changed: looks again at the next question. */
  forget(object?: ObjectName): void;
}

type Standings = ReadonlyMap<OwnProperty, Standing>;

export function openAccount(api: Api, settings: AccountSettings): Account {
  let portal: Promise<Portal> | undefined;
  const standings = new Map<ObjectName, Promise<Standings>>();

  /** One question at a time; its answer is kept, its failure is not. */
  function askedPortal(): Promise<Portal> {
    portal ??= askPortal(api, settings).catch((error: unknown) => {
      portal = undefined;
      throw error;
    });
    return portal;
  }

  async function ask(object: ObjectName): Promise<Standings> {
    await askedPortal();
    const found = new Map<OwnProperty, Standing>();
    for (const need of needs[object]) found.set(need.name, await standingOf(api, object, need));
    refuseMissing(object, found, settings);
    return found;
  }

  function asked(object: ObjectName): Promise<Standings> {
    const known = standings.get(object);
    if (known !== undefined) return known;
    const question = ask(object).catch((error: unknown) => {
      standings.delete(object);
      throw error;
    });
    standings.set(object, question);
    return question;
  }

  return {
    portal: askedPortal,
    async has(object) {
      const found = await asked(object);
      return (property) => {
        const standing = found.get(property);
        return standing === "unique" || standing === "plain";
      };
    },
    async dedupe(object) {
      if (object === "contacts") return { tier: "unique-key", absenceProvable: true };
      return dedupeOf(object, (await asked(object)).get(ownProperties.key));
    },
    forget(object) {
      if (object === undefined) standings.clear();
      else standings.delete(object);
    },
  };
}

async function askPortal(api: Api, settings: AccountSettings): Promise<Portal> {
  const answer = await api.call({ method: "GET", path: paths.account, object: "account" }, false);
  const { portalId, timeZone, uiDomain } = shaped(accountSchema, answer, false);
  if (settings.portal_id !== undefined && settings.portal_id !== portalId) {
    const reason = `the token is for HubSpot account ${portalId}, the configuration's portal_id says ${settings.portal_id}`;
    throw new Refused({ kind: "blocked", reason });
  }
  api.timeZone = timeZone;
  const known = uiDomain !== undefined && /^[a-z0-9.-]{4,80}$/.test(uiDomain);
  return { portalId, uiDomain: known ? uiDomain : "app.hubspot.com" };
}

/** A property that `doctor --fix` could make is worth waiting for: mail that waits is not lost, a doubled activity stays doubled. */
function refuseMissing(object: ObjectName, found: Standings, settings: AccountSettings): void {
  const missing = [...found].filter(([, standing]) => standing === "missing").map(([name]) => name);
  if (missing.length === 0 || settings.allow_missing_properties) return;
  const reason = `HubSpot has no ${missing.join(", ")} on ${object}: run mailwright doctor --fix, or set allow_missing_properties`;
  throw new Refused({ kind: "blocked", reason });
}

/** The three tiers of docs/crm/hubspot.md. */
function dedupeOf(object: ObjectName, key: Standing | undefined): Dedupe {
  if (key === "unique") return { tier: "unique-key", absenceProvable: true };
  // A company hangs on nothing whose list could be read to its end: only a search could find it, and a search lags.
  if (object === "companies") return { tier: "key-readback", absenceProvable: false };
  return { tier: key === "plain" ? "key-readback" : "marker-readback", absenceProvable: true };
}
