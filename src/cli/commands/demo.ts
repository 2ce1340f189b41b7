/** `mailwright demo`: the whole thing on this machine in half a minute, with real SMTP and nothing left behind. */
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { Command } from "commander";
import { type Daemon, type Ground, openFileLog, openGround, startDaemon, stopGraceMs } from "../../main.ts";
import { createHubspotSandbox, sandboxToken } from "../../sandbox/hubspot.ts";
import { type RunningSandbox, startSandbox } from "../../sandbox/server.ts";
import { loadSettings, secretsOf } from "../../settings/index.ts";
import type { Cli } from "../cli.ts";
import { type DemoMail, demoMails } from "../demo/corpus.ts";
import { whatNext } from "../demo/next.ts";
import { demoRow, outcomeWords } from "../demo/outcomes.ts";
import { Failed } from "../exit.ts";
import { openMailFile } from "../mail-file.ts";
import { jsonOption } from "../options.ts";
import { plain } from "../plain.ts";
import type { DemoRow } from "../shapes.ts";
import { openSmtpSession } from "../smtp-session.ts";
import { type Colour, stateColour } from "../table.ts";

interface Options {
  readonly stay?: true;
  readonly dataDir?: string;
  readonly json?: true;
}

export function demo(cli: Cli): Command {
  return new Command("demo")
    .description("Start a daemon on a folder of its own, send it a dozen mails by SMTP, and show what became of each.")
    .option("--stay", "stay up afterwards, to look around; Ctrl-C ends it")
    .option("--data-dir <folder>", "use this folder, and keep it (default: a temporary one, removed at the end)")
    .addOption(jsonOption())
    .action((options: Options) => runDemo(cli, options));
}

/** The demo's HubSpot account has an administrator's rule, so that one mail is refused there as a real account would refuse it. */
const validationRule = {
  object: "emails",
  property: "hs_email_subject",
  refuse: "order \\d{4}",
  message: 'Rule "no order numbers in subjects" of this HubSpot account',
};

async function runDemo(cli: Cli, options: Options): Promise<void> {
  const ended = Promise.withResolvers<void>();
  let interrupted = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    cli.onSignal(signal, () => {
      // Before it stays, the temporary folder is all there is to clean up, and `finally` below does it.
      if (interrupted) cli.exit(1);
      interrupted = true;
      ended.resolve();
    });
  }
  const folder =
    options.dataDir === undefined
      ? await mkdtemp(join(tmpdir(), "mailwright-demo-"))
      : resolve(cli.cwd, options.dataDir);
  try {
    const account = createHubspotSandbox({
      clock: cli.clock,
      options: { prepared: true, limits: "off", searchLagMs: 0, validationRules: [validationRule] },
    });
    const hubspot = await startSandbox(account);
    try {
      await withDaemon(await writeConfig(folder, hubspot), (ground, daemon, config) =>
        show(cli, ground, daemon, { config, options, hubspot, ended: ended.promise }),
      );
    } finally {
      await hubspot.close();
    }
  } finally {
    if (options.dataDir === undefined) await rm(folder, { recursive: true, force: true });
  }
}

const firstLine = "# Written by `mailwright demo`.";

/** A configuration like the one that is shipped, on free ports, with the HubSpot sandbox as a second destination. */
async function writeConfig(folder: string, { url }: RunningSandbox): Promise<string> {
  const file = join(folder, "mailwright.yaml");
  if (existsSync(file) && !readFileSync(file, "utf8").startsWith(firstLine)) {
    throw new Failed(`${file} is a configuration of your own; give --data-dir another folder`);
  }
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const lines = [
    firstLine,
    "data_dir: ./data",
    "smtp: { host: 127.0.0.1, port: 0 }",
    "http: { host: 127.0.0.1, port: 0 }",
    // Its senders are made up, and it is to run where there is no network.
    "dns: { verify: false }",
    "limits: { disk_reserve_bytes: 100MiB, disk_reserve_percent: 0 }",
    "tenants:",
    "  - id: acme",
    '    recipients: ["*@inbound.example.com"]',
    "    people: { own_domains: [acme.example] }",
    "    destinations:",
    "      - { id: crm, type: local }",
    `      - { id: hubspot, type: hubspot, base_url: "${url}", token: "${sandboxToken}", calls_per_10_seconds: 10000, search_calls_per_second: 1000 }`,
  ];
  await writeFile(file, `${lines.join("\n")}\n`, { mode: 0o600 });
  return file;
}

