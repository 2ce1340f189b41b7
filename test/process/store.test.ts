/** The real daemon with its mail in a bucket: with the library that this takes, and without. */
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type S3Server, startS3 } from "../support/s3-server.ts";
import { mailwright } from "./command.ts";
import { type Home, makeHome, type RunningDaemon, startDaemon } from "./daemon.ts";
import { sendMail } from "./smtp-client.ts";
import { drained, eventsOf } from "./verdict.ts";

/** As if the packages had never been installed, in this process and in every child of it. */
const withoutSdk = {
  NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(
    `import { registerHooks } from "node:module";
    registerHooks({ resolve(name, context, next) {
      if (name.startsWith("@aws-sdk/")) throw Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" });
      return next(name, context);
    } });`,
  )}`,
};

let s3: S3Server;
let home: Home;
let daemon: RunningDaemon | undefined;

beforeEach(async () => {
  s3 = await startS3();
  const { accessKeyId: access_key_id, secretAccessKey: secret_access_key } = s3.account;
  const storage = { type: "s3", bucket: s3.bucket, endpoint: s3.url, access_key_id, secret_access_key };
  home = await makeHome([{ id: "crm", type: "local" }], { storage });
});
afterEach(async () => {
  await daemon?.kill("SIGKILL");
  daemon = undefined;
  await s3.stop();
  await home.remove();
});

/** One that fits the ledger, and one that takes a file. */
async function send(port: number): Promise<void> {
  for (const [number, length] of [
    [1, 100],
    [2, 300_000],
  ] as const) {
    const head = [
      "From: Ada <ada@customer.test>",
      "To: deals@in.test",
      `Message-ID: <m${number}@customer.test>`,
      "Subject: Hi",
    ];
    const body = Array.from({ length: Math.ceil(length / 50) }, () => "x".repeat(48)).join("\r\n");
    const sent = await sendMail(port, {
      from: "ada@customer.test",
      to: ["deals@in.test"],
      data: `${head.join("\r\n")}\r\n\r\n${body}`,
    });
    expect(sent.kind).toBe("acknowledged");
  }
}

async function eventually(what: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600 && !(await what()); tries++) await pause(100);
  expect(await what()).toBe(true);
}

test("settled mail moves to the bucket, sealed, and is read from there again", async () => {
  daemon = await startDaemon(home);
  await send(daemon.smtpPort);
  await drained(daemon.httpPort, 60_000);
  await eventually(() => s3.objects.size === 2);
  for (const [key, { bytes }] of s3.objects) {
    expect(key).toMatch(/^raw\/acme\/[0-9a-f]{2}\/[0-9a-f]{2}\/[0-9a-f-]{36}$/);
    expect(bytes.subarray(0, 6).toString()).toBe("MWSEAL");
    expect(bytes.includes("customer.test")).toBe(false);
  }
  await eventually(async () => (await eventsOf(home)).every(({ raw }) => raw.kind === "blob"));
  for (const { eventId, raw } of await eventsOf(home)) {
    expect(raw).toMatchObject({ key: expect.stringMatching(/^s3:acme-mail\/raw\/acme\//) });
    const again = await mailwright(["reprocess", eventId, "--json", "--config", home.config]);
    expect([again.code, again.err]).toEqual([0, ""]);
  }
  await eventually(() => s3.seen.filter(({ method }) => method === "GET").length >= 2);
});

test("without the library the daemon starts, takes mail and files it; the mail stays in the ledger, and the log says what to install", async () => {
  daemon = await startDaemon(home, { env: withoutSdk });
  await send(daemon.smtpPort);
  await drained(daemon.httpPort, 60_000);
  const { lines } = daemon;
  await eventually(() =>
    lines.some((line) => JSON.stringify(line).includes("npm install --save-prod @aws-sdk/client-s3")),
  );
  expect((await eventsOf(home)).map(({ raw }) => raw.kind).sort()).toEqual(["inline", "spool"]);
  expect(s3.seen).toEqual([]);
  await daemon.kill("SIGTERM");
  // Installed, and started again: what stayed moves.
  daemon = await startDaemon(home);
  await eventually(() => s3.objects.size === 2);
});
