/** One session with an account: its connections, each waiting in one folder and looking after others, until one of them breaks. */
import type { HeldAccount } from "../../model/imap.ts";
import type { Intake } from "../../model/source.ts";
import { lookAt, msToNextTry } from "./catching-up.ts";
import { type Client, connect, type Login } from "./client.ts";
import { type Asked, Busy, type Context, type ImapAccount, type ImapPorts, type Work, workOn } from "./context.ts";
import { choose } from "./selecting.ts";
import { openSteady } from "./steady.ts";
import { ImapTrouble } from "./trouble.ts";

/** Folders may come, go and be renamed while we watch. */
const relistMs = 600_000;
/** Between two looks; longer and longer where a server tells of news and there is none. */
const leastPauseMs = 200;
const mostPauseMs = 5_000;
const busyMs = 5_000;

export interface SessionOptions {
  readonly account: ImapAccount;
  readonly login: Login;
  readonly intake: Intake;
  readonly ports: ImapPorts;
  readonly held: HeldAccount;
  readonly stop: AbortSignal;
  readonly suspects: Map<string, number>;
  readonly asked: Map<string, Asked>;
  /** Most connections that the server has let us have. */
  readonly width: number;
  /** Logged in; the paths of the folders that are read. */
  onOpen(paths: readonly string[]): void;
  /** All folders are up to date for the first time. */
  onCaughtUp(): Promise<void>;
}

/** `narrow`: a further connection was refused. `changed`: there are other folders now. */
export type Ended = "stopped" | "narrow" | "changed";

/** Rejects with what ended it. */
export async function runSession(options: SessionOptions): Promise<Ended> {
  const { account, intake, ports, held, stop } = options;
  const ending = new AbortController();
  const end = () => ending.abort();
  stop.addEventListener("abort", end, { once: true });
  const clients: Client[] = [];
  const { suspects, asked } = options;
  const context: Context = {
    account,
    intake,
    ports,
    held,
    stop: ending.signal,
    time: openSteady(ports.clock),
    landedAt: Number.NEGATIVE_INFINITY,
    suspects,
    asked,
  };
  const open = async () => {
    const client = await connect(options.login, ports);
    clients.push(client);
    return client;
  };
  try {
    if (stop.aborted) return "stopped";
    const first = await open();
    const found = await foldersOf(first, account, ports);
    const watched = asked.size === 0 ? await lastSeen(context) : held.firstAt;
    for (const { chosen } of found.works) askFor(chosen.path, watched, context);
    options.onOpen(found.works.map(({ chosen }) => chosen.path));
    const width = Math.min(account.settings.connections, options.width, found.works.length);
    const lanes = Array.from({ length: width }, (_, lane) => found.works.filter((_, index) => index % width === lane));
    let left = lanes.length;
    const caughtUp = async () => {
      left -= 1;
      if (left === 0) await options.onCaughtUp();
    };
    const running = lanes.map(async (works, index): Promise<Ended> => {
      try {
        const client = index === 0 ? first : await further(open);
        if (client === undefined) return "narrow";
        const relist = index === 0 ? () => isChanged(client, account, found.paths) : undefined;
        return await lane(client, works, found, context, caughtUp, relist);
      } finally {
        ending.abort();
      }
    });
    const ends = await Promise.allSettled(running);
    return endOf(ends);
  } finally {
    ending.abort();
    stop.removeEventListener("abort", end);
    for (const client of clients) client.close();
  }
}

/**
 * What was asked for before this process began, nobody remembers, nor since when: one of the folders may have been refused for months. So one that
 * is not known counts from the last look at any of them.
 */
async function lastSeen({ held, ports }: Context): Promise<number> {
  const now = ports.clock.now();
  const known = await ports.ledger.folders(held.account);
  return known.length === 0 ? now : Math.min(now, Math.max(...known.map(({ seenAt }) => seenAt)));
}

/** `watched`: since when one that is not known would have been seen. One that is asked for again came to no look so far, where it is not known. */
function askFor(path: string, watched: number, { asked, held, ports }: Context): void {
  const before = asked.get(path);
  const from = before?.from ?? (held.sameSelectors ? watched : ports.clock.now());
  asked.set(path, { from, late: before !== undefined });
}

/** What broke first broke the rest; a lane that merely stopped says nothing. */
function endOf(ends: readonly PromiseSettledResult<Ended>[]): Ended {
  const broken = ends.find((one) => one.status === "rejected" && !(one.reason instanceof Busy));
  if (broken?.status === "rejected") throw broken.reason;
  const said = ends.find((one) => one.status === "fulfilled" && one.value !== "stopped");
  return said?.status === "fulfilled" ? said.value : "stopped";
}

/** Undefined where the server lets us have no more; it let us in once, so the password is right. */
async function further(open: () => Promise<Client>): Promise<Client | undefined> {
  try {
    return await open();
  } catch (error) {
    if (error instanceof ImapTrouble) return undefined;
    throw error;
  }
}

