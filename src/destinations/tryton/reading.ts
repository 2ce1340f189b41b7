/** Records as they are now at Tryton, and what they are associated with. */
import { z } from "zod";
import type { Snapshot, Whole } from "../../model/destination.ts";
import type { StepKind } from "../../model/step.ts";
import type { Account } from "./account.ts";
import type { Api } from "./api.ts";
import type { Deals } from "./deals.ts";
import { idRow, modelOf, opportunityFields, type Records } from "./records.ts";

export interface Reading {
  read(kind: StepKind, id: string, whole?: Whole): Promise<Snapshot | undefined>;
}

const row = z.looseObject({ id: z.int() });
type Row = z.infer<typeof row>;

/** What people write by hand beside what we write. */
const shownFields = {
  person: ["name", "code", "active", "email", "phone", "mobile", "website"],
  company: ["name", "code", "active", "email", "phone", "mobile", "website"],
  deal: [...opportunityFields, "employee", "amount", "comment", "start_date", "end_date", "conversion_probability"],
  activity: ["message", "resource"],
} as const;
type Shown = keyof typeof shownFields;

const isShown = (kind: StepKind): kind is Shown => Object.hasOwn(shownFields, kind);

const shown = (value: unknown): string | null =>
  value === null || value === undefined ? null : typeof value === "string" ? value : JSON.stringify(value);

export interface ReadingPorts {
  readonly api: Api;
  readonly records: Records;
  readonly account: Account;
  readonly deals: Deals;
}

export function openReading({ api, records, account, deals }: ReadingPorts): Reading {
  /** Names of a mapping's that this model has no field for would make Tryton refuse the whole call. */
  async function existing(kind: Shown, names: readonly string[]): Promise<string[]> {
    const plain = names.filter((name) => /^\w{1,60}$/.test(name));
    if (plain.length === 0) return [];
    const params = [plain, await account.context()];
    const fields = await api.model(modelOf(kind), "fields_get", params, z.record(z.string(), z.unknown()), false);
    return plain.filter((name) => Object.hasOwn(fields, name));
  }

  async function relatives(id: string, as: "person" | "company"): Promise<string[]> {
    const type = await account.relation();
    if (type === undefined) return [];
    const [own, other] = as === "company" ? ["from_", "to"] : ["to", "from_"];
    const domain = [
      [own, "=", Number(id)],
      ["type", "=", Number(type)],
    ];
    const rows = await records.all("party.relation.all", { row, domain, fields: [other ?? "to"] });
    return rows.map((one) => `${as}:${String(one[other ?? "to"])}`);
  }

  async function notesOn(kind: Shown, id: string): Promise<string[]> {
    const domain = [["resource", "=", `${modelOf(kind)},${id}`]];
    const rows = await records.all("ir.note", { row: idRow, domain, fields: ["resource"], limit: 1_000 });
    return rows.map((note) => `activity:${note.id}`);
  }

  async function linksOf(kind: Shown, id: string, found: Row): Promise<string[]> {
    switch (kind) {
      case "person":
      case "company": {
        const dealsOf = (await deals.of(id, "any")).map((deal) => `deal:${deal}`);
        const other = kind === "person" ? "company" : "person";
        return [...(await relatives(id, other)), ...dealsOf, ...(await notesOn(kind, id))];
      }
      case "deal": {
        const contact = z.object({ party: z.int() }).safeParse(found["contact."]).data?.party;
        const person = contact === undefined ? [] : [`person:${contact}`];
        const party = typeof found.party === "number" && found.party !== contact ? [`company:${found.party}`] : [];
        return [...person, ...party, ...(await notesOn(kind, id))];
      }
      case "activity": {
        const [model, of] = String(found.resource ?? "").split(",");
        return [`${model === "sale.opportunity" ? "deal" : "person"}:${of}`];
      }
      default:
        return kind satisfies never;
    }
  }

  return {
    async read(kind, id, whole) {
      if (!isShown(kind)) return undefined;
      const more = whole === undefined ? [] : await existing(kind, whole.fields);
      const names = [...new Set([...shownFields[kind], ...more])];
      const found = await records.get(modelOf(kind), id, row, names);
      if (found === undefined) return undefined;
      const fields = Object.fromEntries(names.map((name) => [name, shown(found[name])]));
      // A cancelled opportunity is what Tryton has in the place of an archived one.
      const archived = kind === "deal" ? found.state === "cancelled" : found.active === false;
      const snapshot = { id, archived, fields };
      return whole === undefined ? snapshot : { ...snapshot, links: await linksOf(kind, id, found) };
    },
  };
}
