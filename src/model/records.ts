/** The tables of the built-in CRM (`type: local`): contacts, companies, deals and activities with unique keys. */

export type RecordKind = "contact" | "company" | "deal" | "activity";

export interface LocalRecord {
  readonly id: string;
  readonly kind: RecordKind;
  readonly tenant: string;
  /** Our step key; unique per tenant and kind among what is not archived. */
  readonly key: string;
  /** The vendor-like natural key (a contact's address, a company's domain), unique where there is one. */
  readonly natural: string | null;
  readonly createdAt: number;
  readonly archived: boolean;
  readonly fields: Readonly<Record<string, unknown>>;
  /** Ids of associated records. */
  readonly links: readonly string[];
}

export interface LocalRecords {
  /** Of this very set of tables: another file has another. */
  readonly id: string;
  findByKey(tenant: string, kind: RecordKind, key: string): LocalRecord | undefined;
  findByNatural(tenant: string, kind: RecordKind, natural: string): LocalRecord | undefined;
  get(id: string): LocalRecord | undefined;
  /** Creates with its links in one transaction, or returns the one that already has the key or natural key. */
  create(record: Omit<LocalRecord, "id" | "archived" | "links"> & { links: readonly string[] }): {
    record: LocalRecord;
    created: boolean;
  };
  /** Puts these fields in the place of those of the same name; the others stay. */
  amend(id: string, fields: Readonly<Record<string, unknown>>): void;
  link(from: string, to: string): void;
  unlink(from: string, to: string): void;
  archive(id: string): void;
  list(kind: RecordKind, options: { tenant?: string; limit: number; after?: string }): LocalRecord[];
  close(): void;
}
