/** Hands one mail after the other to a server, no faster than wanted, and dials again when the line breaks. */
import type { Cli } from "../cli.ts";
import { sentenceOf } from "../exit.ts";
import { openMailFile } from "../mail-file.ts";
import { openSmtpSession, type SmtpEnvelope, type SmtpSession } from "../smtp-session.ts";

export interface Replay {
  readonly server: { readonly host: string; readonly port: number };
  readonly envelope: SmtpEnvelope;
  /** Mails a second; as fast as they are taken where there is none. */
  readonly rate: number | undefined;
  /** Ends it between two mails. */
  readonly stopping: AbortSignal;
  readonly cli: Cli;
}

export interface Result {
  readonly file: string;
  readonly ok: boolean;
  readonly reply: string;
}

/** A daemon that restarts is back within seconds. */
const attempts = 5;
const pauseMs = 1_000;

/**
 * In the order given, one at a time. A mail whose line broke is handed over again: it may have been taken, and then it is a duplicate of itself.
 * A server that lags is not made up for: no burst follows.
 */
export async function* replay(files: readonly string[], wanted: Replay): AsyncGenerator<Result> {
  const { rate, stopping, cli } = wanted;
  const gapMs = rate === undefined ? 0 : 1_000 / rate;
  let session: SmtpSession | undefined;
  let due = cli.clock.now();
  try {
    for (const file of files) {
      const now = cli.clock.now();
      if (due > now) await cli.clock.sleep(due - now, stopping);
      if (stopping.aborted) return;
      due = Math.max(due, now) + gapMs;
      const mail = await openMailFile(file, cli);
      for (let attempt = 1; ; attempt++) {
        try {
          session ??= await openSmtpSession({ ...wanted.server, clientName: "mailwright-send" });
          const { accepted, reply } = await session.send(mail, wanted.envelope);
          yield { file, ok: accepted, reply };
          break;
        } catch (error) {
          // A file that could not be read to its end leaves the server in the middle of a mail.
          session?.drop();
          session = undefined;
          // The first mail of a run finds out whether anything is there at all.
          if (attempt === attempts || stopping.aborted || file === files[0] || file === "-") throw error;
          await cli.say(`${sentenceOf(error)}; once more in ${pauseMs / 1_000} s`);
          await cli.clock.sleep(pauseMs, stopping);
        }
      }
    }
  } finally {
    await session?.quit();
  }
}
