/** Tells what the sender wrote this time from what is quoted, signed and forwarded below it. */
import type { Attachment, Message } from "../model/event.ts";

export type Reading = Pick<
  Message,
  "reply_text" | "quoted_text" | "signature_text" | "interleaved" | "spans" | "forwarded" | "language"
>;

export interface Readable {
  readonly text: string | null;
  readonly html: string | null;
  readonly subject: string | null;
  /** A forward may carry its original as a message/rfc822. */
  readonly attachments: readonly Attachment[];
}

export const nothingRead: Reading = {
  reply_text: null,
  quoted_text: null,
  signature_text: null,
  interleaved: false,
  spans: [],
  forwarded: null,
  language: null,
};

export function readReply({ text }: Readable): Reading {
  return { ...nothingRead, reply_text: text };
}
