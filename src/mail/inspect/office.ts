/** Looks at what makes a zip an Office document (ECMA-376, OpenDocument): macros, templates and objects from elsewhere, a password. */

import { utf16le } from "../utf16.ts";
import type { Look } from "./look.ts";

/** Relationships that are loaded when the document is opened, without being asked (ECMA-376 Part 1 §9.2). A hyperlink is not; nor is a picture. */
const loaded = /\/(?:attachedTemplate|oleObject|frame|subDocument|customUI\w*|afChunk|externalOleObject)\s*"/i;
/** What runs, wherever in the package it lies and whatever it is called there. */
const running = [
  [/\/(?:vbaProject|wordVbaData)\s*"/i, "macros"],
  [/\/(?:xlMacrosheet|xlIntlMacrosheet|dialogsheet)\s*"/i, "macro_sheet"],
  [/\/(?:control|activeXControlBinary)\s*"/i, "activex"],
] as const;
const runningTypes = [
  [/application\/vnd\.ms-(?:office\.vbaProject|word\.vbaData)/i, "macros"],
  [/application\/vnd\.ms-excel\.(?:intl)?macrosheet/i, "macro_sheet"],
] as const;

/** `kept`: the entries that are read here, unpacked. */
export function lookAtOffice(names: readonly string[], kept: ReadonlyMap<string, Buffer>, { found }: Look): void {
  const lower = names.map((name) => name.toLowerCase().replaceAll("\\", "/"));
  const isOoxml = lower.includes("[content_types].xml");
  if (lower.some((name) => /(?:^|\/)vbaproject\.bin$|(?:^|\/)vbadata\.xml$/.test(name)))
    found.add("macros", "vbaProject.bin");
  if (lower.some((name) => /^xl\/(?:macrosheets|intlmacrosheets|dialogsheets)\//.test(name))) found.add("macro_sheet");
  if (isOoxml && lower.some((name) => /\/activex\//.test(name))) found.add("activex");
  // OpenDocument 1.3 Part 2: libraries of Basic, and scripts in other languages.
  const isOdf = lower.includes("meta-inf/manifest.xml") && lower.includes("content.xml");
  if (
    isOdf &&
    lower.some((name) => /^(?:basic|scripts)\/.+/.test(name) && !/^basic\/(?:script|dialog)-lc\.xml$/.test(name))
  ) {
    found.add("macros", "OpenDocument Basic");
  }
  if (lower.includes("androidmanifest.xml")) found.add("installer", "Android package");
  if (lower.includes("appxmanifest.xml") || lower.includes("appxmetadata/appxbundlemanifest.xml"))
    found.add("installer", "Windows app package");
  if (lower.includes("meta-inf/manifest.mf") && lower.some((name) => name.endsWith(".class")))
    found.add("executable", "Java archive");
  for (const [name, bytes] of kept) lookAtPart(name.toLowerCase(), bytes, found);
}

const maxXmlBytes = 32 * 1024 * 1024;

/** Each tag of a relationship. An attribute may hold the character that ends a tag; a pattern for that fills its stack on a long one. */
function* relationshipsOf(xml: string): Generator<string> {
  const begin = /<(?:[^\s<>/:"'=]{1,1000}:)?Relationship(?=[\s/>])/gi;
  for (let found = begin.exec(xml); found !== null; found = begin.exec(xml)) {
    const end = tagEnd(xml, begin.lastIndex);
    yield xml.slice(found.index, end);
    begin.lastIndex = end;
  }
}

function tagEnd(xml: string, from: number): number {
  const mark = /["'>]/g;
  mark.lastIndex = from;
  for (let found = mark.exec(xml); found !== null; found = mark.exec(xml)) {
    if (found[0] === ">") return found.index;
    const close = xml.indexOf(found[0], mark.lastIndex);
    if (close === -1) break;
    mark.lastIndex = close + 1;
  }
  return xml.length;
}

function lookAtPart(name: string, bytes: Buffer, found: Look["found"]): void {
  if (bytes.length > maxXmlBytes) found.add("not_inspected", name);
  const xml = plainXml(bytes.subarray(0, maxXmlBytes));
  if (name === "meta-inf/manifest.xml") {
    if (/<(?:[\w-]+:)?encryption-data\b/.test(xml)) found.add("encrypted_document");
  } else if (name.endsWith(".rels")) {
    for (const written of relationshipsOf(xml)) {
      const relationship = withoutReferences(written).replaceAll("'", '"');
      if (/TargetMode\s*=\s*"\s*External/i.test(relationship) && loaded.test(relationship))
        found.add("remote_template", name);
      for (const [pattern, code] of running) if (pattern.test(relationship)) found.add(code, name);
    }
  } else if (name === "[content_types].xml") {
    const types = withoutReferences(xml);
    for (const [pattern, code] of runningTypes) if (pattern.test(types)) found.add(code, name);
  } else if (name.startsWith("xl/externallinks/")) {
    if (/<(?:\w+:)?ddeLink\b/.test(xml)) found.add("dde");
  } else if (/instr(?:Text)?\b/.test(xml) && /\bDDE(?:AUTO)?\b/i.test(fieldsOf(xml))) {
    found.add("dde");
  }
}

/** The instructions of fields, put together again: Word lets them be split over any number of elements. */
function fieldsOf(xml: string): string {
  const pieces: string[] = [];
  for (const [, simple, text] of xml.matchAll(
    /\binstr="([^"]{0,10000})"|<(?:\w+:)?instrText\b[^>]{0,1000}>([^<]{0,10000})/g,
  )) {
    pieces.push(simple === undefined ? (text ?? "") : ` ${simple} `);
  }
  return pieces.join("");
}

/** XML 1.0 §4.1: any character may be written as its number. */
const withoutReferences = (xml: string): string =>
  xml.replace(/&#(?:x0*([0-9a-f]{1,6})|0*(\d{1,7}));/gi, (whole, hex?: string, decimal?: string) => {
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });

/** Any encoding that a reader of XML knows by its first bytes. */
function plainXml(bytes: Buffer): string {
  // Also without a byte order mark (XML 1.0 Appendix F).
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] !== 0 && bytes[1] === 0)) return utf16le(bytes);
  if ((bytes[0] === 0xfe && bytes[1] === 0xff) || (bytes[0] === 0 && bytes[1] !== 0))
    return Buffer.from(bytes.subarray(0, bytes.length & ~1))
      .swap16()
      .toString("utf16le");
  return bytes.toString("latin1");
}
