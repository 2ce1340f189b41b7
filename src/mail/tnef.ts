/** Reads winmail.dat (TNEF, MS-OXTNEF) while it streams: the files inside, and the text of a message that has no other. */
import { createHash } from "node:crypto";
import { decodeLabelled } from "./charset.ts";
import { beginning, type Found, type InnerFile, type Inside } from "./collect.ts";
import { mapiProperties } from "./tnef/properties.ts";
import { utf16le } from "./utf16.ts";

const signature = 0x223e9f78;
/** Level, identifier and length before each attribute; a checksum after it. */
const headerBytes = 9;
const checksumBytes = 2;
/** An attribute that is read whole. Files stream past whatever their length; what is larger than this is a message inside, or a picture. */
const maxAttributeBytes = 4 * 1024 * 1024;
const maxFiles = 500;
const maxAttributes = 20_000;

/** The low half of the identifier (MS-OXTNEF §2.1.3.2); the high half is the type. */
const attribute = {
  body: 0x800c,
  attachData: 0x800f,
  attachTitle: 0x8010,
  attachRendData: 0x9002,
  messageProps: 0x9003,
  attachment: 0x9005,
  codepage: 0x9007,
} as const;
const whole = new Set<number>([
  attribute.body,
  attribute.attachTitle,
  attribute.messageProps,
  attribute.attachment,
  attribute.codepage,
]);

/** A file whose attributes have not all been seen. */
interface OpenFile {
  title: string | null;
  longName: string | null;
  contentType: string | null;
  contentId: string | null;
  data: Omit<InnerFile, "name" | "contentType" | "contentId"> | undefined;
}

interface Streaming {
  readonly id: number;
  left: number;
  take(bytes: Buffer): void;
  done(): void;
}

/** Gets the files while they stream by. A file whose `close` does not come broke off. */
export interface TnefFiles {
  /** `number` counts the files that are whole from 1. */
  begin(number: number): void;
  take(bytes: Buffer): void;
  close(name: string | null, contentType: string | null): void;
}

