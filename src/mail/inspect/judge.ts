/** Decides what becomes of a file, from what is known of it: pure, so that every answer can be explained and asked again. */
import type { FileAction, FileDanger, FilePolicy, FileToJudge, Judgement, ScanLimits } from "../../model/checking.ts";
import type { FileFinding, FileStatus, Inspection } from "../../model/files.ts";
import { Findings, rowOf, shown } from "./findings.ts";
import { lookAtName } from "./names.ts";

export { defaultFilePolicy, defaultScanLimits } from "../../model/checking.ts";

const stored: Judgement = { status: "stored", reason: null };
const checking: Judgement = { status: "checking", reason: null };

export function judge(file: FileToJudge, policy: FilePolicy, limits: ScanLimits): Judgement {
  const { inspection, scan, decision } = file;
  if (decision === "release") return stored;
  if (decision === "drop") return { status: "dropped", reason: "A person dropped this file." };
  if (inspection === null) return checking;
  const structure = byStructure(file, inspection, policy);
  // A program is not kept whatever a scanner may say of it.
  if (structure?.action === "strip") return saying("stripped", structure.why);
  if (scan.status === "infected") {
    return saying(
      "quarantined",
      `The virus scanner found ${scan.detail === null ? "something" : shown(scan.detail)} in it`,
    );
  }
  if (structure !== undefined) return saying("quarantined", structure.why);
  switch (scan.status) {
    case "pending":
      return checking;
    case "unscanned":
      return withoutVerdict(policy, scan.detail === null ? "" : `: ${shown(scan.detail)}`);
    case "clean":
      return beyond(inspection, limits)
        ? withoutVerdict(policy, ": it is larger, or holds more, than the scanner looks at")
        : stored;
    case "skipped":
      return stored;
    default:
      scan.status satisfies never;
      return checking;
  }
}

const saying = (status: FileStatus, why: string): Judgement => ({ status, reason: `${why}.` });

function withoutVerdict(policy: FilePolicy, why: string): Judgement {
  if (policy.unscanned === "allow") return stored;
  const status = policy.unscanned === "strip" ? "stripped" : "quarantined";
  return saying(status, `The virus scanner gave no verdict${why}`);
}

interface Action {
  readonly action: "strip" | "quarantine";
  readonly why: string;
}

/** The strictest of what was found; of equally strict ones the first. */
function byStructure(file: FileToJudge, inspection: Inspection, policy: FilePolicy): Action | undefined {
  const names = new Findings();
  lookAtName(file.filename, names);
  const all = [...inspection.findings, ...names.list()];
  let strictest: Action | undefined;
  for (const finding of all) {
    const action = actionFor(finding, file, inspection, policy);
    if (action === "allow" || strictest?.action === "strip") continue;
    if (strictest === undefined || action === "strip") strictest = { action, why: sentenceFor(finding) };
  }
  return strictest;
}

function actionFor(finding: FileFinding, file: FileToJudge, inspection: Inspection, policy: FilePolicy): FileAction {
  const { danger } = rowOf(finding.code);
  switch (danger) {
    case "note":
      return "allow";
    case "always":
      return "quarantine";
    case "size":
      return isPlainMedia(file, inspection) && file.scan.status === "clean" ? "allow" : "quarantine";
    default:
      return policy[danger satisfies FileDanger];
  }
}

const media = /^(?:image\/(?!svg)|audio\/|video\/)/;

const isPlainMedia = ({ contentType }: FileToJudge, { detectedType }: Inspection): boolean =>
  detectedType !== null && media.test(detectedType) && media.test(contentType);

/** Without the file's own name: whoever shows this shows it beside the name. */
function sentenceFor({ code, detail }: FileFinding): string {
  return `It ${rowOf(code).says}${detail === null || detail === "" ? "" : ` (${detail})`}`;
}

/** A scanner passes over what is larger than its limits and says OK (measured on clamd 1.4.6, also with AlertExceedsMax). */
function beyond({ findings }: Inspection, limits: ScanLimits): boolean {
  const detail = findings.find(({ code }) => code === "unpacked")?.detail ?? "";
  const figure = (name: string): number => Number(new RegExp(`\\b${name}=(\\d{1,15})`).exec(detail)?.[1] ?? 0);
  return figure("largest") > limits.fileBytes || figure("bytes") > limits.totalBytes || figure("depth") > limits.depth;
}
