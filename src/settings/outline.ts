/** The shape of the configuration as its JSON Schema tells it: which keys are known where, which values are secret, which are paths. */
import type { Path } from "./problems.ts";

/** The part of JSON Schema that zod writes and this program reads. `secret` and `path` come from `.meta()`. */
export interface Outline {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, Outline>>;
  readonly required?: readonly string[];
  readonly items?: Outline;
  readonly oneOf?: readonly Outline[];
  readonly anyOf?: readonly Outline[];
  readonly additionalProperties?: Outline | boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly minLength?: number;
  /** Never printed. */
  readonly secret?: boolean;
  /** A file or folder; relative ones are taken from the folder of the file that names them. */
  readonly path?: boolean;
}

/** The shapes that `value` may have: itself, or the alternatives whose fixed values (`type: hubspot`) agree with what is there. */
function alternatives(outline: Outline, value: unknown): readonly Outline[] {
  const branches = outline.oneOf ?? outline.anyOf;
  if (branches === undefined) return [outline];
  const fitting = branches.filter((branch) => fixedValuesAgree(branch, value));
  return (fitting.length > 0 ? fitting : branches).flatMap((branch) => alternatives(branch, value));
}

function fixedValuesAgree(branch: Outline, value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(branch.properties ?? {}).every(
    ([key, { const: fixed }]) => fixed === undefined || Reflect.get(value, key) === fixed,
  );
}

/** One step down: the outlines of `value[part]`. */
export function below(outline: Outline, value: unknown, part: string | number): readonly Outline[] {
  return alternatives(outline, value).flatMap((branch) => {
    if (typeof part === "number") return branch.items ? [branch.items] : [];
    const known = Object.hasOwn(branch.properties ?? {}, part)
      ? branch.properties?.[part]
      : branch.additionalProperties;
    return typeof known === "object" ? [known] : [];
  });
}

/** The outlines at a path of a whole configuration. */
export function outlinesAt(root: Outline, value: unknown, path: Path): readonly Outline[] {
  let outlines: readonly Outline[] = [root];
  let current = value;
  for (const part of path) {
    const here = current;
    outlines = outlines.flatMap((outline) => below(outline, here, part));
    current = typeof current === "object" && current !== null ? Reflect.get(current, part) : undefined;
  }
  return outlines.flatMap((outline) => alternatives(outline, current));
}

export function knownKeysAt(root: Outline, value: unknown, path: Path): readonly string[] {
  return [...new Set(outlinesAt(root, value, path).flatMap((outline) => Object.keys(outline.properties ?? {})))];
}

/** A value is secret when any shape it may have says so: in doubt nothing is printed. */
export function isSecretAt(root: Outline, value: unknown, path: Path): boolean {
  return path.some((_, index) => {
    const prefix = path.slice(0, index + 1);
    return withUnions(root, value, prefix).some((outline) => outline.secret === true);
  });
}

/** As `outlinesAt`, with the unions on the way kept, because `.meta()` may stand on the union itself. */
function withUnions(root: Outline, value: unknown, path: Path): readonly Outline[] {
  const last = path.at(-1);
  if (last === undefined) return [root];
  const parent = path.slice(0, -1);
  const parentValue = parent.reduce<unknown>(
    (at, part) => (typeof at === "object" && at !== null ? Reflect.get(at, part) : undefined),
    value,
  );
  const direct = outlinesAt(root, value, parent).flatMap((outline) => below(outline, parentValue, last));
  return [...direct, ...outlinesAt(root, value, path)];
}
