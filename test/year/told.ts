/** What the story knows of a mail: who really wrote it, what it is about and which conversation it belongs to. */
import type { Envelope } from "../../src/model/envelope.ts";
import type { Person } from "./cast.ts";

export const whats = [
  "request", "answer", "reply", "outreach", "help", "forward", "form", "unseen", "bounce", "auto_reply", "newsletter", "notification", "internal",
  "spoof", "intruder", "excluded", "broadcast", "no_reply", "disposable", "application", "invoice", "again",
] as const; // biome-ignore format: a list
/** For counting; nothing is decided by it but what no other word says. */
export type What = (typeof whats)[number];

export interface Told {
  readonly what: What;
  /** One word more, for whoever reads a mismatch. */
  readonly note: string;
  readonly conversation: string;
  /** It answers nothing. */
  readonly begins: boolean;
  readonly direction: "inbound" | "outbound" | "internal";
  readonly from: Person;
  /** The name that From shows; empty where it shows none. */
  readonly shown: string;
  /** Whom it is about: who wrote it, or whom a colleague wrote to. */
  readonly under: readonly Person[];
  readonly hearsay: "forwarded" | "form" | null;
  /** What a program wrote by itself. */
  readonly machine: "bounce" | "auto_reply" | "bulk" | "list" | "auto_generated" | null;
  /** Somebody else wrote it than From says. */
  readonly forged: boolean;
  readonly subject: string;
}

export interface YearMail {
  /** Its place in the order of arrival. */
  readonly number: number;
  readonly id: string;
  readonly at: number;
  readonly raw: Buffer;
  readonly envelope: Envelope;
  readonly told: Told;
  /** The same bytes as those of an earlier mail, by another way: no mail of its own. */
  readonly again: string | null;
  /** Mails that have none of these in common do not care in which order they come. */
  readonly touches: readonly string[];
}
