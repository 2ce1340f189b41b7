/** Chance that can be had again: a small generator (sfc32) that a seed decides, split into streams that do not disturb each other. */

export class Chance {
  readonly #state: Uint32Array;
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
    // FNV-1a over the name, four times with other beginnings; a dozen rounds mix what is left alike.
    this.#state = new Uint32Array([0x811c9dc5, 0x9e3779b9, 0x85ebca6b, 1].map((start) => fnv(name, start)));
    for (let round = 0; round < 12; round++) this.unit();
  }

  /** A stream of its own: drawing from one leaves the others as they were. */
  split(name: string): Chance {
    return new Chance(`${this.#name}/${name}`);
  }

  /** Uniform in [0, 1). */
  unit(): number {
    const s = this.#state;
    const [a = 0, b = 0, c = 0, d = 0] = s;
    const sum = (a + b + d) >>> 0;
    s[0] = b ^ (b >>> 9);
    s[1] = c + (c << 3);
    s[2] = ((c << 21) | (c >>> 11)) + sum;
    s[3] = d + 1;
    return sum / 2 ** 32;
  }

  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number {
    return from + Math.floor(this.unit() * (to - from + 1));
  }

  flip(probability: number): boolean {
    return this.unit() < probability;
  }

  pick<T>(from: readonly T[]): T {
    const found = from[Math.floor(this.unit() * from.length)];
    if (found === undefined) throw new RangeError("there is nothing to pick from");
    return found;
  }

  /** So many hex digits. */
  hex(digits: number): string {
    let text = "";
    while (text.length < digits)
      text += Math.floor(this.unit() * 2 ** 32)
        .toString(16)
        .padStart(8, "0");
    return text.slice(0, digits);
  }
}

function fnv(text: string, start: number): number {
  let hash = start;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}
