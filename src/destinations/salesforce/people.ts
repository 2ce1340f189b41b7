/** Contacts and leads: found by address or made under our key, never overwritten. Salesforce keeps no address single by itself. */
import type { Ref } from "../../model/destination.ts";
import { Refused } from "../../model/outcome.ts";
import type { PersonStep } from "../../model/step.ts";
import type { WireResponse } from "../../model/wire.ts";
import { permanent, together } from "../shared/calls.ts";
import { openGather } from "../shared/gather.ts";
import { type Api, isId, type Row, textOf } from "./api.ts";
import { contactBody, leadBody, ownFields } from "./bodies.ts";
import { isCode, matchesIn, reasonOf } from "./classify.ts";
import type { Org } from "./org.ts";
import { isSame, type Made, type Records } from "./records.ts";
import { oneOf, quoted, select } from "./soql.ts";
import type { Wishes } from "./wishes.ts";

export interface People {
  find(step: PersonStep): Promise<Ref | undefined>;
  put(step: PersonStep): Promise<Ref>;
}

export interface PeoplePorts {
  readonly api: Api;
  readonly org: Org;
  readonly records: Records;
  readonly wishes: Wishes;
}

const mostAddresses = 50;
const mostRows = 200;
const isDetected = (answer: WireResponse): boolean => isCode(answer, "DUPLICATES_DETECTED");

/** Addresses of one person to a line each; people who are looked for at the same time are one call. */
const mostTogether = 20;
interface Rows {
  readonly contacts: readonly Row[];
  readonly leads: readonly Row[];
}

export function openPeople({ api, org, records, wishes }: PeoplePorts): People {
  const gathered = openGather<Rows>({
    size: mostTogether,
    one: async (lines) => await rowsOf(lines.split("\n")),
    async many(all) {
      const rows = await rowsOf([...new Set(all.flatMap((lines) => lines.split("\n")))]);
      // More than fit one answer: nobody knows whose are missing.
      if (rows.contacts.length >= mostRows || rows.leads.length >= mostRows) return new Map();
      return new Map(all.map((lines) => [lines, rows]));
    },
  });

  async function rowsOf(addresses: readonly string[]): Promise<Rows> {
    const where = `Email IN ${oneOf(addresses)}`;
    const common = { where, order: "CreatedDate ASC", limit: mostRows };
    const contact = select({ fields: ["Id", "Email", ...(await keyIn("Contact"))], from: "Contact", ...common });
    const fields = ["Id", "Email", "IsConverted", "ConvertedContactId", ...(await keyIn("Lead"))];
    // An org without leads, or a user who may see none, has contacts all the same.
    const hasLeads = (await org.look("Lead")) !== undefined;
    const lead = hasLeads ? [select({ fields, from: "Lead", ...common })] : [];
    const [contacts = [], leads = []] = await asked([contact, ...lead]);
    return { contacts, leads };
  }

  /** The mail's own address goes before others of the same person, a contact before a lead, the older before the newer. */
  async function find({ key, email, also = [] }: PersonStep): Promise<Ref | undefined> {
    const addresses = [email, ...also].slice(0, mostAddresses).map((one) => one.toLowerCase());
    const { contacts, leads } = await gathered.get(addresses.join("\n"));
    for (const [index, address] of addresses.entries()) {
      const has = (row: Row): boolean => textOf(row, "Email")?.trim().toLowerCase() === address;
      const found = await standing(contacts.find(has), leads.filter(has));
      if (found === undefined) continue;
      const note = index === 0 ? {} : { note: "known under another address of the same person" };
      return records.refOf(found.object, { id: found.id, adopted: true, ours: found.key === key, ...note });
    }
    return undefined;
  }

  async function asked(questions: readonly string[]): Promise<readonly (readonly Row[])[]> {
    try {
      return await api.queries(
        "Contact",
        questions.map((soql) => ({ soql })),
      );
    } catch (error) {
      // Whatever an administrator gives the user now, the next look is to see.
      if (error instanceof Refused && error.failure.kind === "blocked") org.forget();
      throw error;
    }
  }

  const keyIn = async (object: "Contact" | "Lead"): Promise<readonly string[]> =>
    (await org.look(object))?.fields.has(ownFields.key) === true ? [ownFields.key] : [];

  /** A lead that was converted is the contact that it became, while that is there. */
  async function standing(
    contact: Row | undefined,
    leads: readonly Row[],
  ): Promise<{ object: "Contact" | "Lead"; id: string; key?: string | null } | undefined> {
    if (contact !== undefined) return { object: "Contact", id: contact.Id, key: textOf(contact, ownFields.key) };
    const open = leads.find((lead) => lead.IsConverted !== true);
    if (open !== undefined) return { object: "Lead", id: open.Id, key: textOf(open, ownFields.key) };
    for (const { ConvertedContactId: id } of leads) {
      if (typeof id !== "string" || !isId(id)) continue;
      const became = await records.get("Contact", id, []);
      if (became !== undefined && became.IsDeleted !== true) return { object: "Contact", id: became.Id };
    }
    return undefined;
  }

  async function put(step: PersonStep): Promise<Ref> {
    const known = await find(step);
    if (known !== undefined) return known;
    if (!step.create) throw permanent("Salesforce has no such contact or lead, and this step may not create one");
    const object = step.as === "lead" ? "Lead" : "Contact";
    const { owner, fields, note, source } = await wishes.of(object, step);
    const bodyOf = object === "Lead" ? leadBody : contactBody;
    let cut: string | undefined;
    const made = await records.make({
      object,
      key: step.key,
      expected: isDetected,
      async fields(key) {
        const fitted = await org.fitted(object, {
          ...fields,
          ...bodyOf(step, { OwnerId: owner, LeadSource: source, key }),
        });
        cut = fitted.note;
        return fitted.body;
      },
    });
    if ("status" in made) return await detected(step, made);
    if (made.adopted) return records.refOf(object, { ...made, note: changedAddress });
    const all = together(note, cut);
    return records.refOf(object, { ...made, ...(all === undefined ? {} : { note: all }) });
  }

  /** An administrator's rule says that this person is there already: only where it names one, with this very address. */
  async function detected({ email }: PersonStep, answer: WireResponse): Promise<Ref> {
    const [match, ...more] = matchesIn(answer);
    const object = match?.object;
    if (match === undefined || more.length > 0 || (object !== "Contact" && object !== "Lead")) {
      throw permanent(`${reasonOf(answer)}; ${listedMatches(answer)}`);
    }
    const where = `Id = ${quoted(match.id)} AND Email = ${quoted(email.toLowerCase())}`;
    const [row] = await api.query(object, { soql: select({ fields: ["Id"], from: object, where, limit: 1 }) });
    if (row === undefined || !isSame(row.Id, match.id)) {
      throw permanent(`${reasonOf(answer)}; ${listedMatches(answer)}, who has another address`);
    }
    return records.refOf(object, {
      id: row.Id,
      adopted: true,
      note: "a duplicate rule of the org named it",
    } satisfies Made);
  }

  return { find, put };
}

const changedAddress = "found by the key of an earlier mail, not by its address";

export const listedMatches = (answer: WireResponse): string => {
  const matches = matchesIn(answer).slice(0, 5);
  if (matches.length === 0) return "the rule does not say which record it means";
  return `a duplicate rule takes it for ${matches.map(({ object, id }) => `${object.slice(0, 40)} ${id}`).join(", ")}`;
};
