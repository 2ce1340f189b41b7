/** What a mapping asks of a HubSpot account by name: owners, stages, fields of its own, and people with several addresses. */
import { describe, expect, test } from "vitest";
import { failureIn } from "./contract.ts";
import { activity, company, deal, person, refsOf } from "./fixtures.ts";
import { hubspotRig } from "./hubspot-rig.ts";

const none = new Map();

describe("owners at HubSpot", () => {
  test("are found by their address, for every kind of record", async () => {
    const { session, sandbox } = hubspotRig({}, { owner_id: "9" });
    const owner = "Owner@example.test";
    const who = person("ada@example.test", { owner });
    const refs = refsOf([who, await session.put(who, none)]);
    for (const step of [company(), deal([who.key]), activity([who.key])]) await session.put({ ...step, owner }, refs);
    const { contacts, companies, deals, emails } = sandbox.state();
    for (const record of [...contacts, ...companies, ...deals, ...emails])
      expect(record.properties.hubspot_owner_id).toBe("1001");
  });

  test("one who is not there costs no mail: the account's own stands in, and the ref says so", async () => {
    const { session, sandbox } = hubspotRig({}, { owner_id: "1001" });
    const ref = await session.put(person("ada@example.test", { owner: "nobody@example.test" }), none);
    expect(ref.note).toBe("HubSpot shows no user under the owner's address");
    expect(sandbox.state().contacts[0]?.properties.hubspot_owner_id).toBe("1001");
  });
});

describe("fields at HubSpot", () => {
  test("are set on new records where they are there and may be written; else the ref says which are not", async () => {
    const { session, sandbox } = hubspotRig();
    const fields = { hs_lead_status: "NEW", no_such_field: "x", hs_createdate: "1", email: "eve@example.test" };
    const ref = await session.put(person("ada@example.test", { fields }), none);
    expect(sandbox.state().contacts[0]?.properties).toMatchObject({ email: "ada@example.test", hs_lead_status: "NEW" });
    for (const name of ["no_such_field", "hs_createdate", "email"]) expect(ref.note).toContain(name);
  });

  test("of a contact that is there are never touched", async () => {
    const { session, sandbox } = hubspotRig();
    const id = sandbox.actors.personAddsContact({ email: "ada@example.test" });
    sandbox.actors.personEdits("contacts", id, { hs_lead_status: "OPEN" });
    await session.put(person("ada@example.test", { fields: { hs_lead_status: "NEW" } }), none);
    expect(sandbox.state().contacts[0]?.properties.hs_lead_status).toBe("OPEN");
  });
});

describe("stages at HubSpot", () => {
  const stageOf = async (stage: string, pipeline: string | null = null) => {
    const { session, sandbox } = hubspotRig();
    const who = person();
    const refs = refsOf([who, await session.put(who, none)]);
    await session.put({ ...deal([who.key]), stage, pipeline }, refs);
    return sandbox.state().deals[0]?.properties;
  };

  test("are found by their name, without case", async () => {
    expect(await stageOf("ContractSent", "sales pipeline")).toMatchObject({
      pipeline: "default",
      dealstage: "contractsent",
    });
  });

  test("qualification is what the account calls it", async () => {
    expect(await stageOf("qualification")).toMatchObject({ dealstage: "qualifiedtobuy" });
  });

  test.each([
    ["no such stage", null, 'has no stage "no such stage"; it has "appointmentscheduled"'],
    ["contractsent", "Other", 'has no pipeline "Other"; it has "Sales Pipeline"'],
  ])("%s in %s is a dead letter that names what there is", async (stage, pipeline, words) => {
    const failure = await failureIn(() => stageOf(stage, pipeline));
    expect(failure.kind).toBe("permanent");
    expect(failure.reason).toContain(words);
  });

  test("the account is asked once for many deals", async () => {
    const { session, sandbox } = hubspotRig();
    const who = person();
    const refs = refsOf([who, await session.put(who, none)]);
    const asks = async (key: string): Promise<number> => {
      const before = sandbox.state().calls;
      await session.put({ ...deal([who.key]), key: key.repeat(64) }, refs);
      return sandbox.state().calls - before;
    };
    const first = await asks("e");
    expect(await asks("f")).toBeLessThan(first);
    expect(await asks("d")).toBe(1);
  });
});

describe("one person with several addresses", () => {
  test("is found by any of them, and not made a second time", async () => {
    const { session, sandbox } = hubspotRig();
    const id = sandbox.actors.personAddsContact({ email: "ada@home.test" });
    const step = person("ada@example.test", { also: ["ada@home.test"] });
    expect(await session.find(step, none)).toMatchObject({ id });
    expect(await session.put(step, none)).toMatchObject({ id, adopted: true });
    expect(sandbox.state().contacts).toHaveLength(1);
  });
});

describe("a lead at HubSpot", () => {
  test("is a contact in the lifecycle stage lead; one that is there keeps its stage", async () => {
    const { session, sandbox } = hubspotRig();
    const id = sandbox.actors.personAddsContact({ email: "eve@example.test" });
    await session.put(person("ada@example.test", { as: "lead" }), none);
    await session.put(person("eve@example.test", { as: "lead" }), none);
    await session.put(person("bob@example.test", { as: "contact" }), none);
    const stages = sandbox.state().contacts.map(({ properties }) => [properties.email, properties.lifecyclestage]);
    expect(stages).toContainEqual(["ada@example.test", "lead"]);
    expect(stages).toContainEqual(["bob@example.test", undefined]);
    expect(sandbox.state().contacts.find((one) => one.id === id)?.properties.lifecyclestage).toBeUndefined();
  });

  test("is a plain contact, and the ref says so, where the account has no such stage", async () => {
    const { session, sandbox } = hubspotRig();
    // What there is of our own has been asked before.
    await session.put(person("first@example.test"), none);
    sandbox.faults.plan({ route: "properties.get", fault: { kind: "status", status: 403, body: {} } });
    const ref = await session.put(person("ada@example.test", { as: "lead" }), none);
    expect(ref.note).toBe("HubSpot has no lifecycle stage lead that may be set");
    expect(sandbox.state().contacts).toHaveLength(2);
  });
});
