/** Values of a zod schema for fast-check, read off the schema itself, so that a field that is added is tested from its first day. */
import fc from "fast-check";
import type { z } from "zod";

/** What mail is made of, and what has broken programs that read it. */
const words = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("ada@client.example", "Bob@OTHER.test", "kim@acme.test", "client.example") },
  {
    weight: 3,
    arbitrary: fc.constantFrom("Re: Quote for ten chairs", "Fwd: order", "<a@b.test>", "{{subject}}", "*", "a*b"),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom("2026-03-01T08:00:00Z", "-000001-01-01T00:00:00Z", "tomorrow", "INBOX", "de"),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom("", " ", "__proto__", "constructor", "@", "a@", "@b", "\u0000", "\ud800", "\r\nBcc: x"),
  },
  { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
  { weight: 1, arbitrary: fc.constant("x@".repeat(4_000)) },
);
const emails = fc.constantFrom("ada@client.example", "bob@other.test", "kim@acme.test", "ada.l@freemail.example");

interface Options {
  /** Of a hundred fields that may be left out, so many are there. */
  readonly there?: number;
  readonly mostItems?: number;
}

/** Throws for a kind of schema that nobody has needed yet. */
export function arbitraryOf<S extends z.ZodType>(schema: S, options: Options = {}): fc.Arbitrary<z.input<S>> {
  return fromSchema(schema, options, 0) as fc.Arbitrary<z.input<S>>;
}

interface Check {
  readonly check: string;
  readonly format?: string;
  readonly pattern?: RegExp;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly value?: number;
}
/** The parts of a definition that are read here; zod has them by kind. */
interface Def {
  readonly type: string;
  readonly format?: string;
  readonly pattern?: RegExp;
  readonly checks?: readonly { readonly _zod: { readonly def: Check } }[];
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly element?: z.ZodType;
  readonly items?: readonly z.ZodType[];
  readonly options?: readonly z.ZodType[];
  readonly entries?: Readonly<Record<string, string>>;
  readonly values?: readonly unknown[];
  readonly innerType?: z.ZodType;
  readonly keyType?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly getter?: () => z.ZodType;
}
/** What its checks allow. */
interface Bounds {
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly format: string | undefined;
  readonly pattern: RegExp | undefined;
}

function boundsOf({ checks = [], format, pattern }: Def): Bounds {
  const all = checks.map(({ _zod: { def } }) => def);
  const first = <T>(ask: (check: Check) => T | undefined): T | undefined =>
    all.map(ask).find((found) => found !== undefined);
  const valueAt = (name: string) => first((check) => (check.check === name ? check.value : undefined));
  return {
    min: first(({ minimum }) => minimum) ?? valueAt("greater_than"),
    max: first(({ maximum }) => maximum) ?? valueAt("less_than"),
    format: format ?? first((check) => check.format),
    pattern: pattern ?? first((check) => check.pattern),
  };
}

const mostDepth = 9;

function fromSchema(schema: z.ZodType, options: Options, depth: number): fc.Arbitrary<unknown> {
  const { def } = (schema as unknown as { _zod: { def: Def } })._zod;
  const inner = (one: z.ZodType | undefined): fc.Arbitrary<unknown> => {
    if (one === undefined) throw new TypeError(`a schema of kind ${def.type} has no part where one was expected`);
    return fromSchema(one, options, depth + 1);
  };
  const plain = plainOf(def, boundsOf(def), options, depth, inner);
  // What only a function knows to refuse is tried.
  const isChecked = def.checks?.some(({ _zod }) => _zod.def.check === "custom") === true;
  return isChecked ? plain.filter((value) => schema.safeParse(value).success) : plain;
}

function plainOf(
  def: Def,
  bounds: Bounds,
  { there = 50, mostItems = 3 }: Options,
  depth: number,
  inner: (one: z.ZodType | undefined) => fc.Arbitrary<unknown>,
): fc.Arbitrary<unknown> {
  switch (def.type) {
    case "object":
      return objectOf(def.shape ?? {}, there, inner);
    case "array": {
      const least = bounds.min ?? 0;
      const most = depth > mostDepth ? least : Math.min(bounds.max ?? mostItems, Math.max(least, mostItems));
      return fc.array(inner(def.element), { minLength: least, maxLength: most });
    }
    case "tuple":
      return fc.tuple(...(def.items ?? []).map(inner));
    case "record":
      return fc
        .array(fc.tuple(inner(def.keyType), inner(def.valueType)), { maxLength: mostItems })
        .map((pairs) => Object.fromEntries(pairs as [string, unknown][]));
    case "union":
      return fc.oneof(...(def.options ?? []).map(inner));
    case "nullable":
      return depth > mostDepth ? fc.constant(null) : fc.option(inner(def.innerType), { nil: null });
    case "optional":
    case "default":
    case "prefault":
    case "readonly":
    case "nonoptional":
      return inner(def.innerType);
    case "lazy":
      return inner(def.getter?.());
    case "enum":
      return fc.constantFrom(...Object.values(def.entries ?? {}));
    case "literal":
      return fc.constantFrom(...(def.values ?? []));
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "number":
      return numberOf(bounds);
    case "string":
      return stringOf(bounds);
    default:
      throw new TypeError(`nobody has said yet what values a schema of kind ${def.type} has`);
  }
}

function objectOf(
  shape: Readonly<Record<string, z.ZodType>>,
  there: number,
  inner: (one: z.ZodType) => fc.Arbitrary<unknown>,
): fc.Arbitrary<unknown> {
  const pairs = Object.entries(shape).map(([name, field]) => {
    const value = inner(field).map((is): readonly [string, unknown][] => [[name, is]]);
    if (!field.safeParse(undefined).success) return value;
    return fc.oneof({ weight: there, arbitrary: value }, { weight: 100 - there, arbitrary: fc.constant([]) });
  });
  return fc.tuple(...pairs).map((all) => Object.fromEntries(all.flat()));
}

function numberOf({ min = -(2 ** 31), max = 2 ** 41, format }: Bounds): fc.Arbitrary<number> {
  if (format === undefined) return fc.double({ min, max, noNaN: true });
  return fc.integer({ min: Math.ceil(min), max: Math.floor(max) });
}

function stringOf({ format, pattern, min = 0, max = Number.POSITIVE_INFINITY }: Bounds): fc.Arbitrary<string> {
  if (format === "email") return emails;
  if (pattern !== undefined) return fc.stringMatching(pattern);
  return words.filter(({ length }) => length >= min && length <= max);
}
