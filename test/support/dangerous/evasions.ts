/** Files that hide from a look into them what the program that opens them finds. */
import { deflateSync, gzipSync } from "node:zlib";
import * as made from "./bytes.ts";
import { type Dangerous, quarantined, sample, stripped } from "./rows.ts";
import { oldTar, tar, zip } from "./zip.ts";

const text = (words: string): Buffer => Buffer.from(words, "latin1");
const program = { name: "run.exe", bytes: made.pe() };
const note = { name: "note.txt", bytes: made.letter };

const blank = Buffer.alloc(512, " ");
/** A record of pax: its length counts itself. */
const record = (words: string) => ({ name: "pax", type: "x", bytes: text(`${words.length + 4} ${words}\n`) });

/** Of the second of two files, behind one of a block. */
function wrongSum(whole: Buffer): Buffer {
  whole.write("000001", 1024 + 148);
  return whole;
}

export const evasions = (): Dangerous[] => [...archives(), ...packages(), ...papers(), ...letters()];

function archives(): Dangerous[] {
  const junk = Buffer.alloc(200, 1);
  return [
    quarantined(
      "a program in a tar without a mark",
      "archive_executable",
      sample("a.tar", oldTar([note, program])),
      sample("a.tar", oldTar([note])),
    ),
    quarantined(
      "the same in a gzip",
      "archive_executable",
      sample("a.tgz", gzipSync(oldTar([program]))),
      sample("a.tgz", gzipSync(oldTar([note]))),
    ),
    quarantined(
      "a tar whose first file is named as RTF begins",
      "archive_executable",
      sample("a.tar", oldTar([{ ...note, name: "{\\rtf" }, program])),
      sample("a.tar", oldTar([{ ...note, name: "{\\rtf" }])),
    ),
    ...["1", "5"].map((type) =>
      quarantined(
        `a program behind what can have no bytes, of type ${type}`,
        "archive_damaged",
        sample("a.tar", tar([note, { name: "x", type, bytes: tar([program]) }])),
        sample("a.tar", tar([note, { name: "x", type, bytes: Buffer.alloc(0) }])),
      ),
    ),
    quarantined(
      "a program where a record says that the file before it ends",
      "archive_damaged",
      sample("a.tar", tar([record("size=512"), { name: "a.txt", bytes: Buffer.concat([blank, tar([program])]) }])),
      sample("a.tar", tar([record("mtime=512"), { name: "a.txt", bytes: blank }])),
    ),
    quarantined(
      "a program in a file whose header has a wrong sum",
      "archive_damaged",
      sample(
        "a.tar",
        wrongSum(
          tar([
            { ...note, bytes: blank },
            { name: "a.txt", bytes: Buffer.concat([blank, tar([program])]) },
          ]),
        ),
      ),
      sample("a.tar", tar([note, { name: "a.txt", bytes: blank }])),
    ),
    quarantined(
      "a program whose name has a line end in its record",
      "archive_executable",
      sample("a.tar", tar([record("path=a\nrun.exe"), note])),
      sample("a.tar", tar([record("path=a\nrun.txt"), note])),
    ),
    quarantined(
      "a program as an entry of a type that nobody knows",
      "archive_executable",
      sample("a.tar", tar([{ ...note, type: "Z", bytes: made.elf }])),
      sample("a.tar", tar([{ ...note, type: "Z" }])),
    ),
    quarantined(
      "a file with holes, behind whose header may stand more of it",
      "archive_unreadable",
      sample("a.tar", tar([{ ...note, type: "S" }])),
      sample("a.tar", tar([note])),
    ),
    quarantined(
      "a zip between other bytes",
      "type_mismatch",
      sample("a.zip", Buffer.concat([junk, zip([program]), junk])),
      sample("a.zip", zip([note])),
    ),
    quarantined(
      "a document between other bytes",
      "type_mismatch",
      sample("a.docx", Buffer.concat([junk, zip([program]), junk])),
      sample("a.docx", made.ooxml()),
    ),
    quarantined(
      "an archive of another kind in a zip",
      "archive_unlisted",
      sample("a.zip", zip([{ name: "a.uue", bytes: text("begin 644 run.exe\n") }])),
      sample("a.zip", zip([{ name: "a.txt", bytes: text("begin 644 run.exe\n") }])),
    ),
    stripped(
      "a shortcut of a Mac",
      "executable_name",
      sample("report.fileloc", made.letter),
      sample("report.txt", made.letter),
    ),
    quarantined(
      "a database that can hold macros",
      "not_inspected",
      sample("data.accdb", text("\0\x01\0\0Standard ACE DB\0")),
      sample("data.bin", text("\0\x01\0\0Standard something\0")),
    ),
  ];
}

