/** Makes a message whose lines end in bare CR readable for the parse; the raw bytes stay as they came. */

type Raw = AsyncIterable<Uint8Array> | Uint8Array;

export interface Lines {
  readonly raw: Raw;
  /** Line ends were put in place of CRs. Known once the first bytes were read. */
  bareCr(): boolean;
}

/** A message of which this much has no LF has none at all: RFC 5321 §4.5.3.1.6 ends lines after 1,000 bytes. */
const sampleBytes = 4096;
const lf = 0x0a;
const cr = 0x0d;

export function parsingLines(raw: Raw): Lines {
  let bare = false;
  if (raw instanceof Uint8Array) {
    bare = endsInCr(raw.subarray(0, sampleBytes));
    return { raw: bare ? toLf()(raw) : raw, bareCr: () => bare };
  }
  async function* mended(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let held: Uint8Array | undefined = Buffer.alloc(0);
    let convert: ((bytes: Uint8Array) => Uint8Array) | undefined;
    for await (const chunk of chunks) {
      if (held === undefined) {
        yield convert === undefined ? chunk : convert(chunk);
        continue;
      }
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      if (held.length < sampleBytes && !held.includes(lf)) continue;
      bare = endsInCr(held.subarray(0, sampleBytes));
      if (bare) convert = toLf();
      yield convert === undefined ? held : convert(held);
      held = undefined;
    }
    if (held === undefined || held.length === 0) return;
    bare = endsInCr(held);
    yield bare ? toLf()(held) : held;
  }
  return { raw: mended(raw), bareCr: () => bare };
}

/** Only where the first of these lines is a header field: one long line of anything else is no mail to mend. */
function endsInCr(sample: Uint8Array): boolean {
  if (sample.includes(lf)) return false;
  const end = sample.indexOf(cr);
  if (end === -1) return false;
  return /^(?:>?From |[!-9;-~]{1,100}[ \t]*:)/.test(Buffer.from(sample.subarray(0, end)).toString("latin1"));
}

/** Each CR as LF, and each CRLF as one LF, in chunks of any size. */
function toLf(): (bytes: Uint8Array) => Uint8Array {
  let afterCr = false;
  return (bytes) => {
    const out = new Uint8Array(bytes.length);
    let length = 0;
    for (const byte of bytes) {
      if (byte !== lf || !afterCr) out[length++] = byte === cr ? lf : byte;
      afterCr = byte === cr;
    }
    return out.subarray(0, length);
  };
}
