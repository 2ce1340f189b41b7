/** Looks into a file that is held whole, and into what it holds, level by level. */
import { lookAtGzip, lookAtTar, lookAtZip } from "./archives.ts";
import type { Budget } from "./budget.ts";
import { hiddenIn } from "./claims.ts";
import { type Content, contentOf, textOf } from "./contents.ts";
import type { Findings } from "./findings.ts";
import { lookAtMarkup, lookAtRtf } from "./marked.ts";
import { extensionOf } from "./names.ts";
import { lookAtCompound } from "./ole.ts";
import { lookAtPdf } from "./pdf.ts";

export interface Look {
  readonly found: Findings;
  readonly budget: Budget;
  /** Reads a message inside: its parts come to `lookAtInner`. Absent where nothing reads messages. */
  readonly message?: (bytes: Buffer, depth: number, look: Look) => Promise<void>;
}

export const headBytes = 64 * 1024;

/** A file inside of another. `depth` is the number of containers around it. */
export async function lookAtInner(bytes: Buffer, name: string, depth: number, look: Look): Promise<void> {
  const content = contentOf(bytes.subarray(0, headBytes));
  if (content.family === "starts") {
    if (content.code === "spreadsheet_query") look.found.add(content.code, name);
    else look.found.add("archive_executable", `${name}: ${content.what ?? content.code ?? ""}`);
    return;
  }
  if (content.family === "unlisted") {
    look.found.add(content.code ?? "archive_unlisted", `${name}: ${content.what ?? ""}`);
    return;
  }
  if (hiddenIn(extensionOf(name), content, textOf(bytes.subarray(0, 64))) !== undefined)
    look.found.add("archive_unlisted", name);
  await lookInto(bytes, content, depth + 1, look);
}

/** `depth` is the level of this container, the outermost being the first. */
export async function lookInto(bytes: Buffer, content: Content, depth: number, look: Look): Promise<void> {
  switch (content.family) {
    case "zip":
    case "gzip":
    case "tar":
    case "message":
      if (!look.budget.deeper(depth)) {
        look.found.add("archive_too_deep");
        return;
      }
      await lookIntoArchive(bytes, content.family, depth, look);
      return;
    case "ole":
      // Documents within documents are ended by the same limit, one level later: a letter in a zip in a zip may hold a sheet.
      if (!look.budget.deeper(depth) && depth > 5) look.found.add("archive_too_deep");
      else await lookAtCompound(bytes, depth, look);
      return;
    case "pdf":
      await lookAtPdf(bytes, depth, look);
      return;
    case "rtf":
      lookAtRtf(bytes, look);
      return;
    case "markup":
      lookAtMarkup(bytes, look);
      return;
    default:
      return;
  }
}

async function lookIntoArchive(
  bytes: Buffer,
  family: "zip" | "gzip" | "tar" | "message",
  depth: number,
  look: Look,
): Promise<void> {
  if (family === "zip") await lookAtZip(bytes, depth, look);
  else if (family === "gzip") await lookAtGzip(bytes, depth, look);
  else if (family === "tar") await lookAtTar(bytes, depth, look);
  else {
    lookAtMarkup(bytes, look);
    await look.message?.(bytes, depth, look);
  }
}
