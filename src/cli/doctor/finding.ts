/** What doctor found about one thing: how bad it is, and how to mend it. */
import type { DoctorReport } from "../upkeep-shapes.ts";

export type Found = DoctorReport["findings"][number];
export type About = Found["about"];

export const ok = (about: About, what: string): Found => ({ level: "ok", about, what, mend: null, fixable: false });
export const warning = (about: About, what: string, mend: string): Found => ({
  level: "warning",
  about,
  what,
  mend,
  fixable: false,
});
export const problem = (about: About, what: string, mend: string, fixable = false): Found => ({
  level: "problem",
  about,
  what,
  mend,
  fixable,
});

/** `ENOENT` and its kind, or the message. */
export function codeOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return error instanceof Error ? error.message : String(error);
}
