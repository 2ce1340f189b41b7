/** The mailboxes that the configuration names, and their reading. */
import type { Intake } from "../model/source.ts";
import type { Settings } from "../settings/index.ts";
import { type ImapAccount, type RunningImap, startImap } from "../sources/index.ts";
import type { Ground } from "./ground.ts";

export const mailboxesOf = ({ tenants }: Settings): readonly ImapAccount[] =>
  tenants.flatMap(({ id: tenant, imap }) => imap.map((settings) => ({ tenant, settings })));

export function readMailboxes(ground: Ground, intake: Intake): RunningImap {
  const { clock, random, log, metrics, ledger, tokens } = ground;
  const accounts = mailboxesOf(ground.settings);
  if (accounts.length > 0) log.info({ mailboxes: accounts.length }, "IMAP mailboxes are read");
  return startImap(accounts, intake, { clock, random, log, metrics, ledger, tokens });
}
