/** Files in yEnc that stand in a text: nearly all bytes are data there, whatever the charset is. */
import type { StandIns } from "./stand-in.ts";
import { replaceFileName, replaceWords, type Words } from "./text.ts";
import type { Keeping } from "./vocabulary.ts";

/** Its own words and figures, and none of the file's: a checksum tells one file from all others. */
const keywords: Keeping = {
  words: new Set(["ybegin", "ypart", "yend", "line", "size", "name", "part", "total", "begin", "end", "pcrc", "crc"]),
};
const own = /(\b(?:line|size|part|total|begin|end)=)(\d{1,15})(?=\s|$)/g;

/** `outer` replaces what stands around them. `state` lives as long as the part. */
export function aroundYenc(
  bytes: Buffer,
  standIns: StandIns,
  state: { yenc: boolean },
  outer: (part: Buffer) => Buffer,
): Buffer {
  if (!state.yenc && !bytes.includes("=ybegin ")) return outer(bytes);
  const out: Buffer[] = [];
  let around: Buffer[] = [];
  const flush = (): void => {
    if (around.length > 0) out.push(outer(Buffer.concat(around)));
    around = [];
  };
  for (let at = 0; at < bytes.length; ) {
    const lf = bytes.indexOf(0x0a, at);
    const end = lf === -1 ? bytes.length : lf + 1;
    const line = bytes.subarray(at, end);
    const keyword = /^=y(begin|part|end) /.exec(line.toString("latin1", 0, 10))?.[1];
    if (keyword === "begin") state.yenc = true;
    if (state.yenc) {
      flush();
      out.push(keyword === undefined ? data(line, standIns) : keywordLine(line, standIns));
    } else around.push(line);
    if (keyword === "end") state.yenc = false;
    at = end;
  }
  flush();
  return Buffer.concat(out);
}

function keywordLine(line: Buffer, standIns: StandIns): Buffer {
  const words: Words = { standIns, fits: () => [] };
  const text = line.toString("latin1");
  const at = text.indexOf(" name=") + 1 || text.length;
  const figures = text
    .slice(0, at)
    .split(own)
    .map((piece, index) => (index % 3 === 0 ? replaceWords(piece, words, keywords) : piece))
    .join("");
  const name = text.slice(at);
  const made = figures + name.slice(0, 5) + replaceFileName(name.slice(5), words);
  return Buffer.from(
    made.replace(/[\x80-\xff]/g, (byte) => String.fromCharCode(standIns.stray(byte.charCodeAt(0)))),
    "latin1",
  );
}

/** Neither a dash nor a dot nor an equals sign: no line comes to be a delimiter, the end of a mail, or of the file. */
function data(line: Buffer, standIns: StandIns): Buffer {
  const made = standIns.bytes(line, "line");
  for (const [at, byte] of line.entries()) {
    const put = made[at] ?? 0;
    if (byte === 0x0a || byte === 0x0d) made[at] = byte;
    else made[at] = byte < 0x80 ? 0x3f + (put % 0x40) : 0x80 | put;
  }
  return made;
}
