/** So many at once, the others in the order in which they came. */

export function openSlots(most: number): <T>(work: () => Promise<T>) => Promise<T> {
  let taken = 0;
  const waiting: (() => void)[] = [];

  return async (work) => {
    if (taken < most) taken += 1;
    // Whoever goes hands its slot on, so that nobody who comes meanwhile can take it.
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) taken -= 1;
      else next();
    }
  };
}
