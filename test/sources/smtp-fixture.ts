/** Starts an SMTP source for a test and stops it afterwards. */
import { onTestFinished } from "vitest";
import type { RunningSource } from "../../src/model/source.ts";
import { smtp } from "../../src/sources/smtp.ts";
import { FakeIntake, realClock, type World, world } from "./fakes.ts";

export const inbox = "inbox@in.acme.test";
export const certificate = (name: "localhost" | "renewed") => ({
  cert: new URL(`./fixtures/${name}.crt`, import.meta.url).pathname,
  key: new URL(`./fixtures/${name}.key`, import.meta.url).pathname,
});

export interface Started {
  readonly port: number;
  readonly intake: FakeIntake;
  readonly ports: World;
  readonly source: RunningSource;
}

/** `settings` as they would stand in the configuration file; loopback, a free port, and no rate limit unless the test wants one. */
export async function startSmtp(
  settings: Record<string, unknown> & { limits?: Record<string, unknown> } = {},
  {
    clock = realClock,
    intake = new FakeIntake(),
    ...other
  }: Partial<Pick<World, "clock" | "route">> & { intake?: FakeIntake } = {},
): Promise<Started> {
  const limits = { connection_rate_per_minute: 0, connections_per_ip: 0, ...settings.limits };
  const parsed = smtp.settings.parse({ host: "127.0.0.1", port: 0, name: "mx.acme.test", ...settings, limits });
  const ports = { ...world(clock), ...other };
  const source = await smtp.start(parsed, intake, ports);
  onTestFinished(() => source.stop(0));
  return { port: source.address?.port ?? 0, intake, ports, source };
}
