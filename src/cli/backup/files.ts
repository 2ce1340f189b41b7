/** Copies files durably while hashing them, and checks copies against a manifest. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Failed } from "../exit.ts";
import { type Manifest, manifestShape } from "../shapes.ts";

export type ManifestFile = Manifest["files"][number];

/** Copies one file, fsynced, closed to others. Undefined when the original is not there any more. */
export async function copyFile(from: string, to: string): Promise<Omit<ManifestFile, "path"> | undefined> {
  let source: FileHandle;
  try {
    source = await open(from, "r");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  const target = await open(to, "wx", 0o600);
  const hash = createHash("sha256");
  let bytes = 0;
  try {
    for await (const chunk of source.createReadStream({ autoClose: false })) {
      const part = chunk as Uint8Array;
      hash.update(part);
      bytes += part.length;
      await target.writeFile(part);
    }
    await target.sync();
  } finally {
    await source.close();
    await target.close();
  }
  return { bytes, sha256: hash.digest("hex") };
}

export async function hashOf(path: string): Promise<Omit<ManifestFile, "path">> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(path)) {
    hash.update(chunk as Uint8Array);
    bytes += (chunk as Uint8Array).length;
  }
  return { bytes, sha256: hash.digest("hex") };
}

/** Names of all files below `folder`, with `/` between their parts. None when there is no such folder. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    },
  );
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll("\\", "/"),
    )
    .sort();
}

export async function isEmptyOrMissing(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw new Failed(`${folder} cannot be used (${error.code ?? error.message})`, 1, { cause: error });
  });
  return names.length === 0;
}

const manifestName = "manifest.json";

/** Written last: a backup without it was not finished. */
export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  const draft = join(folder, `${manifestName}.new`);
  await writeFile(draft, `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600, flush: true });
  await rename(draft, join(folder, manifestName));
  await syncFolder(folder);
}

export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Rejects with a sentence when it is no backup, or one that a later version made. */
export async function readManifest(folder: string): Promise<Manifest> {
  let text: string;
  try {
    text = await readFile(join(folder, manifestName), "utf8");
  } catch (cause) {
    throw new Failed(`${folder} is no finished backup: it has no ${manifestName}`, 1, { cause });
  }
  const manifest = manifestShape.safeParse(parsed(text));
  if (!manifest.success)
    throw new Failed(`${join(folder, manifestName)} is damaged, or from a later version of Mailwright`);
  for (const { path } of manifest.data.files) {
    // A manifest is only a file: what it names must not lead out of the folder.
    if (path.startsWith("/") || path.split(/[/\\]/).includes(".."))
      throw new Failed(`${manifestName} names ${JSON.stringify(path)}, which lies outside of the backup`);
  }
  return manifest.data;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Says of each file that is missing or is not what the manifest says. */
export async function mismatches(folder: string, { files }: Manifest): Promise<string[]> {
  const wrong: string[] = [];
  for (const { path, bytes, sha256 } of files) {
    const found = await hashOf(join(folder, path)).catch(() => undefined);
    if (found === undefined) wrong.push(`${path} is missing`);
    else if (found.sha256 !== sha256 || found.bytes !== bytes) wrong.push(`${path} has changed`);
  }
  return wrong;
}
