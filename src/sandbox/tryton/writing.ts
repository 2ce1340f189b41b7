/** Creating, changing and deleting: what Tryton fills in, and everything that it refuses, in its own words. */
import { Failed, keyError, typeError, userError } from "./reply.ts";
import type { Field, ModelSchema } from "./schema.ts";
import type { Row, Values } from "./store.ts";
import { fieldOf, modelOf, rowOf, type World } from "./world.ts";

export function objectIn(given: unknown): Values {
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw typeError("'list' object has no attribute 'copy'");
  return given as Values;
}

export const listIn = (given: unknown): readonly unknown[] => {
  if (!Array.isArray(given)) throw typeError("'int' object is not iterable");
  return given;
};

export function create(world: World, model: string, given: unknown): number {
  const { children, values } = split(world, model, objectIn(given));
  const whole = { ...defaultsOf(world, model, values), ...values };
  if (model === "party.relation.all") return createRelation(world, whole);
  const row = world.store.insert(model, whole);
  checked(world, model, row);
  for (const { field, rows } of children)
    for (const child of rows) create(world, field.model ?? "", { ...objectIn(child), [field.by ?? ""]: row.id });
  return row.id;
}

/** A relation has the same number twice: even as it was made, odd as the other end sees it. */
function createRelation(world: World, values: Values): number {
  const row = world.store.insert("party.relation", values);
  checked(world, "party.relation.all", row);
  return row.id * 2;
}

interface Children {
  readonly field: Field;
  readonly rows: readonly unknown[];
}

function split(world: World, model: string, given: Values): { children: Children[]; values: Values } {
  const children: Children[] = [];
  const values = new Map<string, unknown>();
  for (const [name, value] of Object.entries(given)) {
    const field = fieldOf(world, model, name);
    if (field.type !== "one2many") values.set(name, textChecked(value));
    else
      for (const action of listIn(value)) {
        const [what, rows] = listIn(action);
        if (what !== "create") throw keyError(String(what));
        children.push({ field, rows: listIn(rows) });
      }
  }
  return { children, values: Object.fromEntries(values) };
}

/** What PostgreSQL, and Python on the way there, cannot keep. */
function textChecked(value: unknown): unknown {
  if (typeof value !== "string") return value;
  if (value.includes("\0")) throw new Failed(["A string literal cannot contain NUL (0x00) characters.", ""]);
  if (!value.isWellFormed()) throw new Failed(["'utf-8' codec can't encode character: surrogates not allowed", ""]);
  return value;
}

function defaultsOf({ store, options, clock }: World, model: string, values: Values): Values {
  switch (model) {
    case "party.party":
      return { active: true, ...(values.code ? {} : { code: store.next("party") }) };
    case "party.contact_mechanism":
      return { active: true };
    case "sale.opportunity": {
      const now = new Date(clock.now());
      const start_date = {
        __class__: "date",
        year: now.getUTCFullYear(),
        month: now.getUTCMonth() + 1,
        day: now.getUTCDate(),
      };
      return {
        number: store.next("opportunity"),
        state: "lead",
        conversion_probability: 0.5,
        start_date,
        company: options.company,
      };
    }
    default:
      return {};
  }
}

const requiredFields: Readonly<Record<string, readonly string[]>> = {
  "party.party": ["code"],
  "party.contact_mechanism": ["type", "party"],
  "party.relation.type": ["name"],
  "party.relation.all": ["from_", "to", "type"],
  "sale.opportunity": ["company", "state", "start_date"],
  "ir.note": ["resource"],
};
/** An opportunity in these states may lack its party and its employee. */
const loose = ["lead", "lost", "cancelled"];

