/** Knows the subjects and sentences of absence notes. People write such words too, so they decide nothing by themselves. */

/** What mail programs put in front of the subject that they answer. A person's reply begins with "Re:", not with this. */
const automatic = [
  ...["automatic reply", "auto[- ]?reply", "auto[- ]?response", "auto[- ]?responder", "automated (?:reply|response)"],
  ...["out of (?:the )?office:? auto[- ]?reply", "vacation (?:auto[- ]?)?reply"],
  ...["automatische antwort", "abwesenheitsnotiz", "abwesenheitsassistent"], // German
  ...["réponse automatique", "reponse automatique"], // French
  ...["respuesta autom[aá]tica"], // Spanish
  ...["resposta autom[aá]tica"], // Portuguese, Catalan
  ...["risposta automatica"], // Italian
  ...["automatisch antwoord", "automatische reactie"], // Dutch
  ...["autosvar", "automatiskt svar", "automatisk svar"], // Swedish, Danish, Norwegian
  ...["automaattinen vastaus"], // Finnish
  ...["odpowiedź automatyczna", "automatyczna odpowiedź", "autoodpowiedź"], // Polish
  ...["automatická odpove[ďd]", "automatická odpově[ďd]"], // Slovak, Czech
  ...["automatikus válasz"], // Hungarian
  ...["răspuns automat"], // Romanian
  ...["automatski odgovor", "samodejni odgovor"], // Croatian, Serbian, Slovene
  ...["автоматичен отговор"], // Bulgarian
  ...["автоответ", "автоматический ответ"], // Russian
  ...["автоматична відповідь", "автовідповідь"], // Ukrainian
  ...["αυτόματη απάντηση"], // Greek
  ...["otomatik (?:yanıt|cevap)"], // Turkish
  ...["automaatvastus", "automatinis atsakymas", "automātisk[āa] atbilde"], // Estonian, Lithuanian, Latvian
  ...["מענה אוטומטי", "תשובה אוטומטית"], // Hebrew
  ...["رد تلقائي"], // Arabic
  ...["自動返信", "自動応答", "自动回复", "自动答复", "自動回覆", "자동 ?회신", "자동 ?응답"], // Japanese, Chinese, Korean
  ...["trả lời tự động", "balasan otomatis", "ตอบกลับอัตโนมัติ"], // Vietnamese, Indonesian, Thai
];

const absence = [
  ...[
    "out[- ]of[- ](?:the[- ])?office",
    "away from (?:the|my) (?:office|desk)",
    "on (?:annual |parental |maternity |sick )?leave",
  ],
  ...["on (?:vacation|holiday)", "away notice"],
  ...["abwesen", "nicht im (?:büro|haus)", "im urlaub"],
  ...["absence", "absente?(?: du bureau)?", "en congés?"],
  ...["fuera de la oficina", "ausencia", "ausente", "de vacaciones"],
  ...["fora do escritório", "ausência", "de férias"],
  ...["fuori (?:ufficio|sede)", "assenza", "assente", "in ferie"],
  ...["afwezig", "niet op kantoor"],
  ...["frånvaro", "inte på kontoret", "på semester"],
  ...["fravær", "ikke på kontoret", "ikke til stede", "på ferie"],
  ...["poissa", "lomalla"],
  ...["poza biurem", "nieobecnoś", "na urlopie"],
  ...["mimo kancelář", "nepřítomn", "mimo kancelárie", "neprítomn"],
  ...["házon kívül", "távollét", "szabadságon"],
  ...["în afara biroului", "absent din birou", "în concediu"],
  ...["вне офиса", "отсутств", "в отпуске", "поза офісом", "у відпустці", "відсутн"],
  ...["εκτός γραφείου", "απουσία"],
  ...["ofis dışında", "izindeyim"],
  ...["מחוץ למשרד", "בחופשה", "خارج المكتب"],
  ...["不在", "休暇", "外出中", "休假", "부재", "휴가"],
];

