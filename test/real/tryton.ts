/**
 * A private Tryton on loopback, on a PostgreSQL of its own: made, filled with what a new database needs, started and stopped by its caller. Both run as
 * Debian's user without rights, since PostgreSQL refuses root.
 */
import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { chmod, chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { listening } from "./listening.ts";
import { freePort } from "./postfix.ts";
import { hasTool, isRoot } from "./tools.ts";

const run = promisify(execFile);

const database = "crm";
const admin = { user: "admin", password: "admin-8472-password" };
const nobody = 65_534;
const version = /^trytond-admin 6\.0\./;

/** Where Debian keeps PostgreSQL's own programs, the newest. */
function postgresPrograms(): string | undefined {
  const root = "/usr/lib/postgresql";
  const versions = existsSync(root) ? readdirSync(root) : [];
  return versions
    .sort((a, b) => Number(b) - Number(a))
    .map((name) => join(root, name, "bin"))
    .find((folder) => existsSync(join(folder, "initdb")));
}

/** Why it cannot be had here; undefined where it can. */
export function trytonMissing(): string | undefined {
  if (!isRoot || !hasTool("setpriv")) return "needs root, to run as somebody else";
  if (postgresPrograms() === undefined) return "needs postgresql";
  if (!hasTool("trytond") || !hasTool("trytond-admin")) return "needs tryton-server";
  const said = execFileSync("trytond-admin", ["--version"], { encoding: "utf8" }).trim();
  return version.test(said) ? undefined : `needs Tryton 6.0, and this is ${said}`;
}

export type Rpc = (method: string, ...params: readonly unknown[]) => Promise<unknown>;

export interface Tryton {
  readonly url: string;
  readonly port: number;
  readonly database: string;
  /** Of Mailwright, in the groups that docs/crm/tryton.md names. */
  readonly user: string;
  readonly password: string;
  /** As the administrator, with the company in the context. */
  readonly asAdmin: Rpc;
  /** `psql` on its database: rows of tab-separated values. */
  sql(statement: string): Promise<string>;
  /** Nothing is left but the company and its users. */
  clear(): Promise<void>;
  stop(): Promise<void>;
}

export async function startTryton(): Promise<Tryton> {
  const programs = postgresPrograms();
  if (programs === undefined) throw new Error("PostgreSQL is not installed");
  const dir = await mkdtemp(join(tmpdir(), "mailwright-tryton-"));
  await chmod(dir, 0o755);
  await chown(dir, nobody, nobody);
  const [port, pgPort] = [await freePort(), await freePort()];
  const env = { ...process.env, HOME: dir, TRYTONPASSFILE: join(dir, "password"), LC_ALL: "C.UTF-8" };
  const asNobody = ["--reuid", String(nobody), "--regid", String(nobody), "--clear-groups", "--pdeathsig", "KILL"];
  const once_ = async (program: string, ...args: string[]): Promise<string> =>
    (await run("setpriv", [...asNobody, program, ...args], { env, cwd: dir, maxBuffer: 1 << 26 })).stdout;
  const children: ChildProcess[] = [];
  let said = "";
  const leaveNothing = (): void => {
    for (const child of children) child.kill("SIGKILL");
  };
  process.once("exit", leaveNothing);

  async function service(name: string, at: number, program: string, ...args: string[]): Promise<void> {
    const child = spawn("setpriv", [...asNobody, program, ...args], {
      env,
      cwd: dir,
      stdio: ["ignore", "pipe", "pipe"],
    });
    children.push(child);
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-20_000)));
    await listening({ name, port: at, lives: () => child.exitCode === null, said: () => said, withinMs: 60_000 });
  }

  const stop = async (): Promise<void> => {
    // Tryton first: PostgreSQL waits for nobody who is killed.
    for (const child of children.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    }
    process.off("exit", leaveNothing);
    await rm(dir, { recursive: true, force: true });
  };

  try {
    await writeFile(env.TRYTONPASSFILE, `${admin.password}\n`);
    await writeFile(join(dir, "trytond.conf"), configuration(port, pgPort));
    await once_(
      join(programs, "initdb"),
      "-D",
      join(dir, "pg"),
      "-U",
      "tryton",
      "-A",
      "trust",
      "--no-sync",
      "-E",
      "UTF8",
      "--locale=C.UTF-8",
    );
    // A test loses nothing with a power cut.
    const fast = [
      "fsync=off",
      "jit=off",
      "synchronous_commit=off",
      "full_page_writes=off",
      `listen_addresses=127.0.0.1`,
    ];
    await service(
      "postgres",
      pgPort,
      join(programs, "postgres"),
      ...["-D", join(dir, "pg"), "-p", String(pgPort), "-k", dir],
      ...fast.flatMap((setting) => ["-c", setting]),
    );
    const psql = async (on: string, statement: string): Promise<string> =>
      await once_(
        join(programs, "psql"),
        "-X",
        "-q",
        "-At",
        "-F",
        "\t",
        "-v",
        "ON_ERROR_STOP=1",
        "-h",
        "127.0.0.1",
        "-p",
        String(pgPort),
        "-U",
        "tryton",
        "-d",
        on,
        "-c",
        statement,
      );
    await ready(() => psql("postgres", `CREATE DATABASE ${database}`));
    const modules = ["ir", "res", "party", "party_relationship", "company", "sale_opportunity"];
    await once_(
      "trytond-admin",
      "-c",
      join(dir, "trytond.conf"),
      "-d",
      database,
      "--email",
      "admin@example.test",
      "-u",
      ...modules,
      "--activate-dependencies",
      "-l",
      "en",
    );
    await service("trytond", port, "trytond", "-c", join(dir, "trytond.conf"));
    const url = `http://127.0.0.1:${port}`;
    const user = { user: "mailwright", password: "mailwright 5193 password" };
    await furnish(url, user);
    await psql(
      database,
      "ALTER SEQUENCE sale_opportunity_id_seq RESTART 500001; ALTER SEQUENCE ir_note_id_seq RESTART 900001",
    );
    return {
      url,
      port,
      database,
      ...user,
      asAdmin: await loggedIn(url, admin, { language: "en", company: 1, companies: [1] }),
      sql: async (statement) => (await psql(database, statement)).trim(),
      clear: async () => void (await psql(database, emptied)),
      stop,
    };
  } catch (error) {
    await stop();
    throw new Error(`Tryton could not be started: ${said.slice(-2_000)}`, { cause: error });
  }
}

