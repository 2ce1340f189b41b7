/** The IMAP source: reads existing mailboxes, each message once, and takes no part in what others do there. */
import type { Intake, RunningSource } from "../model/source.ts";
import { Account } from "./imap/account.ts";
import { accountName, type ImapAccount, type ImapPorts } from "./imap/context.ts";

export type { ImapAccount, ImapPorts } from "./imap/context.ts";
export { type ImapSettings, imapSettings } from "./imap/settings.ts";

export interface RunningImap extends Omit<RunningSource, "address" | "reload"> {
  /** Passwords of today; a mailbox whose login was refused is tried again at once. */
  reload(accounts: readonly ImapAccount[]): void;
  /** What /metrics says of how far each folder was read. */
  gauge(): Promise<void>;
}

/** Never rejects for what a server does: what cannot be reached is tried again. */
export function startImap(accounts: readonly ImapAccount[], intake: Intake, ports: ImapPorts): RunningImap {
  const stopping = new AbortController();
  const open = accounts.map((account) => ({ account, reader: new Account(account, intake, ports, stopping.signal) }));
  const running = Promise.all(open.map(({ reader }) => reader.run()));
  return {
    reload(changed) {
      for (const { account, reader } of open) {
        const now = changed.find((one) => accountName(one) === accountName(account));
        if (now !== undefined) reader.reload(now);
      }
    },
    gauge: () =>
      gauge(
        open.map(({ account, reader }) => ({ account, reader })),
        ports,
      ),
    async stop(graceMs) {
      stopping.abort();
      const early = new AbortController();
      await Promise.race([running.then(() => early.abort()), ports.clock.sleep(graceMs, early.signal)]);
    },
  };
}

async function gauge(
  open: readonly { readonly account: ImapAccount; readonly reader: Account }[],
  { ledger, metrics, clock }: ImapPorts,
): Promise<void> {
  if (open.length === 0) return;
  const now = clock.now();
  const tally = await ledger.accountTally();
  for (const { account, reader } of open) {
    const labels = { tenant: account.tenant, account: account.settings.id };
    const found = tally.find((one) => one.account === reader.name);
    const folders = found?.folders ?? [];
    const sum = (of: (folder: (typeof folders)[number]) => number): number =>
      folders.reduce((total, folder) => total + of(folder), 0);
    metrics.gauge("imap_account_blocked", found?.blockedAt == null ? 0 : 1, labels);
    metrics.gauge(
      "imap_waiting",
      sum(({ waiting }) => waiting),
      labels,
    );
    metrics.gauge(
      "imap_quarantined",
      sum(({ quarantined }) => quarantined),
      labels,
    );
    metrics.gauge(
      "imap_actions_pending",
      sum(({ pending }) => pending),
      labels,
    );
    for (const { folder } of folders.filter(({ folder }) => reader.reads(folder.path))) {
      const here = { ...labels, folder: folder.path };
      metrics.gauge("imap_folder_stalled_seconds", Math.max(0, now - folder.doneAt) / 1000, here);
      metrics.gauge("imap_folder_behind", Math.max(0, folder.uidNext - 1 - folder.lastUid), here);
    }
  }
}
