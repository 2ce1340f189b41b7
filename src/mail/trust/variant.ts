/** Says whether two mails with one Message-ID are one mail that came by two ways: a list's copy, with its tag in the subject and its footer below. */
import { type Auth, type CanonicalEvent, type ParsedMessage, trustLevels } from "../../model/event.ts";

/** As much of a mail as is compared. */
export interface Copy {
  readonly message: Pick<
    CanonicalEvent["message"],
    "from" | "date_raw" | "subject_normalised" | "text" | "attachments"
  >;
  readonly parse_status: ParsedMessage["parse_status"];
  readonly trust: Auth["trust"];
  /** Codes of what decided the trust. */
  readonly reasons: readonly string[];
}

/** Footers and banners are short; whatever is longer was written by somebody. */
const maxAdded = 2_000;
const proven = (trust: Auth["trust"]): boolean => trustLevels.indexOf(trust) >= trustLevels.indexOf("aligned-weak");

/**
 * Of one sender, who is proven in both and verified in one, with the same date, subject, files and text but for what stands around it. Some
 * programs give every mail the same id: of those none is taken for another. A forged one is not proven, and suppresses nothing.
 */
export function isSameMail(one: Copy, other: Copy): boolean {
  const [a, b] = [one.message, other.message];
  if (!proven(one.trust) || !proven(other.trust)) return false;
  if (one.trust !== "verified" && other.trust !== "verified") return false;
  if (one.parse_status === "failed" || other.parse_status === "failed") return false;
  if (a.from?.email == null || a.from.email.toLowerCase() !== b.from?.email?.toLowerCase()) return false;
  if (a.date_raw === null || a.date_raw !== b.date_raw) return false;
  if ((a.subject_normalised ?? "") !== (b.subject_normalised ?? "")) return false;
  return sameFiles(a.attachments, b.attachments) && sameText(a.text ?? "", b.text ?? "");
}

/**
 * What came first and is filed stands for the other only where nobody can have made it up: DMARC passed, or a sealer that is named says that it
 * had. One that is believed for less could be written by somebody else, who would then keep the real mail out.
 */
export const standsFor = ({ trust, reasons }: Pick<Copy, "trust" | "reasons">): boolean =>
  trust === "verified" || (proven(trust) && reasons.includes("arc_pass"));

/** Lists put their footer into a part of its own too, which is text. */
function sameFiles(a: Copy["message"]["attachments"], b: Copy["message"]["attachments"]): boolean {
  const files = (of: typeof a): string =>
    of
      .filter(({ content_type }) => content_type !== "text/plain")
      .map(({ sha256 }) => sha256)
      .sort()
      .join();
  return files(a) === files(b);
}

function sameText(a: string, b: string): boolean {
  const [shorter = "", longer = ""] = [folded(a), folded(b)].sort((x, y) => x.length - y.length);
  if (shorter === "") return longer === "";
  return longer.length - shorter.length <= maxAdded && longer.includes(shorter);
}

const folded = (text: string): string => text.replace(/\s+/g, " ").trim();
