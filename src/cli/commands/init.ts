/** `mailwright init`: makes a configuration with whoever sits at the terminal, or wholly from options, and says what to run next. */
import { dirname, join, relative, resolve, sep } from "node:path";
import { Command, Option } from "commander";
import {
  type DeviceCode,
  type ImapAccount,
  lookAt,
  mailboxesNamed,
  openCommandLog,
  openGround,
  signIn,
  signsInByCode,
} from "../../main.ts";
import { type Settings, secretsOf } from "../../settings/index.ts";
import type { Cli } from "../cli.ts";
import { Failed, sentenceOf } from "../exit.ts";
import { askAll, type InitOptions } from "../init/answers.ts";
import { type Asker, silentAsker, terminalAsker } from "../init/asking.ts";
import { type Written, writeAll } from "../init/writing.ts";
import { atServer, mailboxFor } from "../mailbox.ts";
import type { Initialised } from "../mailbox-shapes.ts";
import { collected, jsonOption, portOf } from "../options.ts";
import { packageFolder } from "../package.ts";
import { plain } from "../plain.ts";

interface Options extends InitOptions {
  readonly check?: boolean;
  readonly force?: true;
  readonly yes?: true;
  readonly signIn?: string;
  readonly json?: true;
}

export function init(cli: Cli): Command {
  return new Command("init")
    .description(
      "Make a configuration: asks at a terminal, or takes all from options. Writes over nothing that is there.",
    )
    .argument("[file]", "the configuration to write", "mailwright.yaml")
    .option("--mail <way>", "mailbox (an existing one is read by IMAP) or smtp (mail is sent here)")
    .option("--provider <name>", "where the mailbox is: microsoft, google or other")
    .option("--user <name>", "whose mailbox it is, as the server calls it")
    .option("--host <name>", "the IMAP server")
    .addOption(new Option("--port <port>", "its port").argParser(portOf))
    .option("--tls <how>", "implicit, starttls or none")
    .option("--password <where>", "the mailbox's password: env:NAME or file:PATH")
    .option(
      "--oauth <way>",
      "how one signs in without a password: microsoft_person, microsoft_app, google_service_account, refresh_token, client_credentials",
    )
    .option("--oauth-set <key=value>", "a key of that; may be given several times", collected)
    .option("--account <id>", "a name for the mailbox here")
    .option("--recipient <address>", "an address that is mailed here; may be given several times", collected)
    .option("--own-domain <domain>", "a domain of yours; may be given several times", collected)
    .option("--crm <type>", "which CRM gets the mail")
    .option("--crm-set <key=value>", "a key of its settings (token=env:NAME); may be given several times", collected)
    .option("--preset <name>", "the mapping to begin with: none, sales-inbox, support-inbox, team-mailboxes")
    .option("--tenant <id>", "a name for your company here")
    .option("--data-dir <folder>", "where the ledger and the mail are kept (default: ./data beside the file)")
    .option("--check", "log in to the mailbox now")
    .option("--no-check", "do not ask whether to")
    .option(
      "--sign-in <account>",
      "of a configuration that is there (--config): sign in to this mailbox with a code, and nothing else",
    )
    .option("--yes", "ask nothing; what is not given has its default")
    .option("--force", "write over files that are there")
    .addOption(jsonOption())
    .action((file: string, options: Options) =>
      options.signIn === undefined ? run(cli, file, options) : signInOnly(cli, options.signIn),
    );
}

async function run(cli: Cli, name: string, options: Options): Promise<void> {
  const file = resolve(cli.cwd, name);
  const talks = cli.stdin.isTerminal && options.yes !== true;
  const asker = talks ? terminalAsker(cli) : silentAsker();
  try {
    const answers = await askAll(options, asker);
    const written = await writeAll(answers, { file, force: options.force === true, cwd: cli.cwd, env: cli.env });
    const account = answers.mailbox === undefined ? undefined : mailboxesNamed(written.settings, answers.mailbox.id)[0];
    const login = await checkLogin(cli, asker, written, account, options);
    const report = reportOf(cli, file, written, login, account);
    if (options.json === true) await cli.printJson("init", report);
    else await print(cli, report);
    if (login.ok === false)
      throw new Failed(`the files are written, and the mailbox cannot be read: ${login.detail ?? ""}`);
  } finally {
    await asker.close();
  }
}

const notChecked: Initialised["login"] = { checked: false, ok: null, detail: null, folders: [], refused: [] };

