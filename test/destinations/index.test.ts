import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { destinations } from "../../src/destinations/index.ts";

const folder = new URL("../../src/destinations/", import.meta.url);

test("every destination's file is in the list, in the order of names", () => {
  const files = readdirSync(folder, { withFileTypes: true }).filter(
    (entry) => entry.isFile() && entry.name !== "index.ts",
  );
  expect(destinations.map(({ name }) => `${name}.ts`)).toEqual(files.map(({ name }) => name).sort());
});

test("settings are checked when a destination is bound to them, and change its facts", () => {
  const hubspot = destinations.find(({ name }) => name === "hubspot");
  expect(() => hubspot?.bind({ token: "two words" })).toThrow(/printable word/);
  expect(() => hubspot?.bind({ token: "pat-x", colour: "red" })).toThrow(/colour/);
  expect(() => hubspot?.bind({ token: "pat-x", base_url: "ftp://example.test" })).toThrow();
  const bound = hubspot?.bind({ token: "pat-x", late_commit_ms: 1, search_lag_ms: 2, calls_per_10_seconds: 190 });
  expect(bound?.facts).toMatchObject({ lateCommitMs: 1, searchLagMs: 2 });
  expect(bound?.facts.limits[0]).toEqual({ budget: "default", calls: 190, perMs: 10_000, fixed: true });
  expect(bound?.reach).toEqual({ baseUrl: "https://api.hubapi.com", headers: { authorization: "Bearer pat-x" } });
});
