/** The bodies of a logged email: the mail's text and HTML, cut where they must be, its files, and the marker at the end. */
import type { ActivityStep } from "../../model/step.ts";
import { attachmentBlock } from "./attached.ts";
import { count, escaped, storable } from "./text.ts";

export interface Body {
  readonly text: string;
  readonly html: string | null;
  /** Says what was cut; undefined when everything is there. */
  readonly note: string | undefined;
}

/** Text and HTML within `limit` characters each, what was cut, what was attached, and the marker as the last thing. */
export function bodyOf(step: ActivityStep, limit: number, marker: string | undefined, withHtml: boolean): Body {
  const cuts: string[] = [];
  const tail = (form: Form, name: "text" | "html"): string[] =>
    [attachmentBlock(step.attachments, name), marker === undefined ? undefined : form.line(marker)].filter(
      (part) => part !== undefined,
    );
  const text = fitted(storable(step.text), limit, tail(plain, "text"), cuts, "text", step, plain);
  const html =
    step.html === null || !withHtml
      ? null
      : fitted(storable(step.html), limit, tail(markup, "html"), cuts, "HTML", step, markup);
  return { text, html, note: cuts.length === 0 ? undefined : cuts.join("; ") };
}

/** `line` is words as a line of this form; `join` takes lines as they are. */
type Form = {
  cut(text: string, length: number): string;
  line(words: string): string;
  join(body: string, lines: readonly string[]): string;
};

const plain: Form = {
  cut: (text, length) => text.slice(0, Math.max(0, length)).toWellFormed(),
  line: (words) => words,
  join: (body, lines) => (lines.length === 0 ? body : `${body}\n\n${lines.join("\n")}`),
};

const markup: Form = {
  /** Not in the middle of a tag: the rest of the page would be read as its attributes. */
  cut(text, length) {
    const head = text.slice(0, Math.max(0, length));
    const open = head.lastIndexOf("<");
    return (open > head.lastIndexOf(">") ? head.slice(0, open) : head).toWellFormed();
  },
  line: (words) => `<p>${escaped(words)}</p>`,
  join: (body, lines) => body + lines.join(""),
};

function fitted(
  body: string,
  limit: number,
  tail: readonly string[],
  cuts: string[],
  what: string,
  step: ActivityStep,
  form: Form,
): string {
  const whole = form.join(body, tail);
  if (whole.length <= limit) return whole;
  const said = `${what} cut to ${count(limit)} of ${count(body.length)} characters`;
  cuts.push(said);
  const lines = [form.line(`[Mailwright: ${said}; the whole mail is kept as event ${step.event_id}]`), ...tail];
  const room = limit - form.join("", lines).length;
  return form.join(form.cut(body, room), lines);
}
