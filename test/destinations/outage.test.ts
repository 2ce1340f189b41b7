/** A CRM that is away for 72 hours: its mail waits, in its order, and comes in at its own pace when it is back; nobody else notices. */
import { expect, test } from "vitest";
import { hubspotRoad } from "./hubspot-road.ts";
import { driveOutage, outageMs } from "./outage.ts";
import { pipedriveRoad } from "./pipedrive-road.ts";

const hour = 3_600_000;
const size = { away: pipedriveRoad, other: hubspotRoad, threads: 10, mailsPerThread: 9 } as const;

test("mail for a CRM that is away for 72 hours waits for it in order, is lost nowhere and dead nowhere, and no other tenant's mail waits with it", {
  timeout: 120_000,
}, async () => {
  const [with72, without] = [
    await driveOutage({ ...size, outage: true }),
    await driveOutage({ ...size, outage: false }),
  ];
  for (const { acme, globex, peopleTwice } of [with72, without]) {
    const wrong = [...acme, ...globex].filter(
      ({ state, activities }) => state !== "processed" || activities.length !== 1,
    );
    expect(wrong).toEqual([]);
    expect(peopleTwice).toEqual([]);
    for (let thread = 0; thread < size.threads; thread++) {
      const order = acme.filter((mail) => mail.thread === thread).flatMap(({ activities }) => activities);
      expect(order).toEqual(order.toSorted((a, b) => a - b));
    }
  }
  // It was away: mail waited for days, and was tried again and again.
  const longest = Math.max(...with72.acme.map(({ tookMs }) => tookMs));
  expect(longest).toBeGreaterThan(outageMs - 2 * hour);
  expect(Math.max(...with72.acme.map(({ attempts }) => attempts))).toBeGreaterThan(20);

  // Back again: in little more than the longest pause between two tries, at no more than it takes, and told to wait less often than served.
  expect(with72.caughtUpMs).toBeLessThan(2.5 * hour);
  const { callsSince, refusedSince } = with72;
  expect(callsSince.length).toBeGreaterThan(100);
  expect(refusedSince).toBeGreaterThan(0);
  expect(refusedSince).toBeLessThan(callsSince.length);

  // The other tenant: each mail took what it would have taken.
  expect(with72.globex.map(({ tookMs, attempts }) => [tookMs, attempts])).toEqual(
    without.globex.map(({ tookMs, attempts }) => [tookMs, attempts]),
  );
});
