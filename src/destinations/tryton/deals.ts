/** Opportunities: of the mail's company, or of its person where there is none; made once, and found again by our key in their reference. */
import { z } from "zod";
import type { KnownRef, Ref, Refs } from "../../model/destination.ts";
import { openDealCounts } from "../../model/open-deals.ts";
import type { ActivityStep, DealStep } from "../../model/step.ts";
import { known, together } from "../shared/calls.ts";
import { shortLine } from "../shared/text.ts";
import type { Account } from "./account.ts";
import { idSchema } from "./api.ts";
import { dealReference } from "./bodies.ts";
import { idRow, numberOf, type Records } from "./records.ts";
import { stageOf, type Wishes } from "./wishes.ts";

export interface Deals {
  find(step: DealStep): Promise<Ref | undefined>;
  put(step: DealStep, refs: Refs): Promise<Ref>;
  /** Ids of a person's opportunities, the newest first. */
  of(person: string, which: "open" | "any"): Promise<readonly string[]>;
  /** The open one of the first person that a mail is logged on, where its rule wants one. A note has room for one. */
  openFor(step: Pick<ActivityStep, "deals">, person: KnownRef | undefined): Promise<string | undefined>;
  /** The first address of a party, as opportunities name whom one talks to. */
  contactOf(person: string): Promise<number | undefined>;
}

/** In the works: a quotation is made of what is converted, and its own state says the rest. */
const openStates = ["lead", "opportunity"];

const stateSchema = z.object({ id: idSchema, state: z.string() });

export function openDeals(records: Records, account: Account, wishes: Wishes): Deals {
  const deals: Deals = {
    async find(step) {
      const domain = [["reference", "=", dealReference(step)]];
      const search = { row: stateSchema, domain, fields: ["state"], limit: 1 };
      const [found] = await records.search("sale.opportunity", search);
      if (found === undefined) return undefined;
      const note = found.state === "cancelled" ? { note: "it was cancelled at Tryton, and is not made again" } : {};
      return records.refOf(String(found.id), true, { ours: true, ...note });
    },
    async put(step, refs) {
      const about = step.about.map((key) => known(refs, key));
      const person = about.find(({ kind }) => kind === "person");
      const party = about.find(({ kind }) => kind === "company") ?? person;
      const owner = step.owner == null ? undefined : await wishes.employee(step.owner);
      const employee = owner ?? (await account.employee());
      const contact = person === undefined ? undefined : await deals.contactOf(person.id);
      const { values, note } = await wishes.of("sale.opportunity", step);
      const { id: company } = await account.company();
      const made = await records.create("sale.opportunity", {
        ...values,
        reference: dealReference(step),
        description: shortLine(step.name),
        company,
        state: stageOf(step),
        ...(party === undefined ? {} : { party: numberOf(party.id) }),
        ...(contact === undefined ? {} : { contact }),
        ...(employee === undefined ? {} : { employee }),
      });
      const ownerless =
        step.owner != null && owner === undefined ? "Tryton shows no employee under the owner's address" : undefined;
      const pipeline = step.pipeline === null ? undefined : "Tryton has no pipelines";
      const said = together(note, ownerless, pipeline);
      return records.refOf(made, false, said === undefined ? {} : { note: said });
    },
    async of(person, which) {
      const id = numberOf(person);
      const states = which === "open" ? [["state", "in", openStates]] : [];
      const domain = [["OR", ["party", "=", id], ["contact.party", "=", id]], ...states];
      const search = { row: idRow, domain, fields: ["state"], newestFirst: true };
      const rows =
        which === "open"
          ? await records.search("sale.opportunity", { ...search, limit: 1 })
          : await records.all("sale.opportunity", search);
      return rows.map((row) => String(row.id));
    },
    async openFor({ deals: wanted }, person) {
      if (wanted === undefined || openDealCounts[wanted] < 1 || person === undefined) return undefined;
      return (await deals.of(person.id, "open"))[0];
    },
    async contactOf(person) {
      const domain = [
        ["party", "=", numberOf(person)],
        ["type", "=", "email"],
      ];
      const search = { row: z.object({ id: idSchema }), domain, fields: ["value"], limit: 1 };
      return (await records.search("party.contact_mechanism", search))[0]?.id;
    },
  };
  return deals;
}
