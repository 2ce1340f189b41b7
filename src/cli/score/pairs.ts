/** How well one way of sorting things into groups agrees with another: pair by pair. */

export interface Agreement {
  /** Of the pairs that were put together, how many belong together. */
  readonly precision: number;
  /** Of the pairs that belong together, how many were put together. */
  readonly recall: number;
  readonly f1: number;
}

/** Both name the group of each thing, in the same order. Where there is no pair to be wrong about, nothing is wrong. */
export function agreement(found: readonly string[], expected: readonly string[]): Agreement {
  const both = pairs(found.map((group, at) => JSON.stringify([group, expected[at]])));
  const put = pairs(found);
  const belonging = pairs(expected);
  const precision = put === 0 ? 1 : both / put;
  const recall = belonging === 0 ? 1 : both / belonging;
  return { precision, recall, f1: precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall) };
}

function pairs(groups: readonly string[]): number {
  const sizes = new Map<string, number>();
  for (const group of groups) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  return [...sizes.values()].reduce((sum, size) => sum + (size * (size - 1)) / 2, 0);
}

/** Groups that grow together. */
export class Groups {
  readonly #parents: number[];

  constructor(size: number) {
    this.#parents = Array.from({ length: size }, (_, index) => index);
  }

  of(index: number): number {
    let root = index;
    while (this.#parents[root] !== root) root = this.#parents[root] ?? root;
    this.#parents[index] = root;
    return root;
  }

  unite(one: number, other: number): void {
    this.#parents[this.of(one)] = this.of(other);
  }

  names(): string[] {
    return this.#parents.map((_, index) => String(this.of(index)));
  }
}
