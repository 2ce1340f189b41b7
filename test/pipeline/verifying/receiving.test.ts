/** Who received a message from its sender, and whose word on that counts. */
import { expect, test } from "vitest";
import type { Envelope } from "../../../src/model/envelope.ts";
import { openReceiving } from "../../../src/pipeline/verifying/receiving.ts";

const of = openReceiving(
  { authservIds: ["mx.mine.test"], relays: ["10.0.0.0/8", "192.0.2.7", "2001:db8:1::/48"] },
  "mw.test",
);
const envelope = (kind: Envelope["kind"], remote_ip?: string): Envelope => ({
  kind,
  tenant: "acme",
  routes: [],
  received_at: 7,
  ...(remote_ip === undefined
    ? {}
    : { smtp: { remote_ip, helo: "mx.peer.test", tls: null, mail_from: "a@peer.test", rcpt_to: [] } }),
});

test.each(["203.0.113.1", "::ffff:203.0.113.1", "2001:db8:2::1", "192.0.2.8"])("a peer at %s is the sender's", (ip) => {
  expect(of(envelope("smtp", ip))).toEqual({
    client: { ip: ip.replace("::ffff:", ""), helo: "mx.peer.test", mailFrom: "a@peer.test" },
    hostname: "mw.test",
    at: 7,
    authservIds: [],
  });
});

test.each(["10.1.2.3", "::ffff:10.1.2.3", "192.0.2.7", "2001:db8:1::25"])("a peer at %s is our own", (ip) => {
  expect(of(envelope("smtp", ip))).toMatchObject({ client: null, authservIds: ["mx.mine.test"] });
});

test.each(["imap", "webhook", "import"] as const)("mail by %s was received by others", (kind) => {
  expect(of(envelope(kind))).toMatchObject({ client: null, authservIds: ["mx.mine.test"] });
});

test("a peer without a readable address is nobody's, and vouches for nothing", () => {
  for (const ip of ["", "unix:", "10.0.0.0/8"])
    expect(of(envelope("smtp", ip))).toMatchObject({ client: null, authservIds: [] });
});
