/** A parser of `drain-floor.ts`: simpleParser and what it found as JSON. */
import { simpleParser } from "mailparser";

export interface FloorOrder {
  readonly n: number;
  readonly raw: Uint8Array;
}
export interface FloorAnswer {
  readonly n: number;
  readonly event: string;
}

process.on("message", async ({ n, raw }: FloorOrder) => {
  const { subject, from, messageId, references, text, html, attachments } = await simpleParser(Buffer.from(raw));
  const files = attachments.map(({ filename, size, contentType }) => ({ filename, size, contentType }));
  const event = { subject, from: from?.value[0]?.address, messageId, references, text, html, files };
  process.send?.({ n, event: JSON.stringify(event) } satisfies FloorAnswer);
});
process.on("disconnect", () => process.exit(0));
