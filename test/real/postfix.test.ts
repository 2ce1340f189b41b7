import { execFileSync, spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { makeHome, type RunningDaemon, startDaemon } from "../process/daemon.ts";
import { drained, eventsOf } from "../process/verdict.ts";
import { localActivities } from "./load.ts";
import { freePort, postfixAvailable, startPostfix } from "./postfix.ts";
import { hasTool } from "./tools.ts";

const available = await postfixAvailable();
const local = [{ id: "crm", type: "local" }];

async function homeOnPort(port: number) {
  return await makeHome(local, {
    smtp: {
      host: "127.0.0.1",
      port,
      name: "mx.test",
      limits: { connections_per_ip: 0, connection_rate_per_minute: 0 },
    },
  });
}

async function until(what: string, holds: () => Promise<boolean>, patienceMs = 60_000): Promise<void> {
  const end = Date.now() + patienceMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not within ${patienceMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

describe("a real Postfix before the daemon", () => {
  test.skipIf(!available)("200 mails relayed while the daemon is killed six times become 200 activities", async () => {
    const port = await freePort();
    const home = await homeOnPort(port);
    const postfix = await startPostfix({ role: { kind: "relay", toPort: port }, domain: "in.test" });
    try {
      let daemon: RunningDaemon = await startDaemon(home);
      for (let round = 0; round < 6; round++) {
        execFileSync("smtp-source", [
          "-s",
          "5",
          "-m",
          round < 5 ? "33" : "35",
          "-l",
          "3000",
          "-f",
          "a@client.test",
          "-t",
          "deals@in.test",
          `127.0.0.1:${postfix.port}`,
        ]);
        await daemon.kill("SIGKILL");
        daemon = await startDaemon(home);
        await postfix.flush();
      }
      await until("Postfix has delivered everything", async () => (await postfix.queued()) === 0);
      await drained(daemon.httpPort, 60_000);
      await daemon.kill("SIGTERM");
      expect(await eventsOf(home)).toHaveLength(200);
      const activities = localActivities(home);
      expect(activities).toHaveLength(200);
      expect(new Set(activities.map(({ messageId }) => messageId)).size).toBe(200);
    } finally {
      await postfix.stop();
      await home.remove();
    }
  });
});

describe("swaks", () => {
  test.skipIf(!hasTool("swaks"))("sends a mail, and is refused as a relay", async () => {
    const port = await freePort();
    const home = await homeOnPort(port);
    const daemon = await startDaemon(home);
    const swaks = (to: string): string => {
      const options = ["--server", `127.0.0.1:${port}`, "--from", "ana@client.test", "--to", to, "--body", "hello"];
      return spawnSync("swaks", options, { encoding: "utf8" }).stdout;
    };
    try {
      expect(swaks("deals+us-east@in.test")).toContain("250 2.0.0");
      expect(swaks("someone@elsewhere.test")).toContain("550 5.7.1");
      await drained(daemon.httpPort, 30_000);
    } finally {
      await daemon.kill("SIGTERM");
    }
    expect(localActivities(home)).toHaveLength(1);
    await home.remove();
  });
});
