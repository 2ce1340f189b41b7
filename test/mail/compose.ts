/** Mail as programs of every kind write it, from a seed, with what a reader must get out of it. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import iconv from "iconv-lite";

/** Words that a charset can write, and that no header syntax needs quoted. */
const vocabulary = {
  "us-ascii": ["offer", "renewal", "forty", "servers", "thanks", "Q3"],
  "iso-8859-1": ["Grüße", "naïve", "São", "Crème", "offer"],
  "windows-1252": ["“quoted”", "€40", "Übersicht", "offer"],
  "koi8-r": ["привет", "счёт", "договор"],
  shift_jis: ["見積書", "注文", "ありがとう"],
  gb18030: ["你好", "报价单", "合同"],
  "utf-8": ["Grüße", "привет", "見積書", "报价单", "שלום", "🙂", "naïve"],
} as const;
type Charset = keyof typeof vocabulary;
const charsets = Object.keys(vocabulary) as Charset[];

const wordsOf = (charset: Charset, least = 1, most = 6) =>
  fc.array(fc.constantFrom(...vocabulary[charset]), { minLength: least, maxLength: most });
const phrase = fc
  .constantFrom(...charsets)
  .chain((charset) =>
    fc.record({ charset: fc.constant(charset), text: wordsOf(charset).map((words) => words.join(" ")) }),
  );
type Phrase = { readonly charset: Charset; readonly text: string };

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString("base64")
    .replace(/.{76}(?=.)/g, "$&\r\n");

function quotedPrintable(bytes: Uint8Array): string {
  const line = (text: string): string =>
    text
      .replace(
        /[^\x21-\x3c\x3e-\x7e ]| $/g,
        (byte) => `=${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
      )
      .replace(/(?:=..|[^=]){70}(?=.)/g, "$&=\r\n");
  return Buffer.from(bytes).toString("latin1").split("\r\n").map(line).join("\r\n");
}

/** RFC 2047: an encoded-word for each word, since one of them may not be longer than 75 characters. */
function encodedWords({ charset, text }: Phrase, how: "B" | "Q"): string {
  return text
    .split(" ")
    .map((word, at) => (at === 0 ? word : ` ${word}`))
    .map((word) => {
      const bytes = iconv.encode(word, charset);
      const q = bytes
        .toString("latin1")
        .replace(/[^A-Za-z0-9 ]/g, (byte) => `=${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);
      return `=?${charset}?${how}?${how === "B" ? bytes.toString("base64") : q.replaceAll(" ", "_")}?=`;
    })
    .join("\r\n ");
}

const headerForm = fc.constantFrom("B" as const, "Q" as const, "raw utf-8" as const);
function headerText(phrase: Phrase, form: "B" | "Q" | "raw utf-8"): string {
  if (phrase.charset === "us-ascii") return phrase.text;
  return form === "raw utf-8" ? Buffer.from(phrase.text, "utf8").toString("latin1") : encodedWords(phrase, form);
}

export interface Composed {
  readonly raw: Buffer;
  readonly expected: {
    readonly subject: string;
    readonly from: { readonly name: string; readonly email: string };
    readonly to: readonly { readonly name: string; readonly email: string }[];
    readonly text: string;
    readonly html: string | null;
    readonly attachments: readonly {
      readonly filename: string;
      readonly content_type: string;
      readonly size: number;
      readonly sha256: string;
    }[];
    readonly message_id: string;
  };
}

const mailbox = fc.record({
  name: phrase,
  form: headerForm,
  local: fc.stringMatching(/^[a-z][a-z0-9]{0,8}([.+-][a-z0-9]{1,4})?$/),
  domain: fc.constantFrom("client.example", "mail.shop.example", "xn--mnchen-3ya.example"),
});
type Box = {
  readonly name: Phrase;
  readonly form: "B" | "Q" | "raw utf-8";
  readonly local: string;
  readonly domain: string;
};
const emailOf = ({ local, domain }: Box): string => `${local}@${domain}`;
const written = (box: Box): string => `${headerText(box.name, box.form)} <${emailOf(box)}>`;
const read = (box: Box) => ({ name: box.name.text, email: emailOf(box) });

const textPart = fc.constantFrom(...charsets).chain((charset) =>
  fc.record({
    charset: fc.constant(charset),
    lines: fc.array(
      wordsOf(charset, 1, 8).map((words) => words.join(" ")),
      { minLength: 1, maxLength: 6 },
    ),
    encoding: fc.constantFrom("8bit", "quoted-printable", "base64"),
  }),
);
type Text = { readonly charset: Charset; readonly lines: readonly string[]; readonly encoding: string };

function encoded(bytes: Uint8Array, encoding: string): string {
  if (encoding === "base64") return base64(bytes);
  return encoding === "quoted-printable" ? quotedPrintable(bytes) : Buffer.from(bytes).toString("latin1");
}

function textEntity(type: string, { charset, encoding }: Text, body: string): string {
  const head = `Content-Type: ${type}; charset=${charset}\r\nContent-Transfer-Encoding: ${encoding}`;
  return `${head}\r\n\r\n${encoded(iconv.encode(body, charset), encoding)}`;
}

