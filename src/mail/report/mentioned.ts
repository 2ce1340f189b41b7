/** Finds in the words of a delivery report whom they are about, and what is said of each. */

export interface Mentioned {
  readonly address: string;
  /** The words that follow it; empty where there are none. */
  readonly said: string;
}

const maxLines = 2_000;
const maxLineChars = 1_000;
const maxMentioned = 200;
const maxSaidChars = 1_000;
const maxSaidLines = 12;

/** Chinese and Japanese are written without blanks, so their letters would stick to an address. */
const address =
  /[\w.!#$%&*+/=?^`{}~\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}-]{1,64}@[a-z0-9\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}](?:[\w.\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}-]{0,250}[a-z0-9\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}])?/iu;
/** A bullet, a number or a label before the address. */
const label =
  /^(?:[-*•>]{1,3}\s{0,3}|\d{1,3}[.)]\s|(?:rcpt to|recipient(?: address)?|to|e-?mail(?: address)?|empfänger|destinataire|destinatario|получатель|адрес|收件人(?:邮件地址|地址)?|收信人|无法送达|宛先|送信先|받는 ?사람)\s{0,3}[:：]\s{0,5})/i;
/** In a sentence with one of these, the address is the one that was not reached. */
const cues =
  /deliver|reach|recipient|address|mailbox|\buser\b|zugestellt|zustell|empfänger|remis|parvenu|destinata|entreg|recapit|bezorg|достав|адрес|получател|收件|送达|投递|发送|退回|宛先|あて先|配信|送信|아이디|전송/i;

/** `lines` end where the returned message begins. `others` are addresses that the report is not about: its own sender and recipients. */
export function mentioned(text: string, others: ReadonlySet<string>): Mentioned[] {
  const lines = text.split("\n", maxLines).map((line) => line.slice(0, maxLineChars).trim());
  const found = new Map<string, string>();
  const add = (who: string, said: string): void => {
    const known = found.get(who);
    if (known === undefined && found.size === maxMentioned) return;
    if (known === undefined || (known === "" && said !== "")) found.set(who, said);
  };
  for (let at = 0; at < lines.length; at++) {
    const begun = beginning(lines[at] ?? "", others);
    if (begun !== undefined) add(begun.address, saidBelow(begun.said, lines, at + 1, others));
  }
  if (found.size === 0) {
    for (const line of lines) {
      const who = cues.test(line) ? address.exec(line)?.[0] : undefined;
      if (who !== undefined && !others.has(who.toLowerCase())) add(who, "");
    }
  }
  return [...found].map(([who, said]) => ({ address: who, said }));
}

/** A line that begins with an address, and what follows there. A sentence that happens to begin with one does not count. */
function beginning(line: string, others: ReadonlySet<string>): Mentioned | undefined {
  if (!line.includes("@")) return undefined;
  const bare = line
    .replace(label, "")
    .replace(/^(?:[^<>@]{1,60} )?[<＜(](?:mailto:|smtp:)?(?=[^<>]{1,320}[>＞)])/i, "");
  const match = address.exec(bare);
  if (match === null || match.index !== 0) return undefined;
  const who = match[0];
  if (others.has(who.toLowerCase())) return undefined;
  const rest = bare
    .slice(who.length)
    .replace(/^[>＞)]/, "")
    .trim();
  const ends = rest === "" || /^(?:[:;(,.<\-–—：，。]|on \d|#|\[|\.{3})/.test(rest);
  if (!ends) return undefined;
  return { address: who, said: rest.replace(/^[:;,.\s：\-–—<>]+/, "") };
}

/** The words up to the next blank line or address; one blank line between the address and its words is skipped. */
function saidBelow(begun: string, lines: readonly string[], from: number, others: ReadonlySet<string>): string {
  const said: string[] = begun === "" ? [] : [begun];
  let at = from;
  if (said.length === 0 && lines[at] === "") at++;
  for (; at < lines.length && said.length < maxSaidLines; at++) {
    const line = lines[at] ?? "";
    if (line === "" || beginning(line, others) !== undefined) break;
    said.push(line);
  }
  return said.join(" ").replace(/\s+/g, " ").slice(0, maxSaidChars);
}
