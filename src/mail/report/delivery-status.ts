/** Reads delivery status parts (RFC 3464, RFC 6533): who was reported on, with what outcome. */
import type { Bounce } from "../../model/event.ts";
import { fieldGroups, type Group, maxGroups, recipientAddress, typed } from "./groups.ts";
import { enhancedCode, isHard, smtpCodeOf, statusOfWords } from "./status.ts";

export type Recipient = Bounce["recipients"][number];
type Action = Recipient["action"];

export interface DeliveryStatus {
  readonly recipients: readonly Recipient[];
  readonly reportingMta: string | null;
  readonly envelopeId: string | null;
}

const maxDiagnosticChars = 1_000;
const maxNameChars = 255;
const actions: ReadonlySet<string> = new Set<Action>(["failed", "delayed", "delivered", "relayed", "expanded"]);

/** `parts` are the decoded contents of all status parts: some systems write one for each recipient. */
export function deliveryStatus(parts: readonly Buffer[]): DeliveryStatus {
  const groups = parts.flatMap(fieldGroups);
  const recipients: Group[] = [];
  let reportingMta: string | null = null;
  let envelopeId: string | null = null;
  for (const group of groups) {
    // By what stands in a group, not by its place: some systems leave out the per-message group, or write several reports in one part.
    if (group.has("final-recipient") || group.has("original-recipient")) {
      if (recipients.length < maxGroups) recipients.push(group);
      continue;
    }
    const last = recipients.at(-1);
    if (last !== undefined && tornOff(group, last)) last.join(group);
    reportingMta ??= nameOf(group.first("reporting-mta"));
    envelopeId ??= group.first("original-envelope-id")?.slice(0, maxNameChars) ?? null;
  }
  return { recipients: recipients.flatMap((group) => recipientOf(group) ?? []), reportingMta, envelopeId };
}

/** A blank line that does not belong there stands between a recipient and its outcome. */
function tornOff(group: Group, last: Group): boolean {
  const outcome = group.has("action") || group.has("status") || group.has("diagnostic-code");
  return outcome && !last.has("action") && !last.has("status");
}

function recipientOf(group: Group): Recipient | undefined {
  const original = group.first("original-recipient");
  const final = group.first("final-recipient") ?? original;
  if (final === null) return undefined;
  const address = recipientAddress(final);
  if (address === "") return undefined;
  const diagnostic = group.first("diagnostic-code");
  const said = diagnostic === null ? "" : typed(diagnostic).value;
  // `5.1.1 (bad destination mailbox address)`, and what an SMTP server answered where Status is missing or unreadable.
  const status = enhancedCode(group.first("status") ?? "") ?? enhancedCode(said);
  const code = smtpCodeOf(said);
  const action = actionOf(group.first("action"), status ?? (code === null ? null : String(code)));
  const known = status ?? (action === "failed" ? statusOfWords(said) : null);
  const remote = nameOf(group.first("remote-mta"));
  return {
    final: address,
    original: original === null ? null : recipientAddress(original) || null,
    action,
    status: known,
    smtp_code: code,
    diagnostic: said === "" ? null : said.slice(0, maxDiagnosticChars),
    remote_mta: remote,
    hard: isHard(action, known, said),
  };
}

/** RFC 3464 §2.3.3. Where the word is missing or not one of the five, the class of the status says it. */
function actionOf(value: string | null, status: string | null): Action {
  const word = /[a-z]+/i.exec(value ?? "")?.[0].toLowerCase() ?? "";
  if (actions.has(word)) return word as Action;
  if (status?.startsWith("2") === true) return "delivered";
  return status?.startsWith("4") === true ? "delayed" : "failed";
}

function nameOf(value: string | null): string | null {
  const name = value === null ? "" : typed(value).value.slice(0, maxNameChars);
  return name === "" ? null : name;
}
