/** The settings in force, as they may be shown: defaults filled in, secrets as `***` with their source; and what those secrets are. */
import type { Settings } from "./load.ts";
import { below, isSecretAt, type Outline } from "./outline.ts";
import { type Path, pathKey } from "./problems.ts";
import { configurationOutline } from "./schema.ts";

/** Plain data in the shape of the file. A secret reads `*** (from ${env:NAME})`, or `*** (in the file)`. */
export function describeSettings(settings: Settings): unknown {
  const { written, sources } = settings.origin;
  return describe(written, configurationOutline, [], (path) => {
    if (!isSecretAt(configurationOutline, written, path)) return undefined;
    // A variable may hold a whole list of destinations: the source of what stands around the secret is its source too.
    const source = path.map((_, index) => sources.get(pathKey(path.slice(0, path.length - index)))).find(Boolean);
    return `*** (${source === undefined ? "in the file" : `from ${source}`})`;
  });
}

function describe(value: unknown, outline: Outline, path: Path, hide: (path: Path) => string | undefined): unknown {
  if (value === undefined) return undefined;
  const hidden = path.length > 0 ? hide(path) : undefined;
  if (hidden !== undefined) return hidden;
  if (Array.isArray(value)) {
    return value.map((item, index) => describe(item, below(outline, value, index)[0] ?? {}, [...path, index], hide));
  }
  if (typeof value !== "object" || value === null) return value;
  const keys = new Set([...Object.keys(outline.properties ?? {}), ...Object.keys(value)]);
  const shown = [...keys].map((key) => {
    const next = below(outline, value, key)[0] ?? {};
    return [key, describe(Reflect.get(value, key) ?? next.default, next, [...path, key], hide)] as const;
  });
  return Object.fromEntries(shown.filter(([, item]) => item !== undefined));
}

/** Every secret text of the configuration, so that the log can blot them out wherever they turn up. */
export function secretsOf(settings: Settings): readonly string[] {
  const { written } = settings.origin;
  const found = (value: unknown, path: Path): readonly string[] => {
    if (typeof value === "string")
      return value !== "" && isSecretAt(configurationOutline, written, path) ? [value] : [];
    if (typeof value !== "object" || value === null) return [];
    return Object.entries(value).flatMap(([key, item]) =>
      found(item, [...path, Array.isArray(value) ? Number(key) : key]),
    );
  };
  return [...new Set(found(written, []))];
}
