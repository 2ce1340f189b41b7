/** Documents of Office and PDF that do something by themselves, or cannot be looked into. */
import * as made from "./bytes.ts";
import { compound } from "./compound.ts";
import { type Dangerous, quarantined, sample, stripped } from "./rows.ts";
import { zip } from "./zip.ts";

const docx = sample("letter.docx", made.ooxml());
const text = (words: string): Buffer => Buffer.from(words);
const ole = (name: string, storages: Parameters<typeof compound>[0]) => sample(name, compound(storages));
const doc = ole("letter.doc", { WordDocument: text("text"), "1Table": text("table") });
const paper = sample("paper.pdf", made.pdf(), "application/pdf");

export const documents = (): Dangerous[] => [...packages(), ...compounds(), ...papers(), ...marked()];

function packages(): Dangerous[] {
  const row = (
    what: string,
    code: string,
    name: string,
    parts: Record<string, string | Uint8Array>,
    twin = docx,
  ): Dangerous => quarantined(what, code, sample(name, made.ooxml(parts)), twin);
  const fieldOf = (instruction: string): string => `<w:document><w:instrText>${instruction}</w:instrText></w:document>`;
  return [
    row("macros in a Word document", "macros", "letter.docm", {
      "word/vbaProject.bin": compound({ VBA: { dir: text("x") } }),
    }),
    row("macros in a document called .docx", "macros", "letter.docx", { "word/vbaProject.bin": "x" }),
    row("macros in a workbook", "macros", "figures.xlsm", { "xl/vbaProject.bin": "x" }),
    row("macros under a name in other letters", "macros", "letter.docm", { "word/VBAPROJECT.BIN": "x" }),
    row(
      "a sheet of Excel 4 macros",
      "macro_sheet",
      "figures.xlsm",
      { "xl/macrosheets/sheet1.xml": "<x/>" },
      sample("figures.xlsx", made.ooxml({ "xl/worksheets/sheet1.xml": "<x/>" })),
    ),
    row(
      "a template from elsewhere",
      "remote_template",
      "letter.docx",
      { "word/_rels/settings.xml.rels": made.relationship("attachedTemplate", "https://192.0.2.1/t.dotm") },
      sample(
        "letter.docx",
        made.ooxml({ "word/_rels/document.xml.rels": made.relationship("hyperlink", "https://example.org/") }),
      ),
    ),
    row(
      "the same behind an attribute that ends the tag",
      "remote_template",
      "letter.docx",
      { "word/_rels/settings.xml.rels": made.relationship("attachedTemplate", "https://192.0.2.1/a>b") },
      sample(
        "letter.docx",
        made.ooxml({ "word/_rels/settings.xml.rels": made.relationship("attachedTemplate", "Normal.dotm", false) }),
      ),
    ),
    row("an object from elsewhere", "remote_template", "letter.docx", {
      "word/_rels/document.xml.rels": made.relationship("oleObject", "http://192.0.2.1/x"),
    }),
    row("an ActiveX control", "activex", "letter.docx", { "word/activeX/activeX1.xml": "<x/>" }),
    row(
      "a field that asks another program",
      "dde",
      "letter.docx",
      { "word/document.xml": fieldOf('DDEAUTO c:\\\\x.exe "a"') },
      sample("letter.docx", made.ooxml({ "word/document.xml": fieldOf('HYPERLINK "https://example.org/"') })),
    ),
    row("the same in pieces", "dde", "letter.docx", {
      "word/document.xml": "<w:document><w:instrText>DD</w:instrText><w:instrText>EAUTO x</w:instrText></w:document>",
    }),
    row(
      "an embedded package",
      "embedded_object",
      "letter.docx",
      { "word/embeddings/oleObject1.bin": compound({ "\u0001Ole10Native": made.letter }) },
      sample("letter.docx", made.ooxml({ "word/embeddings/oleObject1.bin": compound({ CONTENTS: text("chart") }) })),
    ),
    row(
      "EICAR in a document",
      "archive_executable",
      "letter.docx",
      { "word/media/image1.bin": made.eicar },
      sample("letter.docx", made.ooxml({ "word/media/image1.png": made.png })),
    ),
    row("a program in a document", "archive_executable", "letter.docx", { "word/embeddings/setup.exe": made.pe() }),
    quarantined(
      "Basic in an OpenDocument",
      "macros",
      sample("letter.odt", made.odt({ "Basic/Standard/Module1.xml": "<x/>" })),
      sample("letter.odt", made.odt()),
    ),
    quarantined(
      "an OpenDocument with a password",
      "encrypted_document",
      sample(
        "letter.odt",
        made.odt({ "META-INF/manifest.xml": "<manifest:manifest><manifest:encryption-data/></manifest:manifest>" }),
      ),
      sample("letter.odt", made.odt()),
    ),
    stripped(
      "a Java archive",
      "executable",
      sample("tool.zip", made.ooxml({ "META-INF/MANIFEST.MF": "Main-Class: A", "A.class": made.javaClass })),
      docx,
    ),
    stripped(
      "an Android package",
      "installer",
      sample("tool.zip", made.ooxml({ "AndroidManifest.xml": "x", "classes.dex": made.dex })),
      docx,
    ),
  ];
}

