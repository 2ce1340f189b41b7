/** A 403 of a vendor: one record that the user is not shown must not stop the mail of everybody else; a missing permission must. */
import { describe, expect, test } from "vitest";
import type { Refs } from "../../src/model/destination.ts";
import { bring, failureIn } from "./contract.ts";
import { activity, company, deal, keyOf, person, refsOf } from "./fixtures.ts";
import { pipedriveRig } from "./pipedrive-rig.ts";
import { zohoRig } from "./zoho-rig.ts";

const none: Refs = new Map();
const rigs = {
  pipedrive() {
    const rig = pipedriveRig({ searchLagMs: 0 });
    const hide = (kind: "persons" | "deals", id: string) => rig.sandbox.actors.adminHides(kind, Number(id));
    const refuse = (route: string) => {
      const body = { success: false, error: "You do not have permission to do this" };
      rig.sandbox.faults.plan({ route, nth: 1, times: 9, fault: { kind: "status", status: 403, body } });
    };
    return {
      ...rig,
      hide,
      refuseAll: () => refuse("persons.*"),
      refuseCreates: () => refuse("activities.create"),
    };
  },
  zoho() {
    const rig = zohoRig();
    const hide = (_kind: "persons" | "deals", id: string) => rig.sandbox.actors.adminHides(id);
    const refuse = (route: string) => {
      const body = { code: "NO_PERMISSION", message: "permission denied", status: "error", details: {} };
      rig.sandbox.faults.plan({ route, nth: 1, times: 9, fault: { kind: "status", status: 403, body } });
    };
    return {
      ...rig,
      hide,
      refuseAll: () => refuse("Contacts.*"),
      refuseCreates: () => refuse("Emails.create"),
    };
  },
};

describe.each(["pipedrive", "zoho"] as const)("a 403 of %s", (vendor) => {
  const known = async () => {
    const rig = rigs[vendor]();
    const who = person();
    const ref = await bring(rig.session, who, none);
    return { rig, who, ref, refs: refsOf([who, ref]) };
  };

  test("for a person whom the user is not shown is a dead letter of that mail, and the next mail goes on", async () => {
    const { rig, who, ref, refs } = await known();
    rig.hide("persons", ref.id);
    const failure = await failureIn(() => rig.session.put(activity([who.key]), refs));
    expect(failure).toMatchObject({ kind: "permanent", reason: expect.stringContaining(ref.id) });
    expect((await failureIn(() => rig.session.read("person", ref.id))).kind).toBe("permanent");
    const other = person("bo@example.test");
    const otherRefs = refsOf([other, await bring(rig.session, other, none)]);
    expect((await bring(rig.session, activity([other.key], { message_id: "<2@x>" }), otherRefs)).adopted).toBe(false);
  });

  test("for a deal on which a mail belongs is one of that mail too", async () => {
    const { rig, who, ref, refs } = await known();
    const chance = deal([who.key]);
    const chanceRef = await bring(rig.session, chance, refs);
    rig.hide("deals", chanceRef.id);
    const mail = activity([who.key, chance.key]);
    const failure = await failureIn(() => rig.session.put(mail, refsOf([who, ref], [chance, chanceRef])));
    expect(failure).toMatchObject({ kind: "permanent", reason: expect.stringContaining(chanceRef.id) });
  });

  test("for a link to it is one of that step", async () => {
    const { rig, who, ref } = await known();
    const firm = company();
    const firmRef = await bring(rig.session, firm, none);
    rig.hide("persons", ref.id);
    const step = { kind: "link", key: keyOf("link"), why: "test", from: who.key, to: firm.key } as const;
    const failure = await failureIn(() => rig.session.put(step, refsOf([who, ref], [firm, firmRef])));
    expect(failure.kind).toBe("permanent");
  });

  test("for all records of a kind blocks the lane, and so does one for a call that names nothing hidden", async () => {
    const { rig, ref, who, refs } = await known();
    rig.refuseCreates();
    expect((await failureIn(() => rig.session.put(activity([who.key]), refs))).kind).toBe("blocked");
    rig.sandbox.faults.clear();
    await rig.clock.advance(120_000);
    rig.refuseAll();
    expect((await failureIn(() => rig.session.read("person", ref.id))).kind).toBe("blocked");
  });
});
