/** What a tenant wants done with files that could do harm, and where the virus scanner is. */
import { z } from "zod";
import { defaultFilePolicy, defaultScanLimits, type FileDanger, fileActions } from "../model/checking.ts";
import { duration, size } from "./units.ts";

const actions = z.enum(fileActions);
const on = (danger: FileDanger, words: string) => actions.default(defaultFilePolicy[danger]).describe(words);

export const attachments = z
  .strictObject({
    executables: on(
      "executables",
      "Programs, scripts, shortcuts, installers and disk images, by content or by any of their extensions.",
    ),
    macros: on("macros", "Office documents with macros, old and new."),
    encrypted: on(
      "encrypted",
      "Archives and documents with a password, and what is encrypted with PGP, S/MIME and their like: nobody here can look into them.",
    ),
    archives_with_executables: on(
      "archives_with_executables",
      "Archives, documents and forwarded messages that hold a program or script.",
    ),
    archives_unlisted: on(
      "archives_unlisted",
      "Archives that cannot be listed (7-Zip, RAR and others), and such as are damaged or contradict themselves.",
    ),
    mismatch: on(
      "mismatch",
      "Files that hold something else than their name or type says, that are two kinds of file at once, or whose name misleads.",
    ),
    active_documents: on(
      "active_documents",
      "Documents that act by themselves: JavaScript in PDF, templates from elsewhere, embedded packages, ActiveX, DDE.",
    ),
    active_content: on(
      "active_content",
      "Web pages and SVG drawings. They are only ever offered as a download, never shown.",
    ),
    unscanned: on(
      "unscanned",
      "Files that the virus scanner gave no verdict on: it was away, hung, answered with an error, or they are larger than it looks at. They are scanned again until there is one.",
    ),
  })
  .describe(
    "What becomes of attachments that could do harm. allow: served. strip: neither kept beside the raw mail nor served. quarantine: kept, and served only once a person releases it. What unpacks to far more than its size is always quarantined.",
  );

const atLeastOne = z.int().min(1);
export const previews = z
  .strictObject({
    make: z
      .boolean()
      .default(false)
      .describe(
        "Make small pictures of pictures (JPEG, PNG, GIF, WebP), when somebody asks for one. Needs `npm install --save-prod sharp`.",
      ),
    max_pixels: atLeastOne
      .max(200_000_000)
      .default(50_000_000)
      .describe("Pixels of the largest picture that one is made of, by what its header says."),
    edge: z.int().min(32).max(512).default(320).describe("The longer side of a small picture, in pixels."),
  })
  .describe("Small pictures of files that are pictures, for operators (docs/attachments.md).");

export const clamd = z
  .strictObject({
    socket: z.string().min(1).meta({ path: true }).optional().describe("Unix socket of clamd. Either this or `host`."),
    host: z.string().min(1).optional().describe("Host on which clamd listens by TCP."),
    port: atLeastOne.max(65_535).default(3310).describe("Port of clamd, with `host`."),
    timeout: duration
      .prefault("60s")
      .describe("How long clamd may take over one file; after it there is no verdict, and the file is scanned again."),
    connections: atLeastOne.max(64).default(4).describe("Files scanned at once. Not above clamd's MaxThreads."),
    max_file_size: size
      .prefault(defaultScanLimits.fileBytes)
      .describe(
        "clamd's MaxFileSize. It says OK to what is larger without looking, so such an OK counts as no verdict. Debian's is 25M.",
      ),
    max_scan_size: size
      .prefault(defaultScanLimits.totalBytes)
      .describe("clamd's MaxScanSize, for a file with all that it holds. Debian's is 100M."),
    max_recursion: atLeastOne
      .max(100)
      .default(defaultScanLimits.depth)
      .describe("clamd's MaxRecursion: archives within archives. Debian's is 16."),
  })
  .refine(({ socket, host }) => (socket === undefined) !== (host === undefined), {
    error: "either `socket` or `host` has to be given",
  })
  .describe(
    "The virus scanner (clamd). Without it, files are judged by their structure alone. Its StreamMaxLength has to be at least limits.max_message_bytes.",
  );
