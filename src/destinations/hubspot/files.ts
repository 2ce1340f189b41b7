/** Brings the files that a logged email lists up to date: reads it, changes the lines that are ours and no others, and writes only what changed. */
import type { Ref, Refs } from "../../model/destination.ts";
import type { FileStep } from "../../model/step.ts";
import { type Brought, brought } from "../shared/attached.ts";
import { known } from "../shared/calls.ts";
import { maxBodyChars } from "../shared/text.ts";
import type { HubspotRecord } from "./api.ts";
import { filesBody } from "./bodies.ts";
import { isTooLong } from "./classify.ts";
import type { Records } from "./records.ts";

export interface Files {
  /** The email, where it says so already, or is gone; undefined where there is something to do. */
  find(step: FileStep, refs: Refs): Promise<Ref | undefined>;
  put(step: FileStep, refs: Refs): Promise<Ref>;
}

const gone = "the mail was deleted at HubSpot: there is nothing to say what became of its files";
const foreign =
  "somebody changed the list of files at HubSpot: it is left as it is, and its links lead to what is true now";
const tooLong =
  "HubSpot takes no longer text: the list of files is left as it is, and its links lead to what is true now";

/** `withHtml`: whether we send the sender's HTML, with a list of its own. */
export function openFiles(records: Records, withHtml: boolean): Files {
  const read = async (id: string): Promise<HubspotRecord | undefined> =>
    await records.get("emails", id, { properties: "hs_email_text,hs_email_html" });

  return {
    async find(step, refs) {
      const { id } = known(refs, step.activity);
      const email = await read(id);
      if (email === undefined) return await records.refOf("emails", id, true, gone);
      const isThere = bodiesOf(email, step, maxBodyChars, withHtml).every(({ kind }) => kind === "there");
      return isThere ? await records.refOf("emails", id, true) : undefined;
    },
    async put(step, refs) {
      const { id } = known(refs, step.activity);
      // Before the write: what is still to be asked of the account must not fail after it.
      const done = await records.refOf("emails", id, false);
      const withNote = (note: string): Ref => ({ ...done, adopted: true, note });
      const email = await read(id);
      if (email === undefined) return withNote(gone);
      // The second time without a file named: a body that people made longer than we make one may be at its end.
      for (const limit of [maxBodyChars, 0]) {
        const bodies = bodiesOf(email, step, limit, withHtml);
        const isForeign = bodies.some(({ kind }) => kind === "foreign");
        const body = filesBody(textOf(bodies[0]), textOf(bodies[1]));
        if (Object.keys(body.properties).length === 0)
          return isForeign ? withNote(foreign) : { ...done, adopted: true };
        const answer = await records.update("emails", id, body);
        if (answer.status === 404) return withNote(gone);
        if (!isTooLong(answer)) return isForeign ? withNote(foreign) : done;
      }
      return withNote(tooLong);
    },
  };
}

/** Without a text, somebody took it away; HTML is there where it was sent, or where HubSpot made it of the text, which is not for us to judge. */
function bodiesOf({ properties }: HubspotRecord, step: FileStep, limit: number, withHtml: boolean): Brought[] {
  const { hs_email_text: text, hs_email_html: html } = properties;
  const bodies: Brought[] = [text == null ? { kind: "foreign" } : brought(text, step, "text", limit)];
  if (html == null || html === "") return bodies;
  const second = brought(html, step, "html", limit);
  return second.kind === "foreign" && !withHtml ? bodies : [...bodies, second];
}

const textOf = (body: Brought | undefined): string | null => (body?.kind === "changed" ? body.body : null);
