/** Mail files given on the command line, and whose they are. */
import { createReadStream, existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { Option } from "commander";
import type { Envelope } from "../model/envelope.ts";
import { compileRoutes, type Settings } from "../settings/index.ts";
import type { Cli } from "./cli.ts";
import { Failed, usage } from "./exit.ts";
import { isEventId } from "./find.ts";

export interface MailFile {
  readonly name: string;
  readonly size: number;
  read(): AsyncIterable<Uint8Array>;
}

/** What is no id is a file; what could be both (a file named like an id) is the id. */
export function isMailFile(cli: Cli, text: string): boolean {
  if (text === "-") return true;
  if (isEventId(text) || /^<.*>$/.test(text)) return false;
  return existsSync(resolve(cli.cwd, text)) || text.endsWith(".eml");
}

/** Rejects with a sentence when there is no readable file. */
export async function openMailFile(name: string, cli: Cli): Promise<MailFile> {
  if (name === "-") return await readStandardInput(cli);
  const path = resolve(cli.cwd, name);
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new Failed(`${name} cannot be read (${error.code ?? error.message})`, 1, { cause: error });
  });
  if (!found.isFile()) throw new Failed(`${name} is not a file`);
  return { name, size: found.size, read: () => createReadStream(path) };
}

/** It can be read only once and a mail is read twice, so it is held; larger mail has to come as a file. */
const mostHeldBytes = 256 * 1024 * 1024;

async function readStandardInput(cli: Cli): Promise<MailFile> {
  if (cli.stdin.isTerminal) await cli.say("reading a mail from the terminal; end it with Ctrl-D");
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of cli.stdin) {
    size += chunk.length;
    if (size > mostHeldBytes) throw new Failed("more than 256 MiB on standard input: give the mail as a file");
    chunks.push(chunk);
  }
  return {
    name: "-",
    size,
    async *read() {
      yield* chunks;
    },
  };
}

export interface WhoseOptions {
  readonly tenant?: string;
  readonly to?: string;
}

export const tenantOption = () => new Option("--tenant <id>", "whose mail it is (default: the only tenant)");
export const toOption = () => new Option("--to <address>", "the inbound address it came by");

/** The envelope of a file that no peer handed over. Throws a usage error when it is not clear whose it is. */
export function importEnvelope(settings: Settings, { tenant, to }: WhoseOptions, now: number): Envelope {
  const id = to === undefined ? namedOrOnly(settings, tenant) : tenantOfAddress(settings, to, tenant);
  return {
    kind: "import",
    tenant: id,
    routes: to === undefined ? defaultRoutes(settings, id) : [to],
    received_at: now,
  };
}

export function namedOrOnly(settings: Settings, named: string | undefined): string {
  const ids = settings.tenants.map(({ id }) => id);
  if (named !== undefined) {
    if (!ids.includes(named)) throw usage(`there is no tenant ${named}; the configuration has ${ids.join(", ")}`);
    return named;
  }
  const [only] = ids;
  if (ids.length > 1 || only === undefined) {
    throw usage(`there are ${ids.length} tenants (${ids.join(", ")}): say whose mail it is with --tenant or --to`);
  }
  return only;
}

function tenantOfAddress(settings: Settings, to: string, named: string | undefined): string {
  const route = compileRoutes(settings.tenants)(to);
  if (route.kind !== "accepted") throw usage(`no tenant of the configuration takes mail for ${to}`);
  if (named !== undefined && named !== route.tenant) {
    throw usage(`${to} belongs to tenant ${route.tenant}, not to ${named}`);
  }
  return route.tenant;
}

/** The tenant's first plain address. A wildcard names no address that the mail could have come by. */
function defaultRoutes(settings: Settings, id: string): string[] {
  const patterns = settings.tenants.find((tenant) => tenant.id === id)?.recipients ?? [];
  return patterns.filter((pattern) => !pattern.startsWith("*")).slice(0, 1);
}
