/** Looks into a compound file: macros, embedded packages and passwords of Office documents, installers, and the files of an Outlook item. */
import { openCompound, type Storage, type Stream } from "../outlook/compound.ts";
import { propertiesOf } from "../outlook/properties.ts";
import { lookAtEntryName } from "./archives.ts";
import { maxHeldBytes } from "./budget.ts";
import { type Look, lookAtInner } from "./look.ts";

const utf16 = (text: string): Buffer => Buffer.from(text, "utf16le");
/** Names of streams stand in the file as they are, so they are also found where the tables are made to hide them. */
const project = utf16("_VBA_PROJECT");
const encryptedPackage = utf16("EncryptedPackage");
/** Names of a Windows Installer database are packed two letters to a character, in this range. */
const installerName = /^[\u3800-\u4840]{2,}|^\u4840/;

const maxStreams = 5000;
const workbookBytes = 16 * 1024 * 1024;

export async function lookAtCompound(file: Buffer, depth: number, look: Look): Promise<void> {
  const { found } = look;
  if (file.includes(project)) found.add("macros", "_VBA_PROJECT");
  if (file.includes(encryptedPackage)) found.add("encrypted_document");
  const root = openCompound(file);
  if (root === undefined) {
    found.add("not_inspected", "a compound file whose tables cannot be read");
    return;
  }
  let left = maxStreams;
  const storages: Storage[] = [root];
  for (let storage = storages.pop(); storage !== undefined; storage = storages.pop()) {
    left -= storage.streams.size;
    if (left < 0) {
      found.add("archive_too_many");
      return;
    }
    if ([...storage.storages.keys()].some((name) => /^(?:macros|_vba_project_cur|vba)$/i.test(name)))
      found.add("macros", "Macros");
    for (const [name, stream] of storage.streams) lookAtStream(name.toLowerCase(), stream, look);
    storages.push(...storage.storages.values());
  }
  if ([...root.streams.keys()].some((name) => installerName.test(name))) found.add("installer", "Windows Installer");
  if (root.streams.has("__properties_version1.0")) await lookAtItem(root, depth, look);
}

function lookAtStream(name: string, stream: Stream, { found }: Look): void {
  switch (name) {
    case "\u0001ole10native":
    case "package":
    case "equation native":
      found.add("embedded_object", name.replace("\u0001", ""));
      return;
    case "workbook":
    case "book":
      lookAtWorkbook(stream.read(workbookBytes), found);
      return;
    case "worddocument":
      // MS-DOC §2.5.1, FibBase: the ninth bit of the flags says that the text is encrypted.
      if (((stream.read(12)[11] ?? 0) & 1) === 1) found.add("encrypted_document");
      return;
    case "encryptedsummary":
    case "encryptedpackage":
      found.add("encrypted_document");
      return;
  }
}

const record = { boundSheet: 0x0085, filePass: 0x002f } as const;

/** MS-XLS §2.1.4: records of a kind, a length and so many bytes; sheets are named in the first of them. */
function lookAtWorkbook(stream: Buffer, found: Look["found"]): void {
  for (let at = 0; at + 4 <= stream.length; ) {
    const kind = stream.readUInt16LE(at);
    const length = stream.readUInt16LE(at + 2);
    if (kind === record.filePass) {
      // The rest cannot be read.
      found.add("encrypted_document");
      return;
    }
    if (kind === record.boundSheet && length >= 6 && stream[at + 9] === 1) found.add("macro_sheet");
    at += 4 + length;
  }
}

/** MS-OXMSG §2.2.2: each attachment of an Outlook item has a storage of its own. */
async function lookAtItem(root: Storage, depth: number, look: Look): Promise<void> {
  const attachments = [...root.storages].filter(([name]) => name.startsWith("__attach_version1.0_"));
  if (!look.budget.entries(attachments.length)) {
    look.found.add("archive_too_many");
    return;
  }
  for (const [, storage] of attachments) {
    const properties = propertiesOf(storage, 8);
    const name = properties.text(0x3707) ?? properties.text(0x3704) ?? "attachment";
    lookAtEntryName(name.replace(/\0.*$/s, ""), look.found);
    const data = storage.streams.get("__substg1.0_37010102");
    if (data === undefined) continue;
    const bytes = data.read(maxHeldBytes);
    if (!look.budget.unpacks(bytes.length)) {
      look.found.add("archive_bomb");
      return;
    }
    await lookAtInner(bytes, name, depth, look);
  }
}
