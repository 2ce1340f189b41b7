/** Messages on their way into the ledger while more are read: so many and so many bytes at once, and nobody waits for each alone. */

export interface Flights {
  /** It never rejects: what fails is told by `settled`. */
  launch(bytes: number, flight: Promise<void>): void;
  /** Until there is room for one more. */
  room(): Promise<void>;
  /** One of them has failed: no more are wanted. */
  readonly broken: boolean;
  /** Until none is on its way. Rejects with what failed first. */
  settled(): Promise<void>;
}

/** One reader waits at a time. */
export function openFlights(most: number, mostBytes: number): Flights {
  let count = 0;
  let bytes = 0;
  let failed: { readonly error: unknown } | undefined;
  let isEnough: () => boolean = () => true;
  let wake: (() => void) | undefined;

  const until = async (enough: () => boolean): Promise<void> => {
    if (enough()) return;
    isEnough = enough;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  };
  const land = (landed: number): void => {
    count -= 1;
    bytes -= landed;
    if (wake === undefined || !isEnough()) return;
    const woken = wake;
    wake = undefined;
    woken();
  };

  return {
    launch(size, flight) {
      count += 1;
      bytes += size;
      flight.then(
        () => land(size),
        (error: unknown) => {
          failed ??= { error };
          land(size);
        },
      );
    },
    room: () => until(() => count < most && bytes <= mostBytes),
    get broken() {
      return failed !== undefined;
    },
    async settled() {
      await until(() => count === 0);
      if (failed !== undefined) throw failed.error;
    },
  };
}
