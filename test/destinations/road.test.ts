/** Every vendor's fake behind the real road, in a storm and under a clear sky: each mail is one activity, or a dead letter that a person can see. Longer: npm run road. */
import { describe, expect, test } from "vitest";
import { driveRoad } from "./road.ts";
import { roadRigs } from "./road-rigs.ts";

// Made-up time costs none of the clock's; a busy machine may need some of it all the same.
describe.each(roadRigs.map((rig) => [rig.name, rig] as const))("mail to %s", { timeout: 120_000 }, (_name, rig) => {
  test("in a storm: nothing doubled, nothing lost, and what cannot be known is a dead letter that says so", async () => {
    const outcome = await driveRoad(rig, { seed: 1, mails: 30, senders: 8, storm: true });
    const { doubled, lost, untrue, peopleTwice, deadLetters, details, faults, activities } = outcome;
    expect({ doubled, lost, untrue, peopleTwice }).toEqual({ doubled: [], lost: [], untrue: [], peopleTwice: [] });
    expect(
      [...deadLetters.keys()].filter((reason) => reason !== "outcome_unknown"),
      details.join("\n"),
    ).toEqual([]);
    expect(activities + (deadLetters.get("outcome_unknown") ?? 0)).toBeGreaterThanOrEqual(30);
    expect(faults).toBeGreaterThan(20);
  });

  test("under a clear sky: one activity each, and no dead letter", async () => {
    const outcome = await driveRoad(rig, { seed: 2, mails: 20, senders: 8, storm: false });
    const { activities, lost, untrue, peopleTwice, details } = outcome;
    expect({ activities, lost, untrue, peopleTwice, details }).toEqual({
      activities: 20,
      lost: [],
      untrue: [],
      peopleTwice: [],
      details: [],
    });
  });
});
