/** Sends files to a running daemon as mails do, and opens what the CRM then shows of each the way people and their programs do. */
import { command, shapedBy } from "../cli/stage.ts";
import type { Sample } from "../support/dangerous/rows.ts";
import type { Home, RunningDaemon } from "./daemon.ts";
import { sendMail } from "./smtp-client.ts";
import { drained } from "./verdict.ts";

/** What the CRM shows of a file that was sent. */
export interface Shown {
  readonly what: string;
  readonly sample: Sample;
  readonly id: string;
  readonly status: string;
  readonly url: string;
}

export interface Sending {
  readonly what: string;
  readonly sample: Sample;
}

const filesInMail = 25;
const boundary = "=_table";

/** RFC 2231 §4: any name comes through as it is. */
const encoded = (name: string): string =>
  [...Buffer.from(name)]
    .map((byte) =>
      /[A-Za-z0-9]/.test(String.fromCharCode(byte))
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).padStart(2, "0")}`,
    )
    .join("");

function partOf({ name, type, bytes }: Sample): string {
  // RFC 2046 §5.2.1: a message inside a message is not encoded.
  const isMessage = type === "message/rfc822";
  const body = isMessage
    ? Buffer.from(bytes).toString("latin1")
    : Buffer.from(bytes).toString("base64").replaceAll(/.{76}/g, "$&\r\n");
  const head = [
    `Content-Type: ${type}`,
    `Content-Transfer-Encoding: ${isMessage ? "7bit" : "base64"}`,
    `Content-Disposition: attachment; filename*=UTF-8''${encoded(name)}`,
  ];
  return `--${boundary}\r\n${head.join("\r\n")}\r\n\r\n${body}\r\n`;
}

function mailOf(id: string, to: string, samples: readonly Sample[]): string {
  const head = [
    "From: Ada <ada@customer.test>",
    `To: ${to}`,
    `Message-ID: <${id}@customer.test>`,
    `Subject: ${id}`,
    "Date: Tue, 24 Nov 2026 10:00:00 +0000",
    "MIME-Version: 1.0",
    `Content-Type: multipart/mixed; boundary="${boundary}"`,
  ];
  const text = `--${boundary}\r\nContent-Type: text/plain\r\n\r\nSee the files.\r\n`;
  return `${head.join("\r\n")}\r\n\r\n${text}${samples.map(partOf).join("")}--${boundary}--`;
}

/** Many files in each mail; resolves when the daemon has nothing to do any more, with what its CRM shows, in the order of `sendings`. */
export async function sent(
  home: Home,
  daemon: RunningDaemon,
  to: string,
  sendings: readonly Sending[],
): Promise<readonly Shown[]> {
  const mails = new Map<string, readonly Sending[]>();
  for (let at = 0; at < sendings.length; at += filesInMail)
    mails.set(`${to.replaceAll(/\W/g, "-")}-${at}`, sendings.slice(at, at + filesInMail));
  await daemon.parsing;
  await Promise.all(
    [...mails].map(async ([id, files]) => {
      const data = mailOf(
        id,
        to,
        files.map(({ sample }) => sample),
      );
      const outcome = await sendMail(daemon.smtpPort, { from: "ada@customer.test", to: [to], data });
      if (outcome.kind !== "acknowledged") throw new Error(`${id} was not taken: ${JSON.stringify(outcome)}`);
    }),
  );
  await drained(daemon.httpPort, 300_000);
  const run = (...args: string[]) => command([...args, "--config", home.config], { cwd: home.dir });
  const activities = await shapedBy(run, "crm activities", ["--limit", "10000"]);
  return [...mails].flatMap(([id, files]) => {
    const activity = activities.find(({ fields }) => fields.subject === id);
    const listed = (activity?.fields.attachments ?? []) as readonly Pick<Shown, "id" | "status" | "url">[];
    if (listed.length !== files.length) throw new Error(`${id} lists ${listed.length} of ${files.length} files`);
    return files.map(({ what, sample }, at) => ({ what, sample, ...(listed[at] as (typeof listed)[number]) }));
  });
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** Opens links at the daemon, each file from an address of its own: one client may open so many in a minute. */
export function opener({ httpPort }: RunningDaemon) {
  let clients = 0;
  return (): ((url: string, init?: RequestInit) => Promise<Answer>) => {
    const client = ++clients;
    const from = `10.0.${client >> 8}.${client & 255}`;
    return async (url, init = {}) => {
      const { pathname, search } = new URL(url);
      const headers = { ...(init.headers as Record<string, string>), "x-forwarded-for": from };
      const answer = await fetch(`http://127.0.0.1:${httpPort}${pathname}${search}`, {
        redirect: "manual",
        ...init,
        headers,
      });
      return { status: answer.status, headers: answer.headers, body: Buffer.from(await answer.arrayBuffer()) };
    };
  };
}

