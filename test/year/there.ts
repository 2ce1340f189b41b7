/** What is at a CRM, in one form for all of them. */
import type { LocalRecord, LocalRecords, RecordKind } from "../../src/model/records.ts";

export interface There {
  /** A logged mail stays where it was put: one that came before the request that its deal was made of is on no deal. */
  readonly stays?: true;
  readonly contacts: readonly {
    readonly address: string;
    readonly name: string;
    readonly flags: readonly string[];
    /** Null where that cannot be told by this CRM. */
    readonly companies: readonly string[] | null;
  }[];
  readonly companies: readonly string[];
  readonly deals: readonly {
    readonly id: string;
    readonly name: string;
    readonly stage: string;
    readonly owner: string | null;
    /** Addresses and domains, where a run is compared. */
    readonly of?: readonly string[];
  }[];
  readonly activities: readonly {
    readonly event: string;
    readonly direction: string;
    /** Addresses, domains, and ids of deals. */
    readonly contacts: readonly string[];
    /** A mail stands on its first person alone. */
    readonly onOne?: true;
    /** A mail of a deal stands on the deal alone, and so on the deal's contact, whoever of the conversation wrote it. */
    readonly onDeal?: true;
    /** Null where it stands on whatever company its person stands on. */
    readonly companies: readonly string[] | null;
    /** Where a mail is on a company through its people or its deal: those. */
    readonly through?: readonly string[];
    /** Null where a mail stands on the company, and so on no deal of its own. */
    readonly deals: readonly string[] | null;
  }[];
}

const page = 1_000;

export function localThere(records: LocalRecords): There {
  const of = (kind: RecordKind): LocalRecord[] => {
    const found: LocalRecord[] = [];
    for (;;) {
      const after = found.at(-1)?.id;
      const more = records.list(kind, { limit: page, ...(after === undefined ? {} : { after }) });
      found.push(...more.filter(({ archived }) => !archived));
      if (more.length < page) return found;
    }
  };
  const [contacts, companies, deals, activities] = [of("contact"), of("company"), of("deal"), of("activity")];
  const names = new Map([
    ...contacts.map(({ id, fields }) => [id, String(fields.email).toLowerCase()] as const),
    ...companies.map(({ id, fields }) => [id, String(fields.domain)] as const),
    ...deals.map(({ id }) => [id, id] as const),
  ]);
  const linked = (links: readonly string[], kind: RecordKind): string[] =>
    links
      .filter((id) => id.startsWith(`${kind}-`))
      .map((id) => names.get(id) ?? id)
      .sort();
  return {
    contacts: contacts.map(({ fields, links }) => ({
      address: String(fields.email).toLowerCase(),
      name: String(fields.name ?? ""),
      flags: fields.flags as string[],
      companies: linked(links, "company"),
    })),
    companies: companies.map(({ fields }) => String(fields.domain)),
    deals: deals.map(({ id, fields, links }) => ({
      id,
      name: String(fields.name),
      stage: String(fields.stage),
      owner: (fields.owner as string | undefined) ?? null,
      of: [...linked(links, "contact"), ...linked(links, "company")],
    })),
    activities: activities.map(({ fields, links }) => ({
      event: String(fields.event_id),
      direction: String(fields.direction),
      contacts: linked(links, "contact"),
      companies: linked(links, "company"),
      deals: linked(links, "deal"),
    })),
  };
}
