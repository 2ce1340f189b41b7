import { expect, test } from "vitest";
import { examineNameServers } from "../../src/cli/doctor/name-servers.ts";
import { startDnsServer } from "../support/dns-server.ts";

const dns = (servers: readonly string[], verify = true) => ({ dns: { servers: [...servers], timeout: 2_000, verify } });

test("doctor says by whom senders are verified", async () => {
  await using server = await startDnsServer();
  const found = await examineNameServers(dns([server.address]));
  expect(found).toMatchObject({ level: "ok", about: "dns", what: expect.stringContaining(server.address) });
});

test("a server that is not there is a warning, with the key that helps", async () => {
  const server = await startDnsServer();
  await server[Symbol.asyncDispose]();
  expect(await examineNameServers(dns([server.address]))).toMatchObject({
    level: "warning",
    what: expect.stringContaining("unverified"),
    mend: expect.stringContaining("dns.servers"),
  });
});

test("where nobody is to be asked, that is said and nobody is", async () => {
  expect(await examineNameServers(dns(["127.0.0.1:1"], false))).toMatchObject({
    level: "ok",
    what: expect.stringContaining("dns.verify"),
  });
});
