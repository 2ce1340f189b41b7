/** Finds where a signature begins at the end of what somebody wrote. Anything doubtful is left to the text: nothing written may be taken away. */

import type { Lines } from "./lines.ts";
import { isRule } from "./separator.ts";

/** RFC 3676 §4.3: two dashes and a blank. The blank is often lost; some write one long dash (GitHub) or a row of them. */
const delimiter = /^(?:-- ?|[\u2013\u2014\u2015]{1,10})$/;
const maxSignatureLines = 25;
const maxSignatureChars = 2500;
/** Below this many lines a block of name and numbers is looked for. */
const maxContactLines = 12;

const device =
  "iphon|ipad|ipod|mac|apple watch|galaxy|samsung|android|blackberry|huawei|xiaomi|redmi|pixel|oneplus|nokia|sony|xperia|motorola|htc|windows phone|" +
  "mobile|handy|smartphone|phone|telefon|téléphone|teléfono|telefono|telemóvel|celular|cellulare|móvil|mobiel|telefoon|mobil|puhelin|cep telefon|" +
  "мобильн|телефон|смартфон|tablet|outlook|yahoo|gmail|mail|proton|gmx|web\\.de|spark|fairmail|k-9|thunderbird|typeapp|bluemail|airmail|zoho|mail\\.ru|" +
  "яндекс|почт|携帯|スマート|手机|手機|아이폰|갤럭시|posteitaliane|orange|free|libero|telstra|verizon|tutanota|superhuman|hey|vodafone|workspace|lumia";
const deviceName = new RegExp(device, "i");
const sentFrom = new RegExp(
  "^(?:(?:sent|written|gesendet|verschickt|von meinem|von meiner|envoyé|enviado|enviada|inviato|verzonden|verstuurd|wysłano|wysłane|odesláno|odoslané|skickat|skickades|" +
    "sendt|lähetetty|отправлено|надіслано|відправлено|изпратено|trimis|elküldve|poslano|poslato|στάλθηκε|εστάλη|gönderildi|saadetud|nosūtīts|išsiųsta|đã gửi|" +
    "dikirim|tramesa|enviat|get outlook|download outlook|obtenir outlook|outlook für|scarica outlook|obtener outlook|obtenha o outlook|télécharger outlook|hämta outlook|" +
    "pobierz outlook|загрузить outlook|ottieni outlook|outlook voor)(?![\\p{L}])|iPhoneから送信|iPadから送信|私の.{1,20}から送信|发自我的|发自|從我的|傳送自|從 |나의 |내 |Gönderen: )",
  "iu",
);
/** Thanks to these two, "Sent from my desk, which is easier." is a sentence. */
const maxSentFromWords = 9;
const sentence = /[,;:!?]|\.\s*$|\.\s+\p{L}/u;

