/** Looks at what makes a zip an Office document (ECMA-376, OpenDocument): macros, templates and objects from elsewhere, a password. */
import type { Look } from "./look.ts";

/** Relationships that are loaded when the document is opened, without being asked (ECMA-376 Part 1 §9.2). A hyperlink is not; nor is a picture. */
const loaded = /\/(?:attachedTemplate|oleObject|frame|subDocument|customUI\w*|afChunk|externalOleObject)"/i;

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

const maxXmlBytes = 8 * 1024 * 1024;
const maxRelationshipBytes = 1024 * 1024;
/** An attribute may hold the character that ends a tag. */
const relationships = /<(?:\w+:)?Relationship\b(?:[^>"']|"[^"]{0,4096}"|'[^']{0,4096}')*/gi;

function lookAtPart(name: string, bytes: Buffer, found: Look["found"]): void {
  const xml = plainXml(bytes.subarray(0, name.endsWith(".rels") ? maxRelationshipBytes : maxXmlBytes));
  if (name === "meta-inf/manifest.xml") {
    if (/<(?:[\w-]+:)?encryption-data\b/.test(xml)) found.add("encrypted_document");
  } else if (name.endsWith(".rels")) {
    for (const [relationship] of xml.matchAll(relationships)) {
      if (/TargetMode\s*=\s*["']External/i.test(relationship) && loaded.test(relationship.replaceAll("'", '"'))) {
        found.add("remote_template", name);
      }
    }
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

/** Any encoding that a reader of XML knows by its first bytes. */
function plainXml(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.toString("utf16le");
  if (bytes[0] === 0xfe && bytes[1] === 0xff)
    return Buffer.from(bytes.subarray(0, bytes.length & ~1))
      .swap16()
      .toString("utf16le");
  return bytes.toString("latin1");
}
