/** Each night, every message of every mailbox is held against the ledger; what comes of it is a figure that can alert. */

import type { Intake } from "../model/source.ts";
import type { ImapAccount } from "../sources/imap/context.ts";
import { coverageKinds, emptyTally, percentOf } from "../sources/imap/coverage.ts";
import { ImapTrouble } from "../sources/imap/trouble.ts";
import type { Ground } from "./ground.ts";
import { mailboxesOf, mailboxName, type Unread, unreadOf } from "./mailbox-names.ts";
import { lookThrough } from "./mailbox-visits.ts";

const hour = 3_600_000;
const firstAfterMs = hour;
const everyMs = 24 * hour;

export interface Nightly {
  stop(graceMs: number): Promise<void>;
}

export function auditNightly(ground: Ground, intake: Intake): Nightly {
  const ending = new AbortController();
  const { clock } = ground;
  const running = (async () => {
    if (mailboxesOf(ground.settings).length === 0) return;
    for (let pause = firstAfterMs; ; pause = everyMs) {
      await clock.sleep(pause, ending.signal);
      if (ending.signal.aborted) return;
      for (const account of mailboxesOf(ground.settings)) await auditOne(ground, account, intake, ending.signal);
    }
  })();
  return {
    async stop(graceMs) {
      ending.abort();
      const early = new AbortController();
      await Promise.race([running.then(() => early.abort()), clock.sleep(graceMs, early.signal)]);
    },
  };
}

const mostNamed = 20;
const mostChars = 100;

/** Folders by the names that metrics give them too; the server's words about them stay out of the log. */
function named(unread: readonly Unread[]) {
  const those = (which: Unread["why"]) =>
    unread
      .filter(({ why }) => why === which)
      .slice(0, mostNamed)
      .map(({ folder }) => folder.slice(0, mostChars))
      .join(", ");
  return { refused: those("refused"), unopened: those("unopened"), no_such_folder: those("missing") };
}

/** Never rejects: a server that cannot be asked tonight is asked tomorrow, and the figure says how old it is. */
export async function auditOne(ground: Ground, account: ImapAccount, intake: Intake, stop: AbortSignal): Promise<void> {
  const { log, metrics, clock } = ground;
  const labels = { tenant: account.tenant, account: account.settings.id };
  try {
    const looked = await lookThrough(ground, account, intake, {});
    try {
      const tally = emptyTally();
      for (const folder of looked.folders) {
        for await (const { kind } of folder.coverage()) {
          tally[kind] += 1;
          if (stop.aborted) return;
        }
      }
      for (const outcome of coverageKinds)
        metrics.gauge("imap_coverage_messages", tally[outcome], { ...labels, outcome });
      const unread = unreadOf(looked);
      const isWhole = unread.length === 0;
      // Of a part, only what is missing is a finding; the older figure stays, with its age.
      if (isWhole || tally.missing > 0) metrics.gauge("imap_coverage_ratio", percentOf(tally) / 100, labels);
      if (isWhole) metrics.gauge("imap_coverage_at_seconds", clock.now() / 1_000, labels);
      metrics.gauge("imap_coverage_folders_unread", unread.length, labels);
      const fields = { account: mailboxName(account), missing: tally.missing, given_up: tally.given_up };
      if (!isWhole) log.warn({ ...fields, ...named(unread) }, "not all folders of the mailbox could be audited");
      if (tally.missing > 0)
        log.warn(fields, "messages of a mailbox are missing here: mailwright audit coverage --repair");
      else if (isWhole) log.info(fields, "every message of the mailbox is accounted for");
    } finally {
      await looked.close();
    }
  } catch (error) {
    // A server's words may hold anything.
    const reason = error instanceof ImapTrouble ? error.kind : error instanceof Error ? error.name : "unknown";
    log.warn({ account: mailboxName(account), reason }, "the mailbox could not be audited");
  }
}
