/** Starts the reading of the mailboxes that the configuration names. */
import type { Intake } from "../model/source.ts";
import type { RunningImap } from "../sources/imap.ts";
import { sources } from "../sources/index.ts";
import type { Ground } from "./ground.ts";
import { mailboxesOf } from "./mailbox-names.ts";

export async function readMailboxes(ground: Ground, intake: Intake): Promise<RunningImap> {
  const { startImap } = await sources.imap();
  const { clock, random, log, metrics, ledger, tokens } = ground;
  const accounts = mailboxesOf(ground.settings);
  if (accounts.length > 0) log.info({ mailboxes: accounts.length }, "IMAP mailboxes are read");
  return startImap(accounts, intake, { clock, random, log, metrics, ledger, tokens });
}
