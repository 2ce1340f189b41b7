/** Tells the language of a text by its script and its commonest words. */
import type { Message } from "../../model/event.ts";

/** Below this a name or a number decides. */
const minChars = 40;
/** The beginning says it; a quoted contract behind it is not read. */
const maxChars = 500;

/**
 * Words that every text of a few sentences has, and no other language here, or few: docs/decisions/0004 measures them against packages
 * that tell sixty languages with fifty megabytes.
 */
const common: Readonly<Record<string, string>> = {
  en: "the and you for your we our is are with this that have has will please would could can it from not be to of in on at thanks thank i my do let know if by an as was any me us there which when been they he she all but what how see hello dear regards one two than then some any there week day time order send sorry late since until only also just new please number more make makes get",
  de: "der die das und ich sie wir ihr ihnen ihre ist sind nicht mit für von den dem ein eine einen zu auf bitte haben hat werden wird könnten können noch auch uns aus bei nach vom zum zur vielen dank es im am an wie wenn dass oder mir mich gerne sehr geehrte hallo grüße bis letzte letzten woche seit gibt war hatte man nur schon jetzt hier diese dieser einer eines beim ins neue neuen wo was wer sein seine können müssen sollte schicken antwort tag tage entschuldigen",
  fr: "le la les des de du et est vous nous votre vos notre nos je pour pas que qui dans avec sur une un ce cette merci bonjour à au aux ne en il elle sont avez pouvez pourriez veuillez être plus par mais si ci joint tous nos mon ma mes se ont ou où jusqu'à depuis j'étais était y a-t-il deux semaine dernière dernier mois fait faire été aussi bien comme même après avant encore peut très sans sous leur leurs merci désolé réponse",
  es: "el la los las de del y que en por para con una un no se su sus es está están nos nuestro nuestra gracias usted ustedes podría puede me mi lo le como pero más muy hola buenos días este esta hemos tenemos al todavía adjunto cuando quiero queremos favor desde hasta estuve estaba hay algún alguna dos semana pasada pasado mes hace hacer sido también bien después antes puede sin sobre entre ya ha han perdón respuesta nueva nuevo cualquier mayor mayores",
  it: "il lo la gli le di del della dei che e è per con non una un sono si ci vi nostro nostra nostri vostra vostro grazie buongiorno potrebbe potete può mi ancora anche ha hanno abbiamo allegato in da dal alla al sul questo questa come più ma se nel tutti fino ieri ero era c'è due settimana scorsa scorso mese fa fare stato stata bene dopo prima può senza tra fra già perché quando dove scusi risposta nuovo nuova molto",
  pt: "o a os as de do da dos das e que em por para com uma um não se seu sua é está são nos nosso nossa obrigado obrigada você poderia pode me meu minha mas mais muito olá bom dia este esta temos ao ainda anexo quando quero queremos favor à até segue já foi desde até ontem estive estava existe algum alguma duas dois semana passada passado mês faz fazer sido também bem depois antes pode sem sobre entre há desculpe resposta novo nova maiores quantidades num numa pelo pela nas nos",
  nl: "de het een en ik u wij we van voor met niet is zijn op in aan dat die te om kunt kan kunnen bedankt graag nog ook uw ons onze heeft hebben wordt worden naar bij als maar er deze dit over geen wel goed mij jullie beste groet hierbij vindt u vorige week sinds tot was had geweest deze dit die twee kunnen moeten zou zouden meer veel nu hier gaat komt maakt maken doen antwoord vraag vragen excuses mogelijk graag willen wilt",
  pl: "i w na z do że nie się jest są czy o od dla po za proszę dziękuję dzień dobry pan pani państwo państwa mogę mogą możemy jak który która nasza nasz nasze nam mi mnie przez oraz ale jeszcze już tego to tym będzie bardzo przesyłam załączniku pozdrawiam aby więc od do ze we był była było były przy przed nad pod bez jedna jeden dwa dwóch tydzień tygodniu zeszłym miesiąc wczoraj teraz tutaj możliwy możliwe prosimy proszę przepraszam odpowiedź dzień mam mamy będziemy chcielibyśmy też również ich jego nam obojgu",
  sv: "och att det är en ett som på för med av till den inte har vi jag kan ni du från om mig oss er vår vårt våra men så tack hej när skulle vill finns bifogat hälsningar mycket eller detta också efter gärna än var ska vecka veckan förra igår idag sedan måndags var varit hade blev blivit kunde bara någon något mycket mer än hur vad er ert era två tre låter finnas vid större mindre ursäkta svaret semester vänligen tacksam behöver önskar skicka får få göra gör kommer leverans",
  da: "og at det er en et som på for med af til den ikke har vi jeg kan i du fra om mig os jer vores men så tak hej når skulle vil findes vedhæftet hilsen meget eller dette også efter gerne endnu var skal kommet din dit ved hvad noget uge ugen sidste sidst i går dag siden mandag blev blevet kunne kun nogen noget mere end hvordan hvad jeres to tre lyder ved større mindre undskyld svaret ferie indtil venligst behøver ønsker sende får få gøre gør kommer levering af efter så ret den det denne lidt godt nu",
  no: "og at det er en et som på for med av til den ikke har vi jeg kan dere du fra om meg oss vår vårt våre men så takk hei når skulle vil finnes vedlagt hilsen mye eller dette også etter gjerne ennå var skal kommet din ditt ved hva noe forrige begge uke uken forrige i går dag siden mandag ble blitt kunne bare noen noe mer enn hvordan hva deres to tre lager ved større mindre beklager svaret ferie frem vennligst trenger ønsker sende får få gjøre gjør kommer levering av etter så denne litt godt bra nå finnes leveransen rar begge",
  fi: "ja on ei ole että se hän me te minä sinä mutta kun jos voi voisi voitte voisitteko olemme ovat kiitos hei tai myös vielä meidän teidän meille teille minulle tämä tämän nyt sekä ollut ennen jälkeen liitteenä kanssa mitä joka jonka olisi haluaisimme terveisin hyvin viime viikolla viikko eilen tänään asti lähtien saako saa saada olin oli olla olen olet onko voinko voimme meiltä teiltä teitä heidän niitä sitä siitä sen jotta koska kuinka miten missä myöhäisestä pahoittelut vastaus kaksi toinen uusi uuden paljon enemmän lisää pyydämme tilaus toimitus lasku",
  cs: "a v na s z do že ne se je jsou si o od pro po za prosím děkuji děkujeme dobrý den byste bychom mohli můžete jak který která naše náš nám mi mě ale ještě již tento to tím bude velmi zasílám příloze pozdravem aby nebo jsme jsem minulý by minulý týden jsme byl byla bylo včera teď tady dva dvou jeden při před nad pod bez možná možné možné omlouvám odpověď máme mám budeme také jejich jeho množství od pondělí ze ve ke změňte",
  sk: "a v na s z do že nie sa je sú si o od pre po za prosím ďakujem ďakujeme dobrý deň by mohli môžete ako ktorý ktorá naša náš nám mi ale ešte už tento to bude veľmi posielam prílohe pozdravom aby alebo sme som minulý ste minulý týždeň sme bol bola bolo včera teraz tu dva dvoch jeden pri pred nad pod bez možné ospravedlňujem odpoveď máme mám budeme tiež ich jeho množstvo od zo vo ku",
  tr: "ve bir bu için ile de da mi mı ne çok daha olarak var yok değil ama gibi kadar sonra önce lütfen teşekkürler teşekkür merhaba iyi bize bana size sizin bizim henüz ekte ederim ederiz istiyoruz olan her en şu o ya geçen hafta dün bugün lütfen mümkün verdiğim için özür dilerim düne beri biri iki üç yeni büyük küçük nasıl nerede hangi zaman olur oldu olacak etmek yapmak gönderebilir mısınız musunuz miyiz ediyoruz ediyorum",
  hu: "a az és hogy nem is egy van volt meg el ki de ha csak már még nekem nekünk kérem köszönöm köszönjük tisztelt üdvözlettel önnek ön mi mint vagy ez azt ezt lesz szeretnénk szeretném mellékelve küldöm tudná minden után között múlt héten hét óta közül egyik két három új nagyobb kisebb hogyan hol mikor tegnap ma holnap esetén elnézést válasz kérjük kérem lenne lehet kell kellene voltam volna vannak azonban illetve szállítási számla rendelés számlát",
  ro: "și şi de la în un o cu pe nu că este sunt vă ne mi pentru din care mai am ați vom noastră noastre dumneavoastră mulțumim mulțumesc bună ziua rog puteți dorim până încă iar sau acest această fi va prin când fost au săptămâna trecută luna ieri azi până dintre cele două trei nou nouă mari mic cum unde când există scuze răspuns fost era sunt are avem aveți trebuie rugăm face fac prea foarte",
  hr: "i u na s se je su da za od do ne što koji koja naš naša nam mi vam vas molim hvala poštovani ali još već bi biste možete bi ako ili kako ovo to će smo sam kao prije nakon lijep pozdrav prošli tjedan jučer danas dva dvije tri novi nova veći kako gdje kada postoji oprostite odgovor bio bila bilo imamo imate treba molimo ima vrlo",
  el: "",
  ru: "и в на с не что по за от для мы вы вам нам наш наша ещё еще это как но или если бы к о у из до при спасибо пожалуйста добрый день уже прошу будет могли ждёт нас вас на прошлой неделе был была было были вчера сегодня есть ли одна один два две три новый новая как где когда при больше меньше можно нужно ответ извините измените отпуске с понедельника этот эта эти того тоже только очень вы мне меня я он она они заказ адрес",
  uk: "і й в у на з не що по за від для ми ви вам нам наш наша ще це як але або якщо б до о із при дякую будь ласка добрий день вже прошу буде могли чи та нас вас щоб минулого тижня був була було були вчора сьогодні є чи одна один два дві три новий нова як де коли більше менше можна потрібно відповідь вибачте змініть відпустці понеділка цей ця ці того теж тільки дуже мені мене я він вона вони замовлення адресу із",
  bg: "и в на с не че по за от ние вие ви ни наш наша още това как но или ако бихме към до при благодаря моля добър ден вече ще сме са е да се миналата седмица беше бяха вчера днес има ли един една два две три нов нова как къде кога повече може трябва отговор извинете съм сте този тази тези много само мен",
};

