/** Pages for people: plain HTML in one style, without a script, and a policy that lets nothing else in. */
import { createHash } from "node:crypto";
import type { FastifyReply } from "fastify";

const style =
  "body{font:16px/1.5 system-ui,sans-serif;max-width:36em;margin:3em auto;padding:0 1em;color:#1c1c1c;background:#fff}" +
  "h1{font-size:1.3em;margin:0 0 .8em}p{margin:0 0 1em;overflow-wrap:anywhere}label{display:block;margin:0 0 1em}" +
  "input{display:block;font:inherit;width:100%;box-sizing:border-box;padding:.4em}button{font:inherit;padding:.4em 1em}";
const styleHash = createHash("sha256").update(style).digest("base64");
const policy = `default-src 'none'; style-src 'sha256-${styleHash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`;

/** For a page that shows a picture of this door's own. */
export const withPicture = { "content-security-policy": `img-src 'self'; ${policy}` };

/** HTML that is safe to send: made by `html` alone. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** Every value is escaped, unless it is Markup itself. */
export function html(parts: TemplateStringsArray, ...values: readonly (string | Markup | readonly Markup[])[]): Markup {
  const shown = values.map((value) => {
    if (value instanceof Markup) return value.text;
    return typeof value === "string" ? escaped(value) : value.map(({ text }) => text).join("");
  });
  return new Markup(parts.map((part, at) => part + (shown[at] ?? "")).join(""));
}

/** As text: controls and marks that turn the direction of writing round are taken out, since names are hostile. */
function escaped(text: string): string {
  return (
    text
      .toWellFormed()
      // biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what is taken out
      .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "")
      .replace(/&/g, "&amp;")
      .replace(/</g, "&lt;")
      .replace(/>/g, "&gt;")
      .replace(/"/g, "&quot;")
      .replace(/'/g, "&#39;")
  );
}

/** `headers` beside those of every answer. Nothing of it is kept by a cache. */
export async function sendPage(
  reply: FastifyReply,
  status: number,
  title: string,
  body: readonly Markup[],
  headers: Readonly<Record<string, string>> = {},
): Promise<FastifyReply> {
  const page = html`<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="robots" content="noindex,nofollow"><title>${title}</title><style>${new Markup(style)}</style></head><body><h1>${title}</h1>${body}</body></html>`;
  return await reply
    .code(status)
    .headers({ "content-security-policy": policy, "x-robots-tag": "noindex, nofollow", ...headers })
    .type("text/html; charset=utf-8")
    .send(page.text);
}
