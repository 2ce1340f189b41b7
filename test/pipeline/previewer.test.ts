/** Small pictures by the real library in its child: what comes out, and that whatever goes in ends with a reason. */
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { Preview } from "../../src/model/preview.ts";
import { examine, openPreviewer, type PreviewerOptions } from "../../src/pipeline/previewer.ts";
import { recordingLog } from "../destinations/fixtures.ts";
import { png } from "../support/png.ts";

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

function previewer(options: Partial<PreviewerOptions> = {}) {
  const one = openPreviewer({
    log: recordingLog().log,
    maxPixels: 50_000_000,
    edge: 64,
    deadlineMs: 60_000,
    ...options,
  });
  opened.push(one);
  return one;
}

async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}
const made = (bytes: Buffer, options: Partial<PreviewerOptions> = {}): Promise<Preview> =>
  previewer(options).make(pieces(bytes), bytes.length);

/** Of one pixel, in so many frames. */
function gif(frames: number): Buffer {
  const frame = Buffer.from("21f90400000000002c00000000010001000002024401 00".replace(" ", ""), "hex");
  return Buffer.concat([
    Buffer.from("47494638396101000100800000ffffff000000", "hex"),
    ...Array.from({ length: frames }, () => frame),
    Buffer.from(";"),
  ]);
}

/** RFC 9649 §2.7: the size stands in the frame's header. */
const sizeOf = (webp: Buffer): readonly number[] => [webp.readUInt16LE(26) & 0x3fff, webp.readUInt16LE(28) & 0x3fff];

describe("a picture", () => {
  test("becomes a small WebP without what was written into it", async () => {
    const preview = await made(png(400, 200, 200, "the place where it was taken"));
    if (preview.kind === "none") throw new Error(preview.reason);
    const bytes = Buffer.from(preview.bytes);
    expect(bytes.toString("latin1", 0, 4) + bytes.toString("latin1", 8, 16)).toBe("RIFFWEBPVP8 ");
    expect(sizeOf(bytes)).toEqual([64, 32]);
    expect(bytes.includes("the place")).toBe(false);
  });

  test("of ten thousand frames is shown by its first", async () => {
    expect(await made(gif(10_000))).toMatchObject({ kind: "made" });
  });

  test.each<[string, Buffer, string]>([
    ["30,000 x 30,000 pixels in a header", png(30_000, 30_000, 1), "too_many_pixels"],
    ["an end that is missing", png(400, 400, 100), "unreadable"],
    [
      "a drawing that is a program",
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
      "unreadable",
    ],
    ["another kind of picture", Buffer.from("49492a0008000000000000000000", "hex"), "unreadable"],
    ["a page", Buffer.from("<html><script>alert(1)</script></html>"), "unreadable"],
    ["no bytes", Buffer.alloc(0), "unreadable"],
  ])("with %s has none", async (_what, bytes, reason) => {
    expect(await made(bytes)).toEqual({ kind: "none", reason });
  });

  test("that is larger than is looked at is not read", async () => {
    const never = (async function* (): AsyncGenerator<Uint8Array> {
      yield Promise.reject(new Error("it was read"));
    })();
    expect(await previewer().make(never, 33 * 1024 * 1024)).toEqual({ kind: "none", reason: "too_large" });
  });

  test("whose bytes cannot be read to their end is no fault of the picture", async () => {
    const broken = (async function* (): AsyncGenerator<Uint8Array> {
      yield png(9, 9).subarray(0, 20);
      throw new Error("the store went away");
    })();
    await expect(previewer().make(broken, 100)).rejects.toThrow("the store went away");
  });
});

describe("a child", () => {
  const entry = join(import.meta.dirname, "fixtures", "scripted-preview.ts");
  test.each<[string, number, string, Partial<PreviewerOptions>]>([
    ["hangs", 1, "too_slow", { deadlineMs: 300 }],
    ["crashes", 2, "crashed", {}],
    ["answers with something else than a picture", 3, "crashed", {}],
    ["answers without end", 4, "crashed", {}],
    ["takes too much memory", 5, "too_much_memory", { maxResidentBytes: 256 * 1024 * 1024 }],
  ])("that %s gives none", async (_what, edge, reason, more) => {
    const bytes = png(9, 9);
    expect(await made(bytes, { entry, edge, ...more })).toEqual({ kind: "none", reason });
  });

  test("is there for one picture: one that ended takes nothing from the next", async () => {
    const one = previewer({ maxPixels: 1 });
    const two = [one.make(pieces(png(9, 9)), 100), one.make(pieces(png(1, 1)), 100)];
    expect((await Promise.all(two)).map(({ kind }) => kind)).toEqual(["none", "made"]);
    await examine(one);
  });
});
