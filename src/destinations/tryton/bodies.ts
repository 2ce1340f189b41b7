/** What steps look like as Tryton's records: names, keys, contact mechanisms. Pure. */
import type { CompanyStep, DealStep, PersonStep } from "../../model/step.ts";
import { shortLine, shortText, storable } from "../shared/text.ts";
import type { Values } from "./api.ts";

const keyDigits = 24;

/** The code of a party is unique in the database: what Mailwright makes carries its key there. */
export const partyCode = ({ kind, key }: Pick<PersonStep | CompanyStep, "kind" | "key">): string =>
  `${kind === "person" ? "em" : "co"}-${key.slice(0, keyDigits)}`;

/** The reference of an opportunity is not unique, and can be searched for. */
export const dealReference = ({ key }: Pick<DealStep, "key">): string => `mw-${key.slice(0, keyDigits)}`;

function nameOf(name: string | null): string | undefined {
  const shown = shortLine((name ?? "").replace(/\s+/g, " "));
  return shown === "" ? undefined : shown;
}

/** A party without a name is shown by its code, which nobody can read: the address is its name then. */
export const personValues = (step: PersonStep, own: Values): Values => {
  const flags = step.flags.length === 0 ? {} : { comment: shortText(`Mailwright: ${step.flags.join("; ")}`) };
  const email = step.email.toLowerCase();
  return {
    ...own,
    name: nameOf(step.name) ?? shortText(email),
    code: partyCode(step),
    contact_mechanisms: [["create", [{ type: "email", value: storable(email), ...flags }]]],
  };
};

export const companyValues = (step: CompanyStep, own: Values): Values => ({
  ...own,
  name: nameOf(step.name) ?? shortText(step.domain),
  code: partyCode(step),
  contact_mechanisms: [["create", [{ type: "website", value: `https://${storable(step.domain.toLowerCase())}` }]]],
});

/** `%` and `_` stand for anything in Tryton's patterns, and addresses have underscores. */
export const literally = (text: string): string => storable(text).replace(/[\\%_]/g, "\\$&");

/** The host of a website as people write it: with or without https://, www. and a page. */
export const hostOf = (website: string): string =>
  website
    .trim()
    .toLowerCase()
    .replace(/^[a-z]+:\/\//, "")
    .replace(/[/?#:].*$/s, "")
    .replace(/^www\./, "");
