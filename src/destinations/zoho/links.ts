/** What stands on what at Zoho: a contact's account, a deal's contact, account and roles. A field that a person filled is left as it is. */
import type { StepKind } from "../../model/step.ts";
import { permanent } from "../shared/calls.ts";
import { lookupIn, type ModuleName } from "./api.ts";
import { type Place, placeOf, type Records } from "./records.ts";

export interface End {
  readonly kind: StepKind;
  readonly id: string;
}

export interface Links {
  /** Associates two records; repeating it changes nothing. What could not be had, in words. */
  add(from: End, to: End): Promise<string | undefined>;
  remove(from: End, to: End): Promise<void>;
}

/** The record that carries the field, the field, and whom it leads to. */
interface Join {
  readonly holder: Place;
  readonly field: "Account_Name" | "Contact_Name";
  readonly target: Place;
}

export function openLinks(records: Records): Links {
  async function held({ holder, field }: Join): Promise<string | undefined> {
    const record = await records.get(holder, [field]);
    if (record === undefined) throw permanent(`Zoho has no ${holder.module} ${holder.id} any more`);
    return lookupIn(record, field);
  }

  return {
    async add(from, to) {
      const join = joinOf(placeOf(from.kind, from.id), placeOf(to.kind, to.id));
      if (typeof join === "string") return join;
      const { holder, field, target } = join;
      const there = await held(join);
      if (there === target.id) return undefined;
      if (there === undefined) {
        await records.update(holder, { [field]: { id: target.id } });
        return undefined;
      }
      if (field === "Contact_Name") {
        await records.role(holder.id, target.id, true);
        return undefined;
      }
      return `${holder.module} ${holder.id} belongs to account ${there} at Zoho, which has room for one: it is left as it is`;
    },
    async remove(from, to) {
      const join = joinOf(placeOf(from.kind, from.id), placeOf(to.kind, to.id));
      if (typeof join === "string") throw permanent(join);
      const { holder, field, target } = join;
      if ((await held(join)) === target.id) await records.update(holder, { [field]: null });
      else if (field === "Contact_Name") await records.role(holder.id, target.id, false);
    },
  };
}

/** In either order; the words where Zoho has no such association. */
function joinOf(one: Place, other: Place): Join | string {
  const of = (module: ModuleName): Place | undefined => [one, other].find((place) => place.module === module);
  const [deal, contact, account] = [of("Deals"), of("Contacts"), of("Accounts")];
  if (deal !== undefined && contact !== undefined) return { holder: deal, field: "Contact_Name", target: contact };
  if (deal !== undefined && account !== undefined) return { holder: deal, field: "Account_Name", target: account };
  if (contact !== undefined && account !== undefined)
    return { holder: contact, field: "Account_Name", target: account };
  return of("Leads") === undefined
    ? `Zoho has no association of ${one.module} with ${other.module}`
    : "at Zoho a lead belongs to no account or deal until it is converted";
}