function compounds(): Dangerous[] {
  const wordDocument = Buffer.alloc(64);
  wordDocument.writeUInt16LE(0xa5ec, 0);
  const locked = Buffer.from(wordDocument);
  locked[11] = 1;
  return [
    quarantined(
      "macros in a document of Word 97",
      "macros",
      ole("letter.doc", { WordDocument: text("x"), Macros: { VBA: { dir: text("x"), _VBA_PROJECT: text("x") } } }),
      doc,
    ),
    quarantined(
      "macros in a workbook of Excel 97",
      "macros",
      ole("figures.xls", { Workbook: made.workbook(0), _VBA_PROJECT_CUR: { VBA: { dir: text("x") } } }),
      ole("figures.xls", { Workbook: made.workbook(0) }),
    ),
    quarantined(
      "a sheet of Excel 4 macros in a workbook",
      "macro_sheet",
      ole("figures.xls", { Workbook: made.workbook(1) }),
      ole("figures.xls", { Workbook: made.workbook(0) }),
    ),
    quarantined(
      "a workbook with a password",
      "encrypted_document",
      ole("figures.xls", { Workbook: made.workbook(0, true) }),
      ole("figures.xls", { Workbook: made.workbook(0) }),
    ),
    quarantined(
      "a document of Word 97 with a password",
      "encrypted_document",
      ole("letter.doc", { WordDocument: locked }),
      ole("letter.doc", { WordDocument: wordDocument }),
    ),
    quarantined(
      "a new document with a password",
      "encrypted_document",
      ole("letter.docx", { EncryptionInfo: text("x"), EncryptedPackage: text("x") }),
      docx,
    ),
    quarantined(
      "a package in a compound file",
      "embedded_object",
      ole("letter.doc", { WordDocument: text("x"), ObjectPool: { _1: { "\u0001Ole10Native": made.letter } } }),
      doc,
    ),
    quarantined(
      "an equation in a compound file",
      "embedded_object",
      ole("letter.doc", { WordDocument: text("x"), ObjectPool: { _1: { "Equation Native": text("x") } } }),
      doc,
    ),
    stripped("a Windows Installer database", "installer", ole("setup", { "\u4840\u3b3f\u43f2": text("x") }), doc),
    quarantined(
      "an Outlook item with a program",
      "archive_executable",
      ole("mail.msg", {
        "__properties_version1.0": text("x"),
        "__attach_version1.0_#00000000": { "__substg1.0_37010102": made.pe() },
      }),
      ole("mail.msg", {
        "__properties_version1.0": text("x"),
        "__attach_version1.0_#00000000": { "__substg1.0_37010102": made.letter },
      }),
    ),
    quarantined(
      "a compound file whose tables cannot be read",
      "not_inspected",
      sample("letter.doc", Buffer.concat([Buffer.from("d0cf11e0a1b11ae1", "hex"), Buffer.alloc(600, 0xee)])),
      doc,
    ),
  ];
}

