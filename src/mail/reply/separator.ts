/** The lines that clients draw between an answer and the mail below it, in the languages they are sold in. */

export type Separator =
  /** Below stands the mail that is answered, or, in Outlook, that is forwarded. */
  | "original"
  /** Below stands a mail that is forwarded. */
  | "forward";

const original =
  "original message|original e-mail|original email|original appointment|original mail|reply message|ursprüngliche nachricht|original-nachricht|" +
  "originalnachricht|original nachricht|ursprünglicher termin|ursprüngliche mail|message d'origine|message original|message initial|mensaje original|" +
  "correo original|messaggio originale|messaggio di origine|mensagem original|oorspronkelijk bericht|origineel bericht|oryginalna wiadomość|" +
  "wiadomość oryginalna|pierwotna wiadomość|исходное сообщение|оригинальное сообщение|первоначальное сообщение|оригінальне повідомлення|" +
  "вихідне повідомлення|початкове повідомлення|оригинално съобщение|ursprungligt meddelande|originalmeddelande|oprindelig meddelelse|oprindelig besked|" +
  "original meddelelse|original besked|opprinnelig melding|original melding|opprinnelig e-post|alkuperäinen viesti|původní zpráva|původní e-mail|" +
  "pôvodná správa|eredeti üzenet|mesaj original|mesajul original|mesajul inițial|orijinal mesaj|orijinal ileti|özgün ileti|asıl mesaj|αρχικό μήνυμα|" +
  "izvorna poruka|originalna poruka|оригинална порука|izvirno sporočilo|algne kiri|algne sõnum|sākotnējā ziņa|sākotnējais ziņojums|originalus laiškas|" +
  "pradinis laiškas|tin nhắn gốc|thư gốc|ข้อความต้นฉบับ|ข้อความเดิม|pesan asli|mesej asal|הודעה מקורית|ההודעה המקורית|الرسالة الأصلية|missatge original|" +
  "mensaxe orixinal|元のメッセージ|オリジナルメッセージ|元のメール|original message|原始邮件|原邮件|原始郵件|原始信件|回复的原邮件|回复的邮件|" +
  "邮件原件|원본 메시지|원본 메일|원본 이메일|원본메일|원본 내용";