/** What is wrong with the answers, in words; empty where no way leads to any byte of it. */
export async function leaks(
  { what, sample, url, status }: Shown,
  open: (url: string, init?: RequestInit) => Promise<Answer>,
  more: readonly string[] = [],
): Promise<string[]> {
  const ways: [string, Promise<Answer>][] = [
    ["GET", open(url)],
    ["HEAD", open(url, { method: "HEAD" })],
    ["a range", open(url, { headers: { range: "bytes=0-15" } })],
    ["its end", open(url, { headers: { range: "bytes=-16" } })],
    ...more.map((link, at): [string, Promise<Answer>] => [`link ${at + 2}`, open(link)]),
  ];
  const wrong = status === "stored" ? [`${what}: stored`] : [];
  for (const [way, promise] of ways) {
    const answer = await promise;
    const isPage = answer.headers.get("content-type") === "text/html; charset=utf-8";
    if (![202, 403, 404, 410].includes(answer.status) || !isPage) wrong.push(`${what}, ${way}: ${answer.status}`);
    if (answer.headers.has("content-disposition")) wrong.push(`${what}, ${way}: it says what it would be called`);
    const head = Buffer.from(sample.bytes.subarray(0, 64));
    if (head.length > 0 && answer.body.includes(head)) wrong.push(`${what}, ${way}: its bytes are in the answer`);
  }
  return wrong;
}

/** What is wrong with the answers, in words; empty where every way leads to the very bytes, and they can only be a download. */
export async function losses(
  { what, sample, url, status }: Shown,
  open: (url: string, init?: RequestInit) => Promise<Answer>,
  more: readonly string[] = [],
): Promise<string[]> {
  const bytes = Buffer.from(sample.bytes);
  const wrong = status === "stored" ? [] : [`${what}: ${status}`];
  for (const link of [url, ...more]) {
    const answer = await open(link);
    if (answer.status !== 200 || !answer.body.equals(bytes)) wrong.push(`${what}: ${answer.status}, or other bytes`);
    if (!/^attachment; /.test(answer.headers.get("content-disposition") ?? "")) wrong.push(`${what}: no download`);
    if (answer.headers.get("x-content-type-options") !== "nosniff")
      wrong.push(`${what}: may be taken for another type`);
    if (!answer.headers.get("content-security-policy")?.startsWith("sandbox; default-src 'none'"))
      wrong.push(`${what}: no policy`);
  }
  const head = await open(url, { method: "HEAD" });
  if (head.status !== 200 || head.headers.get("content-length") !== String(bytes.length))
    wrong.push(`${what}, HEAD: ${head.status}, ${head.headers.get("content-length")} bytes`);
  if (bytes.length < 2) return wrong;
  const part = await open(url, { headers: { range: "bytes=1-" } });
  if (part.status !== 206 || !part.body.equals(bytes.subarray(1))) wrong.push(`${what}, a range: ${part.status}`);
  return wrong;
}