function checked(world: World, model: string, row: Row): void {
  const known = modelOf(world, model);
  for (const [name, field] of Object.entries(known.fields)) {
    const value = row.values[name];
    if (field.type === "many2one" && value != null && rowOf(world, field.model ?? "", value) === undefined)
      throw userError(`The value "${String(value)}" for field "${field.label}" in "${known.label}" does not exist.`);
    if (field.options !== undefined && value != null && !field.options.includes(String(value)))
      throw userError(
        `The value "${String(value)}" for field "${field.label}" in "${known.label}" is not one of the allowed options.`,
      );
  }
  const more = model === "sale.opportunity" && !loose.includes(String(row.values.state)) ? ["party", "employee"] : [];
  for (const name of [...(requiredFields[model] ?? []), ...more])
    if (row.values[name] == null || !pointsAtSomething(world, known, row, name))
      throw userError(`A value is required for field "${known.fields[name]?.label ?? name}" in "${known.label}".`);
  unique(world, model, row);
}

/** A reference to a record that is gone is none. */
function pointsAtSomething(world: World, known: ModelSchema, row: Row, name: string): boolean {
  if (known.fields[name]?.type !== "reference") return true;
  const [model = "", id] = String(row.values[name]).split(",");
  modelOf(world, model);
  return rowOf(world, model, Number(id)) !== undefined;
}

function unique({ store }: World, model: string, row: Row): void {
  if (model !== "party.party") return;
  const taken = store.all(model).some(({ id, values }) => id !== row.id && values.code === row.values.code);
  if (taken) throw userError("The code on party must be unique.");
}

/** The records, or the refusal that those get which are not there. */
export function existing(world: World, model: string, ids: unknown, doing: "read" | "write to"): Row[] {
  const known = modelOf(world, model);
  return listIn(ids).map((id) => {
    const row = rowOf(world, model, id);
    if (row !== undefined) return row;
    if (known.ruled === true)
      throw userError(
        `You are not allowed to read records "${String(id)}" of "${known.label}" because of at least one of these rules:\nUser in companies`,
      );
    throw userError(`You are trying to ${doing} records "${String(id)}" of "${known.label}" that don't exist anymore.`);
  });
}

export function write(world: World, model: string, ids: unknown, given: unknown): null {
  const { children, values } = split(world, model, objectIn(given));
  if (children.length > 0) throw typeError("the sandbox makes children with their parent alone");
  for (const { id } of existing(world, model, ids, "write to")) {
    world.store.change(model, id, values);
    const changed = world.store.get(model, id);
    if (changed !== undefined) checked(world, model, changed);
  }
  return null;
}

/** Those that the context names are refused where they were changed since. */
export function unchanged(world: World, stamps: unknown): void {
  if (stamps === undefined) return;
  for (const [resource, stamp] of Object.entries(objectIn(stamps))) {
    const [model = "", id] = resource.split(",");
    const row = rowOf(world, model, Number(id));
    if (row !== undefined && row.stamp !== stamp)
      throw new Failed(["ConcurrencyException", "Records were modified in the meanwhile"]);
  }
}

const cancellable = ["lead", "opportunity"];

/** The buttons of opportunities: what is in no state for it stays as it is, without a word. */
export function press(world: World, model: string, state: string, ids: unknown): null {
  for (const row of existing(world, model, ids, "read"))
    if (cancellable.includes(String(row.values.state))) world.store.change(model, row.id, { state });
  return null;
}

export function remove(world: World, model: string, ids: unknown): null {
  for (const row of existing(world, model, ids, "read")) {
    if (model === "party.relation.all") world.store.remove("party.relation", Math.floor(row.id / 2));
    else if (model === "sale.opportunity" && ["lost", "won", "converted"].includes(String(row.values.state)))
      throw userError(`To delete opportunity "${String(row.values.number)}", you must cancel it.`);
    else removed(world, model, row.id);
  }
  return null;
}

/** What stands on a party goes with it, opportunities are left without one; notes of what is gone stay, on nothing. */
function removed({ store }: World, model: string, id: number): void {
  store.remove(model, id);
  if (model !== "party.party") return;
  for (const row of store.all("party.contact_mechanism"))
    if (row.values.party === id) store.remove("party.contact_mechanism", row.id);
  for (const row of store.all("party.relation"))
    if (row.values.from_ === id || row.values.to === id) store.remove("party.relation", row.id);
  for (const row of store.all("sale.opportunity"))
    if (row.values.party === id) store.change("sale.opportunity", row.id, { party: null });
}