const forward =
  "forwarded message|forwarded mail|forwarded e-mail|begin forwarded message|start of forwarded message|forwarded letter|weitergeleitete nachricht|" +
  "weitergeleitete mail|anfang der weitergeleiteten nachricht|anfang der weitergeleiteten e-mail|message transféré|message transmis|message réexpédié|" +
  "début du message réexpédié|début du message transféré|mensaje reenviado|inicio del mensaje reenviado|messaggio inoltrato|inizio messaggio inoltrato|" +
  "inizio del messaggio inoltrato|mensagem encaminhada|mensagem reencaminhada|início da mensagem encaminhada|início da mensagem reencaminhada|" +
  "doorgestuurd bericht|begin doorgestuurd bericht|begin van doorgestuurd bericht|wiadomość przekazana dalej|przekazana wiadomość|" +
  "treść przekazanej wiadomości|początek przekazywanej wiadomości|początek przekazanej wiadomości|wiadomość przesłana dalej|пересылаемое сообщение|" +
  "пересланное сообщение|перенаправленное сообщение|начало переадресованного сообщения|начало пересланного сообщения|начало переадресованного письма|" +
  "переслане повідомлення|переадресоване повідомлення|початок переадресованого повідомлення|початок листа, що пересилається|препратено съобщение|" +
  "vidarebefordrat meddelande|vidarebefordrat brev|börja på vidarebefordrat meddelande|vidarebefordrat mail|videresendt meddelelse|videresendt besked|" +
  "start på videresendt besked|videresendt e-mail|begynd på videresendt meddelelse|videresendt melding|begynn på videresendt melding|videresendt e-post|" +
  "starten på videresendt melding|välitetty viesti|edelleenlähetetty viesti|välitetty viesti alkaa|přeposlaná zpráva|přeposlaný e-mail|předaná zpráva|" +
  "začátek přeposílané zprávy|začátek přeposlané zprávy|preposlaná správa|začiatok preposlanej správy|továbbított üzenet|továbbított levél|" +
  "továbbított üzenet kezdete|mesaj redirecționat|mesaj transmis mai departe|începutul mesajului redirecționat|yönlendirilmiş ileti|yönlendirilen ileti|" +
  "iletilen mesaj|iletilmiş mesaj|yönlendirilmiş mesaj|iletilen mesajın başlangıcı|προωθημένο μήνυμα|μήνυμα που προωθήθηκε|αρχή προωθημένου μηνύματος|" +
  "proslijeđena poruka|prosleđena poruka|prosljeđena poruka|posredovano sporočilo|edastatud kiri|edastatud sõnum|pārsūtītā ziņa|pārsūtīta ziņa|" +
  "persiųstas laiškas|persiųsta žinutė|thư đã chuyển tiếp|tin nhắn đã chuyển tiếp|ข้อความที่ส่งต่อ|pesan terusan|pesan diteruskan|mesej dimajukan|" +
  "הודעה שהועברה|הודעה מועברת|رسالة معاد توجيهها|الرسالة المعاد توجيهها|رسالة محولة|missatge reenviat|mensaxe reenviada|転送されたメッセージ|" +
  "転送メッセージ|転送メール|以下は転送されたメッセージです|メッセージの転送|转发的邮件|转发邮件|转发邮件信息|转发的消息|已转发邮件|开始转发的邮件|" +
  "以下是转发的邮件|轉寄的郵件|已轉寄的郵件|轉寄郵件|開始轉寄的郵件|전달된 메일|전달된 메시지|전달된 이메일|전달된 메세지 시작|전달받은 메일";

const phrases: ReadonlyMap<string, Separator> = new Map([
  ...original.split("|").map((phrase): [string, Separator] => [phrase, "original"]),
  ...forward.split("|").map((phrase): [string, Separator] => [phrase, "forward"]),
]);

/** "----- Forwarded by Ana Lima/ACME on 05/02/2026 10:30 -----" (Lotus Notes). */
const lotus = /^(?:forwarded by|weitergeleitet von|transféré par|reenviado por|inoltrato da) \S/;

/** U+2010 to U+2015 are dashes: ProtonMail's are U+2010. */
const rule = "[-_=*~\u2010-\u2015\u2500#]";
const leading = new RegExp(`^${rule}+\\s*`);
const trailing = new RegExp(`\\s*${rule}+$`);
const drawnOnly = new RegExp(`^${rule}{4,}$`);
const maxChars = 160;

/** `-----Original Message-----`; without its dashes only with a colon behind it, as Apple Mail writes it. */
export function separator(line: string): Separator | undefined {
  if (line.length > maxChars) return undefined;
  const left = leading.exec(line)?.[0] ?? "";
  const bare = line.slice(left.length).replace(trailing, "");
  const drawn = left.trimEnd().length >= 2;
  const colon = /\s*[:：]$/.test(bare);
  if (!drawn && !colon) return undefined;
  const phrase = bare
    .replace(/\s*[:：]$/, "")
    .replaceAll("’", "'")
    .replace(/[\s\u00a0]+/g, " ")
    .toLowerCase();
  if (drawn && left.trimEnd().length >= 4 && lotus.test(phrase)) return "forward";
  return phrases.get(phrase);
}

/** A line that is nothing but drawn: Outlook's underscores above a header block. */
export function isRule(line: string): boolean {
  return line.length <= 200 && drawnOnly.test(line);
}

/** Whether a line may be any of these, by its first character: asked of every line. */
export function mayBeDrawn(code: number): boolean {
  return (
    code === 45 ||
    code === 95 ||
    code === 61 ||
    code === 42 ||
    code === 126 ||
    code === 35 ||
    (code >= 0x2010 && code <= 0x2015) ||
    code === 0x2500
  );
}
