/** `mailwright crm`: looks into the built-in CRM. */
import { Command } from "commander";
import type { Ground } from "../../main.ts";
import type { LocalRecord, RecordKind } from "../../model/records.ts";
import type { Cli } from "../cli.ts";
import { Failed } from "../exit.ts";
import { withGround } from "../open.ts";
import { jsonOption, limitOption } from "../options.ts";
import { plain, plainLines } from "../plain.ts";
import { isoTime } from "../rows.ts";
import type { CrmRecord } from "../shapes.ts";
import type { Column } from "../table.ts";

interface ListOptions {
  readonly tenant?: string;
  readonly limit: number;
  readonly after?: string;
  readonly json?: true;
}

const lists = [
  {
    name: "activities",
    kind: "activity",
    what: "emails logged",
    columns: [column("at", 19), column("subject", 50), column("from", 40), column("flags", 30)],
  },
  { name: "companies", kind: "company", what: "companies", columns: [column("domain", 40), column("name", 40)] },
  {
    name: "contacts",
    kind: "contact",
    what: "people",
    columns: [column("email", 50), column("name", 40), column("source", 10), column("flags", 30)],
  },
  { name: "deals", kind: "deal", what: "deals", columns: [column("name", 60), column("stage", 20)] },
] as const satisfies readonly {
  name: "activities" | "companies" | "contacts" | "deals";
  kind: RecordKind;
  what: string;
  columns: readonly Column<CrmRecord>[];
}[];

export function crm(cli: Cli): Command {
  const command = new Command("crm").description("Look into the built-in CRM (destinations with type: local).");
  for (const { name, kind, what, columns } of lists) {
    command
      .command(name)
      .description(`List ${what}.`)
      .option("--tenant <id>", "only of this tenant")
      .option("--after <id>", "only those after this one")
      .addOption(limitOption())
      .addOption(jsonOption())
      .action((options: ListOptions) =>
        withGround(cli, async ({ records }) => {
          const { tenant, after, limit, json } = options;
          const rows = records
            .list(kind, {
              limit,
              ...(tenant === undefined ? {} : { tenant }),
              ...(after === undefined ? {} : { after }),
            })
            .map(shapeOf);
          if (json === true) await cli.printJson(`crm ${name}`, rows);
          else if (rows.length === 0) await cli.say(`no ${name}`);
          else
            await cli.printTable(rows, [
              idColumn,
              ...columns,
              ...(rows.some(({ archived }) => archived) ? [goneColumn] : []),
            ]);
        }),
      );
  }
  command
    .command("show")
    .description("Show one record whole, with the records it is associated with.")
    .argument("<id>", "the record's id")
    .addOption(jsonOption())
    .action((id: string, options: { json?: true }) => withGround(cli, (ground) => show(cli, ground, id, options)));
  return command;
}

const idColumn: Column<CrmRecord> = { title: "id", cell: ({ id }) => id };

/** Only where there is one: it is not there for whoever looks into a CRM. */
const goneColumn: Column<CrmRecord> = { title: "", cell: ({ archived }) => (archived ? "archived" : "") };

function column(field: string, most: number): Column<CrmRecord> {
  return { title: field, cell: ({ fields }) => cellOf(field, fields[field]), most };
}

/** A time as a time, a mailbox as its address, a list by its members; anything else as JSON. */
function cellOf(field: string, value: unknown): string {
  if (value === null || value === undefined) return "";
  if (field === "at" && typeof value === "number") return isoTime(value).slice(0, 19).replace("T", " ");
  if (Array.isArray(value)) return value.map((each) => cellOf("", each)).join(", ");
  if (typeof value === "object" && "email" in value) return String(value.email);
  return typeof value === "string" ? value : JSON.stringify(value);
}

function shapeOf(record: LocalRecord): CrmRecord {
  return {
    id: record.id,
    kind: record.kind,
    tenant: record.tenant,
    key: record.key,
    natural_key: record.natural,
    created_at: isoTime(record.createdAt),
    archived: record.archived,
    fields: { ...record.fields },
    links: [...record.links],
  };
}

async function show(cli: Cli, { records }: Ground, id: string, { json }: { json?: true }): Promise<void> {
  const record = records.get(id);
  if (record === undefined) throw new Failed(`the built-in CRM has no record ${plain(id)}`);
  const shape = shapeOf(record);
  if (json === true) return await cli.printJson("crm show", shape);
  await cli.print(`${cli.paint("bold", shape.kind)} ${shape.id}${shape.archived ? " (archived)" : ""}`);
  await cli.print(`  tenant   ${shape.tenant}`, `  created  ${shape.created_at}`, `  key      ${shape.key}`);
  for (const [name, value] of Object.entries(shape.fields)) {
    if (name === "text" || name === "html") continue;
    await cli.print(`  ${plain(name, 40).padEnd(12)} ${plain(cellOf(name, value), 500)}`);
  }
  for (const link of record.links) {
    const other = records.get(link);
    await cli.print(`  linked to    ${other?.kind ?? "record"} ${plain(link)} ${plain(other?.natural ?? "", 100)}`);
  }
  const { text } = shape.fields;
  if (typeof text === "string") await cli.print("", plainLines(text));
}
