/** `mailwright doctor`: checks what can be checked from here, and says how to mend each thing. */
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { dataPaths, type Ground, openCommandLog, openGround, poke } from "../../main.ts";
import { type Settings, secretsOf } from "../../settings/index.ts";
import type { Cli } from "../cli.ts";
import { type Found, ok, problem } from "../doctor/finding.ts";
import {
  examineDisk,
  examineFolder,
  examineKey,
  examineLedger,
  examineSealed,
  markKeySaved,
} from "../doctor/folder.ts";
import { examineLanes } from "../doctor/lanes.ts";
import { examineNameServers } from "../doctor/name-servers.ts";
import { examineCertificate, examineDomains, examinePorts } from "../doctor/network.ts";
import { examinePeople } from "../doctor/people.ts";
import { examinePreviews } from "../doctor/previews.ts";
import { examineScanner } from "../doctor/scanner.ts";
import { examineStores } from "../doctor/stores.ts";
import { Failed, sentenceOf } from "../exit.ts";
import { jsonOption } from "../options.ts";
import { plain } from "../plain.ts";
import type { Colour } from "../table.ts";

interface Options {
  readonly fix?: true;
  readonly keySaved?: true;
  readonly json?: true;
}

export function doctor(cli: Cli): Command {
  return new Command("doctor")
    .description(
      "Check data folder, disk, key, stores, ports, DNS, certificate and every CRM account, and say how to mend each. Exit code 1 while a problem remains.",
    )
    .option("--fix", "mend what can be mended from here (missing CRM properties), and let blocked lanes go on")
    .option("--key-saved", "note that the master key has a copy in a safe place")
    .addOption(jsonOption())
    .action((options: Options) => examineAll(cli, options));
}

async function examineAll(cli: Cli, options: Options): Promise<void> {
  const settings = cli.settings();
  const found = [
    ok("config", `${cli.configFile()} is accepted`),
    await examineFolder(settings),
    await examineDisk(settings),
    ...(await examineGround(settings, options)),
    ...(await examinePorts(settings)),
    await examineCertificate(settings, cli.clock.now()),
    ...(await examineDomains(settings)),
    await examineNameServers(settings),
    ...examinePeople(settings),
    await examineScanner(settings, cli.clock),
    await examinePreviews(settings),
  ];
  const problems = found.filter(({ level }) => level === "problem");
  if (options.json === true) await cli.printJson("doctor", { ok: problems.length === 0, findings: found });
  else await printFindings(cli, found);
  if (problems.length > 0)
    throw new Failed(`${problems.length} ${problems.length === 1 ? "problem remains" : "problems remain"}`);
}

/** What needs the data folder open. Where there is none yet, the accounts are examined on a folder that is thrown away. */
async function examineGround(settings: Settings, options: Options): Promise<Found[]> {
  if (!existsSync(dataPaths(settings.data_dir).ledger)) {
    return [await examineKey(settings, undefined), ...(await examineElsewhere(settings, options))];
  }
  let ground: Ground;
  try {
    ground = await openFor(settings);
  } catch (error) {
    const trouble = problem(
      "ledger",
      sentenceOf(error),
      "do as it says; a damaged ledger: stop the daemon, then: mailwright recover",
    );
    return [
      await examineKey(settings, undefined),
      trouble,
      ...(await examineElsewhere(settings, { ...options, fix: undefined })),
    ];
  }
  try {
    if (options.keySaved === true) await markKeySaved(ground);
    const found = [
      // Nobody should be told to keep a copy of a key that is the wrong one.
      (await examineSealed(ground)) ?? (await examineKey(settings, ground.sealer.keyId)),
      await examineLedger(ground),
      ...(await examineStores(ground)),
      ...(await examineLanes(ground, options.fix === true)),
    ];
    if (options.fix === true) await poke(settings.data_dir);
    return found;
  } finally {
    await ground.close();
  }
}

async function examineElsewhere(settings: Settings, options: { fix?: true | undefined }): Promise<Found[]> {
  const folder = await mkdtemp(join(tmpdir(), "mailwright-doctor-"));
  try {
    const ground = await openFor({ ...settings, data_dir: folder });
    try {
      return [...(await examineStores(ground)), ...(await examineLanes(ground, options.fix === true))];
    } finally {
      await ground.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function openFor(settings: Settings): Promise<Ground> {
  return openGround(settings, { thread: "calling", log: openCommandLog(settings, secretsOf(settings)) });
}

const colours: Readonly<Record<Found["level"], Colour>> = { ok: "green", warning: "yellow", problem: "red" };

async function printFindings(cli: Cli, found: readonly Found[]): Promise<void> {
  for (const { level, about, what, mend } of found) {
    await cli.print(`${cli.paint(colours[level], level.padEnd(8))} ${plain(about, 60).padEnd(10)} ${plain(what, 600)}`);
    if (mend !== null) await cli.print(`${" ".repeat(20)}${cli.paint("dim", `mend: ${plain(mend, 600)}`)}`);
  }
}
