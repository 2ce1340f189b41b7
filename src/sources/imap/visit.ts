/** A connection of its own to a mailbox, beside whoever reads it: for a look, for old mail, and for counting what is there. */
import type { HeldAccount } from "../../model/imap.ts";
import type { Intake } from "../../model/source.ts";
import { type Client, connect, type Listed } from "./client.ts";
import { accountName, type Context, type ImapAccount, type ImapPorts, workOn } from "./context.ts";
import { type Credentials, openCredentials } from "./credentials.ts";
import { presentState } from "./generation.ts";
import { type OpenFolder, stateOf } from "./old-mail.ts";
import { type Chosen, choose } from "./selecting.ts";
import { openSteady } from "./steady.ts";
import { ImapTrouble } from "./trouble.ts";

export interface Visit {
  /** Another one after `reconnect`. */
  readonly client: Client;
  readonly listed: readonly Listed[];
  /** Those that the configuration asks for. */
  readonly chosen: readonly Chosen[];
  readonly missing: readonly string[];
  /** Rejects with ImapTrouble. */
  reconnect(): Promise<void>;
  close(): Promise<void>;
}

/** Rejects with ImapTrouble. */
export async function visit(account: ImapAccount, ports: ImapPorts): Promise<Visit> {
  const credentials = openCredentials(account, ports);
  try {
    let client = await connect(await credentials.login(), ports);
    try {
      const listed = await client.list();
      const { folders: chosen, missing } = choose(listed, account.settings.folders);
      return {
        get client() {
          return client;
        },
        listed,
        chosen,
        missing,
        async reconnect() {
          client.close();
          client = await connectAgain(credentials, ports);
        },
        async close() {
          client.close();
          await credentials.close();
        },
      };
    } catch (error) {
      client.close();
      throw error;
    }
  } catch (error) {
    await credentials.close();
    throw error;
  }
}

/** A token can end before its time: one that is got anew is tried, too. */
async function connectAgain(credentials: Credentials, ports: ImapPorts): Promise<Client> {
  try {
    return await connect(await credentials.login(), ports);
  } catch (error) {
    if (!(error instanceof ImapTrouble) || error.kind !== "auth" || credentials.refused() === "final") throw error;
    return await connect(await credentials.login(), ports);
  }
}

const holdMs = 60_000;

/**
 * The folder as the ledger knows it, opened at the server. Where nobody has looked at it yet, it is begun here, from now on, as its reader
 * would; undefined while another process has the account and has not come to this folder.
 */
export async function openFor(
  { client, listed }: Visit,
  chosen: Chosen,
  account: ImapAccount,
  intake: Intake,
  ports: ImapPorts,
): Promise<OpenFolder | undefined> {
  const { ledger, clock } = ports;
  const name = accountName(account);
  const known = await stateOf(client, chosen, name, ledger);
  if (known !== undefined) return { chosen, state: known };
  const now = clock.now();
  const selectors = [...account.settings.folders].sort().join("\n");
  const held = await ledger.holdAccount({ account: name, now, until: now + holdMs, selectors });
  if (held === undefined) return undefined;
  try {
    const state = await begin(client, chosen, held, new Set(listed.map(({ path }) => path)), account, intake, ports);
    return { chosen, state };
  } finally {
    await ledger.releaseAccount(held);
  }
}

async function begin(
  client: Client,
  chosen: Chosen,
  held: HeldAccount,
  paths: ReadonlySet<string>,
  account: ImapAccount,
  intake: Intake,
  ports: ImapPorts,
) {
  const stop = new AbortController().signal;
  const context: Context = {
    account,
    intake,
    ports,
    held,
    stop,
    time: openSteady(ports.clock),
    landedAt: Number.NEGATIVE_INFINITY,
    suspects: new Map(),
    asked: new Map(),
  };
  const box = await client.open(chosen.path, true);
  return await presentState(client, box, workOn(chosen), paths, context);
}
