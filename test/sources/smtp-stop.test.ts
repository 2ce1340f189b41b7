/** Shutting down: who is told, who may finish, who is cut off. */
import { expect, test } from "vitest";
import { ManualClock, settle } from "./fakes.ts";
import { RawClient } from "./raw-client.ts";
import { inbox, startSmtp } from "./smtp-fixture.ts";

test("idle connections hear 421 4.3.2 and are closed, and stop does not wait out its grace", async () => {
  const { port, source } = await startSmtp({}, { clock: new ManualClock() });
  const clients = [await RawClient.greeted(port), await RawClient.greeted(port)];
  await source.stop(10_000);
  for (const client of clients) expect(await client.rest()).toMatch(/^421 4\.3\.2 [^\r\n]*\r\n$/);
});

test("no new connection is taken", async () => {
  const { port, source } = await startSmtp();
  await source.stop(0);
  await expect(RawClient.open(port)).rejects.toThrow("ECONNREFUSED");
});

test.each(["", "MAIL FROM:<a@b.test>\r\n"])(
  "a message in flight is finished and acknowledged, then comes 421 4.3.2 (behind it: %j)",
  async (behind) => {
    const { port, intake, source } = await startSmtp();
    const client = await RawClient.greeted(port);
    await client.begin(inbox);
    await client.send("first half\r\n");
    await settle();
    const stopped = source.stop(60_000);
    await settle();
    expect(client.unread).toBe("");
    await client.send(`second half\r\n.\r\n${behind}`);
    expect(await client.reply()).toMatchObject({ code: 250, status: "2.0.0" });
    expect(await client.reply()).toMatchObject({ code: 421, status: "4.3.2" });
    await stopped;
    expect(intake.taken[0]?.bytes.toString()).toBe("first half\r\nsecond half\r\n");
  },
);

test("a command being answered is answered before the 421 4.3.2", async () => {
  const { port, intake, source } = await startSmtp();
  const asked = Promise.withResolvers<void>();
  const go = Promise.withResolvers<undefined>();
  intake.pressure = () => {
    asked.resolve();
    return go.promise;
  };
  const client = await RawClient.greeted(port);
  await client.send("MAIL FROM:<a@b.test>\r\n");
  await asked.promise;
  const stopped = source.stop(60_000);
  go.resolve(undefined);
  expect(await client.reply()).toMatchObject({ code: 250 });
  expect(await client.reply()).toMatchObject({ code: 421, status: "4.3.2" });
  await stopped;
});

test("when the grace is over the message in flight is cut: 421 4.3.2, and the store hears of an error", async () => {
  const clock = new ManualClock();
  const { port, intake, source } = await startSmtp({}, { clock });
  const client = await RawClient.greeted(port);
  await client.begin(inbox);
  await client.send("half a message");
  await settle();
  const stopped = source.stop(5_000);
  await settle();
  await clock.advance(5_000);
  await stopped;
  expect(await client.rest()).toMatch(/^421 4\.3\.2 [^\r\n]*\r\n$/);
  expect(intake.broken).toHaveLength(1);
  expect(intake.taken).toHaveLength(0);
});

test("stop twice is stop once", async () => {
  const { source } = await startSmtp();
  await Promise.all([source.stop(1000), source.stop(1000)]);
});
