/** What stands on what: a mail on its people, a contact and an opportunity on their account, an opportunity on its contacts. */
import { Refused } from "../../model/outcome.ts";
import type { StepKind } from "../../model/step.ts";
import { permanent, together } from "../shared/calls.ts";
import { type Api, isId, madeSchema, metricName, type ObjectName, paths, type Row, textOf } from "./api.ts";
import { type RelationType, relationBody, roleBody } from "./bodies.ts";
import { isSame, type Records, recordObjectOf } from "./records.ts";
import { quoted, select } from "./soql.ts";

interface End {
  readonly kind: StepKind;
  readonly id: string;
}

export interface Relations {
  /** A person stands on a mail; repeating it changes nothing. */
  relate(mail: string, person: string, type: RelationType): Promise<void>;
  link(from: End, to: End): Promise<void>;
  unlink(from: End, to: End): Promise<void>;
  /** All that a record stands on and what stands on it, as `person:12`. */
  of(object: ObjectName, id: string): Promise<readonly string[]>;
}

const kindOf = (id: string): StepKind | undefined =>
  (({ "003": "person", "00Q": "person", "001": "company", "006": "deal", "02s": "activity" }) as const)[
    id.slice(0, 3) as "003"
  ];

export function openRelations(api: Api, records: Records): Relations {
  const rows = async (
    from: "EmailMessageRelation" | "OpportunityContactRole",
    where: string,
  ): Promise<readonly Row[]> => await api.query(from, { soql: select({ fields: ["Id"], from, where, limit: 200 }) });

  async function post(object: "EmailMessageRelation" | "OpportunityContactRole", body: object): Promise<void> {
    const request = { method: "POST", path: paths.records(object), object: metricName(object), body } as const;
    api.shaped(madeSchema, await api.call(request, true), true);
  }

  async function relate(mail: string, person: string, type: RelationType): Promise<void> {
    const where = `EmailMessageId = ${quoted(mail)} AND RelationId = ${quoted(person)}`;
    if ((await rows("EmailMessageRelation", where)).length > 0) return;
    await post("EmailMessageRelation", relationBody(mail, person, type));
  }

  const rolesOf = (deal: string, contact: string) =>
    rows("OpportunityContactRole", `OpportunityId = ${quoted(deal)} AND ContactId = ${quoted(contact)}`);

  /** Only where there is none: which account a contact or an opportunity belongs to is a person's word. */
  async function giveAccount(object: "Contact" | "Opportunity", id: string, account: string): Promise<void> {
    const row = await live(object, id, ["AccountId", "LastModifiedDate"]);
    const has = textOf(row, "AccountId");
    if (has === null) await records.change(object, row, { AccountId: account });
  }

  async function live(object: ObjectName, id: string, fields: readonly string[]): Promise<Row> {
    const row = await records.get(object, id, fields);
    if (row === undefined || row.IsDeleted === true) throw permanent(`${object} ${id} is no longer at Salesforce`);
    return row;
  }

  /** A mail stands where it was logged. It is on an account too through its opportunity, or through the account of one of its people. */
  async function linkMail(mail: string, to: End): Promise<void> {
    const object = recordObjectOf(to.kind, to.id);
    if (object === "Contact" || object === "Lead") return await relate(mail, to.id, "OtherAddress");
    const row = await live("EmailMessage", mail, ["RelatedToId"]);
    const related = textOf(row, "RelatedToId");
    if (related !== null && isSame(related, to.id)) return;
    if (object === "Account" && (await isThrough(mail, related, to.id))) return;
    throw permanent(
      `Salesforce keeps a logged mail where it is (${related ?? "on its people alone"}): it cannot be put on ${to.id}`,
    );
  }

  async function isThrough(mail: string, related: string | null, account: string): Promise<boolean> {
    if (related?.startsWith("006") === true && isId(related)) {
      const deal = await records.get("Opportunity", related, ["AccountId"]);
      if (deal !== undefined && isSame(textOf(deal, "AccountId") ?? "", account)) return true;
    }
    const people = await api.query("EmailMessageRelation", { soql: relationsOf(mail) });
    for (const person of people.flatMap((one) => textOf(one, "RelationId") ?? [])) {
      if (!person.startsWith("003")) continue;
      const contact = await records.get("Contact", person, ["AccountId"]);
      if (contact !== undefined && isSame(textOf(contact, "AccountId") ?? "", account)) return true;
    }
    return false;
  }

  async function link(from: End, to: End): Promise<void> {
    if (to.kind === "activity" && from.kind !== "activity") return await link(to, from);
    const [one, other] = [recordObjectOf(from.kind, from.id), recordObjectOf(to.kind, to.id)];
    if (one === "EmailMessage") return await linkMail(from.id, to);
    if (one === "Account") return await link(to, from);
    if (one === "Contact" && other === "Opportunity") return await link(to, from);
    if (other === "Account") {
      // A lead names its company in words.
      if (one === "Contact" || one === "Opportunity") await giveAccount(one, from.id, to.id);
      return;
    }
    if (one !== "Opportunity" || other !== "Contact") throw permanent(`Salesforce cannot put a ${one} on a ${other}`);
    if ((await rolesOf(from.id, to.id)).length === 0) await post("OpportunityContactRole", roleBody(from.id, to.id));
  }

  async function unlink(from: End, to: End): Promise<void> {
    if (from.kind === "activity" || to.kind === "activity")
      throw permanent("Salesforce keeps a logged mail where it is: it cannot be taken from a record");
    const [one, other] = [recordObjectOf(from.kind, from.id), recordObjectOf(to.kind, to.id)];
    if (one === "Account" || (one === "Contact" && other === "Opportunity")) return await unlink(to, from);
    if (other === "Account" && (one === "Contact" || one === "Opportunity")) {
      const row = await records.get(one, from.id, ["AccountId", "LastModifiedDate"]);
      if (row === undefined || row.IsDeleted === true || !isSame(textOf(row, "AccountId") ?? "", to.id)) return;
      await records.change(one, row, { AccountId: null });
      return;
    }
    if (one !== "Opportunity" || other !== "Contact") return;
    for (const { Id } of await rolesOf(from.id, to.id)) {
      const path = paths.record("OpportunityContactRole", Id);
      await api.call({ method: "DELETE", path, object: "association" }, true, ({ status }) => status === 404);
    }
  }

  async function listed(from: string, field: string, where: string): Promise<string[]> {
    const soql = select({ fields: ["Id", field], from, where });
    const found = await api.query(from as ObjectName, { soql });
    return found.flatMap((row) => textOf(row, field) ?? []);
  }

  async function of(object: ObjectName, id: string): Promise<readonly string[]> {
    const is = (field: string): string => `${field} = ${quoted(id)}`;
    const ids: string[] = [];
    for (const [from, field, by] of listsOf[object]) ids.push(...(await listed(from, field, is(by))));
    const links = ids.flatMap((other) => (kindOf(other) === undefined ? [] : [`${kindOf(other)}:${other}`]));
    return [...new Set(links)].sort();
  }

  return { relate, link, unlink, of };
}