interface Found {
  readonly works: readonly Work[];
  /** All paths that the server has. */
  readonly listed: ReadonlySet<string>;
  readonly paths: string;
}

async function foldersOf(client: Client, { settings }: ImapAccount, { log }: ImapPorts): Promise<Found> {
  const listed = await client.list();
  const { folders, missing } = choose(listed, settings.folders);
  for (const selector of missing)
    log.warn({ account: settings.id, folder: selector }, "imap: the server has no such folder");
  if (folders.length === 0) {
    throw new ImapTrouble("protocol", "no folder of the server is one that the configuration asks for");
  }
  return {
    works: folders.map(workOn),
    listed: new Set(listed.map(({ path }) => path)),
    paths: folders.map(({ path }) => path).join("\n"),
  };
}

async function isChanged(client: Client, account: ImapAccount, paths: string): Promise<boolean> {
  const { folders } = choose(await client.list(), account.settings.folders);
  return folders.map(({ path }) => path).join("\n") !== paths;
}

async function lane(
  client: Client,
  works: readonly Work[],
  { works: all, listed }: Pick<Found, "works" | "listed">,
  context: Context,
  caughtUp: () => Promise<void>,
  relist: (() => Promise<boolean>) | undefined,
): Promise<Ended> {
  const { time } = context;
  const { clock } = context.ports;
  const { settings } = context.account;
  const look = (work: Work, reopen: boolean) => lookAt(client, work, all, listed, reopen, context);
  let pollAt = Number.NEGATIVE_INFINITY;
  let relistAt = time() + relistMs;
  let isFirst = true;
  let inVain = 0;
  let lastLanded = context.landedAt;
  while (!context.stop.aborted) {
    const primary = primaryOf(works);
    if (primary === undefined) return "stopped";
    try {
      const isPoll = time() >= pollAt;
      for (const work of isPoll ? roundOf(works, primary) : dueOf(works, primary, context)) {
        if (context.stop.aborted) return "stopped";
        if (isPoll && !isFirst && (await isQuiet(client, work, primary, context))) continue;
        await look(work, isPoll);
      }
      if (isPoll) pollAt = time() + settings.poll_seconds * 1000;
      if (isFirst) await caughtUp();
      isFirst = false;
      if (relist !== undefined && time() >= relistAt) {
        if (await relist()) return "changed";
        relistAt = time() + relistMs;
      }
    } catch (error) {
      if (!(error instanceof Busy)) throw error;
      if (context.stop.aborted) return "stopped";
      context.ports.log.debug({ account: context.held.account }, "imap: no room for mail now");
      await clock.sleep(busyMs, context.stop);
      continue;
    }
    // After an action the folder is open for writing.
    if (!client.isOpen(primary.chosen.path, true)) await look(primary, true);
    const before = time();
    const due = Math.min(pollAt - before, ...works.map((work) => msToNextTry(work, context)));
    const landedAt = context.landedAt;
    await client.wait(Math.max(0, due), settings.idle, context.stop);
    inVain = time() - before > mostPauseMs || landedAt !== lastLanded ? 0 : inVain + 1;
    lastLanded = landedAt;
    await clock.sleep(Math.min(mostPauseMs, leastPauseMs * 2 ** Math.max(0, inVain - 3)), context.stop);
    if (client.lost !== undefined && !context.stop.aborted) throw client.lost;
  }
  return "stopped";
}

/** The one that is waited in: the first that the server lets us have. */
const primaryOf = (works: readonly Work[]): Work | undefined =>
  works.find(({ refusals }) => refusals === 0) ?? works[0];

/** The one that is waited in comes last, so that it is the one that is open. */
const roundOf = (works: readonly Work[], primary: Work): readonly Work[] => [
  ...works.filter((work) => work !== primary),
  primary,
];

const dueOf = (works: readonly Work[], primary: Work, context: Context): readonly Work[] => [
  ...works.filter((work) => work !== primary && msToNextTry(work, context) <= 0),
  primary,
];

/** Nothing has come to a folder that is not open, says the server; a sweep looks all the same. */
async function isQuiet(client: Client, work: Work, primary: Work, context: Context): Promise<boolean> {
  const { state } = work;
  const now = context.ports.clock.now();
  if (
    work === primary ||
    state === undefined ||
    work.refusals > 0 ||
    work.waiting.size > 0 ||
    context.time() - work.sweptAt >= 3600_000
  )
    return false;
  // A person may have let one be tried again.
  if ((await context.ports.ledger.waitingUids(state.id)).length > 0) return false;
  // What the server refused to do to a message is asked for again.
  if ((await context.ports.ledger.uidsToAct(state.id, 1)).length > 0) return false;
  const found = await client.status(work.chosen.path);
  if (found?.uidValidity !== state.uidValidity || found.uidNext !== state.uidNext) return false;
  const { account, token } = context.held;
  const news = { folder: state.id, at: now, uidNext: state.uidNext, modSeq: state.modSeq, complete: true };
  return await context.ports.ledger.folderNews({ account, token, ...news });
}
