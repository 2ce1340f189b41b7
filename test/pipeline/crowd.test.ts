/** Senders whose names are slow wait at their own cost, not at that of all others. */
import { expect, test } from "vitest";
import type { Envelope } from "../../src/model/envelope.ts";
import { type Evidence, noEvidence } from "../../src/model/event.ts";
import { withoutCrowd } from "../../src/pipeline/crowd.ts";
import type { Senders } from "../../src/pipeline/senders.ts";
import { turn, VirtualTime } from "../simulation/clock.ts";

const slowMs = 10_000;
const envelope = (route: string): Envelope => ({ kind: "smtp", tenant: "acme", routes: [route], received_at: 0 });
const nothing = async (): Promise<AsyncIterable<Uint8Array>> => (async function* () {})();

/** Whoever comes by `slow@` has a name server that answers after ten seconds. */
function world(places: number) {
  const time = new VirtualTime();
  const clock = time.clock();
  const names: Senders = {
    async verify({ routes }) {
      if (routes[0] === "broken@") throw new Error("no thread");
      await clock.sleep(routes[0] === "slow@" ? slowMs : 50);
      return noEvidence;
    },
  };
  const senders = withoutCrowd(names, places, clock);
  let begun = clock.now();
  const ended: { readonly name: string; readonly after: number; readonly result: string }[] = [];
  const send = (name: string, route: string): Promise<unknown> =>
    senders.verify(envelope(route), nothing, 0).then(
      ({ dmarc }: Evidence) => ended.push({ name, after: clock.now() - begun, result: dmarc?.result ?? "whole" }),
      () => ended.push({ name, after: clock.now() - begun, result: "rejected" }),
    );
  /** Lets everybody run to its end. */
  const run = async (): Promise<void> => {
    do await turn();
    while (time.wakeNext());
  };
  /** The first that is verified ends the start. */
  const opened = async (): Promise<void> => {
    const first = senders.verify(envelope("deals@"), nothing, 0);
    await run();
    await first;
    begun = clock.now();
  };
  return { send, run, ended, opened };
}

test("as many as have places wait for as long as DNS takes", async () => {
  const { send, run, ended } = world(3);
  for (const name of ["a", "b", "c"]) void send(name, "slow@");
  await run();
  expect(ended).toEqual(["a", "b", "c"].map((name) => ({ name, after: slowMs, result: "whole" })));
});

test("of more than that, those that wait longest go on after three seconds without, and quick ones are not touched", async () => {
  const { send, run, ended, opened } = world(3);
  await opened();
  for (const name of ["a", "b", "c", "d", "e"]) void send(name, "slow@");
  void send("quick", "deals@");
  await run();
  expect(ended).toEqual([
    { name: "quick", after: 50, result: "whole" },
    { name: "a", after: 3_000, result: "temperror" },
    { name: "b", after: 3_000, result: "temperror" },
    ...["c", "d", "e"].map((name) => ({ name, after: slowMs, result: "whole" })),
  ]);
});

test("one that fails leaves its place", async () => {
  const { send, run, ended } = world(1);
  void send("a", "slow@");
  void send("b", "broken@");
  await run();
  expect(ended).toEqual([
    { name: "b", after: 0, result: "rejected" },
    { name: "a", after: slowMs, result: "whole" },
  ]);
});

test("a flood of slow ones never fills more than its places for longer than three seconds", async () => {
  const { send, run, ended, opened } = world(4);
  await opened();
  const all = Array.from({ length: 200 }, (_, at) => send(`slow ${at}`, "slow@"));
  await run();
  await Promise.all(all);
  expect(ended.filter(({ result }) => result === "whole").length).toBe(4);
  expect(Math.max(...ended.filter(({ result }) => result === "temperror").map(({ after }) => after))).toBe(3_000);
});

test("while the verifier starts nobody goes on without, however many wait", async () => {
  const { send, run, ended } = world(1);
  for (const name of ["a", "b", "c"]) void send(name, "slow@");
  await run();
  expect(ended.map(({ result }) => result)).toEqual(["whole", "whole", "whole"]);
});
