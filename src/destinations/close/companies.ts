/** Companies: at Close a company is the lead that its people stand on. It is found through them, or by our own field. */
import type { Ref, Refs } from "../../model/destination.ts";
import { Refused } from "../../model/outcome.ts";
import type { Clock } from "../../model/ports.ts";
import type { CompanyStep } from "../../model/step.ts";
import { permanent, unclear } from "../shared/calls.ts";
import type { Account } from "./account.ts";
import { type Api, hitsSchema, leadSchema, paths, shaped } from "./api.ts";
import { companyBody, companySearch } from "./bodies.ts";
import { oldest } from "./oldest.ts";
import { openKept, type Places } from "./places.ts";
import type { Wishes } from "./wishes.ts";

export interface Companies {
  find(step: CompanyStep, refs: Refs): Promise<Ref | undefined>;
  put(step: CompanyStep, refs: Refs): Promise<Ref>;
  /** The lead that carries this key, as far as search shows it. */
  lead(key: string): Promise<string | undefined>;
  /** Without a call. */
  known(key: string): string | undefined;
  learn(key: string, lead: string): void;
  forget(key: string): void;
  /** Two new people of one company at once would make two leads of it. */
  oneAtATime<T>(key: string, work: () => Promise<T>): Promise<T>;
}

export interface CompaniesPorts {
  readonly api: Api;
  readonly account: Account;
  readonly wishes: Wishes;
  readonly places: Places;
  readonly clock: Clock;
}

export function openCompanies({ api, account, wishes, places, clock }: CompaniesPorts): Companies {
  const leads = openKept<string>(clock);
  const line = new Map<string, Promise<unknown>>();

  async function searched(key: string): Promise<string | undefined> {
    const field = await account.own("lead");
    if (field === undefined) return undefined;
    const body = companySearch(field, key);
    const request = { method: "POST", path: paths.search, object: "search", budget: "search", body } as const;
    // The shape of a search by a custom field is not sure: without it, new people of a known company get leads of their own.
    const answer = await api.call(request, false, ({ status }) => status === 400);
    if (answer.status === 400) return undefined;
    const found = oldest(shaped(hitsSchema, answer, false).data)?.id;
    if (found !== undefined) leads.set(key, found);
    return found;
  }

  /** The lead of the first person of this plan who has an address there; of its only person, whose other addresses the mapping knows. */
  async function throughPeople({ domain }: CompanyStep, refs: Refs): Promise<string | undefined> {
    const at = domain.toLowerCase();
    const people = [...new Set([...refs.values()].filter(({ kind }) => kind === "person").map(({ id }) => id))];
    for (const id of people) {
      const { lead, emails } = await places.of(id);
      const fits = emails.some((email) => email.endsWith(`@${at}`) || email.endsWith(`.${at}`));
      if (fits || people.length === 1) return lead;
    }
    return undefined;
  }

  /** Which company a lead is to us; null where it has none; undefined where the lead is gone. */
  async function keyOn(lead: string): Promise<string | null | undefined> {
    const name = `custom.${await account.needed("lead")}`;
    const answer = await api.call({ method: "GET", path: paths.lead(lead, `id,${name}`), object: "lead" }, false);
    if (answer.status === 404) return undefined;
    const value = shaped(leadSchema, answer, false)[name];
    return typeof value === "string" && value !== "" ? value : null;
  }

  /** Our own field, and empty: nobody's word is overwritten, and repeating it changes nothing. */
  async function mark(lead: string, key: string): Promise<void> {
    const body = { [`custom.${await account.needed("lead")}`]: key };
    try {
      await api.call({ method: "PUT", path: paths.lead(lead), object: "lead", body }, true);
    } catch (error) {
      if (error instanceof Refused && error.failure.kind === "ambiguous") throw unclear(false, error.failure.reason);
      throw error;
    }
    leads.set(key, lead);
  }

  return {
    known: leads.get,
    learn: leads.set,
    forget: leads.drop,
    lead: async (key) => leads.get(key) ?? (await searched(key)),
    async find(step, refs) {
      const lead = await throughPeople(step, refs);
      if (lead === undefined) {
        const id = leads.get(step.key) ?? (await searched(step.key));
        return id === undefined ? undefined : { id, adopted: true };
      }
      if (leads.get(step.key) === lead) return { id: lead, adopted: true };
      const key = await keyOn(lead);
      // Merged away since: where its people stand now is asked at the next look.
      if (key === undefined) for (const { kind, id } of refs.values()) if (kind === "person") places.forget(id);
      if (key === step.key) leads.set(step.key, lead);
      // Of a lead that is another company to us, the company of this mail is that lead all the same: its people stand there.
      return key == null ? undefined : { id: lead, adopted: true };
    },
    async put(step, refs) {
      const lead = await throughPeople(step, refs);
      if (lead !== undefined) {
        const key = await keyOn(lead);
        if (key === null) await mark(lead, step.key);
        return { id: lead, adopted: true };
      }
      if (!step.create) throw permanent("Close has no such lead, and this step may not create one");
      const { values, note } = await wishes.of("lead", step);
      const body = companyBody(step, { ...values, [`custom.${await account.needed("lead")}`]: step.key });
      const answer = await api.call({ method: "POST", path: paths.leads, object: "lead", body }, true);
      const { id } = shaped(leadSchema, answer, true);
      leads.set(step.key, id);
      return { id, adopted: false, ...(note === undefined ? {} : { note }) };
    },
    async oneAtATime(key, work) {
      const turn = (line.get(key) ?? Promise.resolve()).then(work, work);
      const over = turn.then(
        () => undefined,
        () => undefined,
      );
      line.set(key, over);
      void over.then(() => {
        if (line.get(key) === over) line.delete(key);
      });
      return await turn;
    },
  };
}
