/** Everybody else at work in the database: people, and its administrator. */
import type { Values } from "./store.ts";
import type { World } from "./world.ts";
import { create, write } from "./writing.ts";

export interface Actors {
  /** A salesperson makes a party by hand. Answers its number. */
  personAddsParty(party: { email?: string; website?: string; name?: string }): string;
  /** By hand, or by a wizard: without the checks that a call meets. */
  personEdits(model: string, id: string, values: Values): void;
  personMovesOpportunity(id: string, state: string): void;
  personDeletes(model: string, id: string): void;
  /** With the wizard that replaces a party: what stood on the loser stands on the survivor. */
  personReplacesParty(loser: string, survivor: string): void;
  /** Two parties by their relation, as somebody files them. */
  personRelates(person: string, company: string, type: string): void;
  adminActivates(module: string, active: boolean): void;
}

export function openActors(world: World): Actors {
  const { store } = world;
  return {
    personAddsParty({ email, website, name = email ?? website ?? "" }) {
      const mechanisms = [
        ...(email === undefined ? [] : [{ type: "email", value: email }]),
        ...(website === undefined ? [] : [{ type: "website", value: website }]),
      ];
      return String(create(world, "party.party", { name, contact_mechanisms: [["create", mechanisms]] }));
    },
    personEdits: (model, id, values) => store.change(model, Number(id), values),
    personMovesOpportunity: (id, state) => store.change("sale.opportunity", Number(id), { state }),
    personDeletes: (model, id) => store.remove(model, Number(id)),
    personReplacesParty(loser, survivor) {
      const [from, to] = [Number(loser), Number(survivor)];
      for (const { id, values } of store.all("party.contact_mechanism"))
        if (values.party === from) store.change("party.contact_mechanism", id, { party: to });
      for (const { id, values } of store.all("sale.opportunity"))
        if (values.party === from) store.change("sale.opportunity", id, { party: to });
      write(world, "party.party", [from], { active: false, replaced_by: to });
    },
    personRelates(person, company, name) {
      const type = store.all("party.relation.type").find(({ values }) => values.name === name)?.id;
      create(world, "party.relation.all", { from_: Number(person), to: Number(company), type });
    },
    adminActivates(module, active) {
      if (active) world.modules.add(module);
      else world.modules.delete(module);
      const row = store.all("ir.module").find(({ values }) => values.name === module);
      if (row !== undefined) store.change("ir.module", row.id, { state: active ? "activated" : "not activated" });
    },
  };
}
