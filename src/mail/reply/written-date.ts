/** Reads the dates that mail clients write for people: "Montag, 5. Januar 2026 14:30", "5 janv. 2026 à 14:30", "2026年1月5日 14:30". */
import { mailDate } from "../date.ts";

const monthNames: readonly (readonly [number, string])[] = [
  [
    1,
    "jan januar january janvier ene enero gen gennaio janeiro januari sty stycznia styczeń янв января січ січня leden ledna január ian ianuarie oca ocak tammi tammik tammikuuta ιαν ιανουαρίου яну siječnja janv jaanuar janvāris sausio",
  ],
  [
    2,
    "feb februar february février févr fév febrero febbraio fevereiro fev februari lut lutego luty фев февр февраля лют лютого únor února február februarie şub şubat helmi helmik helmikuuta φεβ φεβρουαρίου veljače veebruar vasario",
  ],
  [
    3,
    "mar mär märz mrz march mars mär marzo março maart mrt mars marca marzec мар марта бер березня březen března marec március márc martie mart maalis maalisk maaliskuuta μαρ μαρτίου ožujka märts kovo",
  ],
  [
    4,
    "apr april avril avr abr abril aprile abril kwi kwietnia kwiecień апр апреля кві квіт квітня duben dubna apríl április ápr aprilie nis nisan huhti huhtik huhtikuuta απρ απριλίου travnja aprill balandžio",
  ],
  [
    5,
    "may mai mayo mag maggio maio mei maj maja май мая тра трав травня květen května máj május toukok toukokuuta touko μαΐ μαΐου mayıs svibnja gegužės",
  ],
  [
    6,
    "jun juni june juin junio giu giugno junho czerwca cze czerwiec июн июня чер черв червня červen června jún június iunie iun haz haziran kesä kesäk kesäkuuta ιουν ιουνίου lipnja juuni birželio",
  ],
  [
    7,
    "jul juli july juil juillet julio lug luglio julho lipca lip lipiec июл июля лип липня červenec července júl július iulie iul tem temmuz heinä heinäk heinäkuuta ιουλ ιουλίου srpnja juuli liepos",
  ],
  [
    8,
    "aug august août aoû agosto ago augustus augusti sie sierpnia sierpień авг августа сер серп серпня srpen srpna augusztus ağu ağustos elo elok elokuuta αυγ αυγούστου kolovoza rugpjūčio",
  ],
  [
    9,
    "sep sept september septembre septiembre set settembre setembro wrz września wrzesień сен сент сентября вер верес вересня září szeptember szept septembrie eyl eylül syys syysk syyskuuta σεπ σεπτ σεπτεμβρίου rujna rugsėjo",
  ],
  [
    10,
    "oct okt october oktober octobre octubre ott ottobre out outubro paź października październik окт октября жов жовт жовтня říjen října október octombrie eki ekim loka lokak lokakuuta οκτ οκτωβρίου oktoober spalio",
  ],
  [
    11,
    "nov november novembre noviembre novembro lis listopad ноя нояб ноября лис листоп листопада listopadu novembro noiembrie noi kas kasım marras marrask marraskuuta νοε νοεμβρίου studenoga lapkričio",
  ],
  [
    12,
    "dec dez december dezember décembre déc diciembre dic dicembre dezembro grudnia gru grudzień дек декабря гру груд грудня prosinec prosince decembrie ara aralık joulu jouluk joulukuuta δεκ δεκεμβρίου prosinca detsember gruodžio des desember",
  ],
];
export const months: ReadonlyMap<string, number> = new Map(
  monthNames.flatMap(([number, names]) => names.split(" ").map((name): [string, number] => [name, number])),
);

const eastern = /(\d{4})\s?[年년.]\s?(\d{1,2})\s?[月월.]\s?(\d{1,2})\s?[日일.]?/;
const iso = /(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})/;
const dayFirst =
  /(?<!\d)(\d{1,2})(?:\.|st|nd|rd|th|º|er)?\s?(?:de\s|of\s|-)?\s?(\p{L}{3,12})\.?,?(?:\s(?:de|г\.)|-)?\s?,?\s?(\d{4})(?!\d)/u;
