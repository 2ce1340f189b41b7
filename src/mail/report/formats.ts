/** The words by which mail systems say that a mail was not delivered, for reports that no machine was meant to read. */

export interface Format {
  readonly name: string;
  /** In lower case, blanks folded, straight apostrophes. One of them is enough. */
  readonly phrases: readonly string[];
}

/** Sorted by how sure each is: the first that fits names the format. */
export const formats: readonly Format[] = [
  {
    name: "qmail",
    phrases: [
      "this is the qmail-send program",
      "i'm afraid i wasn't able to deliver your message to the following addresses",
    ],
  },
  {
    name: "exim",
    phrases: [
      "this message was created automatically by mail delivery software",
      "a message that you sent could not be delivered to one or more of its recipients",
      "a message that you sent has not yet been delivered to one or more of its recipients",
    ],
  },
  {
    name: "postfix",
    phrases: ["this is the mail system at host", "this is the postfix program at host"],
  },
  {
    name: "sendmail",
    phrases: [
      "----- the following addresses had permanent fatal errors -----",
      "----- the following addresses had transient non-fatal errors -----",
      "----- the following addresses had delivery problems -----",
      "----- transcript of session follows -----",
    ],
  },
  {
    name: "exchange",
    phrases: [
      "delivery has failed to these recipients or groups",
      "delivery has failed to these recipients or distribution lists",
      "your message did not reach some or all of the intended recipients",
      "the following recipient(s) could not be reached",
      "the following recipient(s) cannot be reached",
      "diagnostic information for administrators",
      "fehler bei der nachrichtenzustellung an folgende empfänger",
      "ihre nachricht hat einige oder alle empfänger nicht erreicht",
      "échec de la remise à ces destinataires",
      "votre message n'a pas pu être remis",
      "error de entrega a estos destinatarios",
      "no se pudo entregar el mensaje a estos destinatarios",
      "recapito non riuscito per i seguenti destinatari",
      "falha na entrega para estes destinatários",
      "de bezorging aan deze geadresseerden of groepen is mislukt",
      "delivery to the following recipients failed",
      "couldn't be delivered to",
    ],
  },
  {
    name: "google",
    phrases: [
      "delivery to the following recipient failed permanently",
      "your message wasn't delivered to",
      "there was a problem delivering your message to",
      "there was a temporary problem delivering your message to",
      "** address not found **",
      "** delivery incomplete **",
      "ihre nachricht wurde nicht an",
      "votre message n'est pas parvenu à",
      "tu mensaje no se ha entregado a",
      "il messaggio non è stato recapitato a",
      "sua mensagem não foi entregue para",
      "письмо не доставлено",
    ],
  },
  {
    name: "yahoo",
    phrases: [
      "unable to deliver message to the following address(es)",
      "sorry, we were unable to deliver your message to the following address",
    ],
  },
  {
    name: "aol",
    phrases: [
      "your mail to the following recipients could not be delivered",
      "the following addresses were not accepted by the mail server",
    ],
  },
  { name: "domino", phrases: ["was not delivered to:", "konnte nicht zugestellt werden an:", "n'a pas été remis à :"] },
  {
    name: "russian",
    phrases: [
      "не может быть доставлено одному или нескольким",
      "не удалось доставить ваше",
      "не удалось доставить письмо",
      "ваше сообщение не было доставлено",
      "письмо не было доставлено",
      "ваше письмо не доставлено",
    ],
  },
  {
    name: "chinese",
    phrases: [
      "您的邮件被退回",
      "邮件被退回来了",
      "邮件无法送达",
      "邮件无法投递",
      "无法发送到以下收件人",
      "投递失败",
      "退信原因",
      "發送失敗",
      "無法傳送到以下收件者",
      "郵件無法遞送",
    ],
  },
  {
    name: "japanese",
    phrases: [
      "配信に失",
      "配送に失",
      "配信できませんでした",
      "配送できませんでした",
      "送信できませんでした",
      "お届けできませんでした",
      "配信不能",
      "宛先不明",
      "メールが届きませんでした",
    ],
  },
  { name: "korean", phrases: ["전송하지 못했습니다", "배달하지 못했습니다", "메일 전송에 실패", "전송이 실패"] },
  {
    name: "other",
    phrases: [
      "could not be delivered to the following recipient",
      "could not be delivered to one or more",
      "could not be delivered to all recipients",
      "unable to deliver your message",
      "unable to deliver your mail",
      "your message could not be delivered",
      "your mail could not be delivered",
      "message could not be delivered",
      "was undeliverable",
      "is undeliverable",
      "undeliverable mail",
      "delivery failed",
      "delivery failure",
      "delivery to the following recipient",
      "failed to deliver your",
      "returned to sender",
      "permanent delivery failure",
      "konnte nicht zugestellt werden",
      "konnte nicht an die folgenden empfänger",
      "n'a pas pu être délivré",
      "n'a pas pu être distribué",
      "impossible de livrer",
      "no pudo ser entregado",
      "no se ha podido entregar",
      "non è stato possibile consegnare",
      "não pôde ser entregue",
      "não foi possível entregar",
      "kon niet worden afgeleverd",
      "kunde inte levereras",
      "kunne ikke leveres",
      "nie mogła zostać dostarczona",
      "nie została dostarczona",
      "nebylo možné doručit",
      "iletilemedi",
      "teslim edilemedi",
    ],
  },
];

