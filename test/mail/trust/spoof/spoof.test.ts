/** The spoof table: every form of forgery goes the whole road from its bytes, and none makes or changes a record; and honest mail passes beside them. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { forms } from "./forms.ts";
import { honest, nothingKnown } from "./honest.ts";
import { mail, openSpoofWorld, recordsIn, type SpoofWorld, signedBy } from "./world.ts";

let world: SpoofWorld;
beforeAll(async () => {
  world = await openSpoofWorld();
  // The customers that look-alikes imitate.
  for (const [domain, ip, name] of [
    ["initrode.test", "192.0.2.30", "Bill <bill@initrode.test>"],
    ["modern.com", "192.0.2.31", "Di <di@modern.com>"],
  ] as const) {
    const peer = { ip, helo: `mx.${domain}`, mailFrom: `x@${domain}` };
    const { event } = await world.take(signedBy(domain, mail({ from: name })), { peer });
    expect(event.auth.trust).toBe("verified");
  }
});
afterAll(() => world.close());

describe("no record is made or changed by", () => {
  test.each(forms.map((form) => [form.name, form] as const))("%s", async (_, form) => {
    const raw = form.raw();
    const taken = await world.take(typeof raw === "string" ? Buffer.from(raw, "latin1") : raw, form);
    expect(taken.codes).toContain(form.code);
    expect(recordsIn(taken.decision)).toEqual([]);
    expect(taken.decision.kind).not.toBe("steps");
    if (form.code !== "no_sender") expect(taken.event.auth.trust).toBe("suspicious");
  });

  test("any of at least sixty forms", () => {
    expect(forms.length).toBeGreaterThanOrEqual(60);
    expect(new Set(forms.map(({ name }) => name)).size).toBe(forms.length);
  });
});

describe("without evidence either way, a contact is made with a flag, and no company or deal, by", () => {
  test.each(nothingKnown.map((form) => [form.name, form] as const))("%s", async (_, form) => {
    if (form.dns !== undefined) world.zone.failAll(form.dns);
    const taken = await world.take(form.raw(), form).finally(() => world.zone.failAll(null));
    expect(taken.reason).toBe(form.code);
    expect(taken.event.auth.trust).toBe("unverified");
    expect(recordsIn(taken.decision)).toEqual(["person"]);
    const steps = taken.decision.kind === "steps" ? taken.decision.steps : [];
    for (const step of steps)
      expect(step.kind === "person" || step.kind === "activity" ? step.flags : []).toContain("unverified");
  });
});

describe("honest mail passes:", () => {
  test.each(honest.map((form) => [form.name, form] as const))("%s", async (_, form) => {
    const taken = await world.take(form.raw(), form);
    expect({ trust: taken.event.auth.trust, code: taken.reason }).toEqual({ trust: form.trust, code: form.code });
    if (form.rule !== undefined) expect(taken.decision).toMatchObject({ rule: form.rule });
    else expect(recordsIn(taken.decision)).toEqual(["person"]);
  });

  test("by any of at least twelve ways", () => {
    expect(honest.length).toBeGreaterThanOrEqual(12);
  });
});
