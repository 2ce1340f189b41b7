/** Memory of puts: what is put at once is bounded, however much waits. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { s3StorageOf, startS3 } from "../support/s3-server.ts";

test("50 files of 25 MiB put at once cost at most 128 MiB over idle", async () => {
  const server = await startS3();
  server.forget = true;
  const folder = await mkdtemp(join(tmpdir(), "mailwright-putting-"));
  try {
    const entry = s3StorageOf(server);
    const args = [join(import.meta.dirname, "../support/putting.ts"), JSON.stringify(entry), folder];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const { idle_kib, peak_kib } = JSON.parse(stdout) as { idle_kib: number; peak_kib: number };
    expect(server.objects.size).toBe(51);
    expect((peak_kib - idle_kib) / 1024).toBeLessThan(128);
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
