/** Where contacts stand, for a day: a lead may be merged into another at any time, and whoever must be sure asks anew. */
import type { Refs } from "../../model/destination.ts";
import { Refused } from "../../model/outcome.ts";
import type { Clock } from "../../model/ports.ts";
import { known, permanent } from "../shared/calls.ts";
import { type Api, type Contact, contactSchema, paths, shaped } from "./api.ts";

export interface Place {
  readonly lead: string;
  readonly emails: readonly string[];
}

const keptMs = 24 * 3_600_000;
const mostKept = 10_000;

export interface Kept<T> {
  get(name: string): T | undefined;
  set(name: string, value: T): void;
  drop(name: string): void;
}

export function openKept<T>(clock: Pick<Clock, "now">): Kept<T> {
  const kept = new Map<string, { readonly value: T; readonly at: number }>();
  return {
    get(name) {
      const found = kept.get(name);
      return found !== undefined && clock.now() - found.at < keptMs ? found.value : undefined;
    },
    set(name, value) {
      if (kept.size >= mostKept) kept.clear();
      kept.set(name, { value, at: clock.now() });
    },
    drop: (name) => void kept.delete(name),
  };
}

export interface Places {
  /** Refused (permanent) where the contact is gone. */
  of(contact: string): Promise<Place>;
  learn(contact: Contact): void;
  /** Does it with the contact's lead; once more with its new one where the one we knew was refused and is no longer its own. */
  onLead<T>(contact: string, work: (lead: string) => Promise<T>): Promise<T>;
  forget(contact: string): void;
}

export const placeOf = ({ lead_id, emails }: Contact): Place => ({
  lead: lead_id,
  emails: emails.map(({ email }) => email.toLowerCase()),
});

export function openPlaces(api: Api, clock: Clock): Places {
  const kept = openKept<Place>(clock);

  async function fetched(id: string): Promise<Place> {
    const answer = await api.call({ method: "GET", path: paths.contact(id), object: "contact" }, false);
    if (answer.status === 404) throw permanent(`Close has no contact ${id} any more`);
    const place = placeOf(shaped(contactSchema, answer, false));
    kept.set(id, place);
    return place;
  }

  return {
    of: async (contact) => kept.get(contact) ?? (await fetched(contact)),
    learn: (contact) => kept.set(contact.id, placeOf(contact)),
    forget: kept.drop,
    async onLead(contact, work) {
      const known = kept.get(contact);
      const { lead } = known ?? (await fetched(contact));
      try {
        return await work(lead);
      } catch (error) {
        if (known === undefined || !(error instanceof Refused) || error.failure.kind !== "permanent") throw error;
        kept.drop(contact);
        const now = await fetched(contact);
        if (now.lead === lead) throw error;
        return await work(now.lead);
      }
    },
  };
}

/** With the lead, and the contact where there is one, that a record of these steps stands on: the first person's, else the company's. */
export async function standsOn<T>(
  about: readonly string[],
  refs: Refs,
  places: Places,
  work: (lead: string, contact: string | undefined) => Promise<T>,
): Promise<T> {
  const all = about.map((key) => known(refs, key));
  const person = all.find(({ kind }) => kind === "person");
  if (person !== undefined) return await places.onLead(person.id, (lead) => work(lead, person.id));
  const company = all.find(({ kind }) => kind === "company");
  if (company !== undefined) return await work(company.id, undefined);
  throw permanent("at Close everything stands on a lead, and this belongs to no contact and to no company");
}

/**
 * Asked for the first time, a step's record is looked for where its contact stood lately; from the second time on it is looked for to prove that
 * it is not there, and the list has to be that of the lead on which the contact stands now.
 */
export function openLooking(
  places: Pick<Places, "forget">,
): (key: string, about: readonly string[], refs: Refs) => void {
  let asked = new Set<string>();
  return (key, about, refs) => {
    if (asked.has(key)) for (const each of about) places.forget(refs.get(each)?.id ?? "");
    if (asked.size >= mostKept) asked = new Set();
    asked.add(key);
  };
}