const file = fc.record({
  name: phrase,
  named: fc.constantFrom("plain" as const, "2231" as const, "2047" as const),
  type: fc.constantFrom("application/pdf", "image/png", "application/octet-stream"),
  bytes: fc.uint8Array({ maxLength: 300 }),
});
type File = {
  readonly name: Phrase;
  readonly named: "plain" | "2231" | "2047";
  readonly type: string;
  readonly bytes: Uint8Array;
};

function fileEntity({ name, named, type, bytes }: File): string {
  const label = `${name.text}.bin`;
  const utf8 = { charset: "utf-8" as const, text: label };
  const parameter =
    named === "2231"
      ? `filename*=utf-8''${encodeURIComponent(label).replace(/['()*!]/g, (one) => `%${one.charCodeAt(0).toString(16)}`)}`
      : named === "2047"
        ? `filename="${encodedWords(utf8, "B").replaceAll("\r\n ", " ")}"`
        : `filename="${Buffer.from(label, "utf8").toString("latin1")}"`;
  return `Content-Type: ${type}\r\nContent-Disposition: attachment; ${parameter}\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64(bytes)}`;
}

const multipart = (kind: string, boundary: string, entities: readonly string[]): string =>
  `Content-Type: multipart/${kind}; boundary="${boundary}"\r\n\r\n${entities.map((entity) => `--${boundary}\r\n${entity}\r\n`).join("")}--${boundary}--\r\n`;

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** A message of text, perhaps html beside it, and files; its parts nested as deep as asked. */
export const composed: fc.Arbitrary<Composed> = fc
  .record({
    subject: phrase,
    form: headerForm,
    from: mailbox,
    to: fc.array(mailbox, { minLength: 1, maxLength: 4 }),
    text: textPart,
    withHtml: fc.boolean(),
    files: fc.uniqueArray(file, { maxLength: 3, selector: ({ name }) => name.text }),
    depth: fc.nat({ max: 4 }),
    id: fc.stringMatching(/^[a-z0-9]{1,12}\.[A-Z0-9]{1,6}@[a-z]{1,8}\.example$/),
    lineEnd: fc.constantFrom("\r\n", "\n"),
  })
  .map(({ subject, form, from, to, text, withHtml, files, depth, id, lineEnd }) => {
    const body = text.lines.join("\r\n");
    const html = `<p>${text.lines.join("</p>\r\n<p>")}</p>`;
    const plain = textEntity("text/plain", text, body);
    let entity = withHtml ? multipart("alternative", "alt", [plain, textEntity("text/html", text, html)]) : plain;
    for (let level = 0; level < depth; level++) entity = multipart("mixed", `level-${level}`, [entity]);
    if (files.length > 0) entity = multipart("mixed", "files", [entity, ...files.map(fileEntity)]);
    const head = [
      `From: ${written(from)}`,
      `To: ${to.map(written).join(",\r\n ")}`,
      `Subject: ${headerText(subject, form)}`,
      `Message-ID: <${id}>`,
      "Date: Thu, 16 Jul 2026 10:00:00 +0200",
      "MIME-Version: 1.0",
    ].join("\r\n");
    const message = `${head}\r\n${entity}`;
    return {
      raw: Buffer.from(lineEnd === "\n" ? message.replaceAll("\r\n", "\n") : message, "latin1"),
      expected: {
        subject: subject.text,
        from: read(from),
        to: to.map(read),
        text: body.replaceAll("\r\n", "\n"),
        html: withHtml ? html.replaceAll("\r\n", "\n") : null,
        attachments: files.map(({ name, type, bytes }) => ({
          filename: `${name.text}.bin`,
          content_type: type,
          size: bytes.length,
          sha256: sha256(bytes),
        })),
        message_id: `<${id}>`,
      },
    };
  });

/** Pieces of mail syntax in any order: nearer to mail than bytes by chance are, and as wrong. */
export const shards: fc.Arbitrary<Buffer> = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "From: a@b.example\r\n",
        "Subject: =?utf-8?b?",
        "=?=",
        "Content-Type: multipart/mixed; boundary=b\r\n",
        "Content-Type: text/html; charset=",
        "Content-Type: message/rfc822\r\n",
        "Content-Type: text/calendar; method=REQUEST\r\n",
        "Content-Type: message/delivery-status\r\n",
        "Content-Type: application/ms-tnef\r\n",
        "Content-Transfer-Encoding: base64\r\n",
        "Content-Transfer-Encoding: x-uuencode\r\n",
        "Content-Disposition: attachment; filename*0*=",
        "\r\n",
        "\r\n\r\n",
        "\n",
        "\r",
        "--b\r\n",
        "--b--\r\n",
        "<div><table><p>",
        "</p>",
        "&#x",
        "> quoted\r\n",
        "On Monday Ana wrote:\r\n",
        "-----Original Message-----\r\n",
        "begin 644 x\r\n",
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:",
        "Action: failed\r\nStatus: 5.1.1\r\n",
        "__proto__: x\r\n",
        "\0",
        "\xff\xfe",
        "\x1b$B",
        " \t",
        ';,<>()"@:',
      ),
      fc.string({ maxLength: 20 }),
    ),
    { maxLength: 40 },
  )
  .map((pieces) => Buffer.from(pieces.join(""), "latin1"));
