/** The program of a preview child: reads one picture from standard input, writes a small one to standard output, and ends. */
import type { NoPreview } from "../model/preview.ts";

/** What a caller sets: pixels that are looked at, and the longer edge of what comes out. */
const [maxPixels = 0, edge = 0] = process.argv.slice(2).map(Number);

/** libvips' readers of the four kinds; every other reader of it is shut. */
const readers = ["VipsForeignLoadJpeg", "VipsForeignLoadPng", "VipsForeignLoadNsgif", "VipsForeignLoadWebp"];
const formats: ReadonlySet<string> = new Set(["jpeg", "png", "gif", "webp"]);

/** The machine had nothing to give: no word about the picture. */
const noRoom = /out of memory|unable to (?:allocate|create thread)|cannot allocate|too many open files/i;
const starved = 3;

async function input(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function smallOf(picture: Buffer): Promise<Buffer | NoPreview> {
  const { default: sharp } = await import("sharp");
  sharp.block({ operation: ["VipsForeignLoad"] });
  sharp.unblock({ operation: readers });
  sharp.cache(false);
  sharp.concurrency(1);
  // The first frame alone, however many a file says that it has.
  const options = { pages: 1, limitInputPixels: maxPixels, failOn: "error" } as const;
  try {
    // From the header: nothing is unpacked for it.
    const { format, width, height } = await sharp(picture, { ...options, limitInputPixels: false }).metadata();
    if (!formats.has(format)) return "not_a_picture";
    if (width * height > maxPixels) return "too_many_pixels";
    // As it was held when it was taken. What else a camera wrote into it (place, time, name) is left out, which is what sharp does unless asked.
    return await sharp(picture, options)
      .autoOrient()
      .resize({ width: edge, height: edge, fit: "inside", withoutEnlargement: true })
      .webp({ quality: 75 })
      .toBuffer();
  } catch (error) {
    if (error instanceof Error && noRoom.test(error.message)) process.exit(starved);
    return "unreadable";
  }
}

const picture = await input();
const small = await smallOf(picture);
process.stdout.end(typeof small === "string" ? `none ${small}\n` : Buffer.concat([Buffer.from("made\n"), small]));
