/** Contacts, and the leads that they stand on: found by address or made with their lead in one call, never overwritten. A search at Close proves no absence. */
import type { Ref } from "../../model/destination.ts";
import { Refused } from "../../model/outcome.ts";
import type { PersonStep } from "../../model/step.ts";
import { permanent, together } from "../shared/calls.ts";
import { type Account, contactKey } from "./account.ts";
import {
  type Api,
  type Contact,
  contactHitsSchema,
  contactSchema,
  contactsSchema,
  madeLeadSchema,
  paths,
  shaped,
} from "./api.ts";
import { addressSearch, contactBody, flagsOf, personLeadBody } from "./bodies.ts";
import type { Companies } from "./companies.ts";
import { oldest } from "./oldest.ts";
import type { Places } from "./places.ts";
import type { Wishes } from "./wishes.ts";

export interface People {
  find(step: PersonStep): Promise<Ref | undefined>;
  put(step: PersonStep): Promise<Ref>;
}

export interface PeoplePorts {
  readonly api: Api;
  readonly account: Account;
  readonly wishes: Wishes;
  readonly places: Places;
  readonly companies: Companies;
}

export function openPeople({ api, account, wishes, places, companies }: PeoplePorts): People {
  /** The name of our field on contacts, where it was made. */
  async function keyField(): Promise<string | undefined> {
    const id = await account.idOf(contactKey);
    return id === undefined ? undefined : `custom.${id}`;
  }

  async function byAddress(given: string, key: string): Promise<Ref | undefined> {
    const address = given.toLowerCase();
    const field = await keyField();
    const body = addressSearch(address, field === undefined ? [] : [field]);
    const request = { method: "POST", path: paths.search, object: "search", budget: "search", body } as const;
    const { data } = shaped(contactHitsSchema, await api.call(request, false), false);
    return adopted(data, address, field, key);
  }

  /** Whatever the search took for a match: only who has this very address is this person. */
  function adopted(
    contacts: readonly Contact[],
    address: string,
    field: string | undefined,
    key: string,
  ): Ref | undefined {
    const same = contacts.filter(({ emails }) => emails.some(({ email }) => email.toLowerCase() === address));
    const found = oldest(same);
    if (found === undefined) return undefined;
    places.learn(found);
    const note =
      same.length > 1 ? { note: `Close has ${same.length} contacts with this address; the oldest is taken` } : {};
    return { id: found.id, adopted: true, ours: field !== undefined && found[field] === key, ...note };
  }

  async function find({ email, also = [], company, key }: PersonStep): Promise<Ref | undefined> {
    const own = await byAddress(email, key);
    if (own !== undefined) return own;
    // A list does not lag as the search does.
    const lead = company === undefined ? undefined : companies.known(company.key);
    const listed =
      lead === undefined ? [] : await api.all(contactsSchema, (skip) => paths.contactsOf(lead, skip), "contact");
    const colleague = adopted(listed, email.toLowerCase(), await keyField(), key);
    if (colleague !== undefined) return colleague;
    for (const other of also) {
      const found = await byAddress(other, key);
      if (found !== undefined) return { ...found, note: "known under another address of the same person" };
    }
    return undefined;
  }

  async function create(step: PersonStep): Promise<Ref> {
    const { values, note } = await wishes.of("contact", step);
    const [flags, field] = [flagsOf(step.flags), await account.own("contact")];
    const own = flags === undefined || field === undefined ? {} : { [`custom.${field}`]: flags };
    const keyed = await keyField();
    const contact = contactBody(step, { ...values, ...own, ...(keyed === undefined ? {} : { [keyed]: step.key }) });
    const { company } = step;
    const lead = company === undefined ? undefined : await companies.lead(company.key);
    const kept = note === undefined ? {} : { note };
    if (lead !== undefined) {
      const body = { ...contact, lead_id: lead };
      const request = { method: "POST", path: paths.contacts, object: "contact", body } as const;
      const answer = await api.call(request, true, ({ status }) => status === 404);
      if (answer.status !== 404) {
        const made = shaped(contactSchema, answer, true);
        places.learn(made);
        return { id: made.id, adopted: false, ...kept };
      }
      companies.forget(company?.key ?? "");
    }
    return { ...(await withLead(step, contact)), ...kept };
  }

  async function withLead(step: PersonStep, contact: ReturnType<typeof contactBody>): Promise<Ref> {
    const { company } = step;
    const keyed = company === undefined ? {} : { [`custom.${await account.needed("lead")}`]: company.key };
    const body = personLeadBody(step, contact, keyed);
    const answer = await api.call({ method: "POST", path: paths.leads, object: "lead", body }, true);
    const made = shaped(madeLeadSchema, answer, true);
    const [first] = made.contacts;
    if (first === undefined)
      throw new Refused({ kind: "ambiguous", reason: "Close made a lead and names no contact on it" });
    places.learn({
      id: first.id,
      lead_id: made.id,
      emails: [{ email: step.email }],
      name: null,
      title: null,
      date_created: null,
    });
    if (company !== undefined) companies.learn(company.key, made.id);
    return { id: first.id, adopted: false };
  }

  return {
    find,
    async put(step) {
      const looked = async (): Promise<Ref> => {
        // Close keeps no address single: what was made since the pipeline looked is seen by looking again.
        const known = await find(step);
        if (known !== undefined) return known;
        if (!step.create) throw permanent("Close has no such contact, and this step may not create one");
        return await create(step);
      };
      const ref = await companies.oneAtATime(step.company?.key ?? step.key, looked);
      const leadless = step.owner == null ? undefined : "a contact at Close has no owner";
      const note = together(ref.note, ref.adopted === true ? undefined : leadless);
      return note === undefined ? ref : { ...ref, note };
    },
  };
}
