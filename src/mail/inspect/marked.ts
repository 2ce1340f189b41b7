/** Looks into documents that are text with marks: RTF, and Office documents as XML or as a saved page. */
import { textOf } from "./contents.ts";
import type { Look } from "./look.ts";

/** Fields that are cut into pieces are put together this far. */
const maxFieldChars = 4 * 1024 * 1024;

/** Also spelled by the numbers of its letters. */
const elsewhere = /\w{3,}:|\/\/|\\\\\\\\|\\'|\\u-?\d/i;

/** In RTF 1.9.1: an object is bytes in hex; a template may be an address; fields may ask other programs. */
export function lookAtRtf(file: Buffer, { found }: Look): void {
  const text = file.toString("latin1");
  // Readers skip blanks and groups within a word of control; the words themselves are whole.
  if (/\\obj(?:data|update|ocx|autlink|link)\b/i.test(text)) found.add("embedded_object", "RTF object");
  for (const [, address = "", end] of text.matchAll(/\\\*\s*\\template\b([^{}]{0,2000})(.?)/gis)) {
    if (end === "{" || elsewhere.test(address)) found.add("remote_template", "RTF template");
  }
  if (/\bDDEAUTO\b/i.test(text) || /\bDDEAUTO\b/i.test(text.slice(0, maxFieldChars).replace(/[{}]|\\\w+ ?/g, "")))
    found.add("dde");
}

const macro: readonly (readonly [RegExp, "macros" | "embedded_object" | "remote_template"])[] = [
  [/\bmacrosPresent\s*=\s*["'](?:yes|true|1|on)["']/i, "macros"],
  [/vbaProject\.bin|application\/vnd\.ms-office\.vbaProject|editdata\.mso|QWN0aXZlTWltZ/i, "macros"],
  [/<w:docOleData|<(?:\w+:)?OLEObject\b/i, "embedded_object"],
  [/relationships\/attachedTemplate["'][^>]{0,500}TargetMode\s*=\s*["']External/i, "remote_template"],
];

export function lookAtMarkup(file: Buffer, { found }: Look): void {
  const text = textOf(file);
  for (const [pattern, code] of macro) if (pattern.test(text)) found.add(code);
  if (/\bDDEAUTO\b/.test(text)) found.add("dde");
}