/** Said by somebody of himself, so that a shop's "out of office hours" is none. */
const sentences = [
  "i(?:'m| am| will be)(?: \\w{2,12}){0,2} (?:out of (?:the )?office|away from (?:the|my) (?:office|desk)|on (?:annual |parental |maternity |sick )?leave|on (?:vacation|holiday))",
  "ich bin .{0,60}(?:nicht im (?:büro|haus)|abwesend|im urlaub|nicht erreichbar)",
  "je (?:suis|serai)(?: \\w{2,12}){0,2} (?:absente?|en congés?|en vacances)",
  "(?:estoy|estaré|me encuentro) .{0,30}(?:fuera de la oficina|ausente|de vacaciones)",
  "(?:estou|estarei) .{0,30}(?:fora do escritório|ausente|de férias)",
  "(?:sono|sarò) .{0,30}(?:fuori (?:ufficio|sede)|assente|in ferie)",
  "ik ben .{0,40}(?:afwezig|niet (?:aanwezig|op kantoor)|met vakantie)",
  "jag är .{0,30}(?:inte på kontoret|på semester|ledig|bortrest)",
  "jeg er .{0,30}(?:ikke på kontoret|på ferie|fraværende|bortreist)",
  "olen .{0,30}(?:poissa|lomalla)",
  "(?:jestem .{0,30}(?:nieobecn|poza biurem|na urlopie)|przebywam na urlopie)",
  "(?:jsem .{0,30}(?:mimo kancelář|na dovolené|nepřítom)|som .{0,30}(?:mimo kancelárie|na dovolenke))",
  "(?:szabadságon vagyok|nem vagyok (?:az irodában|elérhető))",
  "sunt .{0,30}(?:în concediu|plecat|în afara biroului)",
  "(?:меня (?:нет|не будет) .{0,20}офисе|(?:я|нахожусь) .{0,20}в отпуске|я .{0,20}у відпустці)",
  "(?:είμαι .{0,20}εκτός γραφείου|απουσιάζω)",
  "(?:ofis dışındayım|izindeyim|izinde olacağım)",
  "(?:אני .{0,20}(?:בחופשה|מחוץ למשרד|לא במשרד)|أنا .{0,20}(?:خارج المكتب|في إجازة))",
  "(?:不在にして|不在となり|休暇をいただ|休暇中です|我.{0,10}(?:不在办公室|正在休假|休假中)|부재중입니다|휴가 ?중)",
];

const beginsAutomatic = new RegExp(`^\\s{0,5}(?:\\[[^\\]]{0,40}\\] ?)?(?:${automatic.join("|")})`, "iu");
const speaksOfAbsence = new RegExp(`(?<!\\p{L})(?:${absence.join("|")})|(?:不在|休暇|外出中|休假|부재|휴가)`, "iu");
const saysAbsent = new RegExp(
  `(?<!\\p{L})(?:${sentences.join("|")})|不在にして|不在となり|休暇をいただ|休暇中です`,
  "iu",
);

const maxSubjectChars = 500;
/** An absence note comes to its point. */
const maxTextChars = 2_000;

export const isAutomaticSubject = (subject: string): boolean => beginsAutomatic.test(subject.slice(0, maxSubjectChars));

/** How much of the beginning of a subject a mail program wrote, in characters. */
export const automaticPrefix = (subject: string): number =>
  beginsAutomatic.exec(subject.slice(0, maxSubjectChars))?.[0].length ?? 0;

export const isAbsenceSubject = (subject: string): boolean =>
  isAutomaticSubject(subject) || speaksOfAbsence.test(subject.slice(0, maxSubjectChars));

/** The sentence that says so, or null. Quoted lines are another's. */
export function absenceSentence(text: string): string | null {
  const own = text.slice(0, maxTextChars).replace(/^>.*$/gm, "").replaceAll("’", "'").replace(/\s+/g, " ");
  return saysAbsent.exec(own)?.[0] ?? null;
}
