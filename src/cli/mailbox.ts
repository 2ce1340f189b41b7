/** The mailbox that a command is about, and how far it has come, on a terminal and in a log. */
import {
  type Ground,
  type ImapAccount,
  ImapTrouble,
  type Looked,
  lookThrough,
  mailboxesNamed,
  mailboxName,
  openGroundIntake,
} from "../main.ts";
import { Refused } from "../model/outcome.ts";
import type { Settings } from "../settings/index.ts";
import type { Cli } from "./cli.ts";
import { Failed, usage } from "./exit.ts";
import { plain } from "./plain.ts";

export function mailboxFor(settings: Settings, name: string): ImapAccount {
  const found = mailboxesNamed(settings, name);
  const [first] = found;
  if (first !== undefined && found.length === 1) return first;
  if (first !== undefined) throw usage(`several tenants have a mailbox ${name}: ${found.map(mailboxName).join(", ")}`);
  const all = settings.tenants.flatMap(({ id, imap }) => imap.map((each) => `${id}/${each.id}`));
  throw usage(
    `there is no mailbox ${name} in the configuration; there are: ${all.join(", ") || "none (docs/imap.md)"}`,
  );
}

/** What a server or a sign-in refuses, as a sentence. */
export async function atServer<T>(account: ImapAccount, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ImapTrouble || error instanceof Refused) {
      const words = error instanceof Refused ? error.failure.reason : error.message;
      throw new Failed(`${mailboxName(account)}: ${plain(words, 500)}`, undefined, { cause: error });
    }
    throw error;
  }
}

/** Opens the folders that a command is about at the server, and leaves it when the work is over. */
export async function withLooked(
  ground: Ground,
  account: ImapAccount,
  { since, folder }: { readonly since?: number; readonly folder?: readonly string[] },
  work: (looked: Looked) => Promise<void>,
): Promise<void> {
  // Whoever works the data folder is told by the command, once in a while, and not with every message.
  const intake = openGroundIntake(ground, () => undefined);
  const query = { ...(since === undefined ? {} : { since }), ...(folder === undefined ? {} : { only: folder }) };
  const looked = await atServer(account, () => lookThrough(ground, account, intake, query));
  try {
    // Of nothing all is accounted for, which a slip of the hand must not lead to.
    if (looked.unknown.length > 0)
      throw new Failed(
        `${looked.unknown.map((name) => plain(name)).join(", ")}: not among the folders that the server has and the configuration asks for in \`folders\``,
      );
    await work(looked);
  } finally {
    await looked.close();
  }
}

const barWidth = 30;
const tellMs = 5_000;

export interface Progress {
  to(done: number, all: number, words: string): Promise<void>;
  end(): Promise<void>;
}

/** A bar on a terminal, a line now and then elsewhere. */
export function openProgress({ stderr, clock, say }: Cli): Progress {
  const start = clock.now();
  let told = start;
  let drawn = false;
  return {
    async to(done, all, words) {
      const now = clock.now();
      const share = all === 0 ? 1 : Math.min(1, done / all);
      if (stderr.isTerminal) {
        if (now - told < 100 && done < all) return;
        told = now;
        drawn = true;
        const full = Math.round(share * barWidth);
        await stderr.write(`\r\u001b[K[${"#".repeat(full)}${".".repeat(barWidth - full)}] ${done} of ${all}, ${words}`);
      } else if (now - told >= tellMs) {
        told = now;
        await say(`${done} of ${all} messages, ${words}`);
      }
    },
    async end() {
      if (drawn) await stderr.write("\n");
    },
  };
}
