/** Tells a forwarded mail from an answered one, and names its original. */
import type { Address, Attachment, Forwarded } from "../../model/event.ts";
import { addressList } from "../address.ts";
import { clean } from "../words.ts";
import type { Below } from "./layout.ts";
import type { Lines } from "./lines.ts";
import { writtenDate } from "./written-date.ts";

export interface Candidate {
  readonly lines: Lines;
  readonly below: Below | undefined;
  readonly subject: string | null;
  /** What the sender wrote above it. */
  readonly written: string;
  readonly attachments: readonly Attachment[];
}

/**
 * The outermost prefix of the subject. Outlook writes the same block above an answer and above a forward, so that there the subject
 * decides: an answer to a forward is "RE: FW: ...", and no forward.
 */
const forwardPrefix =
  /^\s*(?:\[[^\]]{1,60}\]\s*)?(?:fwd?|fw|wg|tr|rv|i|enc|vb|vl|pd|doorst|fs|továbbítás|πρθ|ilt|i̇lt|пересл|пер|fwd\s?\(\d\)|转发|轉寄|转寄|転送|전달|הועבר|إعادة توجيه|chuyển tiếp|ส่งต่อ|redir)\s*(?:\[\d{1,3}\]|\(\d{1,3}\))?\s*[:：]/iu;
/** "VS" forwards in Danish and Norwegian, and answers in Finnish. */
const scandinavianPrefix = /^\s*vs\s*[:：]/iu;
const replyPrefix =
  /^\s*(?:\[[^\]]{1,60}\]\s*)?(?:re|aw|sv|antw|réf?|rif|r|odp|res|resp|ynt|yan|atb|bls|vá|vs|na|ha|απ|σχετ|отв|відп|відповідь|回复|回覆|答复|返信|답장|회신|תשובה|رد|trả lời|ตอบ|bal|odg|ats|sbj)\s*(?:\[\d{1,3}\]|\(\d{1,3}\)|\^\d{1,3})?\s*[:：]/iu;

/** A note above a forward is short; below a thousand characters of one's own there is an answer. */
const maxNoteChars = 1000;
/** Above a mail that is attached, with no word in the subject that says so. */
const maxAttachedNoteChars = 300;
const maxHeaderChars = 2000;

/** Reports carry the mail they are about; nobody forwards it. */
const reports = new Set([
  "message/delivery-status",
  "message/global-delivery-status",
  "message/disposition-notification",
  "message/global-disposition-notification",
  "message/feedback-report",
]);

export function forwardOf(candidate: Candidate): Forwarded | null {
  return isInline(candidate) ? inline(candidate.lines, candidate.below) : attached(candidate);
}

function isInline({ below, subject, written }: Candidate): boolean {
  if (below === undefined) return false;
  const said = subject ?? "";
  if (below.how === "forward") return !replyPrefix.test(said) || isScandinavian(said, below);
  if (below.block === undefined || written.length > maxNoteChars) return false;
  return forwardPrefix.test(said) || isScandinavian(said, below);
}

function isScandinavian(subject: string, { block, how }: Below): boolean {
  return scandinavianPrefix.test(subject) && (block?.language === "nordic" || how === "forward");
}

function inline(lines: Lines, below: Below | undefined): Forwarded | null {
  if (below === undefined) return null;
  const { block, body, quoted } = below;
  const raw = lines.text.slice(lines.start(body));
  const text = (quoted ? raw.replace(/^[^\S\n]{0,12}> ?/gm, "") : raw).trim();
  const value = (role: "from" | "to" | "date" | "subject"): string => block?.fields.get(role) ?? "";
  const date_raw = clean(value("date")).slice(0, maxHeaderChars);
  return {
    kind: "inline",
    from: addressesOf(value("from"))[0] ?? null,
    to: addressesOf(value("to")),
    date: date_raw === "" ? null : writtenDate(date_raw),
    date_raw: date_raw || null,
    subject: clean(value("subject")).slice(0, maxHeaderChars) || null,
    message_id: null,
    text: text || null,
  };
}

function attached({ subject, written, attachments }: Candidate): Forwarded | null {
  const messages = attachments.filter(({ nested }) => nested !== null);
  const nested = messages[0]?.nested;
  if (nested === undefined || nested === null || attachments.some(({ content_type }) => reports.has(content_type)))
    return null;
  const said = subject ?? "";
  const says = forwardPrefix.test(said);
  const little = messages.length === 1 && written.length <= maxAttachedNoteChars && !replyPrefix.test(said);
  if (!says && !little) return null;
  return {
    kind: "attached",
    from: nested.from,
    to: nested.to,
    date: nested.date,
    date_raw: null,
    subject: nested.subject,
    message_id: nested.message_id,
    text: nested.text,
  };
}

/** `Ana<mailto:ana@b.example>`, `ana@b.example<mailto:ana@b.example>`, `Ana [mailto:ana@b.example]`, `Ana (ana@b.example)`. */
function addressesOf(written: string): Address[] {
  const value = written
    .replace(/<\s?(?:mailto:)?([^\s<>]{1,200}@[^\s<>]{1,200})<mailto:[^<>]{0,400}>\s?>/gi, " <$1>")
    .replace(/([^\s<>[\]();,]{1,200}@[^\s<>[\]();,]{1,200})\s?<mailto:[^<>]{0,400}>/gi, " $1 ")
    .replace(/<mailto:([^<>]{1,400})>/gi, " <$1>")
    .replace(/\[(?:mailto:)?([^\s[\]]{1,200}@[^\s[\]]{1,200})\]/gi, " <$1>")
    .replace(/\((?:mailto:)?([^\s()]{1,200}@[^\s()]{1,200})\)/gi, " <$1>")
    .replace(/\*/g, "")
    // A link around an address that stands in brackets is read as both.
    .replace(/(<[^<>]{1,200}>)\s?\1/g, "$1")
    .replace(/\s+/g, " ")
    .trim();
  // Address headers are read as the bytes they are sent in.
  return [...addressList([Buffer.from(value, "utf8").toString("latin1")]).addresses];
}