/** Whole lines that only a client adds. */
function isSentFrom(line: string): boolean {
  if (line.length > 160 || !sentFrom.test(line) || !/[\p{L}]/u.test(line)) {
    return /^.{1,40}(?:에서 보냄|から送信|['’]\p{L}{1,8} gönderildi)$/u.test(line);
  }
  const bare = line.replace(/<[^<>]*>|\([^()]*\)|https?:\S+/g, " ").trim();
  if (/^(?:发自|發自|從我的|傳送自)/.test(bare)) return bare.length <= 30;
  const words = bare.split(/\s+/);
  if (words.length > maxSentFromWords) return false;
  if (sentence.test(bare.replace(/\.$/, "")) && !deviceName.test(bare)) return false;
  if (/[,;!?]/.test(bare)) return false;
  return deviceName.test(bare) || /^sent from (?:my|a|the) /i.test(bare);
}

const message =
  /e-?mail|message|nachricht|correo|mensaje|mensagem|messaggio|bericht|wiadomoś|сообщени|письм|повідомлен|meddelande|besked|viesti|zpráv|ileti|メール|邮件|郵件|メッセージ|메일/i;
const confidential =
  /confidential|privileged|vertraulich|confidentiel|confidencial|riservat|vertrouwelijk|poufn|конфиденциальн|конфіденційн|konfidentiell|fortrolig|luottamuksellis|důvěrn|gizli|機密|保密|机密|기밀/i;
const recipient =
  /intended|recipient|addressee|empfänger|adressat|bestimmt|destinataire|destinatari|destinatár|geadresseerde|bestemd|adresat|odbiorc|получател|адресат|одержувач|mottagare|modtager|mottaker|vastaanottaja|příjemc|určen|alıcı|受信者|宛|收件人|接收|수신/i;
const scanned =
  /^(?:virus-free|virenfrei|this e-?mail has been (?:checked|scanned)|diese e-mail wurde .{0,30}(?:geprüft|gescannt)|l'absence de virus|este correo .{0,30}virus|please consider the environment|bitte denken sie an die umwelt|bitte prüfen sie|pensez à l'environnement|you received this message because you are subscribed|you are receiving this because)/i;

/** Clearly one: it speaks of the message, of confidence and of the recipient, and is long. */
function isDisclaimer(paragraph: string): boolean {
  if (scanned.test(paragraph)) return true;
  const head = paragraph.slice(0, 3000);
  const found = [message, confidential, recipient].filter((pattern) => pattern.test(head)).length;
  return paragraph.length >= 80 && found === 3;
}

const closing =
  /^(?:(?:with |many |my |kind |best |warm |warmest |kindest )*(?:regards|wishes)|best|cheers|sincerely|yours (?:sincerely|truly|faithfully)|sincerely yours|thanks|thank you|many thanks|thanks and regards|thanks & regards|mit (?:freundlichen|besten|herzlichen|lieben) grü(?:ß|ss)en|(?:freundliche|beste|viele|liebe|herzliche|schöne) grü(?:ß|ss)e|(?:mit )?freundliche[mn]? gru(?:ß|ss)|mfg|vg|lg|(?:bien )?cordialement|(?:bien )?à vous|bonne journée|salutations|meilleures salutations|sincères salutations|un saludo|saludos(?: cordiales)?|atentamente|cordialmente|cordiali saluti|distinti saluti|saluti|un saluto|atenciosamente|com os melhores cumprimentos|melhores cumprimentos|cumprimentos|abraços?|met vriendelijke groet(?:en)?|vriendelijke groet(?:en)?|groet(?:en|jes)?|hartelijke groet|pozdrawiam(?: serdecznie)?|z poważaniem|z wyrazami szacunku|с уважением|с наилучшими пожеланиями|з повагою|med vänlig hälsning|med vänliga hälsningar|vänliga hälsningar|hälsningar|mvh|med venlig hilsen|venlig hilsen|de bedste hilsner|med vennlig hilsen|vennlig hilsen|hilsen|ystävällisin terveisin|terveisin|s pozdravem|s přátelským pozdravem|saygılarımla|saygılarımızla|iyi çalışmalar|üdvözlettel|cu stimă|lep pozdrav|με εκτίμηση|よろしくお願いいたします|敬具|此致|顺祝商祺|감사합니다)[\s,.!:。]*$/iu;

const phone = /(?:^|[^\p{L}\p{N}])(?:\+|00|\(0|0)\d{0,4}[\s()./-]{0,3}(?:\d[\s()./-]{0,2}){5,13}(?:$|[^\p{L}\p{N}])/u;
const contactLabel =
  /^(?:tel|telefon|telefono|teléfono|téléphone|tél|phone|mobile|mobil|mob|cell|fax|direct|office|m|t|p|f|e|w|web|www|e-?mail|тел|тел\.|電話|电话|手机|전화|puh|gsm|skype|linkedin)\.?\s?[:：.|]?\s?[+\d(]|^(?:e|e-?mail|mail|w|web|website)\.?\s?[:：|]\s?\S+[.@]\S+/iu;
const webAddress = /^(?:<?https?:\/\/\S+|www\.\S+|\S+@\S+\.\S+)$/i;
const company =
  /\b(?:gmbh|ag|kg|ohg|ug|inc\.?|ltd\.?|llc|corp\.?|s\.?a\.?s?|s\.?r\.?l\.?|s\.?p\.?a\.?|b\.?v\.?|n\.?v\.?|oy|ab|a\/s|aps|sp\. z o\.o\.|s\.r\.o\.|a\.ş\.|plc|pty|co\.)(?:$|[\s,|])|ООО|株式会社|有限公司|주식회사/iu;
const title =
  /\b(?:ceo|cto|cfo|coo|founder|director|manager|head of|engineer|consultant|sales|account executive|assistant|geschäftsführer(?:in)?|leiter(?:in)?|vertrieb|directeur|directrice|responsable|director[ae]?|gerente|direttore|responsabile|diretora?|verkoper|inkoper|dyrektor|kierownik|директор|менеджер|chef|säljare|direktør|johtaja|ředitel|müdür|purchasing|procurement|einkauf|achats|compras|acquisti)\b|部長|課長|经理|總監|과장|부장/iu;

/** How surely a line is part of a visiting card. */
function cardScore(line: string): number {
  if (phone.test(line) || contactLabel.test(line)) return 2;
  if (webAddress.test(line)) return 2;
  return company.test(line) || title.test(line) ? 1 : 0;
}

/** "Please call me at +49 30 1234567" is an answer; the words of a card begin in capitals, or are few. */
function isProse(line: string): boolean {
  if (line.length > 120) return true;
  const small = line.match(/(?<![\p{L}\p{N}.@/-])\p{Ll}{2,}(?![\p{L}.@/])/gu)?.length ?? 0;
  return small >= 3 || (small >= 1 && /[.?!…:。？！]$/u.test(line) && line.split(/\s+/).length >= 4);
}

/** The line on which the signature begins in the lines from `from` until before `to`; `to` when there is none. */
export function signatureStart(lines: Lines, from: number, to: number): number {
  let end = to;
  // From the end upwards: one adds to the other.
  for (;;) {
    const bottom = lastLine(lines, from, end);
    if (bottom < from) return end;
    const start =
      footer(lines, from, bottom) ??
      (isSentFrom(lines.at(bottom, 200)) ? bottom : undefined) ??
      delimited(lines, from, bottom) ??
      disclaimer(lines, from, bottom) ??
      (end === to || !hasCard(lines, end, to) ? card(lines, from, bottom) : undefined);
    if (start === undefined) return end === to ? to : end;
    end = start;
  }
}

function lastLine(lines: Lines, from: number, end: number): number {
  let at = end - 1;
  while (at >= from && lines.isBlank(at)) at--;
  return at;
}

function topOf(from: number, bottom: number, most: number): number {
  return Math.max(from, bottom - most);
}

function tooLong(lines: Lines, line: number, bottom: number): boolean {
  return lines.end(bottom) - lines.start(line) > maxSignatureChars;
}

function delimited(lines: Lines, from: number, bottom: number): number | undefined {
  let found: number | undefined;
  let isClosed = false;
  for (let at = bottom; at >= topOf(from, bottom, maxSignatureLines); at--) {
    if (tooLong(lines, at, bottom)) break;
    const start = lines.start(at);
    const line = lines.at(at, 200);
    if (lines.end(at) - start <= 12 && delimiter.test(lines.text.slice(start, lines.end(at)).trimStart())) found = at;
    // Sentences with a closing formula below them were written now: two dashes above them part a letter.
    else if (isClosed && isProse(line)) break;
    else isClosed ||= closing.test(line);
  }
  return found === undefined ? undefined : attachedRule(lines, from, found);
}

function attachedRule(lines: Lines, from: number, line: number): number {
  return line > from && isRule(lines.at(line - 1, 220)) ? line - 1 : line;
}

/** A mailing list draws a line and names itself below. */
function footer(lines: Lines, from: number, bottom: number): number | undefined {
  for (let at = bottom - 1; at >= topOf(from, bottom, 8); at--) {
    if (!/^(?:_{2,}|-{3,})$/.test(lines.at(at, 220))) continue;
    const text = lines.text.slice(lines.end(at), lines.end(bottom));
    return /mailing list|mailman\/listinfo|unsubscribe|to unsubscribe|lists?\.|@lists?\.|abmelden|désabonner/i.test(
      text.slice(0, maxSignatureChars),
    )
      ? at
      : undefined;
  }
  return undefined;
}

function disclaimer(lines: Lines, from: number, bottom: number): number | undefined {
  let top = bottom;
  while (top > from && top > bottom - 40 && !lines.isBlank(top - 1)) top--;
  const paragraph = lines.text.slice(lines.start(top), Math.min(lines.end(bottom), lines.start(top) + 6000)).trim();
  // A whole mail of one paragraph that speaks of confidence is a mail.
  if (top === from || !isDisclaimer(paragraph)) return undefined;
  return isRule(lines.at(Math.max(from, top - 1), 220)) ? top - 1 : top;
}

function hasCard(lines: Lines, from: number, to: number): boolean {
  for (let at = from; at < Math.min(to, from + maxSignatureLines); at++) {
    if (delimiter.test(lines.at(at, 40)) || cardScore(lines.at(at, 200)) === 2) return true;
  }
  return false;
}

/** Name, title, company, telephone: below a closing formula, or as a paragraph of its own with two ways to reach somebody. */
function card(lines: Lines, from: number, bottom: number): number | undefined {
  let score = 0;
  let ways = 0;
  let paragraph: number | undefined;
  let isLast = true;
  for (let at = bottom; at >= topOf(from, bottom, maxContactLines); at--) {
    const line = lines.at(at, 200);
    if (line === "") {
      if (isLast && ways >= 2 && score >= 5) paragraph = unannounced(lines, from, at + 1, bottom);
      isLast = false;
      continue;
    }
    if (closing.test(line)) return at < bottom && score >= 2 ? lines.next(at + 1) : paragraph;
    if (isProse(line)) return paragraph;
    const value = cardScore(line);
    score += value;
    if (value === 2) ways++;
    else if (value === 0 && line.length <= 40) score += 0.5;
  }
  return paragraph;
}

/** A list of numbers that was asked for is an answer: a card begins with a name, and nothing announces it. */
function unannounced(lines: Lines, from: number, line: number, bottom: number): number | undefined {
  const above = lines.at(lastLine(lines, from, line), 400);
  const named = cardScore(lines.at(line, 200)) < 2 && !/[:?]$/.test(lines.at(line, 200));
  return line > from && line < bottom && named && !/[:：]$/.test(above) ? line : undefined;
}
