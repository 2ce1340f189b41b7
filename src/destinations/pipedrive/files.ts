/** Brings the files that a logged mail lists up to date: reads its note, changes the lines that are ours and no others, and writes only what changed. */
import type { Ref, Refs } from "../../model/destination.ts";
import type { FileStep } from "../../model/step.ts";
import { type Brought, brought } from "../shared/attached.ts";
import { known } from "../shared/calls.ts";
import { noteBody } from "./bodies.ts";
import { isTooLong } from "./classify.ts";
import { maxNoteChars } from "./note.ts";
import type { Records } from "./records.ts";

export interface Files {
  /** The activity, where it says so already, or is gone; undefined where there is something to do. */
  find(step: FileStep, refs: Refs): Promise<Ref | undefined>;
  put(step: FileStep, refs: Refs): Promise<Ref>;
}

const gone = "the mail was deleted at Pipedrive: there is nothing to say what became of its files";
const foreign =
  "somebody changed the list of files at Pipedrive: it is left as it is, and its links lead to what is true now";
const tooLong =
  "Pipedrive takes no longer text: the list of files is left as it is, and its links lead to what is true now";

export function openFiles(records: Records): Files {
  /** Undefined where it is gone. */
  async function note(id: string): Promise<string | undefined> {
    const activity = await records.get("activities", id);
    return activity === undefined || activity.is_deleted === true ? undefined : (activity.note ?? "");
  }
  return {
    async find(step, refs) {
      const { id } = known(refs, step.activity);
      const there = await note(id);
      if (there === undefined) return await records.refOf("activities", id, true, gone);
      const isThere = brought(there, step, "html", maxNoteChars).kind === "there";
      return isThere ? await records.refOf("activities", id, true) : undefined;
    },
    async put(step, refs) {
      const { id } = known(refs, step.activity);
      // Before the write: what is still to be asked of the account must not fail after it.
      const done = await records.refOf("activities", id, false);
      const withNote = (words: string): Ref => ({ ...done, adopted: true, note: words });
      const there = await note(id);
      if (there === undefined) return withNote(gone);
      // The second time without a file named: a note that people made longer than we make one may be at its end.
      for (const limit of [maxNoteChars, 0]) {
        const change: Brought = brought(there, step, "html", limit);
        if (change.kind === "there") return { ...done, adopted: true };
        if (change.kind === "foreign") return withNote(foreign);
        const answer = await records.update("activities", id, noteBody(change.body));
        if (answer.status === 404) return withNote(gone);
        if (!isTooLong(answer)) return done;
      }
      return withNote(tooLong);
    },
  };
}
