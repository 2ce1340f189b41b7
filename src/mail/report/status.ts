/** Judges status codes and the words around them: whether an address is bad, or only its mailbox, its server or our mail. */

/** An enhanced status code (RFC 3463 §2) that is no part of an IP address or a version number. */
const enhanced = /(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)/;
const smtpCode = /(?<![\d.#-])([245][0-5]\d)(?=$|[\s\-:#,;)])/;

export function enhancedCode(text: string): string | null {
  return enhanced.exec(text.slice(0, maxScanned))?.[1] ?? null;
}

export function smtpCodeOf(text: string): number | null {
  const code = smtpCode.exec(text.slice(0, maxScanned))?.[1];
  return code === undefined ? null : Number(code);
}

const maxScanned = 2_000;

/** By the words that mail systems use, most telling first: a full mailbox is often reported beside "delivery failed". */
const byWords: readonly (readonly [status: string, words: RegExp])[] = [
  [
    "5.2.2",
    /mailbox (?:is )?(?:currently )?full|quota|over ?limit|exceed\w* (?:its |the )?(?:storage|disk|mailbox)|storage allocation|邮箱已满|空间不足|容量|переполнен|postfach (?:ist )?voll|boîte .{0,20}pleine|buzón lleno/i,
  ],
  // Sender callouts: what is not found is our own address.
  ["5.1.8", /sender (?:address )?(?:verif\w{1,8}|callout|rejected)|verification failed for/i],
  ["5.3.4", /message (?:size|too (?:big|large))|too large|size (?:limit|exceed)|exceeds? .{0,30}\bsize\b/i],
  [
    "5.7.1",
    /\bspam\b|blacklist|blocklist|blocked|\bpolicy\b|\bdmarc\b|\bspf\b|reputation|not authori[sz]ed|access denied|relay(?:ing)? (?:access )?(?:denied|not permitted)|content (?:filter|rejected)|rejected due to|垃圾邮件|スパム|спам/i,
  ],
  [
    "5.1.1",
    /(?:user|recipient|mailbox|address|account|login)(?: \S{1,100})?(?: \S{1,40})? (?:unknown|not found|unavailable|(?:does|do) ?n[o']t exist|not exist|disabled|inactive|not (?:a )?valid|is not (?:a )?(?:known|local))|(?:unknown|invalid|no such|bad|nonexistent|inactive|unrouteable|undeliverable) (?:local |destination )?(?:user|recipient|mailbox|address|account|local part)|user is unknown|doesn't have an? \S{1,40} account|no mailbox here|address not found|address couldn't be found|not listed in|unbekannt|existiert nicht|inexistant|n'existe pas|no existe|non esiste|inesistente|não existe|nie istnieje|不存在|无效|找不到|存在しません|見つかりません|不明|не найден|не существует|недоступен|존재하지/i,
  ],
  [
    "5.1.2",
    /(?:host|domain|name)(?: name)?(?: \S{1,100})? (?:not found|(?:does|do) ?n[o']t exist|unknown)|(?:unknown|bad) (?:host|domain)|no mx\b|unrouteable mail domain/i,
  ],
  [
    "4.4.1",
    /timed? ?out|connection (?:refused|lost|dropped)|(?:could ?n[o']t|unable to|cannot) connect|no route to host|temporar(?:y|ily)|try again|will retry/i,
  ],
];

/** An enhanced status for words without a code; null where they say nothing of the kind. */
export function statusOfWords(text: string): string | null {
  const scanned = text.slice(0, maxScanned);
  return byWords.find(([, words]) => words.test(scanned))?.[0] ?? null;
}

/** Full mailbox, size of the message, and RFC 3463 §3.2's two codes about the sender: the recipient's address is not to blame. */
const softCodes = new Set(["5.2.2", "5.2.3", "5.3.4", "5.1.7", "5.1.8"]);

/**
 * Whether the address itself is bad. `status` is the enhanced code as far as there is one. Routes (5.4), content (5.6) and policy or
 * reputation (5.7) say nothing about the address; neither does anything that may still succeed.
 */
export function isHard(action: string, status: string | null, diagnostic: string | null): boolean {
  if (action !== "failed") return false;
  const telling = moreTelling(status, diagnostic);
  if (telling === null) return false;
  return telling.startsWith("5.") && !/^5\.[467]\./.test(telling) && !softCodes.has(telling);
}

/** Many systems report 5.0.0 for everything and tell the reason in the diagnostic. */
function moreTelling(status: string | null, diagnostic: string | null): string | null {
  if (status !== null && !/\.0\.0$/.test(status)) return status;
  const text = diagnostic ?? "";
  const code = enhancedCode(text);
  if (code !== null && !/\.0\.0$/.test(code)) return code;
  return statusOfWords(text) ?? status;
}
