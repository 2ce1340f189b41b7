/** Writes the mails of a year as different programs do: encodings, quoting, forwards, reports; each mail is a buffer of CRLF lines. */
import type { Person } from "./cast.ts";

export interface Letter {
  /** As it stands in From. */
  readonly from: string;
  readonly to: readonly string[];
  readonly cc: readonly string[];
  readonly subject: string;
  readonly at: number;
  readonly id: string;
  readonly inReplyTo: string | null;
  readonly references: readonly string[];
  readonly headers: readonly string[];
  readonly text: string;
  /** What it answers, quoted below. */
  readonly quoted: { readonly who: string; readonly at: number; readonly text: string } | null;
  readonly style: Style;
  /** A whole mail in it, or a part of a report. */
  readonly parts?: readonly { readonly type: string; readonly body: string; readonly head?: readonly string[] }[];
  /** The type of the whole, where it is no ordinary one. */
  readonly whole?: string;
}

export const styles = ["plain", "quoted", "base64", "alternative", "html"] as const;
export type Style = (typeof styles)[number];

const crlf = "\r\n";
const ascii = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);

/** RFC 2047: in pieces that stay whole characters, of 75 bytes at most. */
export function encoded(text: string): string {
  if (ascii(text)) return text;
  const pieces: string[] = [];
  let piece = "";
  for (const char of text) {
    if (Buffer.byteLength(piece + char) > 42) {
      pieces.push(piece);
      piece = "";
    }
    piece += char;
  }
  return [...pieces, piece].map((one) => `=?utf-8?B?${Buffer.from(one).toString("base64")}?=`).join(`${crlf} `);
}

export const mailbox = ({ name, address }: Pick<Person, "name" | "address">): string =>
  name === "" ? address : `${encoded(name)} <${address}>`;

export const dated = (at: number): string => new Date(at).toUTCString().replace("GMT", "+0000");

export function written(letter: Letter): Buffer {
  const { from, to, cc, subject, at, id, inReplyTo, references, headers } = letter;
  const head = [
    `From: ${from}`,
    `To: ${to.join(`,${crlf} `)}`,
    ...(cc.length === 0 ? [] : [`Cc: ${cc.join(`,${crlf} `)}`]),
    `Subject: ${encoded(subject)}`,
    `Date: ${dated(at)}`,
    `Message-ID: <${id}>`,
    ...(inReplyTo === null ? [] : [`In-Reply-To: <${inReplyTo}>`]),
    ...(references.length === 0 ? [] : [`References: ${references.map((one) => `<${one}>`).join(`${crlf} `)}`]),
    ...headers,
    "MIME-Version: 1.0",
  ];
  return Buffer.from([...head, ...bodyOf(letter)].join(crlf) + crlf);
}

function bodyOf(letter: Letter): string[] {
  const { parts = [], whole = "multipart/mixed" } = letter;
  if (parts.length === 0) return textOf(letter);
  const boundary = `=_${letter.id.slice(0, 16)}`;
  const others = parts.flatMap(({ type, body, head = [] }) => [
    `--${boundary}`,
    `Content-Type: ${type}`,
    ...head,
    "",
    ...body.split(/\r?\n/),
  ]);
  return [
    `Content-Type: ${whole}; boundary="${boundary}"`,
    "",
    `--${boundary}`,
    ...textOf(letter),
    ...others,
    `--${boundary}--`,
  ];
}

function textOf({ text, quoted, style, id }: Letter): string[] {
  const below =
    quoted === null
      ? []
      : [
          "",
          `On ${new Date(quoted.at).toUTCString().slice(0, 22)}, ${quoted.who} wrote:`,
          "",
          ...quotedLines(quoted.text),
        ];
  const lines = [...text.split("\n"), ...below];
  switch (style) {
    case "plain":
      return ["Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit", "", ...lines];
    case "quoted":
      return [
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: quoted-printable",
        "",
        ...lines.map(printable),
      ];
    case "base64": {
      const bytes = Buffer.from(lines.join(crlf)).toString("base64");
      return [
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: base64",
        "",
        ...(bytes.match(/.{1,76}/g) ?? []),
      ];
    }
    case "html":
      return ["Content-Type: text/html; charset=utf-8", "Content-Transfer-Encoding: 8bit", "", ...htmlOf(text, quoted)];
    case "alternative": {
      const boundary = `=_a${id.slice(0, 14)}`;
      return [
        `Content-Type: multipart/alternative; boundary="${boundary}"`,
        "",
        `--${boundary}`,
        ...textOf({ text, quoted, style: "plain", id } as Letter),
        `--${boundary}`,
        ...textOf({ text, quoted, style: "html", id } as Letter),
        `--${boundary}--`,
      ];
    }
    default:
      return style satisfies never;
  }
}

const quotedLines = (text: string): string[] => text.split("\n").map((line) => `> ${line}`);

const printable = (line: string): string =>
  [...Buffer.from(line)]
    .map((byte) =>
      byte < 0x20 || byte > 0x7e || byte === 0x3d
        ? `=${byte.toString(16).toUpperCase().padStart(2, "0")}`
        : String.fromCharCode(byte),
    )
    .reduce(
      (out, char) => (out.length - out.lastIndexOf("\n") + char.length > 74 ? `${out}=\r\n${char}` : out + char),
      "",
    )
    .replace(/ $/, "=20");

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll("\n", "<br>\r\n");

function htmlOf(text: string, quoted: Letter["quoted"]): string[] {
  const below =
    quoted === null
      ? []
      : [
          `<div class="gmail_quote"><div class="gmail_attr">On ${new Date(quoted.at).toUTCString().slice(0, 22)}, ${escaped(quoted.who)} wrote:<br></div>`,
          `<blockquote class="gmail_quote">${escaped(quoted.text)}</blockquote></div>`,
        ];
  return ["<html><body>", `<div>${escaped(text)}</div>`, ...below, "</body></html>"];
}

/** What a colleague's program makes of a mail that he hands on. */
export function handedOn(
  note: string,
  original: { who: Person; to: Person; at: number; subject: string; text: string },
  how: "gmail" | "outlook" | "apple",
): string {
  const { who, to, at, subject, text } = original;
  const day = new Date(at).toUTCString().slice(0, 22);
  const block = {
    gmail: [
      "---------- Forwarded message ---------",
      `From: ${who.name} <${who.address}>`,
      `Date: ${day}`,
      `Subject: ${subject}`,
      `To: ${to.name} <${to.address}>`,
    ],
    outlook: [
      "-----Original Message-----",
      `From: ${who.name} <${who.address}>`,
      `Sent: ${day}`,
      `To: ${to.name} <${to.address}>`,
      `Subject: ${subject}`,
    ],
    apple: [
      "Begin forwarded message:",
      "",
      `From: ${who.name} <${who.address}>`,
      `Subject: ${subject}`,
      `Date: ${day}`,
      `To: ${to.name} <${to.address}>`,
    ],
  }[how];
  return [note, "", ...block, "", text].join("\n");
}
