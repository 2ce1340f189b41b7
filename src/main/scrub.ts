/** Scrubs mail under a key that is drawn for one run, and gone after it: nobody can undo it, not even who did it. */
import { randomBytes } from "node:crypto";
import { openStandIns, replaceAddress, scrubMessage } from "../mail/scrub.ts";

export interface Scrub {
  /** The message, as many bytes of it, with everything replaced that anybody said. */
  scrubbed(mail: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  /** What stands for a domain or an address in this run. */
  standIn(text: string): string;
}

export function openScrub(key: Uint8Array = randomBytes(32)): Scrub {
  const standIns = openStandIns(key);
  return {
    async *scrubbed(mail) {
      const message = scrubMessage(standIns);
      for await (const chunk of mail) yield message.push(chunk);
      yield message.end();
    },
    // Behind an @, as in mail: "acme.support" is a domain there, and two words elsewhere.
    standIn: (text) =>
      text.includes("@") ? replaceAddress(text, standIns) : replaceAddress(`@${text}`, standIns).slice(1),
  };
}
