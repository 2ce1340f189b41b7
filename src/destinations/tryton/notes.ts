/** Logged mails: a note on the opportunity that the mail belongs to, or on its person, or on its company; found again by the marker at its end. */
import type { Asked, KnownRef, Ref, Refs } from "../../model/destination.ts";
import { openDealsNote } from "../../model/open-deals.ts";
import type { ActivityStep, FileStep } from "../../model/step.ts";
import { type Brought, brought } from "../shared/attached.ts";
import { known, permanent, together } from "../shared/calls.ts";
import { endsWithMarker, markerOf, maxBodyChars } from "../shared/text.ts";
import type { Domain } from "./api.ts";
import type { Deals } from "./deals.ts";
import { noteText } from "./note.ts";
import { noteFields, noteSchema, type Records, resourceOf } from "./records.ts";

export interface Notes {
  find(step: ActivityStep, refs: Refs, asked?: Asked): Promise<Ref | undefined>;
  put(step: ActivityStep, refs: Refs): Promise<Ref>;
  readonly files: {
    /** The note, where it says so already, or is gone; undefined where there is something to do. */
    find(step: FileStep, refs: Refs): Promise<Ref | undefined>;
    put(step: FileStep, refs: Refs): Promise<Ref>;
  };
}

/** Whole texts come with them, and JSON spells a character with six bytes: two stay below what a call's answer may have. */
const notesAtOnce = 2;

/** An opportunity may have been given to another party since. Notes of other models are read by those alone who may read these. */
const anywhere: Domain = ["OR", ["resource", "like", "party.party,%"], ["resource", "like", "sale.opportunity,%"]];

const gone = "the note was deleted at Tryton: there is nothing to say what became of its files";
const foreign =
  "somebody changed the list of files at Tryton: it is left as it is, and its links lead to what is true now";

export function openNotes(records: Records, deals: Deals): Notes {
  /** All records on which a call of ours can have put it. Which opportunity was the newest then, nobody knows now. */
  async function places(step: ActivityStep, refs: Refs): Promise<string[]> {
    const about = step.about.map((key) => known(refs, key));
    const person = about.find(({ kind }) => kind === "person");
    const more = step.deals === undefined || person === undefined ? [] : await deals.of(person.id, "any");
    const all = [...about, ...more.map((id): Pick<KnownRef, "kind" | "id"> => ({ kind: "deal", id }))];
    return [...new Set(all.map(resourceOf))];
  }

  async function marked(marker: string, where: Domain): Promise<Ref | undefined> {
    // Not ilike: that is Tryton's full-text search, which loses what stands behind 16,383 words (measured).
    const domain = [where, ["message", "like", `%${marker}%`]];
    // Further up in a text it is quoted, and means the other mail.
    for (let offset = 0; ; offset += notesAtOnce) {
      const search = { row: noteSchema, domain, fields: noteFields, limit: notesAtOnce, offset };
      const rows = await records.search("ir.note", search);
      const found = rows.find(({ message }) => endsWithMarker(message, marker));
      if (found !== undefined) return records.refOf(String(found.id), true, { ours: true });
      if (rows.length < notesAtOnce) return undefined;
    }
  }

  async function find(step: ActivityStep, refs: Refs, asked?: Asked): Promise<Ref | undefined> {
    const marker = markerOf(step.key);
    const near = await marked(marker, ["resource", "in", await places(step, refs)]);
    // No index helps there, and a call of ours came to something else than what is its place now only where there was one.
    return near ?? (asked?.sent === true ? await marked(marker, anywhere) : undefined);
  }

  async function put(step: ActivityStep, refs: Refs): Promise<Ref> {
    const about = step.about.map((key) => known(refs, key));
    const first = (kind: KnownRef["kind"]) => about.find((ref) => ref.kind === kind);
    const person = first("person");
    const asked = first("deal");
    const open = asked === undefined ? await deals.openFor(step, person) : undefined;
    const home = asked ?? (open === undefined ? (person ?? first("company")) : { kind: "deal" as const, id: open });
    if (home === undefined)
      throw permanent("at Tryton a note stands on a record, and this mail belongs to no party and no opportunity");
    const { message, cut } = noteText(step);
    const id = await records.create("ir.note", { resource: resourceOf(home), message });
    const bare = step.owner != null || Object.keys(step.fields ?? {}).length > 0;
    const note = together(
      cut,
      bare ? "a note at Tryton has no owner and no fields of its own" : undefined,
      open === undefined ? undefined : openDealsNote([open]),
    );
    return records.refOf(id, false, note === undefined ? {} : { note });
  }

  const read = async (id: string) => await records.get("ir.note", id, noteSchema, noteFields);

  return {
    find,
    put,
    files: {
      async find(step, refs) {
        const { id } = known(refs, step.activity);
        const there = await read(id);
        if (there === undefined) return records.refOf(id, true, { note: gone });
        const isThere = brought(there.message ?? "", step, "text", maxBodyChars).kind === "there";
        return isThere ? records.refOf(id, true) : undefined;
      },
      async put(step, refs) {
        const { id } = known(refs, step.activity);
        const there = await read(id);
        if (there === undefined) return records.refOf(id, true, { note: gone });
        const change: Brought = brought(there.message ?? "", step, "text", maxBodyChars);
        if (change.kind === "there") return records.refOf(id, true);
        if (change.kind === "foreign") return records.refOf(id, true, { note: foreign });
        // Refused where somebody has changed it since it was read: nobody's words are written over.
        await records.write("ir.note", id, { message: change.body }, there._timestamp ?? undefined);
        return records.refOf(id, false);
      },
    },
  };
}
