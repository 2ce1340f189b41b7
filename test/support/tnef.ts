/** Writes winmail.dat (TNEF, MS-OXTNEF), for messages of tests. */

export interface TnefFile {
  readonly name: string;
  readonly data: Uint8Array;
  /** In the properties of the attachment, as Outlook writes it beside a name of eight and three characters. */
  readonly longName?: string;
  readonly contentId?: string;
  readonly contentType?: string;
  /** Behind the data, where its reader has to wait for it. */
  readonly nameLast?: boolean;
}

export interface TnefMessage {
  readonly text?: string;
  readonly html?: string;
  /** Compressed, as Outlook keeps a text that it writes. */
  readonly rtf?: Uint8Array;
  readonly files?: readonly TnefFile[];
}

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
};

function attribute(level: 1 | 2, id: number, data: Uint8Array): Buffer {
  const sum = data.reduce((total, byte) => (total + byte) & 0xffff, 0);
  return Buffer.concat([Uint8Array.of(level), u32(id), u32(data.length), data, Uint8Array.of(sum & 0xff, sum >> 8)]);
}

const padded = (data: Uint8Array): Buffer => Buffer.concat([data, Buffer.alloc((4 - (data.length % 4)) % 4)]);

/** Counted values: what a property of words or bytes is. */
const property = (type: number, id: number, data: Uint8Array): Buffer =>
  Buffer.concat([u32((id << 16) | type), u32(1), u32(data.length), padded(data)]);
const unicode = (id: number, text: string): Buffer => property(0x1f, id, Buffer.from(`${text}\0`, "utf16le"));

const properties = (list: readonly Buffer[]): Buffer => Buffer.concat([u32(list.length), ...list]);

/** A named property and a fixed one stand before the others: whoever reads them has to step over these. */
const ballast = [
  Buffer.concat([
    u32((0x8001 << 16) | 0x1f),
    Buffer.alloc(16, 7),
    u32(1),
    u32(6),
    padded(Buffer.from("Id\0", "utf16le")),
    u32(1),
    u32(4),
    Buffer.from("x\0\0\0"),
  ]),
  Buffer.concat([u32((0x0e07 << 16) | 0x03), u32(1)]),
];

function fileAttributes(file: TnefFile): Buffer[] {
  const title = attribute(2, 0x18010, Buffer.from(`${file.name}\0`, "latin1"));
  const data = attribute(2, 0x6800f, file.data);
  const more = [
    ...(file.longName === undefined ? [] : [unicode(0x3707, file.longName)]),
    ...(file.contentType === undefined ? [] : [unicode(0x370e, file.contentType)]),
    ...(file.contentId === undefined ? [] : [unicode(0x3712, file.contentId)]),
  ];
  const described = more.length === 0 ? [] : [attribute(2, 0x69005, properties([...ballast, ...more]))];
  const rest = file.nameLast === true ? [data, title] : [title, data];
  return [attribute(2, 0x69002, Buffer.alloc(14)), ...rest, ...described];
}

export function tnefOf({ text, html, rtf, files = [] }: TnefMessage): Buffer {
  const said = [
    ...(text === undefined ? [] : [unicode(0x1000, text)]),
    ...(html === undefined ? [] : [property(0x102, 0x1013, Buffer.from(html, "latin1"))]),
    ...(rtf === undefined ? [] : [property(0x102, 0x1009, rtf)]),
  ];
  return Buffer.concat([
    u32(0x223e9f78),
    Uint8Array.of(1, 0),
    attribute(1, 0x89006, Buffer.from("00000100", "hex")),
    attribute(1, 0x69007, Buffer.concat([u32(1252), u32(0)])),
    ...(said.length === 0 ? [] : [attribute(1, 0x69003, properties([...ballast, ...said]))]),
    ...files.flatMap(fileAttributes),
  ]);
}
