/** Reads what mail systems report in a form for machines: bounces, complaints, read receipts. */
import type { ParsedMessage } from "../model/event.ts";
import type { RawField } from "./header.ts";
import type { Peek } from "./structure.ts";

export type Reports = Pick<ParsedMessage, "bounce" | "complaint" | "mdn">;

export interface Reportable {
  readonly fields: readonly RawField[];
  readonly peeks: readonly Peek[];
  readonly text: string | null;
}

export const noReports: Reports = { bounce: null, complaint: null, mdn: null };

export function reportsOf(_message: Reportable): Reports {
  return noReports;
}
