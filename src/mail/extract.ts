/** Takes the attachments out of a message while it streams by: the bytes of each, and what a look into them found. */
import { createHash } from "node:crypto";
import type { ExtractedFile } from "../model/checking.ts";
import { chooseBody } from "./body.ts";
import type { Inside } from "./collect.ts";
import { lookAtEntryName } from "./inspect/archives.ts";
import { maxHeldBytes } from "./inspect/budget.ts";
import { type Look, lookAtInner } from "./inspect/look.ts";
import { type InspectedFile, inspector } from "./inspect.ts";
import { parsingLines } from "./line-ends.ts";
import { feed, openMessage } from "./parse.ts";
import { protectionOf } from "./protection.ts";
import { readTnef } from "./tnef.ts";
import type { Part } from "./tree.ts";

/** Takes what is found, one file at a time; what it answers is waited for. */
export interface FileSink {
  begin(partId: string): Promise<void> | undefined;
  take(bytes: Buffer): Promise<void> | undefined;
  end(file: ExtractedFile): Promise<void> | undefined;
}

/** `wanted`: the part ids that the message's event lists; no other is handed over. Never rejects for what the bytes are. */
export async function extract(
  input: AsyncIterable<Uint8Array> | Uint8Array,
  wanted: readonly string[],
  sink: FileSink,
): Promise<void> {
  const left = new Set(wanted);
  // Of a winmail.dat that was opened the files are listed, in its place.
  const containers = new Set(wanted.filter((id) => id.includes("/")).map((id) => id.slice(0, id.lastIndexOf("/"))));
  const look = (_head: unknown, part: Part): Inside | undefined => {
    if (left.delete(part.id)) return ofPart(part, sink);
    return containers.has(part.id) ? ofContainer(part.id, left, sink) : undefined;
  };
  const message = openMessage({ hashed: false, look });
  await feed(message, parsingLines(input).raw);
  const { collected } = await message.end();
  if (left.size === 0 || typeof collected === "string") return;
  for (const [index, { name, bytes, part }] of chooseBody(collected.root).files.entries()) {
    const partId = `${part.id}/${index + 1}`;
    if (!left.delete(partId)) continue;
    const file = openFile(partId, sink);
    await file.begun;
    await file.push(bytes);
    await file.end({ name, type: "application/octet-stream" });
  }
}

function openFile(partId: string, sink: FileSink) {
  const hash = createHash("sha256");
  const looker = inspector(lookInMessage);
  let size = 0;
  return {
    begun: sink.begin(partId),
    push(bytes: Buffer): Promise<void> | undefined {
      size += bytes.length;
      hash.update(bytes);
      looker.push(bytes);
      return sink.take(bytes);
    },
    async end(file: InspectedFile): Promise<void> {
      const inspection = await looker.end(file);
      await sink.end({ partId, sha256: hash.digest("hex"), size, inspection });
    },
  };
}

function ofPart(part: Part, sink: FileSink): Inside {
  const { id, head } = part;
  const encrypted = (start: Buffer): boolean => protectionOf(part, start).encrypted;
  const file = openFile(id, sink);
  let begun = file.begun;
  return {
    push(bytes) {
      const before = begun;
      begun = undefined;
      return before === undefined ? file.push(bytes) : before.then(() => file.push(bytes));
    },
    async end() {
      await begun;
      await file.end({ name: head.filename, type: head.declared ?? head.type, encrypted });
      return {};
    },
  };
}

/** The reader of the container goes on without waiting; what it says is handed over in order, piece by piece. */
function ofContainer(id: string, left: Set<string>, sink: FileSink): Inside {
  let chain: Promise<void> = Promise.resolve();
  let open: ReturnType<typeof openFile> | undefined;
  const then = (step: () => Promise<void> | undefined): void => {
    chain = chain.then(step);
  };
  const container = readTnef({
    begin(number) {
      const partId = `${id}/${number}`;
      if (!left.delete(partId)) return;
      then(() => {
        open = openFile(partId, sink);
        return open.begun;
      });
    },
    take: (bytes) => then(() => open?.push(bytes)),
    close: (name, contentType) =>
      then(async () => {
        await open?.end({ name, type: contentType ?? "application/octet-stream" });
        open = undefined;
      }),
  });
  return {
    push(bytes) {
      void container.push(bytes);
      return chain;
    },
    async end() {
      await container.end();
      await chain;
      return {};
    },
  };
}

/** The attachments of a message inside a message or an archive. */
export async function lookInMessage(bytes: Buffer, depth: number, look: Look): Promise<void> {
  const { found, budget } = look;
  const inner = async (content: Buffer, name: string): Promise<void> => {
    lookAtEntryName(name, found);
    if (!budget.entries(1)) found.add("archive_too_many");
    else if (budget.unpacks(content.length)) await lookAtInner(content, name, depth, look);
    else found.add("archive_bomb");
  };
  const message = openMessage({
    hashed: false,
    look: (head) => {
      const kept: Buffer[] = [];
      let size = 0;
      return {
        push(part) {
          size += part.length;
          if (size <= maxHeldBytes) kept.push(part);
          return undefined;
        },
        async end() {
          await inner(Buffer.concat(kept), head.filename ?? "attachment");
          return {};
        },
      };
    },
  });
  await message.write(bytes);
  const { collected } = await message.end();
  if (typeof collected === "string") {
    found.add("not_inspected", "a message inside it");
    return;
  }
  if (collected.anomalies.some(({ code }) => code === "parse_cut" || code === "parts_cut")) {
    found.add("not_inspected", "a message inside it, to its end");
  }
  for (const { name, bytes: file } of chooseBody(collected.root).files) await inner(file, name);
}
