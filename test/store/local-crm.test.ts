/** The tables of the built-in CRM keep every record single. */
import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { openLocalRecords } from "../../src/store/index.ts";
import { damagePages, rawOpen } from "./damage.ts";
import { testFolder } from "./folder.ts";

const contact = (key: string, natural: string | null = `${key}@example.com`) =>
  ({
    kind: "contact",
    tenant: "acme",
    key,
    natural,
    createdAt: 7,
    fields: { email: natural, tags: ["a"] },
    links: [] as string[],
  }) as const;
const activity = (key: string, links: string[]) => ({ ...contact(key, null), kind: "activity" as const, links });

describe("the local CRM's records", () => {
  const open = () => openLocalRecords(testFolder().file("crm.sqlite"));

  it("are created once per key and once per natural key, in each tenant", () => {
    const records = open();
    const { record, created } = records.create(contact("k1", "a@example.com"));
    expect(created).toBe(true);
    expect(record).toMatchObject({
      kind: "contact",
      tenant: "acme",
      key: "k1",
      natural: "a@example.com",
      createdAt: 7,
      archived: false,
      links: [],
      fields: { email: "a@example.com", tags: ["a"] },
    });
    expect(records.create(contact("k1", "b@example.com"))).toEqual({ record, created: false });
    expect(records.create(contact("k2", "a@example.com"))).toEqual({ record, created: false });
    expect(records.create({ ...contact("k1", "a@example.com"), tenant: "umbrella" }).created).toBe(true);
    expect(records.create(activity("x", [])).created).toBe(true);
    expect(records.create(activity("y", [])).created).toBe(true);
    records.close();
  });

  it("are amended in the fields that are named, and in no others", () => {
    const records = open();
    const { record } = records.create(contact("k1", "a@example.com"));
    records.amend(record.id, { tags: ["b"], more: { x: 1 } });
    const amended = { ...record, fields: { email: "a@example.com", tags: ["b"], more: { x: 1 } } };
    expect(records.get(record.id)).toEqual(amended);
    expect(() => records.amend("contact-99", { tags: [] })).toThrow(/no record contact-99/);
    expect(() => records.amend("activity-1", { tags: [] })).toThrow(/no record activity-1/);
    expect(records.list("contact", { limit: 9 })).toEqual([amended]);
    records.close();
  });

  it("are found by key, natural key and id, in their own tenant and kind only", () => {
    const records = open();
    const { record } = records.create(contact("k1", "a@example.com"));
    expect(records.findByKey("acme", "contact", "k1")).toEqual(record);
    expect(records.findByNatural("acme", "contact", "a@example.com")).toEqual(record);
    expect(records.get(record.id)).toEqual(record);
    expect(records.findByKey("umbrella", "contact", "k1")).toBeUndefined();
    expect(records.findByKey("acme", "company", "k1")).toBeUndefined();
    for (const id of ["contact-99", "company-1", "contact-", "contact-1 OR 1", "contact-01", "__proto__", ""])
      expect(records.get(id)).toBeUndefined();
    records.close();
  });

  it("are linked both ways, once, and unlinked", () => {
    const records = open();
    const person = records.create(contact("p")).record;
    const mail = records.create(activity("m", [person.id])).record;
    expect(mail.links).toEqual([person.id]);
    records.link(person.id, mail.id);
    records.link(mail.id, person.id);
    records.link(mail.id, mail.id);
    expect(records.get(person.id)?.links).toEqual([mail.id]);
    records.unlink(person.id, mail.id);
    records.unlink(person.id, "contact-99");
    expect(records.get(mail.id)?.links).toEqual([]);
    expect(() => records.link(mail.id, "contact-99")).toThrow(/no record/);
    records.close();
  });

  it("leave nothing behind when a link of a new one cannot be made", () => {
    const records = open();
    expect(() => records.create(activity("m", ["contact-99"]))).toThrow(/no record/);
    expect(records.findByKey("acme", "activity", "m")).toBeUndefined();
    records.close();
  });

  it("are listed in pages, by tenant, and archived without vanishing", () => {
    const records = open();
    for (const key of ["a", "b", "c"]) records.create(contact(key));
    records.create({ ...contact("d"), tenant: "umbrella" });
    const first = records.list("contact", { limit: 2 });
    expect(first.map(({ key }) => key)).toEqual(["a", "b"]);
    const after = first[1]?.id ?? "";
    expect(records.list("contact", { limit: 5, after }).map(({ key }) => key)).toEqual(["c", "d"]);
    expect(records.list("contact", { limit: 5, tenant: "umbrella" }).map(({ key }) => key)).toEqual(["d"]);
    expect(records.list("deal", { limit: 5 })).toEqual([]);
    records.archive(after);
    expect(records.get(after)?.archived).toBe(true);
    expect(() => records.archive("contact-99")).toThrow(/no record/);
    records.close();
  });

  it("survive the process that made them", () => {
    const path = testFolder().file("crm.sqlite");
    const store = new URL("../../src/store/index.ts", import.meta.url).href;
    const script = `const { openLocalRecords } = await import(${JSON.stringify(store)});
      openLocalRecords(${JSON.stringify(path)}).create({ kind: "deal", tenant: "acme", key: "k", natural: null, createdAt: 1, fields: {}, links: [] });
      process.kill(process.pid, "SIGKILL");`;
    expect(spawnSync(process.execPath, ["--input-type=module", "-e", script]).signal).toBe("SIGKILL");
    const records = openLocalRecords(path);
    expect(records.findByKey("acme", "deal", "k")).toBeDefined();
    records.close();
  });

  it("are refused, with words, when the file is damaged or not theirs", () => {
    const folder = testFolder();
    const path = folder.file("crm.sqlite");
    openLocalRecords(path).close();
    rawOpen(path, (db) => db.pragma("application_id = 5"));
    expect(() => openLocalRecords(path)).toThrow(/another program/);
    damagePages(path, [1]);
    expect(() => openLocalRecords(path)).toThrow(/damaged/);
  });
});
