/** Reads the simplest message of all, one plain text and nothing else, without the MIME parser: more than half of what people write. */
import { isUtf8 } from "node:buffer";
import type { RawField } from "./header.ts";
import { unfold } from "./header.ts";
import { parameters } from "./parameters.ts";

const plainCharsets = new Set(["", "utf-8", "utf8", "us-ascii", "ascii"]);
const plainEncodings = new Set(["7bit", "8bit"]);

/**
 * The text, exactly as mailparser would read it, at a fifth of the cost (bench/parse.ts); undefined wherever there is anything to decode
 * or to decide. test/mail/parse.test.ts compares the two on every message it makes.
 */
export function plainText(fields: readonly RawField[], body: Uint8Array): string | undefined {
  let typed = false;
  let encoded = false;
  for (const { key, raw } of fields) {
    if (key === "content-type") {
      if (typed || !isPlainType(raw)) return undefined;
      typed = true;
    } else if (key === "content-transfer-encoding") {
      if (encoded || !plainEncodings.has(unfold(raw).toLowerCase())) return undefined;
      encoded = true;
    } else if (key === "content-disposition") {
      return undefined;
    }
  }
  if (!isUtf8(body)) return undefined;
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8").replace(/\r?\n/g, "\n");
}

/** `format=flowed` joins lines, `name=` makes a file: both are for the parser. */
function isPlainType(raw: string): boolean {
  const { value, params } = parameters(unfold(raw));
  if (value !== "text/plain" || params.size > 1) return false;
  return plainCharsets.has((params.get("charset") ?? (params.size === 0 ? "" : "other")).toLowerCase());
}
