/** What every source promises, whatever protocol it speaks. A source's own test file imports this suite and hands it a peer. */
import { describe, expect, onTestFinished, test } from "vitest";
import { envelopeSchema } from "../../src/model/envelope.ts";
import type { RunningSource } from "../../src/model/source.ts";
import { NotAccepted, type Refusal } from "../../src/model/source.ts";
import { FakeIntake, type World, world } from "./fakes.ts";

/** What the peer knows afterwards: it may forget the message, must try again, or must give up. */
export type PeerOutcome = "acknowledged" | "retry" | "refused";

export interface SourcePeer {
  start(intake: FakeIntake, ports: World): Promise<RunningSource>;
  /** Hands over one message for tenant acme's inbox@in.acme.test; resolves when the peer knows what became of it. */
  deliver(source: RunningSource, message: Uint8Array): Promise<PeerOutcome>;
  /** Hands over the first half of a message and vanishes once the source has begun to read it (`begun`). */
  vanish(source: RunningSource, message: Uint8Array, begun: () => Promise<void>): Promise<void>;
}

const message = Buffer.from(
  "From: a@b.test\r\nSubject: contract\r\n\r\nA caf\xe9, a NUL \0 and eight bits: \xff\r\n",
  "latin1",
);

export function sourceContract(name: string, peer: SourcePeer): void {
  const started = async (intake = new FakeIntake()) => {
    const ports = world();
    const source = await peer.start(intake, ports);
    onTestFinished(() => source.stop(0));
    return { source, intake, ports };
  };

  describe(`${name} as a source`, () => {
    test("hands over exactly the bytes it was given, with an envelope of its kind for the tenant", async () => {
      const { source, intake } = await started();
      expect(await peer.deliver(source, message)).toBe("acknowledged");
      expect(intake.taken).toHaveLength(1);
      expect(intake.taken[0]?.bytes.equals(message)).toBe(true);
      const envelopes = intake.taken[0]?.envelopes ?? [];
      expect(envelopes.map((envelope) => envelopeSchema.parse(envelope))).toEqual(envelopes);
      expect(envelopes).toMatchObject([{ tenant: "acme", routes: ["inbox@in.acme.test"] }]);
    });

    test("acknowledges nothing before accept has resolved", async () => {
      const { source, intake } = await started();
      const read = Promise.withResolvers<void>();
      const durable = Promise.withResolvers<void>();
      const events: string[] = [];
      intake.after = () => {
        read.resolve();
        return durable.promise;
      };
      const outcome = peer.deliver(source, message).then((answer) => events.push(answer));
      await read.promise;
      await new Promise((resolve) => setTimeout(resolve, 20)); // long enough for a hasty source to answer
      events.push("durable");
      durable.resolve();
      await outcome;
      expect(events).toEqual(["durable", "acknowledged"]);
    });

    const refusals: readonly [Refusal["kind"], PeerOutcome][] = [
      ["busy", "retry"],
      ["store_failed", "retry"],
      ["too_large", "refused"],
      ["loop", "refused"],
    ];
    test.each(refusals)("accept rejecting with %s makes the peer: %s", async (kind, expected) => {
      const { source, intake } = await started();
      intake.after = () => Promise.reject(new NotAccepted({ kind, reason: "the test says so" }));
      expect(await peer.deliver(source, message)).toBe(expected);
    });

    test("an unknown error from accept is our fault: the peer tries again, and an operator is told", async () => {
      const { source, intake, ports } = await started();
      intake.before = () => Promise.reject(new TypeError("a defect"));
      expect(await peer.deliver(source, message)).toBe("retry");
      expect(ports.log.lines.filter(({ level }) => level === "error")).toHaveLength(1);
      intake.before = () => {};
      expect(await peer.deliver(source, message)).toBe("acknowledged");
    });

    test("an accept that resolves without having read the message to its end is not believed", async () => {
      const { source, intake } = await started();
      const honest = intake.accept;
      intake.accept = async (_raw, envelopes) =>
        envelopes.map(({ tenant }) => ({ eventId: "early", tenant, outcome: "new" as const }));
      expect(await peer.deliver(source, message)).toBe("retry");
      intake.accept = honest;
    });

    test("pressure makes the peer try again, and nothing is begun", async () => {
      const { source, intake } = await started();
      intake.refusal = { kind: "busy", reason: "disk reserve" };
      expect(await peer.deliver(source, message)).toBe("retry");
      expect(intake.begun).toBe(0);
    });

    test("a peer that vanishes in mid-message makes the bytes end in an error, never in a short message", async () => {
      const { source, intake } = await started();
      const begun = Promise.withResolvers<void>();
      intake.before = () => begun.resolve();
      const failed = Promise.withResolvers<void>();
      const accept = intake.accept;
      intake.accept = async (raw, envelopes) => {
        try {
          return await accept(raw, envelopes);
        } finally {
          failed.resolve();
        }
      };
      await peer.vanish(source, message, () => begun.promise);
      await failed.promise;
      expect(intake.taken).toHaveLength(0);
      expect(intake.broken).toHaveLength(1);
    });

    test("stop lets a message in flight finish, and takes no other", async () => {
      const { source, intake } = await started();
      const read = Promise.withResolvers<void>();
      const durable = Promise.withResolvers<void>();
      intake.after = () => {
        read.resolve();
        return durable.promise;
      };
      const inFlight = peer.deliver(source, message);
      await read.promise;
      const stopped = source.stop(10_000);
      const late = peer.deliver(source, message).catch(() => "retry");
      expect(await late).toBe("retry");
      durable.resolve();
      expect(await inFlight).toBe("acknowledged");
      await stopped;
      expect(intake.taken).toHaveLength(1);
    });

    test("stop does not wait for a store that hangs longer than the grace time", async () => {
      const { source, intake } = await started();
      const read = Promise.withResolvers<void>();
      intake.after = () => {
        read.resolve();
        return new Promise<void>(() => {});
      };
      const inFlight = peer.deliver(source, message).catch(() => "retry");
      await read.promise;
      await source.stop(10);
      expect(await inFlight).toBe("retry");
    });
  });
}
