/** The table of everything that a look into a file can find: what a tenant's policy calls it, and the sentence that a person reads. */
import type { FileDanger } from "../../model/checking.ts";
import type { FileFinding } from "../../model/files.ts";

/** always: quarantined whatever the policy says. size: left to a scanner, for a plain picture or recording. note: changes nothing by itself. */
export type Danger = FileDanger | "always" | "size" | "note";

interface Row {
  readonly danger: Danger;
  /** What follows "The file": without its name, with room for the detail. */
  readonly says: string;
}

export const findings = {
  // By its content.
  executable: { danger: "executables", says: "is a program" },
  script: { danger: "executables", says: "is a script" },
  shortcut: { danger: "executables", says: "is a shortcut that can start a program" },
  disk_image: { danger: "executables", says: "is a disk image" },
  installer: { danger: "executables", says: "is an installation package" },
  eicar: { danger: "executables", says: "is the EICAR test program" },
  // By its name.
  executable_name: { danger: "executables", says: "is named as a program or script" },
  name_direction: { danger: "mismatch", says: "has a name that is shown in another order than it is written" },
  name_path: { danger: "mismatch", says: "has a name that leads to another folder" },
  double_extension: { danger: "mismatch", says: "has the extension of a program before its last one" },
  type_mismatch: { danger: "mismatch", says: "holds something else than its name or type says" },
  polyglot: { danger: "mismatch", says: "can be read as two kinds of file" },
  // What an archive or a message inside holds.
  archive_executable: { danger: "archives_with_executables", says: "holds a program or script" },
  archive_path: { danger: "archives_with_executables", says: "holds a file whose name leads to another folder" },
  archive_name_direction: {
    danger: "archives_with_executables",
    says: "holds a file whose name is shown in another order",
  },
  archive_unlisted: { danger: "archives_unlisted", says: "is an archive of a kind that cannot be listed here" },
  archive_damaged: { danger: "archives_unlisted", says: "is an archive whose list is damaged or contradicts itself" },
  archive_unreadable: {
    danger: "archives_unlisted",
    says: "holds files that are packed in a way that cannot be read here",
  },
  archive_bomb: { danger: "always", says: "unpacks to far more than its size" },
  archive_too_deep: { danger: "always", says: "holds archives within archives, deeper than is looked at" },
  archive_too_many: { danger: "always", says: "holds more files than are looked at" },
  // Documents.
  encrypted_archive: { danger: "encrypted", says: "is an archive with a password" },
  encrypted_document: { danger: "encrypted", says: "is a document with a password" },
  encrypted_file: { danger: "encrypted", says: "is encrypted" },
  macros: { danger: "macros", says: "holds macros" },
  macro_sheet: { danger: "macros", says: "holds a sheet of Excel 4 macros" },
  remote_template: { danger: "active_documents", says: "loads a template or an object from elsewhere" },
  embedded_object: { danger: "active_documents", says: "holds an embedded package or equation object" },
  activex: { danger: "active_documents", says: "holds ActiveX controls" },
  dde: { danger: "active_documents", says: "asks another program for data when it is opened (DDE)" },
  pdf_javascript: { danger: "active_documents", says: "holds JavaScript" },
  pdf_launch: { danger: "active_documents", says: "starts a program or loads a file when it is opened" },
  notebook: { danger: "active_documents", says: "is a notebook that can hold files to be started" },
  spreadsheet_query: { danger: "active_documents", says: "makes a spreadsheet load or run something" },
  // Pages, which are only ever offered as a download.
  active_html: { danger: "active_content", says: "is a web page" },
  active_svg: { danger: "active_content", says: "is a drawing that can hold scripts" },
  // Limits of the look itself.
  too_large_to_inspect: { danger: "size", says: "is too large to be looked into" },
  not_inspected: { danger: "always", says: "could not be looked into" },
  // For whoever reads the list.
  pdf_open_action: { danger: "note", says: "does something when it is opened" },
  pdf_attachments: { danger: "note", says: "has files attached inside" },
  unpacked: { danger: "note", says: "has this size with all that it holds" },
} as const satisfies Readonly<Record<string, Row>>;
export type FindingCode = keyof typeof findings;

const rows: ReadonlyMap<string, Row> = new Map(Object.entries(findings));

/** A code that this version does not know was written by a newer one: it is not taken lightly. */
export const rowOf = (code: string): Row => rows.get(code) ?? findings.not_inspected;

const maxDetailChars = 160;
const maxFindings = 60;
const maxOfOneCode = 3;
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/gu;
const spelled = (char: string): string =>
  `<U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}>`;

/** One bounded line; what nobody would see is spelled out. */
export function shown(text: string): string {
  const plain = text.slice(0, maxDetailChars * 2).replace(unseen, spelled);
  return plain.length <= maxDetailChars ? plain : `${plain.slice(0, maxDetailChars - 1)}…`;
}

/** Collects what is found: each code a few times, so that no file can make the list long. */
export class Findings {
  readonly #found: FileFinding[] = [];
  readonly #counts = new Map<FindingCode, number>();

  add(code: FindingCode, detail?: string): void {
    const count = this.#counts.get(code) ?? 0;
    const bounded = detail === undefined ? null : shown(detail);
    if (count >= maxOfOneCode || this.#found.length >= maxFindings) return;
    if (this.#found.some((one) => one.code === code && one.detail === bounded)) return;
    this.#counts.set(code, count + 1);
    this.#found.push({ code, detail: bounded });
  }

  has(code: FindingCode): boolean {
    return this.#counts.has(code);
  }

  list(): readonly FileFinding[] {
    return this.#found;
  }
}
