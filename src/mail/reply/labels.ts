/** The words before the colon in a header block that a client writes above what it quotes or forwards. */

export const roles = ["from", "date", "to", "cc", "subject", "other"] as const;
export type Role = (typeof roles)[number];

/**
 * From, date, to, cc, subject: as Outlook (desktop, web, mobile), Gmail, Apple Mail, Thunderbird, Yahoo, Samsung, Lotus, GMX, Orange and
 * QQ write them. A word may stand for one role only, or the block could not be told apart: `A` is a recipient in French and Italian,
 * `Da` a sender in Italian, `Do` a recipient in Polish.
 */
const written: Readonly<Record<string, readonly [string, string, string, string, string]>> = {
  en: [
    "from|sender",
    "sent|date|date sent|sent at|sent on|received",
    "to|recipient|recipients",
    "cc|bcc|copy",
    "subject",
  ],
  de: ["von|absender", "gesendet|gesendet am|datum|verschickt", "an|empfänger", "kopie|bcc", "betreff"],
  fr: [
    "de|expéditeur|de la part de",
    "envoyé|envoyé le|date d'envoi|message du|envoyé par|reçu",
    "à|a|destinataire|pour",
    "copie à|copie|cci",
    "objet|sujet",
  ],
  es: ["remitente", "enviado|enviado el|fecha", "para|destinatario", "cco", "asunto"],
  it: ["da|mittente", "inviato|inviato il|data invio", "destinatario", "ccn", "oggetto"],
  pt: ["remetente", "enviado em|enviada em|enviada|data de envio|enviado:", "", "cco|c/c", "assunto"],
  nl: ["van|afzender", "verzonden|verstuurd|verzonden op|verzenddatum", "aan", "kopie aan", "onderwerp"],
  pl: ["od|nadawca", "wysłano|wysłane|data|wysłany|data wysłania", "do|adresat", "dw|udw|do wiadomości", "temat"],
  ru: ["от|от кого|отправитель", "отправлено|дата|дата отправки", "кому|получатель", "копия|скрытая копия", "тема"],
  uk: ["від|від кого|відправник", "надіслано|дата надсилання|відправлено|дата", "кому|одержувач", "копія", "тема"],
  bg: ["от", "изпратено|дата", "до", "копие", "относно|тема"],
  sv: ["från|avsändare", "skickat|skickades|datum", "till|mottagare", "kopia", "ämne"],
  da: ["fra|afsender", "sendt|dato|sendt den", "til|modtager", "kopi", "emne"],
  no: ["fra", "sendt|dato", "til|mottaker", "kopi", "emne"],
  fi: ["lähettäjä|keneltä", "lähetetty|päivämäärä|päiväys|pvm", "vastaanottaja|kenelle", "kopio", "aihe"],
  cs: ["odesílatel|odesilatel", "odesláno|datum|posláno", "komu|příjemce", "kopie", "předmět"],
  sk: ["odosielateľ", "odoslané|dátum", "komu|príjemca", "kópia", "predmet"],
  hu: ["feladó|küldő", "elküldve|küldve|dátum|küldés ideje", "címzett", "másolatot kap|másolat", "tárgy"],
  ro: ["de la|expeditor", "trimis|data trimiterii|trimis la", "către|catre", "copie", "subiect"],
  hr: ["šalje|pošiljatelj|pošiljalac", "poslano|datum|poslato", "prima|za|primatelj", "kopija", "predmet"],
  sl: ["od|pošiljatelj", "poslano|datum", "za|prejemnik", "kp", "zadeva"],
  el: ["από|αποστολέας", "στάλθηκε|ημερομηνία|εστάλη", "προς|παραλήπτης", "κοιν.|κοινοποίηση", "θέμα"],
  tr: [
    "kimden|gönderen",
    "gönderildi|gönderme tarihi|tarih|gönderilme tarihi|gönderim tarihi",
    "kime|alıcı",
    "bilgi",
    "konu",
  ],
  et: ["saatja|kellelt", "saadetud|kuupäev", "adressaat|kellele|saaja", "koopia", "teema"],
  lv: ["no", "nosūtīts|datums", "kam|adresāts", "kopija", "tēma|temats"],
  lt: ["nuo|siuntėjas", "išsiųsta|data", "kam|gavėjas", "kopija", "tema"],
  vi: ["từ|người gửi", "đã gửi|ngày|ngày gửi|gửi", "tới|đến|người nhận", "đồng kính gửi", "chủ đề|tiêu đề"],
  th: ["จาก", "ส่ง|วันที่|ส่งเมื่อ", "ถึง", "สำเนา", "เรื่อง|หัวเรื่อง"],
  id: ["dari", "dikirim|tanggal", "kepada|ke", "tembusan", "perihal|subjek"],
  he: ["מאת", "נשלח|תאריך|נשלח בתאריך", "אל", "עותק", "נושא"],
  ar: ["من", "تم الإرسال|التاريخ|تاريخ الإرسال", "إلى", "نسخة", "الموضوع"],
  ja: ["差出人|送信者|送信元", "送信日時|日時|日付|送信日", "宛先|受信者", "cc", "件名"],
  zh: [
    "发件人|寄件者|寄件人|發件人",
    "发送时间|发送日期|日期|已发送|寄件日期|傳送時間|發送時間|时间",
    "收件人|收件者",
    "抄送|副本|副本抄送",
    "主题|主旨|主題",
  ],
  ko: [
    "보낸 사람|보낸사람|발신|발신자",
    "보낸 날짜|날짜|보낸날짜|보낸 시간",
    "받는 사람|받는사람|수신|수신자",
    "참조",
    "제목",
  ],
};

