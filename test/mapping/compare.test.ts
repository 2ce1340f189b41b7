import { describe, expect, test } from "vitest";
import { comparePlans } from "../../src/mapping/compare.ts";
import { plan } from "../../src/mapping/plan.ts";
import { compileMapping } from "../../src/mapping/rules/compile.ts";
import { mappingSchema } from "../../src/model/mapping.ts";
import { authOf, digest, eventWith } from "./fakes.ts";

const defaults = { createContact: "unverified", internal: "skip", disposableContacts: "hold" } as const;
const event = eventWith({
  auth: authOf("verified"),
  message: { subject: "Re: A quote", subject_normalised: "A quote", quoted_text: "> hello", reply_text: "Yes." },
});

/** What comes of a change of the file's one rule, `null` for no file. */
function change(before: object | null, after: object | null, names: [string, string] = ["r", "r"]) {
  const planBy = (outcome: object | null, name: string) => {
    const rules =
      outcome === null ? undefined : compileMapping(mappingSchema.parse({ rules: [{ name, do: outcome }] }));
    return plan(event, { ...defaults, rules }, { digest });
  };
  const { kind, steps } = comparePlans(planBy(before, names[0]), planBy(after, names[1]));
  return [kind, ...steps.map(({ what, kind: step, fields }) => [what, step, ...fields].join(" "))];
}

describe("the difference that another version makes", () => {
  const deal = { deal: { create: {} } };
  test.each<[string, object | null, object | null, string[]]>([
    ["nothing, for the same", deal, deal, ["same"]],
    ["what is made where nothing was", { skip: "x" }, {}, ["create", "create person", "create activity"]],
    ["what is made beside", {}, deal, ["create", "create deal", "change activity about"]],
    ["what is made no longer", deal, {}, ["no_longer", "change activity about", "no_longer deal"]],
    ["nothing at all any more", {}, { review: "y" }, ["no_longer", "no_longer person", "no_longer activity"]],
    [
      "one record for another",
      { company: {} },
      deal,
      ["change", "create deal", "change activity about", "no_longer company", "no_longer link"],
    ],
    ["another stage", deal, { deal: { create: { stage: "won" } } }, ["change", "change deal stage"]],
    [
      "an owner and fields",
      {},
      { contact: { owner: "k@acme.test", fields: { a: "b" } } },
      ["change", "change person owner fields"],
    ],
    ["a contact that is only looked up", {}, { contact: { create: false } }, ["change", "change person create gate"]],
    ["another body", {}, { activity: { body: "reply" } }, ["change", "change activity text"]],
    ["a review in place of a skip", { skip: "x" }, { review: "x" }, ["change"]],
    ["another reason", { skip: "x" }, { skip: "y" }, ["change"]],
  ])("is %s", (_, before, after, told) => {
    const parts = (outcome: object | null) =>
      outcome !== null && Object.keys(outcome).length === 0 ? { activity: {} } : outcome;
    expect(change(parts(before), parts(after))).toEqual(told);
  });

  test("is one of rules where the same comes about by another", () => {
    expect(change(deal, deal, ["old", "new"])).toEqual(["rule"]);
    expect(change(null, { activity: {} })).toEqual(["rule"]);
    expect(change({ skip: "x" }, { skip: "x" }, ["old", "new"])).toEqual(["rule"]);
  });
});
