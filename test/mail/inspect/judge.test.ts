import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findings } from "../../../src/mail/inspect/findings.ts";
import { defaultFilePolicy, defaultScanLimits, judge } from "../../../src/mail/inspect/judge.ts";
import { type FilePolicy, type FileToJudge, fileActions } from "../../../src/model/checking.ts";
import { type FileFinding, type Scan, scanStatuses } from "../../../src/model/files.ts";

const scan = (status: Scan["status"], detail: string | null = null): Scan => ({
  status,
  engine: null,
  signatures: null,
  at: null,
  detail,
});
const finding = (code: string, detail: string | null = null): FileFinding => ({ code, detail });

const file = (
  facts: Partial<FileToJudge> & { readonly found?: readonly FileFinding[]; readonly detected?: string } = {},
): FileToJudge => ({
  filename: "letter.txt",
  contentType: "text/plain",
  inspection: { detectedType: facts.detected ?? null, findings: facts.found ?? [] },
  scan: scan("clean"),
  decision: null,
  ...facts,
});
const judged = (facts: Parameters<typeof file>[0], policy: Partial<FilePolicy> = {}) =>
  judge(file(facts), { ...defaultFilePolicy, ...policy }, defaultScanLimits);

describe("what becomes of a file", () => {
  test("it waits until it was looked at, and until the scanner has answered", () => {
    expect(judged({ inspection: null })).toEqual({ status: "checking", reason: null });
    expect(judged({ scan: scan("pending") })).toEqual({ status: "checking", reason: null });
    expect(judged({})).toEqual({ status: "stored", reason: null });
    expect(judged({ scan: scan("skipped") }).status).toBe("stored");
  });

  test("it is quarantined where the scanner found something or gave no verdict", () => {
    expect(judged({ scan: scan("infected", "Win.Test.EICAR") }).reason).toBe(
      "The virus scanner found Win.Test.EICAR in it.",
    );
    expect(judged({ scan: scan("unscanned", "the scanner did not answer in 60 s") })).toEqual({
      status: "quarantined",
      reason: "The virus scanner gave no verdict: the scanner did not answer in 60 s.",
    });
    expect(judged({ scan: scan("unscanned") }, { unscanned: "allow" }).status).toBe("stored");
    expect(judged({ scan: scan("infected") }, { unscanned: "allow" }).status).toBe("quarantined");
  });

  test("an OK for more than the scanner looks at is no verdict", () => {
    const unpacked = (largest: number, depth: number) => [
      finding("unpacked", `entries=3 bytes=${largest} largest=${largest} depth=${depth}`),
    ];
    expect(judged({ found: unpacked(24 * 1024 * 1024, 3) }).status).toBe("stored");
    expect(judged({ found: unpacked(26 * 1024 * 1024, 3) }).status).toBe("quarantined");
    expect(judged({ found: unpacked(1, 18) }).status).toBe("quarantined");
    expect(judged({ found: unpacked(26 * 1024 * 1024, 3), scan: scan("skipped") }).status).toBe("stored");
  });

  test("each danger has its word in the policy, and the strictest counts", () => {
    expect(judged({ found: [finding("macros")] }).status).toBe("quarantined");
    expect(judged({ found: [finding("macros")] }, { macros: "allow" }).status).toBe("stored");
    expect(judged({ found: [finding("macros")] }, { macros: "strip" }).status).toBe("stripped");
    expect(judged({ found: [finding("macros"), finding("executable", "ELF")] })).toEqual({
      status: "stripped",
      reason: "It is a program (ELF).",
    });
    expect(judged({ found: [finding("active_html")] }).status).toBe("stored");
    expect(judged({ found: [finding("active_html")] }, { active_content: "quarantine" }).status).toBe("quarantined");
  });

  test("its label counts too, for a file whose inspection is of an older version", () => {
    expect(judged({ filename: "setup.exe" })).toEqual({
      status: "stripped",
      reason: "It is named as a program or script (exe).",
    });
  });

  test("a code of a newer version is not taken lightly, and a note changes nothing", () => {
    expect(judged({ found: [finding("something_new")] }).status).toBe("quarantined");
    expect(judged({ found: [finding("pdf_open_action"), finding("unpacked", "entries=1")] }).status).toBe("stored");
  });

  test("what is too large to be looked into is left to the scanner only for a picture or a recording", () => {
    const found = [finding("too_large_to_inspect", "90000000 bytes")];
    expect(judged({ found }).status).toBe("quarantined");
    const film = { found, detected: "video/mp4", contentType: "video/mp4" };
    expect(judged(film).status).toBe("stored");
    expect(judged({ ...film, scan: scan("skipped") }).status).toBe("quarantined");
    expect(judged({ ...film, contentType: "application/zip" }).status).toBe("quarantined");
  });

  test("what a person decided stands", () => {
    const bad = { found: [finding("executable")], scan: scan("infected") };
    expect(judged({ ...bad, decision: "release" })).toEqual({ status: "stored", reason: null });
    expect(judged({ decision: "drop" })).toEqual({ status: "dropped", reason: "A person dropped this file." });
  });

  test("whatever is known, a reason is one bounded line, and only what is served has none", () => {
    const facts = fc.record({
      filename: fc.string({ unit: "binary" }),
      contentType: fc.string(),
      inspection: fc.record({
        detectedType: fc.option(fc.string()),
        findings: fc.array(
          fc.record({
            code: fc.constantFrom("x", ...Object.keys(findings)),
            detail: fc.option(fc.string({ maxLength: 160 })),
          }),
          { maxLength: 5 },
        ),
      }),
      scan: fc.record({
        status: fc.constantFrom(...scanStatuses),
        engine: fc.constant(null),
        signatures: fc.constant(null),
        at: fc.constant(null),
        detail: fc.option(fc.string({ unit: "binary", maxLength: 500 })),
      }),
      decision: fc.constant(null),
    });
    const policies = fc.record(
      Object.fromEntries(
        Object.keys(defaultFilePolicy).map((danger) => [danger, fc.constantFrom(...fileActions)]),
      ) as Record<keyof FilePolicy, fc.Arbitrary<(typeof fileActions)[number]>>,
    );
    fc.assert(
      fc.property(facts, policies, (known, policy) => {
        const { status, reason } = judge(known, policy, defaultScanLimits);
        expect(reason === null).toBe(status === "stored" || status === "checking");
        expect((reason ?? "").length).toBeLessThan(400);
        if (known.scan.status === "infected") expect(["quarantined", "stripped"]).toContain(status);
        if (known.scan.status === "pending") expect(status).not.toBe("stored");
      }),
    );
  });
});
