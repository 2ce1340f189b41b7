/** Puts letters for letters and digits for digits: the same ones for the same word, under a key that nobody keeps. */
import { createCipheriv, hash } from "node:crypto";

export interface StandIns {
  /** Of a word in any writing; `fits` says which letters may stand for one (its charset has them, in as many bytes). */
  word(word: string, fits: Fits): string;
  /** Of a run of ASCII digits: another run of the same length for every other one. */
  number(digits: string): string;
  /** Hexadecimal digits for such, everything else as it is. */
  hex(text: string): string;
  /** Of a boundary: what begins as another one does begins as its stand-in does, because delimiters are found by how they begin. */
  boundary(text: string): string;
  /** As many bytes, for the same content the same ones. */
  bytes(content: Uint8Array, label: string): Buffer;
  /** For a byte above 0x7f that is part of nothing that could be read. */
  stray(byte: number): number;
}

/** The letters that may stand for a letter beyond ASCII: never empty of meaning, may be empty. */
export type Fits = (letter: string) => readonly string[];

/**
 * Without vowels, so that no stand-in is a word, or a name, of any mail: four letters drawn from all of the alphabet would be somebody's name
 * every few thousand words.
 */
const consonants = "bcdfghjklmnpqrstvwxz";
const alphabet = "abcdefghijklmnopqrstuvwxyz";
const figures = "0123456789";
/** Of these there are too few for a hash to keep them apart, and many short ids differ in nothing else. */
const fewLetters = 3;
const manyFigures = 40;
const mostRemembered = 20_000;
/** A longer one is hashed once, and its hash stands for it; nor is it worth the room to remember it. */
const longText = 200;

const onlyAscii = /^[A-Za-z]+$/;
/** Written without blanks: a run of them is a sentence, and a name within it has to come out as it does elsewhere. */
const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]/u;

export function openStandIns(key: Uint8Array): StandIns {
  const secret = Buffer.from(key).toString("hex");
  const remembered = new Map<string, string>();
  const orders = new Map<string, string>();

  const digest = (kind: string, text: string): Buffer => hash("sha256", `${secret}\0${kind}\0${text}`, "buffer");

  /** Bytes without end, the same for the same text. */
  function* stream(kind: string, text: string): Generator<number, never> {
    const seed = text.length > longText ? digest(kind, `\0${text}`).toString("hex") : text;
    for (let block = 0; ; block++) yield* digest(kind, `${block}\0${seed}`);
  }

  function remember(kind: string, text: string, make: () => string): string {
    if (text.length > longText) return make();
    const name = `${kind}\0${text}`;
    const known = remembered.get(name);
    if (known !== undefined) return known;
    const made = make();
    if (remembered.size >= mostRemembered) remembered.clear();
    remembered.set(name, made);
    return made;
  }

  /** The letters of `set` in an order that hangs on `context`. */
  function order(set: string, context: string): string {
    const name = `${set}\0${context}`;
    const known = orders.get(name);
    if (known !== undefined) return known;
    const letters = [...set];
    const chance = stream("order", name);
    for (let at = letters.length - 1; at > 0; at--) {
      const other = (chance.next().value * 256 + chance.next().value) % (at + 1);
      [letters[at], letters[other]] = [letters[other] ?? "", letters[at] ?? ""];
    }
    const made = letters.join("");
    if (orders.size >= mostRemembered) orders.clear();
    orders.set(name, made);
    return made;
  }

  /** One to one: there and back, so that every letter of the answer hangs on all letters of the text. */
  function exchanged(text: string, set: string): string {
    const once = (given: readonly string[], pass: string): string[] => {
      let before = "";
      return given.map((letter) => {
        const put = order(set, `${pass}${text.length}\0${before}`)[set.indexOf(letter)] ?? letter;
        before += put;
        return put;
      });
    };
    return once(once([...text], "there").reverse(), "back")
      .reverse()
      .join("");
  }

  function asciiWord(lower: string): string {
    if (lower.length <= fewLetters) return exchanged(lower, alphabet);
    for (let attempt = 0; ; attempt++) {
      const chance = stream("word", `${attempt}\0${lower}`);
      let made = "";
      while (made.length < lower.length) made += consonants[chance.next().value % consonants.length];
      if (made !== lower) return made;
    }
  }

  function foreignWord(word: string, fits: Fits): string {
    const chance = stream("word", word.toLowerCase());
    let made = "";
    for (const letter of word) {
      const draw = chance.next().value;
      if (letter <= "\x7f") {
        const drawn = consonants[draw % consonants.length] ?? "x";
        made += letter === letter.toUpperCase() ? drawn.toUpperCase() : drawn;
        continue;
      }
      const choice = fits(letter);
      const place = unspaced.test(letter) ? (digest("letter", letter)[0] ?? 0) : draw;
      made += choice[place % Math.max(1, choice.length)] ?? letter;
    }
    return made;
  }

  return {
    word(word, fits) {
      if (!onlyAscii.test(word)) return foreignWord(word, fits);
      const lower = word.toLowerCase();
      return inCaseOf(
        word,
        remember("word", lower, () => asciiWord(lower)),
      );
    },
    number(digits) {
      return remember("number", digits, () => {
        if (digits.length <= manyFigures) return exchanged(digits, figures);
        const chance = stream("number", digits);
        return [...digits].map(() => String(chance.next().value % 10)).join("");
      });
    },
    hex(text) {
      const chance = stream("hex", text.toLowerCase());
      return text.replace(/[0-9a-f]/gi, (digit) => {
        const draw = chance.next().value;
        if (/\d/.test(digit)) return String(draw % 10);
        return inCaseOf(digit, "abcdef"[draw % 6] ?? "a");
      });
    },
    boundary(text) {
      let state = "";
      let made = "";
      for (const [at, letter] of [...text].entries()) {
        // A run of blanks is one blank in an unfolded header.
        if (letter === " ") {
          made += letter;
          if (text[at - 1] !== " ") state += letter;
          continue;
        }
        state = digest("boundary", `${state}${letter}`).toString("latin1", 0, 16);
        const draw = state.charCodeAt(0) * 256 + state.charCodeAt(1);
        if (/[a-z]/.test(letter)) made += consonants[draw % 20] ?? "x";
        else if (/[A-Z]/.test(letter)) made += (consonants[draw % 20] ?? "x").toUpperCase();
        else if (/\d/.test(letter)) made += String(draw % 10);
        else made += letter > "\x7f" ? String.fromCharCode(0xc0 + (draw % 0x40)) : letter;
      }
      return made;
    },
    bytes(content, label) {
      const seed = digest("bytes", `${label}\0${hash("sha256", content, "hex")}`);
      // A cipher over zeroes is the fastest stream of bytes there is here: 150 MiB in a tenth of a second.
      return createCipheriv("aes-256-ctr", seed, Buffer.alloc(16)).update(Buffer.alloc(content.length));
    },
    stray: (byte) => 0xc0 + ((digest("stray", String(byte))[0] ?? 0) % 0x40),
  };
}

function inCaseOf(pattern: string, letters: string): string {
  if (pattern === pattern.toLowerCase()) return letters;
  if (pattern === pattern.toUpperCase()) return letters.toUpperCase();
  let made = "";
  for (let at = 0; at < letters.length; at++) {
    const letter = letters.charAt(at);
    made += pattern.charAt(at) === pattern.charAt(at).toLowerCase() ? letter : letter.toUpperCase();
  }
  return made;
}
