/** Programs, scripts, shortcuts and disk images, by what they hold and by what they are called. */
import * as made from "./bytes.ts";
import { type Dangerous, quarantined, sample, stripped } from "./rows.ts";

const text = (words: string): Buffer => Buffer.from(words);
const note = sample("note.txt", made.letter, "text/plain");

export const programs = (): Dangerous[] => [...byContent(), ...byText(), ...byName(), ...byLie()];

function byContent(): Dangerous[] {
  const harmless = sample("data.bin", Buffer.concat([Buffer.from([0, 1, 2, 3]), Buffer.alloc(600, 0x41)]));
  return [
    stripped(
      "EICAR",
      "eicar",
      sample("eicar.txt", made.eicar, "text/plain"),
      sample("eicar.txt", made.eicar.subarray(1), "text/plain"),
    ),
    stripped("EICAR with a line end", "eicar", sample("test", Buffer.concat([made.eicar, text("\r\n")])), note),
    stripped("a Windows program", "executable", sample("holiday", made.pe()), harmless),
    stripped(
      "a Windows program called a picture",
      "executable",
      sample("photo.jpg", made.pe(), "image/jpeg"),
      sample("photo.jpg", made.jpeg, "image/jpeg"),
    ),
    stripped("ELF", "executable", sample("tool", made.elf), harmless),
    stripped("Mach-O", "executable", sample("tool", made.machO), harmless),
    stripped("a fat Mach-O", "executable", sample("tool", made.fat), harmless),
    stripped("a Java class", "executable", sample("Main", made.javaClass), harmless),
    stripped("WebAssembly", "executable", sample("module", made.wasm), harmless),
    stripped("Dalvik code", "executable", sample("classes", made.dex), harmless),
    stripped("a shortcut", "shortcut", sample("Documents", made.lnk), harmless),
    stripped("compiled help", "executable", sample("help", made.chm), harmless),
    stripped("an ISO image", "disk_image", sample("backup", made.iso()), sample("backup", Buffer.alloc(0x8800))),
    stripped("a VHDX image", "disk_image", sample("disk", made.vhdx), harmless),
    stripped("a DMG image", "disk_image", sample("disk", made.dmg), harmless),
  ];
}

function byText(): Dangerous[] {
  const row = (what: string, code: string, name: string, bytes: Buffer, twin = note): Dangerous =>
    stripped(what, code, sample(name, bytes, "text/plain"), twin);
  const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from("@echo off\r\ndel *.*\r\n", "utf16le")]);
  return [
    row(
      "a shell script",
      "script",
      "readme",
      text("#!/bin/sh\nrm -rf ~\n"),
      sample("readme", text("# a heading\n"), "text/plain"),
    ),
    row("a batch file", "script", "readme.txt", text("@echo off\r\ndel *.*\r\n")),
    row("a batch file in UTF-16", "script", "readme.txt", utf16),
    row(
      "registry entries",
      "script",
      "settings.txt",
      text("Windows Registry Editor Version 5.00\r\n\r\n[HKEY_CURRENT_USER]\r\n"),
    ),
    row(
      "an HTML application",
      "script",
      "page.html",
      text('<html><head><hta:application id="a"></head></html>'),
      sample("page.html", made.html, "text/html"),
    ),
    row(
      "a Windows script file",
      "script",
      "job.xml",
      text('<?xml version="1.0"?><job id="a"><script language="VBScript">x</script></job>'),
      sample("job.xml", text('<?xml version="1.0"?><jobs><title>Clerk</title></jobs>'), "text/xml"),
    ),
    row("an internet shortcut", "shortcut", "site.txt", text("[InternetShortcut]\r\nURL=file://192.0.2.1/x\r\n")),
    row("a desktop entry", "shortcut", "site.txt", text("[Desktop Entry]\nExec=sh -c id\n")),
    row("an encoded script", "script", "a.txt", text("#@~^DgAAAA==Hello")),
    row("a remote desktop file", "shortcut", "server.txt", text("full address:s:192.0.2.1\r\n")),
  ];
}

function byName(): Dangerous[] {
  const named = (what: string, name: string, twin: string): Dangerous =>
    stripped(what, "executable_name", sample(name, made.letter), sample(twin, made.letter));
  const extensions = [
    "exe",
    "scr",
    "com",
    "pif",
    "bat",
    "cmd",
    "vbs",
    "js",
    "jse",
    "wsf",
    "hta",
    "ps1",
    "lnk",
    "msi",
    "jar",
    "apk",
  ];
  return [
    ...extensions.map((extension) => named(`the extension .${extension}`, `invoice.${extension}`, "invoice.txt")),
    named("an extension in capital letters", "INVOICE.EXE", "INVOICE.TXT"),
    named("a double extension", "invoice.pdf.exe", "invoice.pdf.txt"),
    named("blanks in front of the extension", `invoice.pdf${" ".repeat(60)}.exe`, `invoice${" ".repeat(60)}.txt`),
    named("dots and blanks behind the extension", "invoice.exe. . .", "invoice.txt. . ."),
    named("an alternate data stream", "invoice.txt:setup.exe", "invoice.txt"),
    named("a stream's type behind the extension", "invoice.exe::$DATA", "invoice.txt"),
    named("NUL within the name", "invoice.exe\0.txt", "invoice.txt"),
    named("a class id as extension", "invoice.{00021401-0000-0000-C000-000000000046}", "invoice.txt"),
    named("letters that nobody sees in the extension", "invoice.e\u200bxe", "invoice.txt"),
    named("text that is turned around", "invoice\u202Etxt.exe", "invoice.txt"),
  ];
}

function byLie(): Dangerous[] {
  const kept = (what: string, code: string, file: ReturnType<typeof sample>, twin = note): Dangerous =>
    quarantined(what, code, file, twin);
  return [
    kept("a harmless name that is turned around", "name_direction", sample("gpj\u202Etxt.doc", made.letter)),
    kept(
      "a name that leads to another folder",
      "name_path",
      sample("../../../../etc/cron.d/x", made.letter),
      sample("etc cron.d x", made.letter),
    ),
    kept("the same with backslashes", "name_path", sample("..\\..\\start.txt", made.letter)),
    kept(
      "a program's extension before the last one",
      "double_extension",
      sample("setup.exe.txt", made.letter),
      sample("setup.guide.txt", made.letter),
    ),
    kept(
      "a page called a picture",
      "type_mismatch",
      sample("photo.png", made.scriptedHtml, "image/png"),
      sample("photo.png", made.png, "image/png"),
    ),
    kept(
      "a page called a PDF",
      "type_mismatch",
      sample("invoice.pdf", made.html, "application/pdf"),
      sample("invoice.pdf", made.pdf(), "application/pdf"),
    ),
    kept(
      "a page with a script called a letter",
      "type_mismatch",
      sample("invoice.doc", made.scriptedHtml),
      sample("table.xls", Buffer.from("<html><body><table><tr><td>1</td></tr></table></body></html>")),
    ),
    kept(
      "a drawing called a PDF",
      "type_mismatch",
      sample("invoice.pdf", made.svg, "application/pdf"),
      sample("invoice.svg", made.svg, "image/svg+xml"),
    ),
  ];
}
