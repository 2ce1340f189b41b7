/** Writes what `init` was told: the configuration, a mapping, and each secret in a file of its own; all or nothing, and over nothing that is there. */
import { existsSync } from "node:fs";
import { copyFile, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { BadConfiguration, loadSettings, type Settings } from "../../settings/index.ts";
import { Failed } from "../exit.ts";
import { packageFolder } from "../package.ts";
import type { Answers, Entries, Given } from "./answers.ts";

export interface Written {
  readonly settings: Settings;
  readonly mapping: string | undefined;
  readonly secrets: readonly string[];
  /** Variables that the configuration wants and the environment has not. */
  readonly unset: readonly string[];
}

interface NewFile {
  readonly path: string;
  readonly text: string;
  readonly mode: number;
}

export interface WriteOptions {
  readonly file: string;
  readonly force: boolean;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** In the place of a secret that the environment has not yet: good for any, a service account's key file too. */
const notSetYet = JSON.stringify({ client_email: "not-set-yet", private_key: "not-set-yet" });

/** Throws Failed where something is there already, BadConfiguration where an answer cannot stand in a configuration. */
export async function writeAll(answers: Answers, { file, force, cwd, env }: WriteOptions): Promise<Written> {
  const folder = dirname(file);
  const mapping = answers.preset === "none" ? undefined : join(folder, "mapping.yaml");
  const secrets = typedOf(answers).map(
    ({ text, name }): NewFile => ({ path: secretPath(folder, name), text: `${text}\n`, mode: 0o600 }),
  );
  const config: NewFile = { path: file, text: configText(answers, { folder, cwd, mapping }), mode: 0o600 };
  const others = [
    ...(mapping === undefined ? [] : [{ path: mapping, text: await mappingText(answers), mode: 0o644 }]),
    ...secrets,
  ];
  refuseExisting([config, ...others], force);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (secrets.length > 0) await mkdir(join(folder, "secrets"), { recursive: true, mode: 0o700 });
  const unset = variablesOf(answers).filter((name) => (env[name] ?? "") === "");
  const known = { ...env, ...Object.fromEntries(unset.map((name) => [name, notSetYet])) };
  const mark = `.new-${process.pid}`;
  const drafts = [...others, config].map(({ path }) => path + mark);
  const trial = `${file}.try-${process.pid}`;
  try {
    for (const one of [...others, config]) await writeDraft({ ...one, path: one.path + mark });
    // Read where it will stand, since what it names is relative to that; what it names is the drafts.
    await writeDraft({ ...config, path: trial, text: configText(answers, { folder, cwd, mapping, mark }) });
    loadSettings(trial, known);
    // The configuration last: until then what was there before holds.
    await replaceAll(
      [...others, config].map(({ path }) => path),
      mark,
    );
    const settings = loadSettings(file, known);
    return { settings, mapping, secrets: secrets.map(({ path }) => path), unset };
  } catch (error) {
    if (error instanceof BadConfiguration) throw error;
    throw new Failed(`nothing was written: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    for (const path of [...drafts, trial]) await rm(path, { force: true });
  }
}

/** Each draft takes its place; where one cannot, those that have give it back. */
async function replaceAll(paths: readonly string[], mark: string): Promise<void> {
  const replaced: { readonly path: string; readonly kept: string | undefined }[] = [];
  try {
    for (const path of paths) {
      const kept = existsSync(path) ? `${path}.old-${process.pid}` : undefined;
      if (kept !== undefined) await copyFile(path, kept);
      replaced.push({ path, kept });
      await rename(path + mark, path);
    }
  } catch (error) {
    for (const { path, kept } of replaced.reverse()) {
      if (kept === undefined) await rm(path, { force: true });
      else await rename(kept, path);
    }
    throw error;
  }
  for (const { kept } of replaced) if (kept !== undefined) await rm(kept, { force: true });
}

function refuseExisting(files: readonly NewFile[], force: boolean): void {
  const there = files.map(({ path }) => path).filter((path) => existsSync(path));
  if (there.length > 0 && !force)
    throw new Failed(`${there.join(", ")} is there already; --force writes over it, or name another file`);
}

/** On the disk before it takes the place of another: after a power cut there is the one or the other, whole. */
async function writeDraft({ path, text, mode }: NewFile): Promise<void> {
  await rm(path, { force: true });
  const draft = await open(path, "wx", mode);
  try {
    await draft.writeFile(text);
    await draft.sync();
  } finally {
    await draft.close();
  }
}

const secretPath = (folder: string, name: string): string => join(folder, "secrets", name);

function everyGiven({ mailbox, crm }: Answers): Given[] {
  const values = (entries: Entries) => entries.map(([, value]) => value);
  const password = mailbox?.password === undefined ? [] : [mailbox.password];
  return [...password, ...values(mailbox?.oauth?.entries ?? []), ...values(crm.entries)];
}
const typedOf = (answers: Answers) => everyGiven(answers).filter((given) => given.kind === "typed");
const variablesOf = (answers: Answers): string[] => [
  ...new Set(everyGiven(answers).flatMap((given) => (given.kind === "env" ? [given.name] : []))),
];

interface Places {
  readonly folder: string;
  readonly cwd: string;
  readonly mapping: string | undefined;
  /** At the end of the names of what is written beside it, while they are drafts. */
  readonly mark?: string;
}

function configText(answers: Answers, places: Places): string {
  const { tenant, dataDir, recipients, ownDomains, crm, mailbox } = answers;
  const list = (texts: readonly string[]) => `[${texts.map(yaml).join(", ")}]`;
  const destination = [
    ["id", "crm"],
    ["type", crm.type],
  ].map(([key = "", value = ""]) => `${key}: ${yaml(value)}`);
  return [
    "# Mailwright's configuration, begun by `mailwright init`. docs/configuration.md lists every key; paths are relative to this file.",
    `data_dir: ${yaml(resolve(places.cwd, dataDir) === resolve(places.folder, dataDir) ? dataDir : resolve(places.cwd, dataDir))} # ledger, sealed mail, built-in CRM; one daemon per folder`,
    ...(mailbox === undefined
      ? ["smtp: { port: 2525 } # an MX is spoken to on port 25: forward it here"]
      : ["smtp: { host: 127.0.0.1, port: 2525 } # mail comes from the mailbox"]),
    "http: { host: 127.0.0.1, port: 8025 } # /livez, /readyz, /metrics",
    "tenants:",
    `  - id: ${yaml(tenant)}`,
    ...(recipients.length === 0 ? [] : [`    recipients: ${list(recipients)} # everything else is refused`]),
    ...(places.mapping === undefined ? [] : [`    mapping: ./mapping.yaml${places.mark ?? ""}`]),
    ...(ownDomains.length === 0
      ? []
      : ["    people:", `      own_domains: ${list(ownDomains)} # colleagues, with their subdomains`]),
    ...(mailbox === undefined ? [] : mailboxLines(answers, places)),
    "    destinations:",
    `      - ${destination[0]}`,
    ...[destination[1], ...entryLines(crm.entries, places)].map((line) => `        ${line}`),
    "",
  ].join("\n");
}

function mailboxLines({ mailbox }: Answers, places: Places): string[] {
  if (mailbox === undefined) return [];
  const { id, host, port, tls, user, password, oauth } = mailbox;
  const more = [
    `host: ${yaml(host)}`,
    ...(port === undefined ? [] : [`port: ${port}`]),
    ...(tls === "implicit" ? [] : [`tls: ${yaml(tls)}`]),
    `user: ${yaml(user)}`,
    ...(password === undefined ? [] : [`password: ${written(password, places)}`]),
    ...(oauth === undefined
      ? []
      : ["oauth:", `  type: ${yaml(oauth.type)}`, ...entryLines(oauth.entries, places).map((line) => `  ${line}`)]),
  ];
  return ["    imap:", `      - id: ${yaml(id)}`, ...more.map((line) => `        ${line}`)];
}

const entryLines = (entries: Entries, places: Places): string[] =>
  entries.map(([key, value]) => `${key}: ${written(value, places)}`);

function written(given: Given, { folder, cwd, mark = "" }: Places): string {
  switch (given.kind) {
    case "text":
      return /^\d{1,15}$/.test(given.text) ? given.text : yaml(given.text);
    case "env":
      return `"\${env:${given.name}}"`;
    case "file": {
      const path = relative(folder, resolve(cwd, given.path));
      return JSON.stringify(
        `\${file:${path.startsWith("..") || path.startsWith(sep) ? resolve(cwd, given.path) : `./${path}`}}`,
      );
    }
    case "typed":
      return JSON.stringify(`\${file:./secrets/${given.name}${mark}}`);
    default:
      return given satisfies never;
  }
}

/** JSON's texts are YAML's too; what would be taken for a reference is not one. */
const yaml = (text: string): string => {
  const escaped = text.replaceAll("$" + "{", () => "$$" + "{");
  return /^[A-Za-z][A-Za-z0-9._/-]*$/.test(escaped) && !/^(?:y|n|yes|no|on|off|true|false|null)$/i.test(escaped)
    ? escaped
    : JSON.stringify(escaped);
};

/** The preset, made to fit: a mailbox has folders where SMTP has addresses, and HubSpot's fields are HubSpot's. */
async function mappingText({ preset, mailbox, crm }: Answers): Promise<string> {
  const source = await readFile(join(packageFolder(), "config", "presets", `${preset}.yaml`), "utf8");
  const fitting = source
    .split("\n")
    .filter((line) => crm.type === "hubspot" || !/\bhs_[a-z_]+:/.test(line))
    .map((line) => (mailbox === undefined ? line : line.replace(/^(\s*)recipient: \[[^\]]*\]/, '$1mailbox: "*"')))
    // The schema lies in the package.
    .filter((line) => !line.startsWith("# yaml-language-server:"));
  return [
    `# Begun by \`mailwright init\` from the preset ${preset}: change it to your needs, then \`mailwright mapping check\`.`,
    ...fitting,
  ].join("\n");
}