/** PostgreSQL listens a moment before it takes commands. */
async function ready(work: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await work();
      return;
    } catch (error) {
      if (tries >= 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

const configuration = (port: number, pgPort: number): string => `
[database]
uri = postgresql://tryton@127.0.0.1:${pgPort}/
[web]
listen = 127.0.0.1:${port}
[session]
authentications = password
`;

/** The company's own party is the first. */
const emptied = `
DELETE FROM ir_note; DELETE FROM sale_opportunity; DELETE FROM party_relation;
DELETE FROM party_contact_mechanism WHERE party > 1; DELETE FROM party_party WHERE id > 1;
UPDATE party_party SET active = true`;

export async function loggedIn(
  url: string,
  { user, password }: { readonly user: string; readonly password: string },
  context: object,
): Promise<Rpc> {
  const call = async (
    headers: Record<string, string>,
    method: string,
    params: readonly unknown[],
  ): Promise<unknown> => {
    const answer = await fetch(`${url}/${database}/`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ id: 1, method, params }),
    });
    const text = await answer.text();
    const { result, error } = (answer.ok ? JSON.parse(text) : { error: text }) as { result?: unknown; error?: unknown };
    if (error !== undefined) throw new Error(`Tryton says to ${method}: ${answer.status} ${JSON.stringify(error)}`);
    return result;
  };
  const [id, key] = (await call({}, "common.db.login", [user, { password }])) as [number, string];
  const authorization = `Session ${Buffer.from(`${user}:${id}:${key}`).toString("base64")}`;
  return async (method, ...params) => await call({ authorization }, `model.${method}`, [...params, context]);
}

/** What docs/crm/tryton.md has a new user do: the company, and a user of Mailwright's own in its groups. */
async function furnish(
  url: string,
  { user, password }: { readonly user: string; readonly password: string },
): Promise<void> {
  const rpc = await loggedIn(url, admin, {});
  const rounding = { __class__: "Decimal", decimal: "0.01" };
  await rpc("currency.currency.create", [{ name: "Euro", code: "EUR", symbol: "E", rounding, digits: 2 }]);
  await rpc("party.party.create", [{ name: "Own Co" }]);
  await rpc("company.company.create", [{ party: 1, currency: 1 }]);
  const mine = { companies: [["add", [1]]], company: 1 };
  await rpc("res.user.write", [1], mine);
  const groups = (await rpc("res.group.search", [
    ["name", "in", ["Sale Opportunity", "Party Administration"]],
  ])) as number[];
  await rpc("res.user.create", [{ name: "Mailwright", login: user, password, ...mine, groups: [["add", groups]] }]);
}
