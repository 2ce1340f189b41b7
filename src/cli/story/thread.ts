/** Which conversation a message was given to, what else was considered, and why, as lines of a story. */
import type { Thread } from "../../model/event.ts";
import { field } from "./field.ts";

const percent = (score: number): string => `${Math.round(score * 100)} %`;
const spoken = (code: string): string => code.replaceAll("_", " ");

export function threadLines({ thread_id, method, confidence, parent_event_id, review, candidates }: Thread): string[] {
  const how =
    method === "new"
      ? "begun by it, or by nothing that joined it"
      : `joined by ${method === "decision" ? "a person" : spoken(method)}, ${percent(confidence)} sure`;
  const answers = parent_event_id === null ? "" : `; answers event ${parent_event_id}`;
  return [
    field("thread", `${thread_id}: ${how}${answers}${review ? "; listed for review" : ""}`),
    ...candidates.map(({ thread_id: other, score, reasons }) =>
      field("", `not joined to ${other}, ${percent(score)} sure: ${reasons.map(spoken).join(", ")}`),
    ),
  ];
}
