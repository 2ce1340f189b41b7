/** Opportunities: made once under our key, with their contacts, and never moved by us; and which of a contact's are open. */
import type { Ref, Refs } from "../../model/destination.ts";
import type { Clock } from "../../model/ports.ts";
import type { DealStep } from "../../model/step.ts";
import { known, together } from "../shared/calls.ts";
import { type Api, isId, paths, type SubRequest, textOf } from "./api.ts";
import { opportunityBody, roleBody } from "./bodies.ts";
import type { Org } from "./org.ts";
import { objectOf, type Records } from "./records.ts";
import { eachNoted, type Relations } from "./relations.ts";
import { quoted, select } from "./soql.ts";
import type { Wishes } from "./wishes.ts";

export interface Deals {
  find(step: DealStep): Promise<Ref | undefined>;
  put(step: DealStep, refs: Refs): Promise<Ref>;
}

export interface DealPorts {
  readonly api: Api;
  readonly org: Org;
  readonly records: Records;
  readonly relations: Relations;
  readonly wishes: Wishes;
  readonly clock: Clock;
  /** CloseDate is required: so many days from now. */
  readonly closeDays: number;
}

const dayMs = 86_400_000;
/** A composite has 25 parts. */
const mostContacts = 20;

export function openDeals({ api, org, records, relations, wishes, clock, closeDays }: DealPorts): Deals {
  /** An opportunity without an account is in no account's list: the contact's is the next best. */
  async function accountOf(ids: readonly string[], contact: string | undefined): Promise<string | undefined> {
    const [account] = ids.filter((id) => objectOf("company", id) !== undefined);
    if (account !== undefined || contact === undefined) return account;
    const where = `Id = ${quoted(contact)}`;
    const [row] = await api.query("Contact", {
      soql: select({ fields: ["Id", "AccountId"], from: "Contact", where, limit: 1 }),
    });
    const theirs = row === undefined ? null : textOf(row, "AccountId");
    return theirs !== null && isId(theirs) ? theirs : undefined;
  }

  return {
    async find({ key }) {
      await org.shape("Opportunity");
      const { live } = await records.byKey("Opportunity", key);
      return live === undefined ? undefined : records.refOf("Opportunity", { id: live.Id, adopted: true, ours: true });
    },
    async put(step, refs) {
      const ids = [...new Set(step.about.map((key) => known(refs, key).id))];
      const contacts = ids.filter((id) => id.startsWith("003")).slice(0, mostContacts);
      const leads = ids.filter((id) => id.startsWith("00Q"));
      const [{ owner, fields, note }, wanted, AccountId] = [
        await wishes.of("Opportunity", step),
        await wishes.stage(step),
        await accountOf(ids, contacts[0]),
      ];
      const CloseDate = new Date(clock.now() + closeDays * dayMs).toISOString().slice(0, 10);
      let cut: string | undefined;
      const made = await records.make({
        object: "Opportunity",
        key: step.key,
        beside: contacts.map(
          (id, index): SubRequest => ({
            method: "POST",
            url: paths.records("OpportunityContactRole"),
            referenceId: `role${index}`,
            body: roleBody("@{record.id}", id),
          }),
        ),
        async fields(key) {
          const own = opportunityBody(step, { ...wanted, OwnerId: owner, AccountId, CloseDate, key });
          const fitted = await org.fitted("Opportunity", { ...fields, ...own });
          cut = fitted.note;
          return fitted.body;
        },
      });
      if ("status" in made) throw new TypeError("no answer was expected here");
      const deal = { kind: "deal", id: made.id } as const;
      // One that is there already may have been made alone, and the way to its contacts cut off.
      const alone =
        made.adopted || made.alone === true
          ? await eachNoted(contacts, (id) => relations.link(deal, { kind: "person", id }))
          : undefined;
      if (made.adopted)
        return records.refOf("Opportunity", { ...made, ...(alone === undefined ? {} : { note: alone }) });
      const all = together(note, cut, alone, leads.length > 0 ? "a lead cannot stand on an opportunity" : undefined);
      return records.refOf("Opportunity", { ...made, ...(all === undefined ? {} : { note: all }) });
    },
  };
}

/** Those of a contact that are open now, the newest first. */
export const openDealsQuery = (contact: string, most: number): string =>
  select({
    fields: ["Id", "OpportunityId"],
    from: "OpportunityContactRole",
    where: `ContactId = ${quoted(contact)} AND Opportunity.IsClosed = false`,
    order: "Opportunity.CreatedDate DESC, OpportunityId DESC",
    limit: most,
  });
