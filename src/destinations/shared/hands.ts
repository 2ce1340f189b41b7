/** Hands each step to what knows its kind. A vendor says what it does; what no vendor does, and how steps about associations are read, stands here once. */
import type { Asked, KnownRef, Ref, Refs, Session } from "../../model/destination.ts";
import type { Step, StepKind } from "../../model/step.ts";
import { known, permanent } from "./calls.ts";

type Of<K extends StepKind> = Extract<Step, { kind: K }>;
type End = Pick<KnownRef, "kind" | "id">;

interface Records<K extends StepKind> {
  find(step: Of<K>, refs: Refs, asked?: Asked): Promise<Ref | undefined>;
  put(step: Of<K>, refs: Refs): Promise<Ref>;
}

export interface Hands {
  readonly vendor: string;
  readonly person: Records<"person">;
  readonly company: Records<"company">;
  readonly deal: Records<"deal">;
  readonly activity: Records<"activity">;
  /** Lists of files, or why a logged activity keeps the one that it has. */
  readonly file: Records<"file"> | string;
  /** A note where it stands as it stood. Refused where it cannot be. */
  link(from: End, to: End): Promise<Ref | undefined>;
  unlink(from: End, to: End): Promise<unknown>;
  archive(kind: StepKind, id: string): Promise<void>;
}

export function openHands(hands: Hands): Pick<Session, "find" | "put"> {
  const { vendor, file } = hands;
  return {
    async find(step, refs, asked) {
      switch (step.kind) {
        case "person":
          return await hands.person.find(step, refs, asked);
        case "company":
          return await hands.company.find(step, refs, asked);
        case "deal":
          return await hands.deal.find(step, refs, asked);
        case "activity":
          return await hands.activity.find(step, refs, asked);
        case "file":
          return typeof file === "string" ? undefined : await file.find(step, refs, asked);
        case "link":
        case "unlink":
        case "archive":
        case "event_copy":
          return undefined;
        default:
          return step satisfies never;
      }
    },
    async put(step, refs) {
      switch (step.kind) {
        case "person":
          return await hands.person.put(step, refs);
        case "company":
          return await hands.company.put(step, refs);
        case "deal":
          return await hands.deal.put(step, refs);
        case "activity":
          return await hands.activity.put(step, refs);
        case "file":
          if (typeof file === "string") throw permanent(file);
          return await file.put(step, refs);
        case "link": {
          const from = known(refs, step.from);
          return (await hands.link(from, known(refs, step.to))) ?? { id: from.id };
        }
        case "unlink": {
          const from = known(refs, step.from);
          await hands.unlink(from, known(refs, step.to));
          return { id: from.id };
        }
        case "archive": {
          const target = known(refs, step.target);
          await hands.archive(target.kind, target.id);
          return { id: target.id };
        }
        case "event_copy":
          throw permanent(
            `${vendor} has no place for a copy of the event; send copies to a destination made for events`,
          );
        default:
          return step satisfies never;
      }
    },
  };
}
