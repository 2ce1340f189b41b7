/** The words of a subject: whether two subjects are about the same, and whether one says anything at all. */

/** More words make no subject clearer; a 100 KB subject is an attack. */
const mostWords = 12;
const mostChars = 400;

/** Written without blanks between the words: there two characters in a row are the next best thing to a word. */
const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]/u;

/** Of a normalised subject: folded, sorted, without repetition. Words of one or two letters say nothing; numbers do. */
export function subjectWords(subject: string): string[] {
  const words = new Set<string>();
  for (const [run] of subject
    .slice(0, mostChars)
    .normalize("NFKC")
    .toLowerCase()
    .matchAll(/[\p{L}\p{M}\p{N}]+/gu)) {
    if (unspaced.test(run)) {
      const chars = [...run];
      if (chars.length === 1) words.add(run);
      for (let at = 0; at + 1 < chars.length; at++) words.add(`${chars[at]}${chars[at + 1]}`);
    } else if (run.length > 2 || /\p{N}/u.test(run)) words.add(run);
  }
  return [...words].sort().slice(0, mostWords);
}

/** What many people write about many things, in the languages that customers write; and what fills a subject around it. */
const sayingNothing = new Set(
  `hello hey dear good morning day hallo guten tag moin bonjour salut hola buenos dias ciao buongiorno salve olá ola bom dia hej hei cześć witam привет
  здравствуйте merhaba 您好 你好
  question questions request inquiry enquiry query help support info information update updates news newsletter contact message mail email test testing
  frage fragen anfrage hilfe rückfrage nachricht kontakt termin question demande renseignement aide consulta pregunta solicitud ayuda domanda richiesta
  aiuto pergunta pedido vraag verzoek hulp pytanie zapytanie вопрос запрос fråga spørgsmål kysymys 问题 咨询
  invoice invoices bill rechnung rechnungen facture factures factura fattura fatura factuur faktura счёт счет fakturor lasku 发票 请求 請求
  order orders offer quote quotation proposal contract meeting call appointment reminder payment delivery document documents file files report status
  bestellung angebot auftrag vertrag besprechung treffen anruf erinnerung zahlung lieferung dokument dokumente unterlagen bericht
  commande offre devis contrat réunion rendez vous rappel paiement livraison rapport pedido oferta presupuesto contrato reunión cita pago entrega informe
  ordine offerta preventivo contratto riunione appuntamento pagamento consegna bestelling offerte afspraak betaling levering zamówienie oferta umowa
  spotkanie płatność заказ договор встреча оплата
  weekly monthly daily urgent important new your our the and for from with about this that please thanks thank you wichtig dringend neue neuer neues ihre
  unser unsere und für von mit bitte danke votre notre pour avec merci urgent importante gracias nuestro su grazie nostra vostra obrigado
  january february march april may june july august september october november december januar februar märz mai juni juli oktober dezember janvier
  février mars avril juin juillet août septembre octobre novembre décembre enero febrero marzo abril mayo junio julio agosto septiembre octubre
  noviembre diciembre`
    .split(/\s+/)
    .filter((word) => word !== ""),
);

/** Whether a word, in lower case, is one of those that say nothing. */
export const isFiller = (word: string): boolean => sayingNothing.has(word);

/** "Invoice", "Hello", "Weekly report", "2026": no two of those need to be about the same. A number of five digits is that of something. */
export function saysNothing(subject: string): boolean {
  const words = subjectWords(subject).filter((word) => !/^\p{N}{1,4}$/u.test(word));
  return words.every((word) => sayingNothing.has(word) || unspaced.test(word)) && [...subject].length < 40;
}

/** From 0 to 1: how much of the shorter subject stands in the longer one. Both sorted or not, hashed or not. */
export function overlap(one: readonly string[], other: readonly string[]): number {
  const shorter = Math.min(one.length, other.length);
  if (shorter === 0) return 1;
  const there = new Set(one);
  return other.filter((word) => there.has(word)).length / shorter;
}