/** Letters that decide between languages that share their words. */
const letters: readonly (readonly [RegExp, string, number])[] = [
  [/ß/g, "de", 3],
  [/[ñ¿¡]/g, "es", 3],
  [/[ãõ]/g, "pt", 2],
  [/[ąęłżźćńś]/g, "pl", 1],
  [/[řěů]/g, "cs", 2],
  [/[ľĺŕôďť]/g, "sk", 1],
  [/[őű]/g, "hu", 3],
  [/[ğıİ]/g, "tr", 2],
  [/[țșăţ]/g, "ro", 1.5],
  [/[æø]/g, "da", 0.3],
  [/[æø]/g, "no", 0.3],
  [/[đ]/g, "hr", 1],
  [/(?:aa|ää|yy|uu|ii|tt[aä])/g, "fi", 0.3],
  [/\p{L}(?:ssa|ssä|sta|stä|lla|llä|lta|ltä|lle|ksi|mme|tte|iden|ista|isesta)(?!\p{L})/gu, "fi", 0.6],
  [/\p{L}(?:nak|nek|ban|ben|ból|ből|hoz|hez|ért|unk|ünk|ság|ség|ított|etett)(?!\p{L})|gy|sz/gu, "hu", 0.4],
  [/\p{L}(?:arna|erna|orna|ades?|igt|skt)(?!\p{L})|ck/gu, "sv", 0.5],
  [/[äö]\p{L}*å|å\p{L}*[äö]|och/gu, "sv", 0.5],
  [/\p{L}(?:ção|ções|ões|mente|ado|amos)(?!\p{L})/gu, "pt", 0.4],
  [/\p{L}(?:ción|ciones|amente|ado|amos)(?!\p{L})/gu, "es", 0.4],
  [/\p{L}(?:zione|zioni|mente|iamo|gli)(?!\p{L})/gu, "it", 0.4],
  [/\p{L}(?:ung|ungen|keit|heit|lich|isch)(?!\p{L})|sch/gu, "de", 0.4],
  [/\p{L}(?:heid|lijk|ij)(?!\p{L})|ij/gu, "nl", 0.5],
  [/\p{L}(?:ych|ego|emu|ów|owy|ość)(?!\p{L})|sz|cz|rz/gu, "pl", 0.4],
  [/\p{L}(?:[dt]ığı|[dt]iği|lar|ler|yor|iyor|dır|dir|mak|mek|ları|leri)(?!\p{L})/gu, "tr", 0.6],
  [/\p{L}(?:ться|ого|его|ция|ость|ный|ные)(?!\p{L})/gu, "ru", 0.4],
  [/\p{L}(?:ся|ого|ність|ний|ння)(?!\p{L})/gu, "uk", 0.4],
  [/\bl'|\bd'|\bqu'|\bn'|\bj'|[œ]/g, "fr", 0.7],
  [/\b(?:dell|all|nell|sull|un|l)'/g, "it", 0.9],
  [/[іїєґ]/g, "uk", 1],
  [/[ыэё]/g, "ru", 1],
  [/ъ/g, "bg", 1],
];

const scripts: readonly (readonly [RegExp, string])[] = [
  [/[\u3040-\u30ff]/g, "ja"],
  [/[\uac00-\ud7af]/g, "ko"],
  [/\p{Script=Greek}/gu, "el"],
  [/\p{Script=Hebrew}/gu, "he"],
  [/\p{Script=Arabic}/gu, "ar"],
  [/\p{Script=Thai}/gu, "th"],
  [/\p{Script=Devanagari}/gu, "hi"],
  [/\p{Script=Georgian}/gu, "ka"],
  [/\p{Script=Armenian}/gu, "hy"],
];

const cyrillic = /\p{Script=Cyrillic}/gu;
const han = /\p{Script=Han}/gu;
const onlyAscii = /^\p{ASCII}*$/u;

/** A weight for each word: the fewer languages have it, the more it says. */
const weights: ReadonlyMap<string, ReadonlyMap<string, number>> = (() => {
  const holders = new Map<string, string[]>();
  for (const [code, words] of Object.entries(common)) {
    for (const word of new Set(words.split(" "))) {
      if (word !== "") holders.set(word, [...(holders.get(word) ?? []), code]);
    }
  }
  return new Map([...holders].map(([word, codes]) => [word, new Map(codes.map((code) => [code, 1 / codes.length]))]));
})();

export function languageOf(text: string): Message["language"] {
  if (text.length < minChars) return null;
  const read = withoutAddresses(text.slice(0, maxChars).toLowerCase());
  const words = read.match(/\p{L}+/gu) ?? [];
  const total = words.reduce((sum, word) => sum + word.length, 0);
  if (total < minChars / 2) return null;
  if (onlyAscii.test(read)) return byWords(read, words, false);
  return byScript(read, total) ?? byWords(read, words, count(read, cyrillic) > total / 2);
}

function withoutAddresses(text: string): string {
  if (!text.includes("@") && !text.includes("://") && !text.includes("www.")) return text;
  return text
    .split(/\s+/)
    .filter((word) => !word.includes("@") && !word.includes("://") && !word.includes("www."))
    .join(" ");
}

function byScript(text: string, total: number): Message["language"] | undefined {
  for (const [pattern, code] of scripts) {
    const share = count(text, pattern) / total;
    // Japanese is half Chinese characters; a Chinese text has no kana.
    if (share > (code === "ja" ? 0.15 : 0.5)) return { code, confidence: rounded(Math.min(1, share + 0.4)) };
  }
  const chinese = count(text, han) / total;
  return chinese > 0.5 ? { code: "zh", confidence: rounded(chinese) } : undefined;
}

const cyrillicCodes = new Set(["ru", "uk", "bg"]);

function byWords(text: string, words: readonly string[], isCyrillic: boolean): Message["language"] {
  const scores = new Map<string, number>();
  const add = (code: string, value: number): void => {
    if (cyrillicCodes.has(code) === isCyrillic) scores.set(code, (scores.get(code) ?? 0) + value);
  };
  for (const word of words) {
    const found = weights.get(word);
    if (found !== undefined) for (const [code, weight] of found) add(code, weight);
  }
  for (const [pattern, code, weight] of letters) {
    if (cyrillicCodes.has(code) === isCyrillic) add(code, Math.min(count(text, pattern), 5) * weight);
  }
  const [best, second] = [...scores].sort(([, one], [, other]) => other - one);
  if (best === undefined || best[1] < 1) return null;
  const confidence = best[1] / (best[1] + (second?.[1] ?? 0));
  // Two languages that say the same are none.
  return confidence < 0.52 ? null : { code: best[0], confidence: rounded(confidence) };
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

const rounded = (value: number): number => Math.round(value * 100) / 100;
