/** Parses the simulation's plain mails in this process: real headers, a body of one part, and mails that break whoever reads them. */

import { splitHeader } from "../../src/mail/header.ts";
import { parse } from "../../src/mail/parse.ts";
import { degraded } from "../../src/mail/parsed.ts";
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
      const { fields, bytes } = await read(await raw());
      const poison = fields.find(({ key }) => key === "x-poison")?.raw.trim();
      if (!world.begins(poison)) return await world.die();
      if (poison === "poison") return degraded(fields, "the parser was killed: too slow");
      return parse(bytes);
    },
    async headersOnly(raw): Promise<ParsedMessage> {
      return degraded((await read(raw)).fields, "headers only: the whole parse failed too often");
    },
  };
}

async function read(raw: AsyncIterable<Uint8Array>) {
  const chunks: Uint8Array[] = [];
  for await (const chunk of raw) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const text = bytes.toString("latin1");
  const end = text.indexOf("\r\n\r\n");
  return { fields: splitHeader(end < 0 ? text : text.slice(0, end + 2)), bytes };
}
