/** Compares a part of an event, as somebody expects it, with the event: leaf by leaf, so that it can be said which fields are right. */

export interface Leaf {
  /** Where it stands, the same for every entry of a list: `bounce.recipients[].status`. */
  readonly field: string;
  /** Where it stands in this message: `bounce.recipients[1].status`. */
  readonly path: string;
  readonly expected: unknown;
  /** Undefined where the event has no such field. */
  readonly got: unknown;
  readonly right: boolean;
}

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isList = (value: unknown): value is readonly Fields[] =>
  Array.isArray(value) && value.length > 0 && value.every(isFields);

/**
 * An object has to hold what is expected of it, and may hold more. A list of objects has to have as many entries, which is a leaf of its
 * own; what is expected of each may again be a part. Everything else has to be equal, lists of strings as a whole.
 */
export function* leaves(expected: unknown, got: unknown, field = "", path = ""): Generator<Leaf> {
  if (isFields(expected) && isFields(got)) {
    const dot = field === "" ? "" : ".";
    for (const [key, value] of Object.entries(expected)) {
      const found = Object.hasOwn(got, key) ? got[key] : undefined;
      yield* leaves(value, found, `${field}${dot}${key}`, `${path}${dot}${key}`);
    }
  } else if (isList(expected) && Array.isArray(got)) {
    const right = expected.length === got.length;
    yield { field: `${field}[]`, path: `${path}[]`, expected: entries(expected), got: entries(got), right };
    for (const [at, value] of expected.entries()) {
      yield* leaves(value, got[at], `${field}[]`, `${path}[${at}]`);
    }
  } else {
    yield { field, path, expected, got, right: equal(expected, got) };
  }
}

const entries = ({ length }: readonly unknown[]): string => (length === 1 ? "1 entry" : `${length} entries`);

/** Both are JSON. */
function equal(one: unknown, other: unknown): boolean {
  if (Array.isArray(one)) {
    return Array.isArray(other) && one.length === other.length && one.every((value, at) => equal(value, other[at]));
  }
  if (!isFields(one)) return one === other;
  const keys = Object.keys(one);
  return (
    isFields(other) &&
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && equal(one[key], other[key]))
  );
}

export const mostNesting = 32;

/** Deeper than any event is. */
export function nestsTooDeeply(value: unknown, room = mostNesting): boolean {
  if (typeof value !== "object" || value === null) return false;
  return room === 0 || Object.values(value).some((inside) => nestsTooDeeply(inside, room - 1));
}
