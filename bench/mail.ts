/** The mails of the benches: what customers write, in the proportions of an ordinary inbox, every one different and from a seed. */

export interface BenchMail {
  readonly from: string;
  readonly data: Buffer;
}

const words =
  "invoice renewal contract meeting question thanks update quote order delivery team product support price seats trial demo please regards tomorrow".split(
    " ",
  );

/**
 * ordinary: what reaches a business inbox. One in ten is plain text; the rest carry HTML beside it, between 6 and 50 KiB, one in ten a
 * 45 KB attachment too; all have the headers that three hops, two signatures and a list of recipients leave (about 3 KiB).
 * small: a kilobyte of plain text and eight headers, the shape that favours a bare parser most.
 */
export type Mix = "ordinary" | "small";

export function* benchMails(count: number, senders: number, run: string, mix: Mix = "ordinary"): Generator<BenchMail> {
  for (let index = 0; index < count; index++) {
    const sender = index % senders;
    const from = `customer${sender}@client${sender % 97}.example`;
    const head = [
      ...(mix === "ordinary" ? trace(index) : trace(index).slice(0, 1)),
      `From: Customer ${sender} <${from}>`,
      "To: Sales <sales@in.test>",
      `Subject: ${sentence(index, 5)}`,
      `Message-ID: <${run}.${index}@client.example>`,
      "Date: Tue, 24 Nov 2026 10:00:00 +0000",
      "MIME-Version: 1.0",
    ].join("\r\n");
    yield { from, data: Buffer.from(`${head}\r\n${bodyOf(index, mix)}`, "utf8") };
  }
}

function bodyOf(index: number, mix: Mix): string {
  if (mix === "small" || index % 10 === 0) return plain(index, 12);
  return index % 10 === 1 ? attached(index) : alternative(index, 20 + (index % 9) * 20);
}

function trace(seed: number): string[] {
  const signature = Buffer.alloc(190, `${seed}signature`).toString("base64").replaceAll(/.{70}/g, "$&\r\n\t");
  const hop = (by: string) =>
    `Received: from mx${seed % 7}.client.example (mx${seed % 7}.client.example [192.0.2.${seed % 250}])\r\n\tby ${by} with ESMTPS id ${seed}x${by.length}\r\n\t(version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384); Tue, 24 Nov 2026 10:00:00 +0000`;
  const signed = (name: string) =>
    `${name}: v=1; a=rsa-sha256; c=relaxed/relaxed; d=client.example; s=s1;\r\n\th=from:to:subject:date:message-id; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\r\n\tb=${signature}`;
  return [
    hop("mx.in.test"),
    hop("relay.client.example"),
    hop("gateway.client.example"),
    signed("DKIM-Signature"),
    signed("ARC-Message-Signature"),
    "X-Mailer: Example Mail 16.0",
    "Thread-Topic: about your offer",
    "Accept-Language: en-GB, de-DE",
    "X-Originating-IP: [192.0.2.17]",
  ];
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

function alternative(seed: number, paragraphs: number): string {
  const html = `<html><body>${Array.from({ length: paragraphs }, (_, line) => `<p class="MsoNormal" style="margin:0">${sentence(seed + line, 12)}</p>`).join("\r\n")}</body></html>`;
  return [
    'Content-Type: multipart/alternative; boundary="b1"\r\n',
    `--b1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${paragraph(seed, paragraphs)}`,
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
