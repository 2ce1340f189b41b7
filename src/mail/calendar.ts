/** Reads the events of calendar parts. */
import type { Calendar } from "../model/event.ts";
import type { Peek } from "./structure.ts";

export function calendarOf(_peeks: readonly Peek[]): Calendar[] {
  return [];
}
