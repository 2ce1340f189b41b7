/** Reads figures out of the headers in which vendors tell their limits. Pure. */

/** A whole number of calls; undefined where the header says anything else. */
export const figure = (value: string | undefined): number | undefined =>
  value !== undefined && /^\d{1,12}$/.test(value.trim()) ? Number(value) : undefined;

/** Without the members that are undefined; undefined where none is left. */
export function saying<T extends object>(all: { readonly [K in keyof T]: T[K] | undefined }): T | undefined {
  const there = Object.entries(all).filter(([, value]) => value !== undefined);
  return there.length === 0 ? undefined : (Object.fromEntries(there) as T);
}
