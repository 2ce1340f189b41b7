/** Opportunities: made once on the lead of the mail's contact, and found again in that lead's whole list by our key. */
import type { Ref, Refs } from "../../model/destination.ts";
import type { DealStep } from "../../model/step.ts";
import type { Account } from "./account.ts";
import { type Api, opportunitiesSchema, opportunitySchema, paths, shaped } from "./api.ts";
import { dealBody } from "./bodies.ts";
import { oldest } from "./oldest.ts";
import { openLooking, type Places, standsOn } from "./places.ts";
import type { Wishes } from "./wishes.ts";

export interface Deals {
  find(step: DealStep, refs: Refs): Promise<Ref | undefined>;
  put(step: DealStep, refs: Refs): Promise<Ref>;
}

export interface DealsPorts {
  readonly api: Api;
  readonly account: Account;
  readonly wishes: Wishes;
  readonly places: Places;
  /** Whom opportunities belong to that no mapping names an owner for. */
  readonly user: string | undefined;
}

export function openDeals({ api, account, wishes, places, user }: DealsPorts): Deals {
  const looks = openLooking(places);
  return {
    async find(step, refs) {
      looks(step.key, step.about, refs);
      const name = `custom.${await account.needed("opportunity")}`;
      return await standsOn(step.about, refs, places, async (lead) => {
        const all = await api.all(opportunitiesSchema, (skip) => paths.opportunitiesOf(lead, skip), "opportunity");
        const found = oldest(all.filter((one) => one[name] === step.key));
        return found === undefined ? undefined : { id: found.id, adopted: true };
      });
    },
    async put(step, refs) {
      const name = `custom.${await account.needed("opportunity")}`;
      const status = await wishes.status(step);
      const { owner, values, note } = await wishes.of("opportunity", step);
      return await standsOn(step.about, refs, places, async (lead, contact) => {
        const body = dealBody(step, { lead, contact, status, user: owner ?? user }, { ...values, [name]: step.key });
        const answer = await api.call({ method: "POST", path: paths.opportunities, object: "opportunity", body }, true);
        const { id } = shaped(opportunitySchema, answer, true);
        return { id, adopted: false, ...(note === undefined ? {} : { note }) };
      });
    },
  };
}
