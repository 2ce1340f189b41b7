/** What the files of messages are kept with, in memory: stores that can be away, a reader of messages that are lists of files, a scanner that says what it is told. */
import { createHash } from "node:crypto";
import type { Store, Stores } from "../../src/model/blob.ts";
import {
  ExtractFailed,
  type FileExtractor,
  type FileToJudge,
  type Judgement,
  type Scanner,
} from "../../src/model/checking.ts";
import type { FileFinding, NewFile, Scan } from "../../src/model/files.ts";
import type { Clock } from "../../src/model/ports.ts";

export const sha256 = (text: string | Uint8Array): string => createHash("sha256").update(text).digest("hex");

export interface MemoryStores extends Stores {
  /** By reference. */
  readonly kept: Map<string, Buffer>;
  /** Every call, in order. */
  readonly calls: string[];
  /** What references of new puts begin with. */
  id: string;
  /** Thrown by the calls that it says so of. */
  fault: (call: string, key: string) => Error | undefined;
  /** Called before a put is durable. */
  beforePut: (key: string) => Promise<void>;
  /** Called before a content is given back. */
  beforeOpen: (ref: string) => Promise<void>;
}

export function memoryStores(): MemoryStores {
  const kept = new Map<string, Buffer>();
  const calls: string[] = [];
  const ask = (call: string, key: string) => {
    calls.push(`${call} ${key}`);
    const error = self.fault(call, key);
    if (error !== undefined) throw error;
  };
  const store: Store = {
    refOf: (key) => `mem:${key}`,
    async put(key, plain) {
      ask("put", key);
      const chunks: Uint8Array[] = [];
      for await (const chunk of plain) chunks.push(chunk);
      await self.beforePut(key);
      kept.set(`${self.id}:${key}`, Buffer.concat(chunks));
      return { ref: `${self.id}:${key}`, bytes: Buffer.concat(chunks).length };
    },
    async open(ref) {
      ask("open", ref);
      await self.beforeOpen(ref);
      const bytes = kept.get(ref);
      return bytes === undefined
        ? undefined
        : { plain: new Blob([new Uint8Array(bytes)]).stream(), size: bytes.length };
    },
    async delete(ref) {
      ask("delete", ref);
      return kept.delete(ref);
    },
    async *list() {},
  };
  const self: MemoryStores = {
    kept,
    calls,
    id: "mem",
    fault: () => undefined,
    beforePut: async () => undefined,
    beforeOpen: async () => undefined,
    of: () => store,
    close: async () => undefined,
  };
  return self;
}

/** A message whose raw bytes say which files it has: `{"2": "content"}`. */
export const rawWith = (files: Readonly<Record<string, string>>): Buffer => Buffer.from(JSON.stringify(files));

/** Its files as the event lists them; the name is told by the beginning of the content. */
export function listed(event: string, files: Readonly<Record<string, string>>): NewFile[] {
  return Object.entries(files).map(([partId, text]) => ({
    id: `${event}/${partId}`,
    partId,
    filename: text.startsWith("MZ") ? "tool.exe" : `${text.slice(0, 8)}.pdf`,
    contentType: "application/pdf",
    detectedType: null,
    size: text.length,
    sha256: sha256(text),
    inline: false,
  }));
}

export interface TestExtractor extends FileExtractor {
  /** Which parts each call was asked for. */
  readonly asked: string[][];
  /** Breaks while it hands over this part. */
  breaksOn: string | undefined;
  /** What is found in a part beside what its content says. */
  finds: (partId: string) => readonly FileFinding[];
  /** Hands these bytes over instead. */
  instead: string | undefined;
}

export function testExtractor(): TestExtractor {
  const self: TestExtractor = {
    asked: [],
    breaksOn: undefined,
    finds: () => [],
    instead: undefined,
    async extract(raw, parts, each) {
      self.asked.push([...parts]);
      let text = "";
      try {
        for await (const chunk of await raw()) text += Buffer.from(chunk).toString();
      } catch (error) {
        throw new ExtractFailed("raw", "the raw bytes could not be read", error);
      }
      const files = Object.entries(JSON.parse(text) as Record<string, string>).filter(([part]) => parts.includes(part));
      const found = [];
      for (const [partId, content] of files) {
        const bytes = Buffer.from(self.instead ?? content);
        const broken = new ExtractFailed("message", "the reader was killed");
        await each({ partId, bytes: stream(bytes, self.breaksOn === partId ? broken : undefined) });
        if (self.breaksOn === partId) throw broken;
        const findings = [
          ...(content.includes("macro") ? [{ code: "macro", detail: null }] : []),
          ...self.finds(partId),
        ];
        found.push({ partId, sha256: sha256(bytes), size: bytes.length, inspection: { detectedType: null, findings } });
      }
      return found;
    },
    close: async () => undefined,
  };
  return self;
}

async function* stream(bytes: Uint8Array, broken: Error | undefined): AsyncIterable<Uint8Array> {
  const half = Math.floor(bytes.length / 2);
  yield bytes.subarray(0, half);
  if (broken !== undefined) throw broken;
  yield bytes.subarray(half);
}

/** `tool.exe` is stripped for its name, a macro is quarantined, and the scanner's word counts. */
export function testJudge(_tenant: string, { filename, inspection, scan }: FileToJudge): Judgement {
  const isProgram = inspection?.findings.some(({ code }) => code === "executable") === true;
  if (filename.endsWith(".exe") || isProgram) return { status: "stripped", reason: "A program." };
  if (inspection !== null && inspection.findings.length > 0) return { status: "quarantined", reason: "It has macros." };
  switch (scan.status) {
    case "pending":
      return { status: "checking", reason: null };
    case "infected":
    case "unscanned":
      return { status: "quarantined", reason: `Scan: ${scan.detail}` };
    case "clean":
    case "skipped":
      return { status: "stored", reason: null };
    default:
      return scan.status satisfies never;
  }
}

export interface TestScanner extends Scanner {
  readonly scanned: string[];
  /** The verdict about these bytes. */
  says: (text: string) => Pick<Scan, "status" | "detail">;
  version: string | null | undefined;
}

export function testScanner(clock: Clock): TestScanner {
  const self: TestScanner = {
    scanned: [],
    version: "s1",
    says: (text) =>
      text.includes("virus") ? { status: "infected", detail: "Eicar" } : { status: "clean", detail: null },
    async scan(bytes) {
      let text = "";
      for await (const chunk of bytes) text += Buffer.from(chunk).toString();
      self.scanned.push(text);
      return { ...self.says(text), engine: "test", signatures: self.version ?? null, at: clock.now() };
    },
    signatures: async () => self.version,
    close: async () => undefined,
  };
  return self;
}