const relationship = (type: string, rest: string, prefix = ""): string =>
  `<${prefix}Relationships><${prefix}Relationship Id="a" Type="http://x/${type}" ${rest}/></${prefix}Relationships>`;

function packages(): Dangerous[] {
  const twin = sample(
    "letter.docx",
    made.ooxml({ "word/_rels/a.rels": relationship("hyperlink", 'Target="http://x/" TargetMode="External"') }),
  );
  const row = (what: string, code: string, parts: Readonly<Record<string, string | Uint8Array>>): Dangerous =>
    quarantined(what, code, sample("letter.docx", made.ooxml(parts)), twin);
  const external = 'Target="http://192.0.2.1/" TargetMode="External"';
  const name = "word/_rels/settings.xml.rels";
  return [
    row("a template from elsewhere, a letter of it as its number", "remote_template", {
      [name]: relationship("attached&#x54;emplate", 'Target="http://x/" TargetMode="&#69;xternal"'),
    }),
    row("the same in UTF-16 without a mark", "remote_template", {
      [name]: Buffer.from(relationship("attachedTemplate", external), "utf16le"),
    }),
    row("the same under a prefix with a sign in it", "remote_template", {
      [name]: relationship("attachedTemplate", external, "a-b:"),
    }),
    row("the same behind a long attribute", "remote_template", {
      [name]: `<Relationship Id="${"a".repeat(5000)}" Type="http://x/attachedTemplate" ${external}/>`,
    }),
    row("the same behind two million blanks", "remote_template", {
      [name]: `${" ".repeat(2_000_000)}${relationship("attachedTemplate", external)}`,
    }),
    row("Excel 4 macros in another folder", "macro_sheet", {
      "xl/_rels/workbook.xml.rels": relationship("xlMacrosheet", 'Target="other/a.xml"'),
      "xl/other/a.xml": "<x/>",
    }),
    row("a header that asks another program", "dde", {
      "word/header1.xml": "<w:hdr><w:instrText>DDEAUTO x</w:instrText></w:hdr>",
    }),
  ];
}

function papers(): Dangerous[] {
  const objects = text("7 0 << /S /JavaScript /JS (x) >>");
  const stream = (dictionary: string, bytes: Uint8Array): string =>
    `5 0 obj\n<< ${dictionary} /Length ${bytes.length} >>\nstream\n${Buffer.from(bytes).toString("latin1")}\nendstream\nendobj\n`;
  const twin = sample(
    "paper.pdf",
    made.pdf("", stream("/Type /ObjStm /Filter /FlateDecode", deflateSync(text("7 0 <<>>")))),
  );
  const row = (what: string, code: string, dictionary: string, bytes = deflateSync(objects)): Dangerous =>
    quarantined(what, code, sample("paper.pdf", made.pdf("", stream(dictionary, bytes))), twin);
  return [
    row(
      "packed objects whose dictionary is long",
      "pdf_javascript",
      `/Type /ObjStm /Filter /FlateDecode /X (${"x".repeat(9000)})`,
    ),
    row("packed objects with a word in between", "pdf_javascript", "/Type /ObjStm /Filter /FlateDecode /X (obj)"),
    row(
      "packed objects with a stream in their dictionary",
      "pdf_javascript",
      "/Type /ObjStm /X (stream) /Filter /FlateDecode",
    ),
    row(
      "objects that are packed twice",
      "not_inspected",
      "/Type /ObjStm /Filter [/FlateDecode /Fl#61teDecode]",
      deflateSync(deflateSync(objects)),
    ),
    row(
      "packed objects behind a predictor",
      "not_inspected",
      "/Type /ObjStm /Filter /FlateDecode /DecodeParms << /Predictor 12 >>",
    ),
  ];
}

function letters(): Dangerous[] {
  const twin = sample("letter.rtf", made.rtf("{\\*\\template C:\\\\Users\\\\a\\\\Normal.dotm}"));
  const row = (what: string, template: string): Dangerous =>
    quarantined(what, "remote_template", sample("letter.rtf", made.rtf(`{\\*\\template ${template}}`)), twin);
  return [
    row("a template in RTF, its address in numbers", "\\u104?\\u116?\\u116?\\u112?\\u58?\\u47?\\u47?x"),
    row("a template in RTF, its address in hex", "\\'68\\'74\\'74\\'70://192.0.2.1/"),
    row("a template in RTF, its address in groups", "{h}{ttp:}//192.0.2.1/"),
    quarantined(
      "the macros of a page that Word saved",
      "macros",
      sample("editdata.mso", text("ActiveMime\0\0\x01\xf0")),
      sample("editdata.bin", text("Something\0\0\x01\xf0")),
    ),
  ];
}
