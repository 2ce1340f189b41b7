/** The bytes of small files of many kinds, for the table of dangerous ones and their twins. */
import { deflateSync } from "node:zlib";
import { zip } from "./zip.ts";

const latin1 = (text: string): Buffer => Buffer.from(text, "latin1");

/** Put together here, so that no scanner objects to this source. */
export const eicar = latin1(
  ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR", "STANDARD", "ANTIVIRUS", "TEST", "FILE!$H+H*"].join("-"),
);

export const letter = latin1("Dear all,\r\nplease find the figures of this month attached.\r\n".repeat(20));

export const pe = (): Buffer => {
  const bytes = Buffer.alloc(512);
  bytes.write("MZ\x90\0\x03", 0, "latin1");
  bytes.writeUInt32LE(128, 60);
  bytes.write("PE\0\0", 128, "latin1");
  return bytes;
};
export const elf = Buffer.concat([latin1("\x7fELF\x02\x01\x01"), Buffer.alloc(57)]);
export const machO = Buffer.concat([Buffer.from("cffaedfe07000001", "hex"), Buffer.alloc(56)]);
export const fat = Buffer.concat([Buffer.from("cafebabe00000002", "hex"), Buffer.alloc(56)]);
export const javaClass = Buffer.concat([Buffer.from("cafebabe00000041", "hex"), Buffer.alloc(56)]);
export const wasm = Buffer.from("0061736d01000000", "hex");
export const dex = Buffer.concat([latin1("dex\n035\0"), Buffer.alloc(56)]);
export const lnk = Buffer.concat([Buffer.from("4c0000000114020000000000c000000000000046", "hex"), Buffer.alloc(56)]);
export const chm = Buffer.concat([latin1("ITSF\x03\0\0\0"), Buffer.alloc(88)]);

export const iso = (): Buffer => {
  const bytes = Buffer.alloc(0x8800);
  bytes.write("\x01CD001\x01", 0x8000, "latin1");
  return bytes;
};
export const vhdx = Buffer.concat([latin1("vhdxfile"), Buffer.alloc(512)]);
export const dmg = Buffer.concat([Buffer.alloc(2048, 7), latin1("koly"), Buffer.alloc(508)]);
export const png = Buffer.from(
  "89504e470d0a1a0a0000000d4948445200000001000000010806000000" +
    "1f15c4890000000d49444154789c63f8cfc0f01f0005000" +
    "1ff89993d1d0000000049454e44ae426082",
  "hex",
);
export const jpeg = Buffer.concat([
  Buffer.from("ffd8ffe000104a46494600010100000100010000", "hex"),
  Buffer.alloc(300, 0x5a),
  Buffer.from("ffd9", "hex"),
]);
export const gif = Buffer.from(
  "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b",
  "hex",
);

export const html = latin1("<!DOCTYPE html><html><body><p>Hello</p></body></html>");
export const scriptedHtml = latin1("<!DOCTYPE html><html><body><script>document.title = 1</script></body></html>");
export const svg = latin1(
  '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"><rect width="1" height="1"/></svg>',
);

/** `catalog` stands in its catalogue; `more` are objects of their own. */
export function pdf(catalog = "", more = ""): Buffer {
  return latin1(
    `%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R ${catalog} >>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [] /Count 0 >>\nendobj\n${more}trailer\n<< /Root 1 0 R >>\n%%EOF\n`,
  );
}

/** An object whose packed bytes hold others, or a file. */
export function pdfStream(type: string, bytes: Uint8Array): string {
  const packed = deflateSync(bytes);
  return `5 0 obj\n<< /Type /${type} /Filter /FlateDecode /Length ${packed.length} >>\nstream\n${packed.toString("latin1")}\nendstream\nendobj\n`;
}

export const rtf = (more = ""): Buffer => latin1(`{\\rtf1\\ansi Hello ${more}\\par}`);

type Parts = Readonly<Record<string, string | Uint8Array>>;
const contentTypes =
  '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>';

/** A document of Office, with more parts where given. */
export function ooxml(parts: Parts = {}): Buffer {
  const all: Parts = {
    "[Content_Types].xml": contentTypes,
    "_rels/.rels":
      '<Relationships><Relationship Id="r1" Type="http://x/officeDocument" Target="word/document.xml"/></Relationships>',
    "word/document.xml": "<w:document><w:body><w:p><w:r><w:t>Hello</w:t></w:r></w:p></w:body></w:document>",
    ...parts,
  };
  return zip(Object.entries(all).map(([name, bytes]) => ({ name, bytes: Buffer.from(bytes as string) })));
}

export function odt(parts: Parts = {}): Buffer {
  const all: Parts = {
    mimetype: "application/vnd.oasis.opendocument.text",
    "content.xml": "<office:document-content/>",
    "META-INF/manifest.xml": "<manifest:manifest/>",
    ...parts,
  };
  return zip(
    Object.entries(all).map(([name, bytes]) => ({
      name,
      bytes: Buffer.from(bytes as string),
      stored: name === "mimetype",
    })),
  );
}

export const relationship = (type: string, target: string, external = true): string =>
  `<Relationships><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/${type}" Target="${target}"${external ? ' TargetMode="External"' : ""}/></Relationships>`;

/** The globals of a workbook of Excel 97, with one sheet of the kind given. */
export function workbook(kind: number, encrypted = false): Buffer {
  const record = (id: number, bytes: Buffer): Buffer => {
    const head = Buffer.alloc(4);
    head.writeUInt16LE(id, 0);
    head.writeUInt16LE(bytes.length, 2);
    return Buffer.concat([head, bytes]);
  };
  const sheet = Buffer.from([0, 0, 0, 0, 0, kind, 6, 0, ...latin1("Sheet1")]);
  return Buffer.concat([
    record(0x0809, Buffer.alloc(16)),
    ...(encrypted ? [record(0x002f, Buffer.alloc(54))] : []),
    record(0x0085, sheet),
    record(0x000a, Buffer.alloc(0)),
  ]);
}

/** A letter with one attachment. */
export function mail(name: string, bytes: Uint8Array): Buffer {
  const lines = [
    "From: Anna <anna@example.org>",
    "To: Ben <ben@example.org>",
    "Subject: figures",
    "MIME-Version: 1.0",
    'Content-Type: multipart/mixed; boundary="b"',
    "",
    "--b",
    "Content-Type: text/plain",
    "",
    "Hello",
    "--b",
    `Content-Type: application/octet-stream; name="${name}"`,
    `Content-Disposition: attachment; filename="${name}"`,
    "Content-Transfer-Encoding: base64",
    "",
    ...(Buffer.from(bytes)
      .toString("base64")
      .match(/.{1,76}/g) ?? [""]),
    "--b--",
    "",
  ];
  return latin1(lines.join("\r\n"));
}
