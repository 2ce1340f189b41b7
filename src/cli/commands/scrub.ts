/** `mailwright scrub`: copies of mail that can be shown to others: structure, threads and sizes kept, everything that was said replaced. */
import { lstat, mkdir, open, rename, rm } from "node:fs/promises";
import { join, relative, resolve, sep } from "node:path";
import { Command } from "commander";
import { openScrub, type Scrub } from "../../main.ts";
import type { Cli } from "../cli.ts";
import { exitCodes, Failed, sentenceOf, usage } from "../exit.ts";
import { openMailFile } from "../mail-file.ts";
import { mailFilesOf } from "../mail-folder.ts";
import { collected, jsonOption } from "../options.ts";
import { plain } from "../plain.ts";
import type { Scrubbed } from "../replay-shapes.ts";

interface Options {
  readonly out: string;
  readonly force?: true;
  readonly show?: readonly string[];
  readonly json?: true;
}

export function scrub(cli: Cli): Command {
  return new Command("scrub")
    .description(
      "Make mail safe to share: copies with the same structure, threads and sizes, in which names, addresses, text and attachments are replaced, the same ones by the same ones. The key is drawn for this run and never kept.",
    )
    .argument("<path...>", "mail files, or folders of them")
    .requiredOption("--out <folder>", "where the copies go, as 00001.eml and so on, in the order of the names")
    .option("--force", "write over files that are there")
    .option(
      "--show <text>",
      "say what stands for a domain or an address in this run, for the people.own_domains of a test configuration; may be repeated",
      collected,
    )
    .addOption(jsonOption())
    .action((paths: string[], options: Options) => scrubFiles(cli, paths, options));
}

/** Every so many mails a line of progress. */
const reportEvery = 500;

async function scrubFiles(cli: Cli, paths: readonly string[], options: Options): Promise<void> {
  const out = resolve(cli.cwd, options.out);
  for (const path of paths) {
    const way = relative(resolve(cli.cwd, path), out);
    if (way === "" || !(way.startsWith(`..${sep}`) || way === ".." || resolve(way) === way))
      throw usage(`--out ${plain(options.out)} lies in ${plain(path)}: the copies need a folder of their own`);
  }
  const files = await mailFilesOf(paths, cli);
  if (files.length === 0) throw new Failed(`there is no mail in ${paths.map((path) => plain(path)).join(", ")}`);
  await mkdir(out, { recursive: true });
  const run = await openScrub();
  const written: Scrubbed["files"] = [];
  for (const [index, file] of files.entries()) {
    const copy = `${String(index + 1).padStart(5, "0")}.eml`;
    const reason = await scrubOne(run, file, join(out, copy), cli, options.force === true).then(
      () => null,
      (error: unknown) => sentenceOf(error),
    );
    written.push({ file, copy: reason === null ? copy : null, reason });
    if (options.json !== true && reason !== null) await cli.say(`${plain(file)}: ${plain(reason, 300)}`);
    if ((index + 1) % reportEvery === 0) await cli.say(`${index + 1} of ${files.length} mails`);
  }
  await report(
    cli,
    written,
    (options.show ?? []).map((text) => ({ text, stands_for_it: run.standIn(text) })),
    options,
  );
}

async function report(
  cli: Cli,
  files: Scrubbed["files"],
  shown: Scrubbed["shown"],
  { json, out }: Options,
): Promise<void> {
  const failed = files.filter(({ reason }) => reason !== null).length;
  const scrubbed = files.length - failed;
  if (json === true) await cli.printJson("scrub", { scrubbed, failed, files, shown });
  else {
    await cli.print(`${scrubbed} of ${files.length} mails scrubbed into ${plain(out)}`);
    for (const { text, stands_for_it } of shown) await cli.print(`${plain(text)} is ${plain(stands_for_it)}`);
  }
  if (failed > 0)
    throw new Failed(`${failed} mails were not scrubbed`, scrubbed > 0 ? exitCodes.partly : exitCodes.failed);
}

/** Whole or not at all, and never over another file unless that is wanted. */
async function scrubOne(run: Scrub, file: string, to: string, cli: Cli, force: boolean): Promise<void> {
  const mail = await openMailFile(file, cli);
  const half = `${to}.part`;
  const handle = await open(half, force ? "w" : "wx", 0o600).catch((error: NodeJS.ErrnoException) => {
    throw new Failed(
      error.code === "EEXIST"
        ? `${half} is there already; --force writes over it`
        : `${half} cannot be written (${error.code ?? error.message})`,
    );
  });
  try {
    let size = 0;
    let read = 0;
    const counted = (async function* () {
      for await (const chunk of mail.read()) {
        read += chunk.length;
        yield chunk;
      }
    })();
    for await (const bytes of run.scrubbed(counted)) {
      size += bytes.length;
      await handle.write(bytes);
    }
    if (size !== read) throw new Failed(`${size} bytes came out of ${read}: a defect of ours, please report it`);
    await handle.close();
    await (force ? rename(half, to) : renameOverNothing(half, to));
  } catch (error) {
    await handle.close().catch(() => undefined);
    const isThere = (error as NodeJS.ErrnoException).code === "EEXIST";
    throw isThere ? new Failed(`${to} is there already; --force writes over it`) : error;
  } finally {
    await rm(half, { force: true });
  }
}

/** Not by a link: memory sticks and shares have none. Who is first holds the name; an empty file is what a run left that was killed there. */
async function renameOverNothing(half: string, to: string): Promise<void> {
  await open(to, "wx", 0o600).then(
    (held) => held.close(),
    async (error: NodeJS.ErrnoException) => {
      const there = error.code === "EEXIST" ? await lstat(to) : undefined;
      if (there?.isFile() !== true || there.size > 0) throw error;
    },
  );
  try {
    await rename(half, to);
  } catch (error) {
    await rm(to, { force: true });
    throw error;
  }
}
