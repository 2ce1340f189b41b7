/** Acorn: the contract, and what is Acorn's alone. */
import { expect, test } from "vitest";
import { destinations } from "../../src/destinations/index.ts";
import { vendors } from "../../src/sandbox/vendors.ts";
import { acornRig } from "./acorn-rig.ts";
import { vendorContract } from "./contract.ts";

vendorContract("Acorn", async () => acornRig());

test("Acorn can be configured, and rehearsed in the sandbox", () => {
  expect(destinations.map(({ name }) => name)).toContain("acorn");
  expect(vendors.map(({ name }) => name)).toContain("acorn");
});