/** It may still arrive. */
export const delayPhrases: readonly string[] = [
  "has not yet been delivered",
  "warning: message still undelivered",
  "still undelivered after",
  "delivery attempts will continue to be made",
  "will be retried",
  "will retry for",
  "will keep trying",
  "will continue to try",
  "this is a warning message only",
  "delivery incomplete",
  "temporary problem delivering",
  "you do not need to resend",
  "you don't need to resend",
  "delivery is delayed",
  "delivery has been delayed",
  "delivery to these recipients has been delayed",
  "zustellung verzögert",
  "noch nicht zugestellt",
  "remise retardée",
];

/** It has been given up, whatever else is said about attempts. */
export const finalPhrases: readonly string[] = [
  "failed permanently",
  "permanent error",
  "permanent fatal",
  "giving up",
  "gave up",
  "have been exceeded",
];

/** Behind these stands the returned message: what it says is not about the delivery. In lower case, at the beginning of a line. */
export const returnedMarks: readonly string[] = [
  "--- below this line is a copy of the message",
  "--- enclosed is a copy of the message",
  "------ this is a copy of the message",
  "----- original message -----",
  "-----original message-----",
  "----- message header follows -----",
  "----- unsent message below -----",
  "--- original message follows",
  "original message headers",
  "---------- forwarded message",
  "original message follows",
  "received: ",
  "return-path: ",
  "--- undelivered message follows",
  "--- the header of the original message",
];

const subjects =
  /undeliver|returned mail|mail(?: system)? error|delivery (?:status|fail|report|notif|problem|incomplete|delay)|delivery .{0,30}fail|failure notice|failed delivery|mail delivery|could ?n[o']t be delivered|(?:message|mail) (?:delayed|returned|could not)|non[- ]?(?:delivery|remis)|not delivered|unzustellbar|unzustellbarkeit|zustellung|nicht zugestellt|rücksendung|non distribu|échec de (?:la )?remise|no se puede entregar|no entregado|impossibile recapitare|mancato recapito|não entregue|falha na entrega|onbestelbaar|kan inte levereras|olevererbart|ikke leveret|nie dostarczono|niedostarczon|nedoručiteln|kézbesíthetetlen|iletilemedi|недоставлен|не доставлен|не удалось доставить|недоставка|退信|退回|投递失败|無法傳遞|无法投递|系统退信|配信不能|配信エラー|送信エラー|不達|반송|전송 ?실패/i;

export const soundsUndelivered = (subject: string): boolean => subjects.test(subject.slice(0, 500));
