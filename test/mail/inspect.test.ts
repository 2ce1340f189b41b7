import { describe, expect, test } from "vitest";
import { lookInMessage } from "../../src/mail/extract.ts";
import { defaultFilePolicy, defaultScanLimits, judge } from "../../src/mail/inspect/judge.ts";
import { inspector } from "../../src/mail/inspect.ts";
import type { Inspection, Scan } from "../../src/model/files.ts";
import { dangerous, type Sample } from "../support/dangerous/table.ts";

const scan = (status: Scan["status"], detail: string | null = null): Scan => ({
  status,
  engine: null,
  signatures: null,
  at: null,
  detail,
});

async function inspected({ name, type, bytes }: Sample, pieceBytes = 65_536): Promise<Inspection> {
  const looker = inspector(lookInMessage);
  for (let at = 0; at < bytes.length; at += pieceBytes) looker.push(Buffer.from(bytes.subarray(at, at + pieceBytes)));
  return looker.end({ name, type });
}

const judged = (file: Sample, inspection: Inspection, looked: Scan) =>
  judge(
    { filename: file.name, contentType: file.type, inspection, scan: looked, decision: null },
    defaultFilePolicy,
    defaultScanLimits,
  );

describe("the table of dangerous files", () => {
  const table = dangerous();

  test("has sixty rows and more, each with a name of its own", () => {
    expect(table.length).toBeGreaterThanOrEqual(60);
    expect(new Set(table.map(({ what }) => what)).size).toBe(table.length);
  });

  test.each(table)("$what is $status", async ({ file, code, status }) => {
    const inspection = await inspected(file);
    expect(inspection.findings.map((one) => one.code)).toContain(code);
    for (const looked of ["skipped", "clean", "pending", "unscanned", "infected"] as const) {
      const { status: found, reason } = judged(file, inspection, scan(looked));
      expect(found).toBe(status);
      expect(reason).toMatch(/^[A-Z].+\.$/);
    }
  });

  test.each(table)("the twin of $what passes", async ({ twin }) => {
    const inspection = await inspected(twin);
    expect(judged(twin, inspection, scan("skipped"))).toEqual({ status: "stored", reason: null });
    expect(judged(twin, inspection, scan("clean"))).toEqual({ status: "stored", reason: null });
    expect(judged(twin, inspection, scan("pending")).status).toBe("checking");
    expect(judged(twin, inspection, scan("unscanned")).status).toBe("quarantined");
    expect(judged(twin, inspection, scan("infected", "Test.Name")).reason).toBe(
      "The virus scanner found Test.Name in it.",
    );
  });
});
