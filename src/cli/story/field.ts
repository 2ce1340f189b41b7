/** A line of a story: what it is about, and what is known of it. */
import { plain } from "../plain.ts";

export const field = (name: string, value: string): string => `  ${name.padEnd(10)}  ${plain(value, 1_000)}`;
