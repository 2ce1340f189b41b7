/** Whether mail can be taken now: disk, ledger and backlog, from checks that are at most a second old and are made by whoever asks first. */
import type { Refusal } from "../model/source.ts";
import type { IntakeLimits, IntakePorts } from "./accept.ts";

/** What a check of disk, backlog and ledger is worth before it is made again. */
const freshMs = 1_000;
const probeMs = 500;

export interface Pressure {
  /** A reason not to take a message of so many bytes; without a number, any message. */
  ask(bytes?: number): Promise<Refusal | undefined> | Refusal | undefined;
  /** So many bytes are about to be written. False when they would eat into the reserve, by what was last known. */
  fill(bytes: number): boolean;
  /** The same by what is known after a look now: what to tell the sender when they would; otherwise they are counted. */
  roomFor(bytes: number): Promise<Refusal | undefined>;
  /** Counted between checks, so that a burst cannot run past the cap. */
  committed(messages: number): void;
  /** What was known of the ledger is no longer true. */
  failed(): void;
}

export function openPressure(limits: IntakeLimits, ports: IntakePorts): Pressure {
  let checkedAt = Number.NEGATIVE_INFINITY;
  let answer: Refusal | undefined;
  let asking: Promise<Refusal | undefined> | undefined;
  let backlog = 0;
  /** Bytes above the reserve at the last check, less what has come since. Bytes written by others in between are not known of. */
  let room = Number.POSITIVE_INFINITY;

  async function check(): Promise<Refusal | undefined> {
    const { freeBytes, totalBytes } = await ports.disk();
    ports.metrics.gauge("disk_free_bytes", freeBytes);
    const reserve = limits.diskReserve(totalBytes);
    room = freeBytes - reserve;
    if (room < 0)
      return { kind: "busy", reason: `insufficient system storage: ${freeBytes} bytes free, reserve ${reserve}` };
    try {
      await ports.ledger.probe(probeMs);
      backlog = (await ports.ledger.stats(ports.clock.now())).backlog;
    } catch (error) {
      ports.log.warn({ err: error instanceof Error ? error : undefined }, "the ledger cannot take mail now");
      return { kind: "busy", reason: "the ledger is locked or cannot be written" };
    }
    return undefined;
  }

  function examine(): Promise<Refusal | undefined> {
    asking ??= check()
      .catch((error: unknown): Refusal => {
        ports.log.warn(
          { err: error instanceof Error ? error : undefined },
          "the volume of the data folder cannot be examined",
        );
        return { kind: "busy", reason: "the volume of the data folder cannot be examined" };
      })
      .then((found) => {
        answer = found;
        checkedAt = ports.clock.now();
        asking = undefined;
        return found;
      });
    return asking;
  }

  const full = (): Refusal | undefined =>
    backlog < limits.backlog
      ? undefined
      : { kind: "busy", reason: `${backlog} events wait already, the cap is ${limits.backlog}` };

  const tight = (bytes: number): Refusal | undefined =>
    bytes <= room
      ? undefined
      : {
          kind: "busy",
          reason: `insufficient system storage: ${room} bytes free above the reserve, the message needs ${bytes}`,
        };

  return {
    ask(bytes = 0) {
      const age = ports.clock.now() - checkedAt;
      // A clock set back (negative age) makes the check again, instead of trusting it for as long as it was set back.
      if (age >= 0 && age < freshMs) return answer ?? full() ?? tight(bytes);
      return examine().then((found) => found ?? full() ?? tight(bytes));
    },
    fill(bytes) {
      room -= bytes;
      return room >= 0;
    },
    async roomFor(bytes) {
      await examine();
      const refusal = tight(bytes);
      // Others waited for the same look.
      if (refusal === undefined) room -= bytes;
      return refusal;
    },
    committed(messages) {
      backlog += messages;
    },
    failed() {
      checkedAt = Number.NEGATIVE_INFINITY;
    },
  };
}