const monthFirst = /(\p{L}{3,12})\.?\s(\d{1,2})(?:st|nd|rd|th)?,?\s(\d{4})(?!\d)/u;
const numeric = /(?<!\d)(\d{1,2})([./-])\s?(\d{1,2})\2\s?(\d{4}|\d{2})(?!\d)/;
const clock = /(?<![\d.:])(\d{1,2})\s?[:.h時点點시]\s?(\d{2})(?:\s?[:.分]\s?(\d{2}))?(?!\d)/;
const zone = /(?:GMT|UTC|\s)([+-])(\d{1,2})(?::?(\d{2}))?(?!\d)|(?<![A-Z])(?:GMT|UTC)(?![A-Z+-])/;
/** Afternoon in English, Chinese, Japanese, Korean, Greek; and morning. */
const afternoon = /(?<!\p{L})(?:pm|p\.\s?m\.|p\. m\.|μ\.μ\.|μμ|ös|ÖS)(?!\p{L})|下午|午後|오후|晚上/iu;
const morning = /(?<!\p{L})(?:am|a\.\s?m\.|a\. m\.|π\.μ\.|πμ|ÖÖ)(?!\p{L})|上午|午前|오전|凌晨|早上/iu;

interface Day {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  /** Where it ends, so that its figures are not taken for a time. */
  readonly rest: string;
}

/** RFC 3339 in UTC where the zone is written, local time without one where it is not; null where the day cannot be told. */
export function writtenDate(value: string): string | null {
  const text = value
    .slice(0, 200)
    .replace(/[\s\u00a0\u202f]+/g, " ")
    .trim();
  // Thunderbird and Lotus write the header itself.
  const header = mailDate(text);
  if (header.date !== null && header.offsetMinutes !== null) return header.date;
  const day = dayOf(text);
  if (day === undefined || !exists(day)) return null;
  const pad = (number: number): string => String(number).padStart(2, "0");
  const date = `${day.year}-${pad(day.month)}-${pad(day.day)}`;
  const at = timeOf(day.rest);
  if (at === undefined) return date;
  const local = `${date}T${pad(at.hour)}:${pad(at.minute)}:${pad(at.second)}`;
  const offset = zone.exec(day.rest);
  if (offset === null) return local;
  const [, east, hours = "", minutes = "00"] = offset;
  const sign = east === undefined ? "Z" : `${east}${hours.padStart(2, "0")}:${minutes}`;
  const utc = Date.parse(`${local}${sign}`);
  return Number.isNaN(utc) ? local : new Date(utc).toISOString().replace(".000Z", "Z");
}

function dayOf(text: string): Day | undefined {
  for (const pattern of [eastern, iso]) {
    const [whole, year, month, day] = pattern.exec(text) ?? [];
    if (whole !== undefined) return made(text, whole, year, month, day);
  }
  const first = dayFirst.exec(text);
  const named = months.get(first?.[2]?.toLowerCase() ?? "");
  if (first !== null && named !== undefined) return made(text, first[0], first[3], named, first[1]);
  const american = monthFirst.exec(text);
  const name = months.get(american?.[1]?.toLowerCase() ?? "");
  if (american !== null && name !== undefined) return made(text, american[0], american[3], name, american[2]);
  const figures = numeric.exec(text);
  return figures === null ? undefined : numericDay(text, figures);
}

/** Full stops are day first everywhere; of 03/04/2026 nobody can tell, unless one of the two can be no month. */
function numericDay(text: string, figures: RegExpExecArray): Day | undefined {
  const [whole, one, mark, other, written = ""] = figures;
  const year = written.length === 2 ? 2000 + Number(written) : Number(written);
  const first = Number(one);
  const second = Number(other);
  if (mark === "." || first > 12 || first === second) return made(text, whole, year, second, first);
  // Only the American date has the afternoon beside it.
  return second > 12 || afternoon.test(text) || /(?<!\p{L})am(?!\p{L})/iu.test(text)
    ? made(text, whole, year, first, second)
    : undefined;
}

function made(
  text: string,
  whole: string,
  year: string | number | undefined,
  month: string | number | undefined,
  day: string | number | undefined,
): Day {
  return { year: Number(year), month: Number(month), day: Number(day), rest: text.replace(whole, " ") };
}

function exists({ year, month, day }: Day): boolean {
  if (year < 1980 || year > 2100) return false;
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

function timeOf(rest: string): { hour: number; minute: number; second: number } | undefined {
  const found = clock.exec(rest);
  if (found === null) return undefined;
  const [, hours, minutes, seconds] = found;
  let hour = Number(hours);
  if (afternoon.test(rest) && hour < 12) hour += 12;
  else if (morning.test(rest) && hour === 12) hour = 0;
  const minute = Number(minutes);
  const second = Number(seconds ?? 0);
  return hour < 24 && minute < 60 && second < 60 ? { hour, minute, second } : undefined;
}
