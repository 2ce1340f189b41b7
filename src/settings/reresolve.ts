/** Taking changed secrets and mapping files into running settings (SIGHUP), without pretending that the rest can change under way. */
import { loadSettings, type Settings, type TenantSettings } from "./load.ts";
import type { LoadedMapping } from "./mapping.ts";
import { isSecretAt } from "./outline.ts";
import { formatPath, type Path } from "./problems.ts";
import type { Environment } from "./references.ts";
import { configurationOutline } from "./schema.ts";

export interface Reresolved {
  /** The running settings with today's secrets and mapping files. */
  readonly settings: Settings;
  /** Tenants whose mapping file says something else now. */
  readonly remapped: readonly string[];
  /** Paths of secrets whose value is another now: `tenants[0].destinations[0].token`. */
  readonly rotated: readonly string[];
  /** Paths that differ in the file but stay as they were until a restart. */
  readonly needRestart: readonly string[];
}

/** Secret, and taken at a start alone: what is stored is sealed with the one, and the door knows from its start who may sign in. */
const atStart: ReadonlySet<Path[number] | undefined> = new Set(["seal", "http"]);

/** Reads the configuration again. Throws BadConfiguration, and then the running settings stay as they are. */
export function reresolve(running: Settings, env: Environment): Reresolved {
  const fresh = loadSettings(running.origin.file, env);
  const differences = differingPaths(running.origin.written, fresh.origin.written, []);
  const isTaken = (path: Path): boolean =>
    !atStart.has(path[0]) && isSecretAt(configurationOutline, fresh.origin.written, path);
  const needRestart = differences.filter((path) => !isTaken(path));
  const rotated = differences.filter(isTaken);
  const remapped = running.tenants.flatMap((tenant) =>
    mappingOf(tenant, fresh) === tenant.mapping ? [] : [tenant.id],
  );
  // With anything else changed, entries may have moved: a secret is then only taken by a restart.
  if (needRestart.length > 0) {
    const tenants = running.tenants.map((tenant) => withMapping(tenant, mappingOf(tenant, fresh)));
    const settings = remapped.length === 0 ? running : { ...running, tenants };
    return { settings, remapped, rotated: [], needRestart: differences.map(formatPath) };
  }
  return { settings: fresh, remapped, rotated: rotated.map(formatPath), needRestart: [] };
}

/** Today's, where the tenant had one before and has one now: that there is one at all is for a restart. The same object where it says the same. */
function mappingOf({ id, mapping }: TenantSettings, fresh: Settings): LoadedMapping | undefined {
  const today = fresh.tenants.find((tenant) => tenant.id === id)?.mapping;
  return mapping === undefined || today === undefined || today.text === mapping.text ? mapping : today;
}

const withMapping = (tenant: TenantSettings, mapping: LoadedMapping | undefined): TenantSettings =>
  mapping === undefined ? tenant : { ...tenant, mapping };

function differingPaths(a: unknown, b: unknown, path: Path): readonly Path[] {
  if (
    typeof a !== "object" ||
    typeof b !== "object" ||
    a === null ||
    b === null ||
    Array.isArray(a) !== Array.isArray(b)
  ) {
    return Object.is(a, b) ? [] : [path];
  }
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return keys.flatMap((key) =>
    differingPaths(Reflect.get(a, key), Reflect.get(b, key), [...path, Array.isArray(a) ? Number(key) : key]),
  );
}
