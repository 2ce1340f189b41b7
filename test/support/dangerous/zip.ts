/** Writes zip, tar and gzip files for tests, honest ones and such as lie. */
import { crc32, deflateRawSync } from "node:zlib";

export interface ZipFile {
  readonly name: string;
  readonly bytes?: Uint8Array;
  /** Says that it has a password; the bytes stay as they are. */
  readonly encrypted?: boolean;
  readonly stored?: boolean;
  /** What the list says, where it lies. */
  readonly says?: { readonly size?: number; readonly name?: string; readonly method?: number };
  readonly extra?: Uint8Array;
}

const u16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value & 0xffff);
  return bytes;
};
const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
};

export function zip(files: readonly ZipFile[], comment = ""): Buffer {
  const local: Buffer[] = [];
  const central: Buffer[] = [];
  let at = 0;
  for (const file of files) {
    const bytes = Buffer.from(file.bytes ?? "");
    const packed = file.stored === true ? bytes : deflateRawSync(bytes);
    const flags = (file.encrypted === true ? 1 : 0) | 0x800;
    const method = file.stored === true ? 0 : 8;
    const facts = (how: number, size: number): Buffer =>
      Buffer.concat([u16(20), u16(flags), u16(how), u32(0), u32(crc32(bytes)), u32(packed.length), u32(size)]);
    const name = Buffer.from(file.name);
    const extra = Buffer.from(file.extra ?? "");
    const header = Buffer.concat([u32(0x04034b50), facts(method, bytes.length), u16(name.length), u16(0), name]);
    const listed = Buffer.from(file.says?.name ?? file.name);
    central.push(
      u32(0x02014b50),
      u16(20),
      facts(file.says?.method ?? method, file.says?.size ?? bytes.length),
      u16(listed.length),
      u16(extra.length),
      Buffer.alloc(10),
      u32(at),
      listed,
      extra,
    );
    local.push(header, packed);
    at += header.length + packed.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.concat([
    u32(0x06054b50),
    u32(0),
    u16(files.length),
    u16(files.length),
    u32(directory.length),
    u32(at),
    u16(Buffer.byteLength(comment)),
    Buffer.from(comment),
  ]);
  return Buffer.concat([...local, directory, end]);
}

/** Many entries, all of them the same bytes: small, and says that it is large. */
export function overlappingZip(count: number): Buffer {
  const one = zip([{ name: "0", bytes: Buffer.alloc(30_000, 1) }]);
  const directoryAt = one.readUInt32LE(one.length - 6);
  const entry = one.subarray(directoryAt, one.length - 22);
  const end = Buffer.from(one.subarray(one.length - 22));
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(entry.length * count, 12);
  return Buffer.concat([one.subarray(0, directoryAt), ...Array.from({ length: count }, () => entry), end]);
}

interface TarFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Default: a file. */
  readonly type?: string;
}

export function tar(files: readonly TarFile[]): Buffer {
  const blocks = files.flatMap(({ name, bytes, type = "0" }) => {
    const header = Buffer.alloc(512);
    header.write(name, 0, 100);
    header.write("0000644\0", 100);
    header.write(`${bytes.length.toString(8).padStart(11, "0")}\0`, 124);
    header.write("        ", 148);
    header.write(type, 156);
    header.write("ustar\0" + "00", 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    return [header, Buffer.from(bytes), Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** As tar wrote before it had a mark (Version 7 Unix): the checksum is all that tells it. */
export function oldTar(files: Parameters<typeof tar>[0]): Buffer {
  const whole = tar(files);
  for (let at = 0; at + 512 <= whole.length && whole[at] !== 0; ) {
    const header = whole.subarray(at, at + 512);
    header.fill(0, 257, 265);
    header.write("        ", 148);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    at += 512 + Math.ceil(Number.parseInt(header.toString("latin1", 124, 135), 8) / 512) * 512;
  }
  return whole;
}