export function readTnef(listener?: TnefFiles): Inside {
  const files: InnerFile[] = [];
  const anomalies: { code: string; detail?: string }[] = [];
  let open: OpenFile | undefined;
  let codepage = "windows-1252";
  let text: string | undefined;
  let html: string | undefined;
  let rtf = false;
  let held: Buffer = Buffer.alloc(0);
  let state: "signature" | "header" | "data" | "checksum" | "ended" = "signature";
  let streaming: Streaming | undefined;
  let attributes = 0;

  const fail = (detail: string): void => {
    if (state !== "ended") anomalies.push({ code: "tnef_damaged", detail });
    state = "ended";
  };

  function closeFile(): void {
    if (open?.data !== undefined && files.length < maxFiles) {
      const { title, longName, contentType, contentId, data } = open;
      files.push({ ...data, name: longName ?? title, contentType, contentId });
      listener?.close(longName ?? title, contentType);
    }
    open = undefined;
  }

  const file = (): OpenFile => {
    open ??= { title: null, longName: null, contentType: null, contentId: null, data: undefined };
    return open;
  };

  function begin(id: number, length: number): Streaming {
    const finish = { id, left: length };
    if (id === attribute.attachRendData) closeFile();
    // Of several contents of one file the first counts, so that it is known which one that is before its bytes come.
    if (id === attribute.attachData && open?.data === undefined) {
      const hears = files.length < maxFiles ? listener : undefined;
      hears?.begin(files.length + 1);
      const hash = createHash("sha256");
      const first = beginning(4096);
      return {
        ...finish,
        take: (bytes) => {
          hash.update(bytes);
          first.take(bytes);
          hears?.take(bytes);
        },
        done: () => {
          file().data = { size: length, sha256: hash.digest("hex"), head: first.bytes() };
        },
      };
    }
    const kept = whole.has(id) ? beginning(Math.min(length, maxAttributeBytes)) : undefined;
    if (kept !== undefined && length > maxAttributeBytes) anomalies.push({ code: "tnef_cut" });
    return { ...finish, take: (bytes) => kept?.take(bytes), done: () => kept !== undefined && use(id, kept.bytes()) };
  }

  const decoded = (bytes: Uint8Array): string => decodeLabelled(bytes, codepage).text.replace(/\0.*$/s, "");

  function use(id: number, bytes: Buffer): void {
    switch (id) {
      case attribute.codepage:
        if (bytes.length >= 4) codepage = charsetOf(bytes.readUInt32LE(0));
        break;
      case attribute.body:
        text ??= decoded(bytes);
        break;
      case attribute.attachTitle:
        file().title = decoded(bytes);
        break;
      case attribute.attachment:
        useFileProperties(bytes);
        break;
      case attribute.messageProps:
        for (const { id: property, value, unicode } of mapiProperties(bytes)) {
          if (property === 0x1000) text ??= unicode ? utf16(value) : decoded(value);
          // PR_RTF_COMPRESSED: what Outlook writes by itself; other systems get words or html beside it.
          if (property === 0x1009) rtf ||= value.length > 0;
          if (property === 0x1013) html ??= unicode ? utf16(value) : decoded(value);
        }
        break;
    }
  }

  function useFileProperties(bytes: Buffer): void {
    const one = file();
    for (const { id, value, unicode, object } of mapiProperties(bytes)) {
      const words = (): string => (unicode ? utf16(value) : decoded(value));
      if (id === 0x3707) one.longName = words();
      else if (id === 0x3704 || id === 0x3001) one.title ??= words();
      else if (id === 0x370e) one.contentType = words().trim().toLowerCase().slice(0, 200) || null;
      else if (id === 0x3712) one.contentId = words().replace(/^<|>$/g, "").slice(0, 1000) || null;
      else if (id === 0x3701 && value.length > 0) {
        // An object stands behind the 16 bytes that say of which interface it is.
        const data = object ? value.subarray(16) : value;
        if (one.data !== undefined) continue;
        const head = Buffer.from(data.subarray(0, 4096));
        one.data = { size: data.length, sha256: createHash("sha256").update(data).digest("hex"), head };
        if (files.length >= maxFiles) continue;
        listener?.begin(files.length + 1);
        listener?.take(data);
      }
    }
  }

  /** Takes the next fixed number of bytes, once they are all there. */
  function fixed(bytes: Buffer, at: number, count: number): Buffer | undefined {
    const part = bytes.subarray(at, at + count - held.length);
    held = held.length === 0 ? part : Buffer.concat([held, part]);
    if (held.length < count) return undefined;
    const taken = held;
    held = Buffer.alloc(0);
    return taken;
  }

  function step(bytes: Buffer, at: number): number {
    if (state === "data" && streaming !== undefined) {
      const part = bytes.subarray(at, at + streaming.left);
      streaming.take(part);
      streaming.left -= part.length;
      if (streaming.left === 0) {
        streaming.done();
        state = "checksum";
      }
      return at + part.length;
    }
    const count = state === "signature" ? 6 : state === "header" ? headerBytes : checksumBytes;
    const next = at + Math.min(count - held.length, bytes.length - at);
    const taken = fixed(bytes, at, count);
    if (taken !== undefined) useFixed(taken);
    return next;
  }

  function useFixed(taken: Buffer): void {
    if (state === "signature") {
      state = "header";
      if (taken.readUInt32LE(0) !== signature) fail("no signature at its beginning");
    } else if (state === "header") {
      const level = taken[0];
      if ((level !== 1 && level !== 2) || ++attributes > maxAttributes) {
        fail("an attribute of an unknown level");
        return;
      }
      streaming = begin(taken.readUInt32LE(1) & 0xffff, taken.readUInt32LE(5));
      state = "data";
      if (streaming.left === 0) {
        streaming.done();
        state = "checksum";
      }
    } else {
      state = "header";
    }
  }

  return {
    push(bytes) {
      for (let at = 0; at < bytes.length && state !== "ended"; ) at = step(bytes, at);
      return undefined;
    },
    end(): Found {
      if (state !== "header" || held.length > 0) fail("it ends within an attribute");
      closeFile();
      const rtfOnly = rtf && isBlank(text) && isBlank(html);
      // Nothing could be read: the file itself stays.
      if (files.length === 0 && text === undefined && html === undefined && (rtfOnly || anomalies.length > 0)) {
        return { anomalies, rtfOnly };
      }
      return {
        files,
        anomalies,
        rtfOnly,
        ...(text === undefined ? {} : { text }),
        ...(html === undefined ? {} : { html }),
      };
    },
  };
}

const isBlank = (words: string | undefined): boolean => words === undefined || words.trim() === "";

const utf16 = (bytes: Buffer): string => utf16le(bytes).replace(/\0.*$/s, "");

const charsetOf = (codepage: number): string =>
  codepage === 65001 ? "utf-8" : codepage > 0 && codepage < 65536 ? `cp${codepage}` : "windows-1252";
