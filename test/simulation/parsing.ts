/** Parses the simulation's plain mails in this process: real headers, a body of one part, and mails that break whoever reads them. */

import { splitHeader } from "../../src/mail/header.ts";
import { Anomalies } from "../../src/mail/message.ts";
import { complete, degraded } from "../../src/mail/parsed.ts";
import type { ParsedMessage } from "../../src/model/event.ts";
import type { ParsePool } from "../../src/pipeline/prepare.ts";

export interface ParsingWorld {
  /** A whole parse begins, of a mail with this poison in it. False when the process did not survive that. */
  begins(poison: string | undefined): boolean;
  /** Never settles. */
  die(): Promise<never>;
}

export function openParsing(world: ParsingWorld): ParsePool {
  return {
    async parse(raw) {
      const { fields, body } = await read(await raw());
      const poison = fields.find(({ key }) => key === "x-poison")?.raw.trim();
      if (!world.begins(poison)) return await world.die();
      if (poison === "poison") return degraded(fields, "the parser was killed: too slow");
      const root = { contentType: "text/plain", text: body, children: [] };
      return complete(fields, { root, attachments: [], peeks: [], textCut: false }, new Anomalies());
    },
    async headersOnly(raw): Promise<ParsedMessage> {
      return degraded((await read(raw)).fields, "headers only: the whole parse failed too often");
    },
  };
}

async function read(raw: AsyncIterable<Uint8Array>) {
  const chunks: Uint8Array[] = [];
  for await (const chunk of raw) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString("latin1");
  const end = text.indexOf("\r\n\r\n");
  const section = end < 0 ? text : text.slice(0, end + 2);
  return { fields: splitHeader(section), body: end < 0 ? "" : text.slice(end + 4).replaceAll("\r\n", "\n") };
}
