/** The mails of the benches: what customers write, in the proportions of an ordinary inbox, every one different and from a seed. */

export interface BenchMail {
  readonly from: string;
  readonly data: Buffer;
}

const words =
  "invoice renewal contract meeting question thanks update quote order delivery team product support price seats trial demo please regards tomorrow".split(
    " ",
  );

/** `count` mails: 50 % short plain text, 30 % text with html, 15 % replies with a long quoted tail, 5 % with a 60 KiB attachment. */
export function* benchMails(count: number, senders: number, run: string): Generator<BenchMail> {
  for (let index = 0; index < count; index++) {
    const from = `customer${index % senders}@client${(index % senders) % 97}.example`;
    const shape = index % 20;
    const body =
      shape < 10
        ? plain(index, 12)
        : shape < 16
          ? alternative(index)
          : shape < 19
            ? plain(index, 160)
            : attached(index);
    const head = [
      `Received: from mx.client.example (mx.client.example [192.0.2.${index % 250}]) by relay.example with ESMTPS; Tue, 24 Nov 2026 10:00:00 +0000`,
      `From: Customer ${index % senders} <${from}>`,
      "To: Sales <sales@in.test>",
      `Subject: ${sentence(index, 5)}`,
      `Message-ID: <${run}.${index}@client.example>`,
      "Date: Tue, 24 Nov 2026 10:00:00 +0000",
      "MIME-Version: 1.0",
    ].join("\r\n");
    yield { from, data: Buffer.from(`${head}\r\n${body}`, "utf8") };
  }
}

function sentence(seed: number, length: number): string {
  return Array.from({ length }, (_, word) => words[(seed * 7 + word * 13 + (seed >> 3)) % words.length]).join(" ");
}

function paragraph(seed: number, lines: number): string {
  return Array.from({ length: lines }, (_, line) => sentence(seed + line, 10)).join("\r\n");
}

function plain(seed: number, lines: number): string {
  return `Content-Type: text/plain; charset=utf-8\r\n\r\n${paragraph(seed, lines)}\r\n`;
}

function alternative(seed: number): string {
  const html = `<html><body>${Array.from({ length: 30 }, (_, line) => `<p style="margin:0">${sentence(seed + line, 12)}</p>`).join("\r\n")}</body></html>`;
  return [
    'Content-Type: multipart/alternative; boundary="b1"\r\n',
    `--b1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${paragraph(seed, 30)}`,
    `--b1\r\nContent-Type: text/html; charset=utf-8\r\n\r\n${html}`,
    "--b1--\r\n",
  ].join("\r\n");
}

function attached(seed: number): string {
  const bytes = Buffer.alloc(45_000, sentence(seed, 30)).toString("base64").replaceAll(/.{76}/g, "$&\r\n");
  return [
    'Content-Type: multipart/mixed; boundary="b2"\r\n',
    `--b2\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${paragraph(seed, 12)}`,
    `--b2\r\nContent-Type: application/pdf; name="offer.pdf"\r\nContent-Disposition: attachment; filename="offer.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\n${bytes}`,
    "--b2--\r\n",
  ].join("\r\n");
}
