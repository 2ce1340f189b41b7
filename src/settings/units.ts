/** Durations (`90d`) and sizes (`35MiB`) as people write them in the configuration, and as the program counts them. */
import { z } from "zod";

const msPer = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const bytesPer = { B: 1, KiB: 1_024, MiB: 1_048_576, GiB: 1_073_741_824 } as const;

const durationForm = /^(\d{1,9})(ms|s|m|h|d)$/;
const sizeForm = /^(\d{1,15})(?: ?(B|KiB|MiB|GiB))?$/;

function amount(text: string, form: RegExp, per: Readonly<Record<string, number>>): number {
  const [, digits = "", unit = "B"] = form.exec(text) ?? [];
  return Number(digits) * (per[unit] ?? 1);
}

/** `"500ms"`, `"15s"`, `"10m"`, `"72h"` or `"90d"`; milliseconds once read. */
export const duration = z
  .string()
  .regex(durationForm, { error: "a whole number and a unit (ms, s, m, h or d), such as 15s or 90d" })
  .transform((text) => amount(text, durationForm, msPer));

const sizeWords = "a number of bytes, or a whole number and a unit (KiB, MiB or GiB), such as 35MiB";

/** A number of bytes, or `"64KiB"`, `"35MiB"`, `"1GiB"`; bytes once read. */
export const size = z
  .union([z.int({ error: sizeWords }).min(0, { error: sizeWords }), z.string().regex(sizeForm, { error: sizeWords })], {
    error: sizeWords,
  })
  .transform((value) => (typeof value === "number" ? value : amount(value, sizeForm, bytesPer)));
