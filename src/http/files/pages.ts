/** What people read who open a link and get no file: what became of it, and whom to ask. */
import type { FastifyReply } from "fastify";
import type { FileRow } from "../../model/files.ts";
import { html, type Markup, sendPage, withPicture } from "../page.ts";

/** The same for a link that was changed, that was never one of ours, and whose file nobody knows: it tells nothing. */
export const unknownPage = (reply: FastifyReply): Promise<FastifyReply> =>
  sendPage(reply, 403, "This link does not work", [
    html`<p>It is not whole, it was changed, or it is not used any more. Open it from the CRM again, by a click and not by copying it.</p>`,
  ]);

export const busyPage = (reply: FastifyReply): Promise<FastifyReply> =>
  sendPage(reply, 503, "Too many downloads at once", [html`<p>Try again in a moment.</p>`], { "retry-after": "10" });

export const unreadablePage = (reply: FastifyReply): Promise<FastifyReply> =>
  sendPage(
    reply,
    503,
    "This file cannot be read at the moment",
    [html`<p>Try again later. If it stays like this, tell whoever runs Mailwright: its log says why.</p>`],
    { "retry-after": "60" },
  );

export function expiredPage(reply: FastifyReply, signIn: string | undefined): Promise<FastifyReply> {
  const ask = html`<p>Ask whoever runs Mailwright for a fresh one.</p>`;
  const sign =
    signIn === undefined ? [] : [html`<p>An operator can <a href="${signIn}">sign in for a fresh link</a>.</p>`];
  return sendPage(reply, 410, "This link has expired", sign.length === 0 ? [ask] : sign);
}

export const noPreviewPage = (reply: FastifyReply, reason: string): Promise<FastifyReply> =>
  sendPage(reply, 404, "There is no preview of this file", [
    html`<p>${reason} The file itself is not touched by that.</p>`,
  ]);

export interface Fresh {
  readonly url: string;
  readonly until: number;
  readonly operator: string | undefined;
  /** Of its preview, where there may be one. */
  readonly picture: string | undefined;
}

export function freshPage(reply: FastifyReply, { url, until, operator, picture }: Fresh): Promise<FastifyReply> {
  return sendPage(
    reply,
    operator === undefined ? 410 : 200,
    "This link has expired",
    [
      html`<p>Here is a fresh one, good until ${dayOf(until)}:</p>`,
      html`<p><a href="${url}">${url}</a></p>`,
      ...(picture === undefined ? [] : [html`<p><img src="${picture}" alt=""></p>`]),
      ...(operator === undefined
        ? []
        : [html`<p>You are signed in as ${operator}. Who gets this link can open the file.</p>`]),
    ],
    picture === undefined ? {} : withPicture,
  );
}

const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

/** Of a file that is not served, to somebody whose link is good. */
export async function statusPage(reply: FastifyReply, row: FileRow): Promise<FastifyReply> {
  const { status, reason, at } = row;
  const file = html`<p>${row.filename} (${row.contentType}, ${bytesOf(row.size)})</p>`;
  const because = reason === null ? [] : [html`<p>Why: ${reason}</p>`];
  const page = (
    code: number,
    title: string,
    words: Markup,
    headers?: Record<string, string>,
    why: readonly Markup[] = because,
  ) => sendPage(reply, code, title, [file, words, ...why], headers);
  switch (status) {
    case "stored":
      throw new TypeError("a stored file is served");
    case "checking":
      return await page(202, "This file is being checked", html`<p>Reload this page in a minute.</p>`, {
        "retry-after": "60",
      });
    case "quarantined":
      return await page(
        403,
        "This file is held back",
        html`<p>It may do harm. It is kept, and an operator can release it.</p>`,
      );
    case "stripped":
      return await page(
        403,
        "This file was taken out",
        html`<p>Programs and scripts are not handed out. The mail itself is kept.</p>`,
      );
    case "refused":
      return await page(404, "This file could not be kept", html`<p>There is nothing that could be handed out.</p>`);
    case "dropped":
      return await page(
        410,
        "This file was dropped",
        html`<p>A person decided on ${dayOf(at)} that it is not wanted.</p>`,
        undefined,
        [],
      );
    case "removed":
      return await page(
        410,
        `This file was removed on ${dayOf(at)}`,
        html`<p>Files are kept for a time, and its time was over.</p>`,
        undefined,
        [],
      );
    default:
      return status satisfies never;
  }
}

const bytesOf = (size: number): string => `${String(size).replace(/\B(?=(\d{3})+$)/g, ",")} bytes`;
