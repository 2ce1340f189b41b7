/** Small pictures by the real library in its child: what comes out, and that whatever goes in ends with a reason. */
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { Preview } from "../../src/model/preview.ts";
import { examine, openPreviewer, type PreviewerOptions } from "../../src/pipeline/previewer.ts";
import { recordingLog } from "../destinations/fixtures.ts";
import { pe } from "../support/dangerous/bytes.ts";
import { zip } from "../support/dangerous/zip.ts";
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

describe("a picture that is something else too", () => {
  const page = "<html><script>alert(document.domain)</script></html>";
  const bundle = zip([{ name: "evil.exe", bytes: pe() }]);
  const behind = (bytes: Uint8Array): Buffer => Buffer.concat([png(40, 30), bytes]);
  test.each<[string, Buffer]>([
    ["a page in its comment", png(40, 30, 30, page)],
    ["a page behind it", behind(Buffer.from(page))],
    ["a zip behind it", behind(bundle)],
    ["a program behind it", behind(pe())],
    ["a GIF that is a script", Buffer.concat([gif(1), Buffer.from(`=1;/*${page}*/`)])],
  ])("(%s) comes out as pixels alone", async (_what, bytes) => {
    const preview = await made(bytes);
    if (preview.kind === "none") throw new Error(preview.reason);
    const small = Buffer.from(preview.bytes);
    expect(small.toString("latin1", 8, 12)).toBe("WEBP");
    // RFC 9649 §2.4: the size that it says is all there is.
    expect(small.readUInt32LE(4) + 8).toBe(small.length);
    for (const other of ["script", "PK\x03\x04", "MZ", "evil"]) expect(small.includes(other, 0, "latin1")).toBe(false);
  });

  test.each<[string, Buffer]>([
    ["a page with a picture behind it", Buffer.concat([Buffer.from(page), png(40, 30)])],
    ["a script that begins as a picture", Buffer.from(`GIF89a=1;${page}`)],
    [
      "a drawing that calls itself a picture",
      Buffer.from(`\x89PNG\r\n\x1a\n<svg xmlns="http://www.w3.org/2000/svg"/>`, "latin1"),
    ],
  ])("(%s) and is none has no preview", async (_what, bytes) => {
    expect(await made(bytes)).toEqual({ kind: "none", reason: "unreadable" });
  });
});

describe("a child", () => {
  const entry = join(import.meta.dirname, "fixtures", "scripted-preview.ts");
  test.each<[string, number, string, Partial<PreviewerOptions>]>([
    ["works without an end", 9, "too_slow", { deadlineMs: 500, wallMs: 3_600_000 }],
    ["crashes", 2, "crashed", {}],
    ["answers with something else than a picture", 3, "crashed", {}],
    ["answers without end", 4, "crashed", {}],
    ["takes too much memory", 5, "too_much_memory", { maxResidentBytes: 256 * 1024 * 1024 }],
  ])("that %s gives none", async (_what, edge, reason, more) => {
    const bytes = png(9, 9);
    expect(await made(bytes, { entry, edge, ...more })).toEqual({ kind: "none", reason });
  });

  test.each<[string, number, string, Partial<PreviewerOptions>]>([
    ["hangs without being at work", 1, "PreviewStopped", { deadlineMs: 60_000, wallMs: 300 }],
    ["is ended by somebody else", 7, "PreviewStopped", {}],
    ["has no memory", 8, "PreviewStopped", {}],
    ["cannot open what it needs", 6, "PreviewerBroken", {}],
    ["is not there", 10, "PreviewerBroken", { entry: join(import.meta.dirname, "fixtures", "no-such-program.ts") }],
  ])("that %s says nothing of the picture", async (_what, edge, name, more) => {
    const bytes = png(9, 9);
    await expect(made(bytes, { entry, edge, ...more })).rejects.toMatchObject({ name });
  });

  test("does not answer for the time that the store takes", async () => {
    const slow = (async function* (): AsyncGenerator<Uint8Array> {
      const whole = png(9, 9);
      yield whole.subarray(0, 20);
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      yield whole.subarray(20);
    })();
    const one = previewer({ wallMs: 3_000, maxPixels: 1 });
    expect(await one.make(slow, 100)).toEqual({ kind: "none", reason: "too_many_pixels" });
  });

  test("is there for one picture: one that ended takes nothing from the next", async () => {
    const one = previewer({ maxPixels: 1 });
    const two = [one.make(pieces(png(9, 9)), 100), one.make(pieces(png(1, 1)), 100)];
    expect((await Promise.all(two)).map(({ kind }) => kind)).toEqual(["none", "made"]);
    await examine(one);
  });
});