/** One call for each, where the record itself stands already: what is refused for good does not unmake it, and is a note. */
export async function eachNoted(
  ids: readonly string[],
  join: (id: string, index: number) => Promise<void>,
): Promise<string | undefined> {
  const notes: string[] = [];
  for (const [index, id] of ids.entries()) {
    try {
      await join(id, index);
    } catch (error) {
      if (!(error instanceof Refused) || error.failure.kind !== "permanent") throw error;
      notes.push(`it could not be put on ${id}: ${error.failure.reason}`);
    }
  }
  return together(...notes);
}

const relationsOf = (mail: string): string =>
  select({
    fields: ["Id", "RelationId"],
    from: "EmailMessageRelation",
    where: `EmailMessageId = ${quoted(mail)}`,
    limit: 200,
  });

/** Which lists show what a record is joined with: the object, the field that names the other, and the field that names this one. */
const listsOf: Readonly<Record<ObjectName, readonly (readonly [from: string, field: string, by: string])[]>> = {
  Contact: [
    ["Contact", "AccountId", "Id"],
    ["OpportunityContactRole", "OpportunityId", "ContactId"],
    ["EmailMessageRelation", "EmailMessageId", "RelationId"],
  ],
  Lead: [["EmailMessageRelation", "EmailMessageId", "RelationId"]],
  Account: [
    ["Contact", "Id", "AccountId"],
    ["Opportunity", "Id", "AccountId"],
    ["EmailMessage", "Id", "RelatedToId"],
  ],
  Opportunity: [
    ["Opportunity", "AccountId", "Id"],
    ["OpportunityContactRole", "ContactId", "OpportunityId"],
    ["EmailMessage", "Id", "RelatedToId"],
  ],
  EmailMessage: [
    ["EmailMessage", "RelatedToId", "Id"],
    ["EmailMessageRelation", "RelationId", "EmailMessageId"],
  ],
};
