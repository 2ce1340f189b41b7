/** Tells the language of a text by its script and its commonest words. */
import type { Message } from "../../model/event.ts";

/** Below this a name or a number decides. */
const minChars = 40;
/** The beginning says it; a quoted contract behind it is not read. */
const maxChars = 2000;

/**
 * Words that every text of a few sentences has, and no other language here, or few. Letters that only one language writes count as well.
 * Measured against tinyld 1.3.4 and eld 1.0.1: docs/decisions say why this is enough.
 */
const common: Readonly<Record<string, string>> = {
  en: "the and you for your we our is are with this that have has will please would could can it from not be to of in on at thanks thank i my do let know if by an as was any me us there which when been they he she all but what how see hello dear regards",
  de: "der die das und ich sie wir ihr ihnen ihre ist sind nicht mit für von den dem ein eine einen zu auf bitte haben hat werden wird könnten können noch auch uns aus bei nach vom zum zur vielen dank es im am an wie wenn dass oder mir mich gerne sehr geehrte hallo grüße bis",
  fr: "le la les des de du et est vous nous votre vos notre nos je pour pas que qui dans avec sur une un ce cette merci bonjour à au aux ne en il elle sont avez pouvez pourriez veuillez être plus par mais si ci joint tous nos mon ma mes se ont ou où",
  es: "el la los las de del y que en por para con una un no se su sus es está están nos nuestro nuestra gracias usted ustedes podría puede me mi lo le como pero más muy hola buenos días este esta hemos tenemos al todavía adjunto cuando quiero queremos favor",
  it: "il lo la gli le di del della dei che e è per con non una un sono si ci vi nostro nostra nostri vostra vostro grazie buongiorno potrebbe potete può mi ancora anche ha hanno abbiamo allegato in da dal alla al sul questo questa come più ma se nel tutti",
  pt: "o a os as de do da dos das e que em por para com uma um não se seu sua é está são nos nosso nossa obrigado obrigada você poderia pode me meu minha mas mais muito olá bom dia este esta temos ao ainda anexo quando quero queremos favor à até segue já foi",
  nl: "de het een en ik u wij we van voor met niet is zijn op in aan dat die te om kunt kan kunnen bedankt graag nog ook uw ons onze heeft hebben wordt worden naar bij als maar er deze dit over geen wel goed mij jullie beste groet hierbij vindt u",
  pl: "i w na z do że nie się jest są czy o od dla po za proszę dziękuję dzień dobry pan pani państwo państwa mogę mogą możemy jak który która nasza nasz nasze nam mi mnie przez oraz ale jeszcze już tego to tym będzie bardzo przesyłam załączniku pozdrawiam aby więc",
  sv: "och att det är en ett som på för med av till den inte har vi jag kan ni du från om mig oss er vår vårt våra men så tack hej när skulle vill finns bifogat hälsningar mycket eller detta också efter gärna än var ska",
  da: "og at det er en et som på for med af til den ikke har vi jeg kan i du fra om mig os jer vores men så tak hej når skulle vil findes vedhæftet hilsen meget eller dette også efter gerne endnu var skal kommet din dit ved hvad noget",
  no: "og at det er en et som på for med av til den ikke har vi jeg kan dere du fra om meg oss vår vårt våre men så takk hei når skulle vil finnes vedlagt hilsen mye eller dette også etter gjerne ennå var skal kommet din ditt ved hva noe forrige begge",
  fi: "ja on ei ole että se hän me te minä sinä mutta kun jos voi voisi voitte voisitteko olemme ovat kiitos hei tai myös vielä meidän teidän meille teille minulle tämä tämän nyt sekä ollut ennen jälkeen liitteenä kanssa mitä joka jonka olisi haluaisimme terveisin hyvin",
  cs: "a v na s z do že ne se je jsou si o od pro po za prosím děkuji děkujeme dobrý den byste bychom mohli můžete jak který která naše náš nám mi mě ale ještě již tento to tím bude velmi zasílám příloze pozdravem aby nebo jsme jsem minulý by",
  sk: "a v na s z do že nie sa je sú si o od pre po za prosím ďakujem ďakujeme dobrý deň by mohli môžete ako ktorý ktorá naša náš nám mi ale ešte už tento to bude veľmi posielam prílohe pozdravom aby alebo sme som minulý ste",
  tr: "ve bir bu için ile de da mi mı ne çok daha olarak var yok değil ama gibi kadar sonra önce lütfen teşekkürler teşekkür merhaba iyi bize bana size sizin bizim henüz ekte ederim ederiz istiyoruz olan her en şu o ya",
  hu: "a az és hogy nem is egy van volt meg el ki de ha csak már még nekem nekünk kérem köszönöm köszönjük tisztelt üdvözlettel önnek ön mi mint vagy ez azt ezt lesz szeretnénk szeretném mellékelve küldöm tudná minden után között",
  ro: "și şi de la în un o cu pe nu că este sunt vă ne mi pentru din care mai am ați vom noastră noastre dumneavoastră mulțumim mulțumesc bună ziua rog puteți dorim până încă iar sau acest această fi va prin când fost au",
  hr: "i u na s se je su da za od do ne što koji koja naš naša nam mi vam vas molim hvala poštovani ali još već bi biste možete bi ako ili kako ovo to će smo sam kao prije nakon lijep pozdrav",
  el: "",
  ru: "и в на с не что по за от для мы вы вам нам наш наша ещё еще это как но или если бы к о у из до при спасибо пожалуйста добрый день уже прошу будет могли ждёт нас вас",
  uk: "і й в у на з не що по за від для ми ви вам нам наш наша ще це як але або якщо б до о із при дякую будь ласка добрий день вже прошу буде могли чи та нас вас щоб",
  bg: "и в на с не че по за от ние вие ви ни наш наша още това как но или ако бихме към до при благодаря моля добър ден вече ще сме са е да се",
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
const letter = /\p{L}/gu;

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
  const read = text
    .slice(0, maxChars)
    .toLowerCase()
    .replace(/\S*(?:@|:\/\/|www\.)\S*/g, " ");
  const total = count(read, letter);
  if (total < minChars / 2) return null;
  const script = byScript(read, total);
  if (script !== undefined) return script;
  return byWords(read, count(read, cyrillic) > total / 2);
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

function byWords(text: string, isCyrillic: boolean): Message["language"] {
  const scores = new Map<string, number>();
  const add = (code: string, value: number): void => {
    if (cyrillicCodes.has(code) === isCyrillic) scores.set(code, (scores.get(code) ?? 0) + value);
  };
  for (const [word] of text.matchAll(/\p{L}+/gu)) {
    const found = weights.get(word);
    if (found !== undefined) for (const [code, weight] of found) add(code, weight);
  }
  for (const [pattern, code, weight] of letters) add(code, Math.min(count(text, pattern), 5) * weight);
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
