/** The ways in which mail writes a text down, and all of them back: what can be read out of bytes by whoever tries. */

const bytesOf = (given: string | Buffer): Buffer => (typeof given === "string" ? Buffer.from(given) : given);
const hex = (byte: number): string => byte.toString(16).padStart(2, "0").toUpperCase();
const each = (given: string | Buffer, write: (byte: number) => string): string =>
  [...bytesOf(given)].map(write).join("");

function utf16(text: string, end: "le" | "be", mark = false): Buffer {
  const bytes = Buffer.from((mark ? "\ufeff" : "") + text, "utf16le");
  return end === "le" ? bytes : bytes.swap16();
}

function uuLine(bytes: Buffer): string {
  const padded = Buffer.concat([bytes, Buffer.alloc((3 - (bytes.length % 3)) % 3)]);
  let made = String.fromCharCode(0x20 + bytes.length);
  for (let at = 0; at < padded.length; at += 3) {
    const group = padded.readUIntBE(at, 3);
    for (const shift of [18, 12, 6, 0]) made += String.fromCharCode(0x20 + ((group >> shift) & 63)).replace(" ", "`");
  }
  return `${made}\n`;
}

export const written = {
  base64: (given: string | Buffer) => bytesOf(given).toString("base64"),
  quoted: (given: string | Buffer) => each(given, (byte) => `=${hex(byte)}`),
  percent: (given: string | Buffer) => each(given, (byte) => `%${hex(byte)}`),
  css: (given: string) => each(given, (byte) => `\\${hex(byte)} `),
  rtf: (given: string) => each(given, (byte) => `\\'${hex(byte)}`),
  entities: (given: string, base: 10 | 16) =>
    each(given, (byte) => `&#${base === 16 ? "x" : ""}${byte.toString(base)};`),
  uuencoded(given: string) {
    const bytes = Buffer.from(given);
    return Array.from({ length: Math.ceil(bytes.length / 45) }, (_, at) =>
      uuLine(bytes.subarray(at * 45, at * 45 + 45)),
    ).join("");
  },
  yenc(given: string, name: string): Buffer {
    const data = [...Buffer.from(given)].flatMap((byte) => {
      const made = (byte + 42) % 256;
      return [0, 10, 13, 61].includes(made) ? [61, (made + 64) % 256] : [made];
    });
    const head = `=ybegin line=128 size=${given.length} name=${name}\n`;
    return Buffer.concat([Buffer.from(head), Buffer.from(data), Buffer.from(`\n=yend size=${given.length}\n`)]);
  },
  utf16,
  utf7: (given: string) => `+${utf16(given, "be").toString("base64").replace(/=+$/, "")}-`,
};

const latin1 = (bytes: Buffer): string => bytes.toString("latin1");
const wide = new TextDecoder("utf-16le");
const from = (codes: readonly number[]): Buffer => Buffer.from(codes);

/** Each as a new reading of bytes; what does not fit is left where it is. */
const readings: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  unfolded: (bytes) => Buffer.from(latin1(bytes).replace(/\r?\n[ \t]|\\/gi, ""), "latin1"),
  joined: (bytes) => Buffer.from(latin1(bytes).replace(/=[ \t]*\r?\n|"?;\s*[\w-]+\*\d\*?="?/g, ""), "latin1"),
  "encoded-words": (bytes) =>
    Buffer.from(
      latin1(bytes)
        .replace(/\?=\s+=\?/g, "?==?")
        .replace(/=\?[^?\s]{1,40}\?([bq])\?([^?]*)\?=/gi, (_, how: string, word: string) =>
          how.toLowerCase() === "b"
            ? Buffer.from(word, "base64").toString("latin1")
            : word.replace(/=([0-9a-f]{2})/gi, (_all, pair: string) => String.fromCharCode(Number.parseInt(pair, 16))),
        ),
      "latin1",
    ),
  figures: (bytes) =>
    Buffer.from(
      latin1(bytes).replace(/(?:=|%|\\x|\\u00|\\'|\\x\{|\\)([0-9a-f]{2})(?:[ }](?=\W|$))?/gi, (_, pair: string) =>
        String.fromCharCode(Number.parseInt(pair, 16)),
      ),
      "latin1",
    ),
  entities: (bytes) =>
    Buffer.from(
      latin1(bytes).replace(/&#(x?)([0-9a-f]{1,6});/gi, (_, x: string, code: string) =>
        String.fromCharCode(Number.parseInt(code, x === "" ? 10 : 16) & 0xff),
      ),
      "latin1",
    ),
  "UTF-16LE": (bytes) => Buffer.from(wide.decode(bytes)),
  "UTF-16LE from the second byte": (bytes) => Buffer.from(wide.decode(bytes.subarray(1))),
  "without zeroes": (bytes) => bytes.filter((byte) => byte !== 0) as Buffer,
  "minus 42": (bytes) =>
    from(
      [...latin1(bytes).matchAll(/=([\s\S])|([\s\S])/g)].map(([, marked, plain]) =>
        marked === undefined ? ((plain ?? "").charCodeAt(0) + 214) % 256 : (marked.charCodeAt(0) + 150) % 256,
      ),
    ),
};

function encodedRuns(bytes: Buffer): Buffer[] {
  const text = latin1(bytes);
  const single = [...text.matchAll(/[A-Za-z0-9+/]{6,}/g)].map(([run]) => run.replace(/^\+/, ""));
  const plus = [...text.matchAll(/[A-Za-z0-9+/]{6,}/g)].map(([run]) => run);
  const lines = [...text.matchAll(/(?:[A-Za-z0-9+/]+=*\r?\n)+/g)].map(([run]) => run.replace(/\s/g, ""));
  const words = [...text.matchAll(/\?b\?([^?]*)\?=/gi)].map(([, run = ""]) => run);
  return [...single, ...plus, ...lines, [...words].join("")].map((run) => Buffer.from(run, "base64"));
}

function uudecoded(bytes: Buffer): Buffer {
  const lines = latin1(bytes).split("\n");
  return Buffer.concat(
    lines.map((given) => {
      const line = given.replace(/^[> ]{2}/, "").trimEnd();
      const most = (line.charCodeAt(0) - 0x20) & 63;
      const codes = [...line.slice(1)].map((letter) => (letter.charCodeAt(0) - 0x20) & 63);
      const out: number[] = [];
      for (let at = 0; at + 3 < codes.length; at += 4) {
        const group = codes.slice(at, at + 4).reduce((sum, code) => sum * 64 + code, 0);
        out.push(group >> 16, (group >> 8) & 255, group & 255);
      }
      return Buffer.from(out.slice(0, most));
    }),
  );
}

/** Two readings, one after the other. */
export function viewsOf(bytes: Buffer): Map<string, string> {
  const views = new Map<string, string>();
  const known = new Set<string>();
  const look = (how: string, read: Buffer, deeper: number): void => {
    const text = latin1(read);
    if (read.length === 0 || known.has(`${deeper} ${text}`)) return;
    known.add(`${deeper} ${text}`);
    views.set(how, text);
    if (deeper === 0) return;
    for (const [name, reading] of Object.entries(readings)) look(`${how}, ${name}`, reading(read), deeper - 1);
    for (const run of encodedRuns(read)) look(`${how}, base64 ${views.size}`, run, deeper - 1);
    look(`${how}, uudecoded`, uudecoded(read), 0);
  };
  look("as it is", bytes, 2);
  return views;
}
