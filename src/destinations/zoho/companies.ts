/** Accounts by domain: Zoho keeps neither their names nor their websites single, so a look at what is there comes first. */
import type { Ref } from "../../model/destination.ts";
import type { CompanyStep } from "../../model/step.ts";
import { permanent, together } from "../shared/calls.ts";
import { textIn } from "./api.ts";
import { accountBody } from "./bodies.ts";
import { ownFields } from "./fields.ts";
import type { PeoplePorts } from "./people.ts";
import { openRecent } from "./recent.ts";
import { adopted, type Own, unreadable } from "./records.ts";

export interface Companies {
  find(step: CompanyStep): Promise<Ref | undefined>;
  put(step: CompanyStep): Promise<Ref>;
}

const module = "Accounts";
const isPlain = (domain: string): boolean => /^[a-z0-9.-]{3,253}$/.test(domain);

export function openCompanies(ports: PeoplePorts): Companies {
  const { records, account, wishes, owner, clock, lagMs } = ports;
  const recent = openRecent(records, account, clock, lagMs);

  /** One of ours before one whose website says so. */
  async function found(step: CompanyStep): Promise<Ref | undefined> {
    const there = await account.module(module);
    const domain = step.domain.toLowerCase();
    const conditions = [
      ...(there.has(ownFields.key) ? [`${ownFields.key} = '${step.key}'`] : []),
      ...(isPlain(domain) ? [`Website like '%${domain}%'`] : []),
    ];
    if (conditions.length === 0) return undefined;
    const all = await records.query(module, ["Website", ownFields.key], `(${conditions.join(" or ")})`);
    const own =
      all.find((one) => textIn(one, ownFields.key) === step.key) ??
      all.find((one) => hostOf(textIn(one, "Website")) === domain);
    if (own === undefined) return undefined;
    return { ...records.refOf({ module, id: own.id }, true), ours: textIn(own, ownFields.key) === step.key };
  }

  return {
    find: async (step) => (await found(step)) ?? (await recent.find(step.key)),
    async put(step) {
      if (!step.create) throw permanent("Zoho has no such account, and this step may not create one");
      const granted = await wishes.of(module, step);
      const wanted = { owner: granted.owner ?? owner, fields: granted.fields };
      const built = accountBody(step, await account.module(module), wanted);
      const outcome = await records.create(module, built.body);
      if ("made" in outcome) {
        const place = { module, id: outcome.made } as const;
        recent.made(step.key, place);
        return records.refOf(place, false, together(built.note, granted.note));
      }
      const own: Own = {
        key: step.key,
        fields: ["Website"],
        isKnown: (record) => hostOf(textIn(record, "Website")) === step.domain.toLowerCase(),
      };
      const place = await adopted(module, outcome.duplicate, own, ports);
      const known = place === undefined ? await found(step) : { ...records.refOf(place, true), ours: place.ours };
      if (known !== undefined) return known;
      throw unreadable(outcome.duplicate, own);
    },
  };
}

/** `https://www.example.test/en` -> `example.test` */
function hostOf(website: string | undefined): string | undefined {
  if (website === undefined) return undefined;
  const url = URL.parse(/^[a-z]+:\/\//i.test(website) ? website : `http://${website.trim()}`);
  return url?.hostname.toLowerCase().replace(/^www\./, "");
}
