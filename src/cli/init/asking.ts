/** Asks a person at a terminal, or answers from the command line alone where there is none. */
import { usage } from "../exit.ts";
import { plain } from "../plain.ts";
import type { Surroundings } from "../surroundings.ts";

export interface Question {
  /** The option that answers it: `--user`. */
  readonly option: string;
  readonly words: string;
  readonly initial?: string | undefined;
  /** What is wrong with an answer. */
  readonly wrong?: (answer: string) => string | undefined;
}

export interface Choice {
  readonly value: string;
  readonly about: string;
}

export interface Asker {
  /** False where nobody can be asked. */
  readonly talks: boolean;
  text(question: Question): Promise<string>;
  /** Not shown while it is typed. */
  hidden(question: Question): Promise<string>;
  choose(question: Question, choices: readonly Choice[]): Promise<string>;
  yes(question: Question): Promise<boolean>;
  /** Gives the terminal back. */
  close(): Promise<void>;
}

type Streams = Pick<Surroundings, "stdin" | "stderr">;

/** Answers nothing but what has a default; anything else names the option that it wants. */
export function silentAsker(): Asker {
  const answer = async ({ option, initial, words }: Question): Promise<string> => {
    if (initial !== undefined) return initial;
    throw usage(`${option} is missing: ${words}`);
  };
  return {
    talks: false,
    text: answer,
    hidden: answer,
    choose: answer,
    yes: async (question) => (await answer(question)) === "yes",
    close: async () => undefined,
  };
}

export function terminalAsker({ stdin, stderr }: Streams): Asker {
  const lines = openLines(stdin);
  async function text(question: Question, hide = false): Promise<string> {
    for (;;) {
      const { initial, words, wrong } = question;
      const prompt = `${words}${initial === undefined || hide ? "" : ` [${initial}]`}: `;
      const line = await lines.next(hide, () => stderr.write(prompt));
      if (hide) await stderr.write("\n");
      if (line === undefined) throw usage(`the answers end at: ${words}`);
      const answer = line.trim() === "" ? (initial ?? "") : line.trim();
      const mistake = answer === "" ? "an answer is wanted" : wrong?.(answer);
      if (mistake === undefined) return answer;
      await stderr.write(`  ${plain(mistake, 300)}\n`);
    }
  }
  return {
    talks: true,
    text: (question) => text(question),
    hidden: (question) => text(question, true),
    async choose(question, choices) {
      await stderr.write(`${question.words}\n`);
      for (const [index, { value, about }] of choices.entries()) {
        await stderr.write(`  ${index + 1}  ${value.padEnd(24)} ${about}\n`);
      }
      const chosen = (answer: string) =>
        choices.find(({ value }, index) => value === answer || String(index + 1) === answer);
      const wrong = (answer: string) =>
        chosen(answer) === undefined ? `a number from 1 to ${choices.length}` : undefined;
      const answer = await text({ ...question, words: "number or name", wrong });
      return chosen(answer)?.value ?? answer;
    },
    async yes(question) {
      const wrong = (answer: string) => (/^(?:y|n|yes|no)$/i.test(answer) ? undefined : "yes or no");
      return /^y/i.test(await text({ ...question, wrong }));
    },
    close: () => lines.close(),
  };
}

const mostBytes = 64 * 1024;

/** One after the other; where a line is hidden the terminal shows nothing, and keys are read one by one. */
function openLines(stdin: Streams["stdin"]) {
  const iterator = stdin[Symbol.asyncIterator]();
  let rest = Buffer.alloc(0);
  const breakAt = (bytes: Buffer) => bytes.findIndex((byte) => byte === 10 || byte === 13);

  async function more(): Promise<boolean> {
    const { done, value } = await iterator.next();
    if (done === true) return false;
    if (value.includes(3)) throw usage("broken off; nothing was written");
    rest = Buffer.concat([rest, value]);
    return rest.length <= mostBytes;
  }

  async function line(): Promise<string | undefined> {
    while (breakAt(rest) === -1) if (!(await more())) break;
    if (rest.length === 0) return undefined;
    const end = breakAt(rest);
    const taken = end === -1 ? rest : rest.subarray(0, end);
    const after = end === -1 ? rest.length : end + (rest[end] === 13 && rest[end + 1] === 10 ? 2 : 1);
    rest = rest.subarray(after);
    return withoutErased(taken.toString("utf8"));
  }

  return {
    async next(hide: boolean, prompt: () => Promise<void>): Promise<string | undefined> {
      if (!hide) {
        await prompt();
        return await line();
      }
      // Before the question stands there: whoever is quick would see what is typed.
      stdin.setRaw?.(true);
      try {
        await prompt();
        return await line();
      } finally {
        stdin.setRaw?.(false);
      }
    },
    async close() {
      await iterator.return?.();
    },
  };
}

/** In raw mode nobody else makes a backspace take the character before it away. */
function withoutErased(text: string): string {
  const kept: string[] = [];
  for (const character of text) {
    if (character === "\u007f" || character === "\b") kept.pop();
    else if (character >= " ") kept.push(character);
  }
  return kept.join("");
}
