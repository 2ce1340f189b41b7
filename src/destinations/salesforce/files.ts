/**
 * Brings the files that a logged mail lists up to date. A mail that is history keeps its text, so that the list as it is now stands in a field
 * of our own: read, changed in the lines that are ours and no others, and written only where that changed it.
 */
import type { Ref, Refs } from "../../model/destination.ts";
import type { FileStep } from "../../model/step.ts";
import { type Brought, brought } from "../shared/attached.ts";
import { known } from "../shared/calls.ts";
import { type Row, textOf } from "./api.ts";
import { ownFields } from "./bodies.ts";
import type { Org } from "./org.ts";
import { isDeleted, type Records, recordObjectOf } from "./records.ts";

export interface Files {
  /** The mail, where it says so already, or is gone; undefined where there is something to do. */
  find(step: FileStep, refs: Refs): Promise<Ref | undefined>;
  put(step: FileStep, refs: Refs): Promise<Ref>;
}

const gone = "the mail was deleted at Salesforce: there is nothing to say what became of its files";
const foreign =
  "somebody changed the list of files at Salesforce: it is left as it is, and its links lead to what is true now";
const noField = `this org has no ${ownFields.files}: the links in the mail's text lead to what is true now`;

/** What is to be done with the list, or why nothing is. */
type Look = { readonly note: string } | { readonly row: Row; readonly list: Brought };

export function openFiles(org: Org, records: Records): Files {
  async function look(step: FileStep, id: string): Promise<Look> {
    const facts = (await org.shape("EmailMessage")).fields.get(ownFields.files);
    if (facts?.updateable !== true) return { note: noField };
    const row = await records.get("EmailMessage", id, [ownFields.files, "LastModifiedDate"]);
    if (row === undefined || isDeleted(row)) return { note: gone };
    const text = textOf(row, ownFields.files);
    return { row, list: text === null ? { kind: "foreign" } : brought(text, step, "text", facts.length) };
  }

  const mailOf = (step: FileStep, refs: Refs): string => {
    const { kind, id } = known(refs, step.activity);
    recordObjectOf(kind, id);
    return id;
  };
  const done = (id: string, note?: string): Ref =>
    records.refOf("EmailMessage", { id, adopted: true, ...(note === undefined ? {} : { note }) });

  return {
    async find(step, refs) {
      const id = mailOf(step, refs);
      const found = await look(step, id);
      if ("note" in found) return done(id, found.note);
      return found.list.kind === "there" ? done(id) : undefined;
    },
    async put(step, refs) {
      const id = mailOf(step, refs);
      const found = await look(step, id);
      if ("note" in found) return done(id, found.note);
      switch (found.list.kind) {
        case "there":
          return done(id);
        case "foreign":
          return done(id, foreign);
        case "changed": {
          const isThere = await records.change("EmailMessage", found.row, { [ownFields.files]: found.list.body });
          return isThere ? records.refOf("EmailMessage", { id, adopted: false }) : done(id, gone);
        }
        default:
          return found.list satisfies never;
      }
    },
  };
}