async function checkLogin(
  cli: Cli,
  asker: Asker,
  { settings, unset }: Written,
  account: ImapAccount | undefined,
  { check }: Options,
): Promise<Initialised["login"]> {
  if (account === undefined) return notChecked;
  const words = signsInByCode(account)
    ? "Sign in to the mailbox now?"
    : "Log in to the mailbox now, to see whether it works?";
  const wanted = check ?? (asker.talks && (await asker.yes({ option: "--check", words, initial: "yes" })));
  if (!wanted) return notChecked;
  if (unset.length > 0)
    return { ...notChecked, checked: true, ok: false, detail: `not set in the environment: ${unset.join(", ")}` };
  try {
    const { folders, missing, refused } = await withMailbox(cli, settings, async (ground) => {
      if (signsInByCode(account)) await signIn(ground, account, (code) => show(cli, code), stopOf(cli));
      return await atServer(account, () => lookAt(ground, account));
    });
    const closed = [
      ...(missing.length === 0 ? [] : [`the server has no folder ${missing.map((one) => plain(one)).join(", ")}`]),
      ...refused.map(({ name, reason }) => `the server does not open ${plain(name)}: ${plain(reason, 300)}`),
    ];
    const detail = closed.length === 0 ? null : closed.join("; ");
    return { checked: true, ok: folders.length > 0, detail, folders, refused };
  } catch (error) {
    return { ...notChecked, checked: true, ok: false, detail: plain(sentenceOf(error), 500) };
  }
}

async function signInOnly(cli: Cli, name: string): Promise<void> {
  const settings = cli.settings();
  const account = mailboxFor(settings, name);
  if (!signsInByCode(account))
    throw new Failed(`nobody signs in to ${name} with a code: its oauth.type is not microsoft_person`);
  await withMailbox(cli, settings, async (ground) => {
    await atServer(account, () => signIn(ground, account, (code) => show(cli, code), stopOf(cli)));
  });
  await cli.say(`signed in to ${name}`);
}

type Ground = Awaited<ReturnType<typeof openGround>>;

async function withMailbox<T>(_cli: Cli, settings: Settings, work: (ground: Ground) => Promise<T>): Promise<T> {
  const ground = await openGround(settings, {
    thread: "calling",
    check: "none",
    log: openCommandLog(settings, secretsOf(settings)),
  });
  try {
    return await work(ground);
  } finally {
    await ground.close();
  }
}

function stopOf(cli: Cli): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) cli.onSignal(signal, () => stop.abort());
  return stop.signal;
}

const show = (cli: Cli, { userCode, page, expiresAt }: DeviceCode): Promise<void> =>
  cli.say(
    "",
    `Open ${plain(page)} in a browser, sign in as the owner of the mailbox, and enter the code ${plain(userCode)}`,
    `It is good until ${new Date(expiresAt).toISOString()}. Waiting ...`,
  );

function reportOf(
  cli: Cli,
  file: string,
  written: Written,
  login: Initialised["login"],
  account: ImapAccount | undefined,
): Initialised {
  const isInstalled = packageFolder().includes(`${sep}node_modules${sep}`);
  const mailwright = isInstalled ? "npx mailwright" : "npm run -s mailwright --";
  const config = `--config ${relative(cli.cwd, file) || file}`;
  const since = new Date(cli.clock.now() - 30 * 86_400_000).toISOString().slice(0, 10);
  return {
    file,
    mapping: written.mapping ?? null,
    secrets: [...written.secrets],
    unset: [...written.unset],
    login,
    next: [
      ...(account !== undefined && signsInByCode(account) && login.ok !== true
        ? [`${mailwright} init --sign-in ${account.settings.id} ${config}`]
        : []),
      `${mailwright} doctor ${config}`,
      `${mailwright} run ${config}`,
      ...(account === undefined
        ? []
        : [`${mailwright} backfill --account ${account.settings.id} --since ${since} ${config}`]),
    ],
  };
}

async function print(cli: Cli, { file, mapping, secrets, unset, login, next }: Initialised): Promise<void> {
  await cli.say(
    "",
    ...[file, mapping, ...secrets].flatMap((path) =>
      path === null ? [] : [`written: ${join(relative(cli.cwd, dirname(path)), path.split(sep).at(-1) ?? "")}`],
    ),
    ...(login.ok === true
      ? [`the login works: ${login.folders.map(({ name, messages }) => `${plain(name)} (${messages})`).join(", ")}`]
      : []),
    ...(login.detail === null ? [] : [login.detail]),
    ...(unset.length === 0 ? [] : [`set ${unset.join(" and ")} in the environment first`]),
    "Next:",
  );
  await cli.print(...next.map((line) => `  ${line}`));
}