async function withDaemon(
  config: string,
  work: (ground: Ground, daemon: Daemon, config: string) => Promise<void>,
): Promise<void> {
  // Its own file and nothing else: what the environment sets is meant for the real daemon.
  const settings = loadSettings(config, {});
  const ground = await openGround(settings, {
    thread: "worker",
    exclusive: true,
    log: openFileLog(settings, secretsOf(settings), join(dirname(config), "daemon.log")),
  });
  try {
    const daemon = await startDaemon(ground);
    try {
      await work(ground, daemon, config);
    } finally {
      await daemon.stop(stopGraceMs);
    }
  } finally {
    await ground.close();
  }
}

interface Scene {
  readonly config: string;
  readonly options: Options;
  readonly hubspot: RunningSandbox;
  readonly ended: Promise<void>;
}

async function show(
  cli: Cli,
  ground: Ground,
  daemon: Daemon,
  { config, options, hubspot, ended }: Scene,
): Promise<void> {
  if (daemon.smtp === undefined) throw new Error("the demo's daemon listens for no mail");
  const { host, port } = daemon.smtp;
  const mails = demoMails();
  await cli.say(
    `The daemon takes mail at ${host}:${port}, and fills the built-in CRM and a HubSpot sandbox at ${hubspot.url}.`,
    `Sending ${mails.length} mails by SMTP, and the first of them a second time ...`,
  );
  await sendAll(cli, mails, daemon);
  await daemon.road.settled();
  const rows = await outcomesOf(ground, mails);
  if (options.json === true) await cli.printJson("demo", rows);
  else await printOutcomes(cli, rows);
  await cli.say(
    ...whatNext(cli, { config, kept: options.dataDir !== undefined, port, staying: options.stay === true }),
  );
  if (options.stay === true) await ended;
}

async function sendAll(cli: Cli, mails: readonly DemoMail[], { smtp, road }: Daemon): Promise<void> {
  if (smtp === undefined) throw new Error("the demo's daemon listens for no mail");
  const session = await openSmtpSession({ ...smtp, clientName: "demo.example" });
  try {
    for (const [index, { path, from, to }] of [...mails, ...mails.slice(0, 1)].entries()) {
      const { accepted, reply } = await session.send(await openMailFile(path, cli), { from, to });
      if (!accepted) throw new Failed(`the daemon refused ${path}: ${reply}`);
      // The first customer is known before colleagues write to her and about her.
      if (index === 0) await road.settled();
    }
  } finally {
    await session.quit();
  }
}

/** In the order of sending, which is that of arrival. */
async function outcomesOf(ground: Ground, mails: readonly DemoMail[]): Promise<DemoRow[]> {
  const stored = (await ground.ledger.find({ limit: mails.length })).toReversed();
  return await Promise.all(stored.map((row, index) => demoRow(ground, mails[index]?.why ?? "", row)));
}

async function printOutcomes(cli: Cli, rows: readonly DemoRow[]): Promise<void> {
  const outcome = (row: DemoRow, destination: string) => row.outcomes.find((each) => each.destination === destination);
  const colour = (row: DemoRow, destination: string): Colour | undefined =>
    stateColour(outcome(row, destination)?.state ?? "");
  await cli.print("");
  await cli.printTable(rows, [
    { title: "from", cell: ({ from }) => from, most: 38 },
    { title: "subject", cell: ({ subject }) => subject, most: 40 },
    {
      title: "built-in CRM",
      cell: (row) => outcomeWords(outcome(row, "crm")),
      colour: (row) => colour(row, "crm"),
      most: 46,
    },
    {
      title: "HubSpot (sandbox)",
      cell: (row) => outcomeWords(outcome(row, "hubspot")),
      colour: (row) => colour(row, "hubspot"),
      most: 46,
    },
  ]);
  for (const row of rows) {
    for (const { state, destination, because } of row.outcomes) {
      if (state !== "failed") continue;
      await cli.print(
        "",
        `${cli.paint("red", "Dead letter")} at ${destination}: "${plain(row.subject)}" (event ${row.event_id})`,
        `  ${plain(because ?? "", 400)}`,
      );
    }
  }
  await cli.print(
    "",
    `${rows.length + 1} mails were sent and ${rows.length} are stored: the first came twice and was known the second time.`,
  );
}
