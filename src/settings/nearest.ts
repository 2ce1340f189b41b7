/** The known word that a mistyped one most likely stands for. */

/**
 * Edits between two words, where swapping neighbours counts as one edit ("prot" is one away from "port"):
 * the optimal string alignment form of the Levenshtein distance.
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      const substituted = (last[column - 1] ?? 0) + (same ? 0 : 1);
      let best = Math.min(substituted, (last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1);
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        best = Math.min(best, (beforeLast[column - 2] ?? 0) + 1);
      }
      current.push(best);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
}

/**
 * The closest of `known`, the first of several; undefined when none is close enough for a slip of the finger (two edits, or a third
 * of a longer word).
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  // A key longer than this is no slip of the finger, and the comparison is quadratic.
  if (word.length > 100) return undefined;
  const asked = word.toLowerCase();
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(asked, candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  const allowed = Math.max(2, Math.floor(word.length / 3));
  // Two edits turn any two-letter word into any other: more than half of a word changed is no likeness.
  return best && best.distance <= allowed && best.distance < Math.max(word.length, best.candidate.length)
    ? best.candidate
    : undefined;
}