function papers(): Dangerous[] {
  const row = (what: string, code: string, bytes: Buffer, twin = paper): Dangerous =>
    quarantined(what, code, sample("paper.pdf", bytes, "application/pdf"), twin);
  const action = "<< /S /JavaScript /JS (app.alert\\(1\\)) >>";
  return [
    row(
      "JavaScript in a PDF",
      "pdf_javascript",
      made.pdf(`/OpenAction ${action}`),
      sample("paper.pdf", made.pdf("/OpenAction [3 0 R /Fit]"), "application/pdf"),
    ),
    row(
      "JavaScript in a PDF in other letters",
      "pdf_javascript",
      made.pdf("/OpenAction << /S /J#61vaScript /JS (x) >>"),
    ),
    row(
      "JavaScript in a packed object",
      "pdf_javascript",
      made.pdf("", made.pdfStream("ObjStm", text(`7 0 ${action}`))),
      sample("paper.pdf", made.pdf("", made.pdfStream("ObjStm", text("7 0 << /Type /Font >>"))), "application/pdf"),
    ),
    row("a PDF that starts a program", "pdf_launch", made.pdf("/OpenAction << /S /Launch /F (cmd.exe) >>")),
    row("a PDF with a password", "encrypted_document", made.pdf("", "trailer << /Encrypt 9 0 R >>\n")),
    row(
      "a PDF with a program attached",
      "archive_executable",
      made.pdf("", made.pdfStream("EmbeddedFile", made.pe())),
      sample(
        "invoice.pdf",
        made.pdf("", made.pdfStream("EmbeddedFile", text("<?xml version='1.0'?><invoice/>"))),
        "application/pdf",
      ),
    ),
    row(
      "a large program attached to a PDF",
      "archive_executable",
      made.pdf("", made.pdfStream("EmbeddedFile", Buffer.concat([made.pe(), Buffer.alloc(20_000_000)]))),
    ),
    row(
      "a zip with a program attached to a PDF",
      "archive_executable",
      made.pdf("", made.pdfStream("EmbeddedFile", zip([{ name: "a.exe", bytes: made.pe() }]))),
    ),
    row(
      "JavaScript in a PDF behind a line",
      "pdf_javascript",
      Buffer.concat([text("\r\n"), made.pdf(`/AA << /O ${action} >>`)]),
    ),
  ];
}

function marked(): Dangerous[] {
  const rtf = sample("letter.rtf", made.rtf());
  const xml = (more: string): Buffer =>
    text(
      `<?xml version="1.0"?><?mso-application progid="Word.Document"?><w:wordDocument ${more}><w:body/></w:wordDocument>`,
    );
  return [
    quarantined(
      "an object in RTF",
      "embedded_object",
      sample("letter.doc", made.rtf("{\\object\\objemb{\\*\\objdata 0105}}")),
      rtf,
    ),
    quarantined(
      "a template from elsewhere in RTF",
      "remote_template",
      sample("letter.rtf", made.rtf("{\\*\\template http://192.0.2.1/t.dotm}")),
      rtf,
    ),
    quarantined(
      "macros in Word's XML",
      "macros",
      sample("letter.xml", xml('w:macrosPresent="yes"')),
      sample("letter.xml", xml('w:macrosPresent="no"')),
    ),
    quarantined(
      "macros in a saved page",
      "macros",
      sample("letter.mht", text("MIME-Version: 1.0\r\nContent-Location: editdata.mso\r\n\r\nQWN0aXZlTWltZQ==\r\n")),
      sample("letter.mht", text("MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n<p>Hi</p>\r\n")),
    ),
    quarantined(
      "a spreadsheet made of links",
      "spreadsheet_query",
      sample("figures.csv", text('ID;PWXL;N;E\r\nC;X1;Y1;EEXEC("calc")\r\n'), "text/csv"),
      sample("figures.csv", text("a;b\r\n1;2\r\n"), "text/csv"),
    ),
    quarantined(
      "a notebook",
      "notebook",
      sample("notes.one", Buffer.concat([Buffer.from("e4525c7b8cd8a74daeb15378d02996d3", "hex"), Buffer.alloc(64)])),
      rtf,
    ),
  ];
}