/** What stands in a block besides; its value belongs to no field. */
const others =
  "importance|reply-to|reply to|attachments|attachment|anlagen|anhänge|wichtigkeit|priorität|antwort an|importance haute|répondre à|pièces jointes|" +
  "importancia|datos adjuntos|adjuntos|responder a|allegati|priorità|rispondi a|prioridade|anexos|bijlagen|urgentie|antwoord aan|załączniki|" +
  "ważność|odpowiedź do|важность|вложения|обратный адрес|prioritet|bilagor|svara till|vedhæftede filer|liite|liitteet|přílohy|důležitost|ekler|önem|" +
  "添付ファイル|重要度|附件|重要性|첨부 파일|중요도|organization|organisation|list-id|mailed-by|signed-by|resent-from|newsgroups|sensitivity|when|where";

const table: ReadonlyMap<string, Role> = new Map([
  ...others.split("|").map((word): [string, Role] => [word, "other"]),
  ...Object.values(written).flatMap((fields) =>
    fields.flatMap((words, index) =>
      words
        .split("|")
        .filter((word) => word !== "")
        .map((word): [string, Role] => [word, roles[index] ?? "other"]),
    ),
  ),
]);

/** Only clients write these above a mail; "Date" and "From" also stand in orders and forms. */
const clientWords = new Set(
  (
    "sent|gesendet|gesendet am|envoyé|envoyé le|enviado|enviado el|enviado em|enviada em|enviada|inviato|inviato il|verzonden|wysłano|отправлено|" +
    "надіслано|изпратено|skickat|sendt|lähetetty|odesláno|odoslané|elküldve|küldve|trimis|poslano|στάλθηκε|gönderildi|gönderme tarihi|saadetud|nosūtīts|išsiųsta|" +
    "đã gửi|ส่ง|dikirim|נשלח|تم الإرسال|送信日時|发送时间|寄件日期|發送時間|보낸 날짜"
  ).split("|"),
);

export interface Labelled {
  readonly role: Role;
  readonly value: string;
  /** The word is one that mail clients use and people do not. */
  readonly client: boolean;
  /** Danish or Norwegian. */
  readonly nordic: boolean;
}

/** The longest label, with bold marks and blanks around it. */
const maxLabelChars = 40;
const ornaments = /^[\s*_>\u200e\u200f]+|[\s*_\u00a0\u200e\u200f]+$/g;

/** `*Von:* Ana`, `De : Ana`, `件名：...`: undefined for a line that begins with no known label. */
export function labelled(line: string): Labelled | undefined {
  const head = line.slice(0, maxLabelChars);
  const colon = head.search(/[:：]/);
  if (colon < 1) return undefined;
  const word = head
    .slice(0, colon)
    .replace(ornaments, "")
    .replace(/[\s\u00a0]+/g, " ")
    .replaceAll("’", "'")
    .toLowerCase();
  const role = table.get(word);
  if (role === undefined) return undefined;
  const value = line
    .slice(colon + 1)
    .replace(/^[*_]{1,2}(?=\s|$)/, "")
    .trim();
  return { role, value, client: clientWords.has(word), nordic: word === "fra" || word === "sendt" };
}
