import { expect, onTestFinished, test } from "vitest";
import { examineScanner } from "../../src/cli/doctor/scanner.ts";
import { clamd as clamdSettings } from "../../src/settings/attachments.ts";
import { fakeClamd, type Told } from "../support/fake-clamd.ts";

const clock = { now: () => 0, sleep: async () => undefined };

async function examined(told: Told) {
  const clamd = await fakeClamd(told);
  onTestFinished(() => clamd.stop());
  return examineScanner({ clamd: clamdSettings.parse(clamd.at) }, clock);
}

test("doctor asks the scanner about a file, and says who answered", async () => {
  expect(await examined({})).toMatchObject({
    level: "ok",
    what: expect.stringContaining("scanned by ClamAV 1.4.6 at 127.0.0.1:"),
  });
});

test("a scanner without the official signatures is a warning, one without a verdict a problem", async () => {
  expect(await examined({ version: "1: ClamAV 1.4.6\0" })).toMatchObject({
    level: "warning",
    about: "clamd",
    what: expect.stringContaining("scanned again once a day"),
  });
  const broken = await examined({ verdict: () => "2: Can't allocate memory ERROR\0" });
  expect(broken).toMatchObject({ level: "problem", what: expect.stringContaining("Can't allocate memory ERROR") });
});

test("without a scanner there is nothing to examine", async () => {
  expect(await examineScanner({ clamd: undefined }, clock)).toMatchObject({ level: "ok" });
});

test("where the scanner is has to be said in one way", () => {
  for (const wrong of [{}, { socket: "/run/clamd.ctl", host: "127.0.0.1" }]) {
    expect(clamdSettings.safeParse(wrong).error?.issues[0]?.message).toBe("either `socket` or `host` has to be given");
  }
  expect(clamdSettings.parse({ socket: "/run/clamav/clamd.ctl" })).toMatchObject({
    timeout: 60_000,
    connections: 4,
    max_file_size: 26_214_400,
  });
});
