/** Accounts: found by the host of their website or made under our key. */
import type { Ref } from "../../model/destination.ts";
import type { CompanyStep } from "../../model/step.ts";
import type { WireResponse } from "../../model/wire.ts";
import { permanent, together } from "../shared/calls.ts";
import { type Row, textOf } from "./api.ts";
import { accountBody, ownFields } from "./bodies.ts";
import { isCode, matchesIn, reasonOf } from "./classify.ts";
import { listedMatches, type PeoplePorts } from "./people.ts";
import { isDeleted } from "./records.ts";
import { likePattern, oneOf, quoted, select } from "./soql.ts";

export interface Companies {
  find(step: CompanyStep): Promise<Ref | undefined>;
  put(step: CompanyStep): Promise<Ref>;
}

const mostRows = 200;

/** `https://www.acme.test/en/` and `acme.test` are one. */
export function hostOf(website: string | null): string | undefined {
  if (website === null || website.trim() === "") return undefined;
  const text = website.trim().toLowerCase();
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//.test(text) ? text : `https://${text}`);
  return url?.hostname.replace(/^www\./, "").replace(/\.$/, "");
}

export function openCompanies({ api, org, records, wishes }: PeoplePorts): Companies {
  /** People write a website in many ways; all that begins with the host is looked at more closely here. */
  async function find({ key, domain }: CompanyStep): Promise<Ref | undefined> {
    const wanted = domain.toLowerCase();
    // From their beginning: what only ends in a short domain (`max.co` in `x.co`) is somebody else's, and there may be more of those than rows.
    const sites = ["", "http://", "https://"].flatMap((scheme) => [`${scheme}${wanted}`, `${scheme}www.${wanted}`]);
    const where = [
      `${ownFields.key} = ${quoted(key)}`,
      `Website IN ${oneOf(sites.flatMap((site) => [site, `${site}/`]))}`,
      ...sites.map((site) => `Website LIKE ${likePattern(site, { after: "/%" })}`),
    ].join(" OR ");
    const fields = ["Id", "Website", ownFields.key];
    await org.shape("Account");
    const soql = select({ fields, from: "Account", where, order: "CreatedDate ASC", limit: mostRows });
    const rows = await api.query("Account", { soql });
    const ours = (row: Row): boolean => textOf(row, ownFields.key) === key;
    const found = rows.find(ours) ?? rows.find((row) => hostOf(textOf(row, "Website")) === wanted);
    return found && records.refOf("Account", { id: found.Id, adopted: true, ours: ours(found) });
  }

  async function put(step: CompanyStep): Promise<Ref> {
    if (!step.create) throw permanent("Salesforce has no such account, and this step may not create one");
    const { owner, fields, note } = await wishes.of("Account", step);
    let cut: string | undefined;
    const made = await records.make({
      object: "Account",
      key: step.key,
      expected: (answer) => isCode(answer, "DUPLICATES_DETECTED"),
      async fields(key) {
        const fitted = await org.fitted("Account", { ...fields, ...accountBody(step, owner, key) });
        cut = fitted.note;
        return fitted.body;
      },
    });
    if ("status" in made) return await detected(step, made);
    const all = made.adopted ? made.note : together(note, cut);
    return records.refOf("Account", { ...made, ...(all === undefined ? {} : { note: all }) });
  }

  async function detected({ domain }: CompanyStep, answer: WireResponse): Promise<Ref> {
    const [match, ...more] = matchesIn(answer);
    if (match === undefined || more.length > 0 || match.object !== "Account")
      throw permanent(`${reasonOf(answer)}; ${listedMatches(answer)}`);
    const row = await records.get("Account", match.id, ["Website"]);
    if (row === undefined || isDeleted(row) || hostOf(textOf(row, "Website")) !== domain.toLowerCase())
      throw permanent(`${reasonOf(answer)}; ${listedMatches(answer)}, which has another website`);
    return records.refOf("Account", { id: row.Id, adopted: true, note: "a duplicate rule of the org named it" });
  }

  return { find, put };
}
