/** Of several records that could be meant, the same one for every reader: the first that was made. */

export function oldest<T extends { readonly id: string; readonly date_created?: string | null | undefined }>(
  records: readonly T[],
): T | undefined {
  const at = (record: T): number => Date.parse(record.date_created ?? "") || Number.POSITIVE_INFINITY;
  return [...records].sort((a, b) => at(a) - at(b) || (a.id < b.id ? -1 : 1))[0];
}
