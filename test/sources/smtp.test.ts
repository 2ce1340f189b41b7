/** The SMTP source as an MX: what it offers, takes, and says. */
import { describe, expect, test } from "vitest";
import { RawClient } from "./raw-client.ts";
import { certificate, inbox, startSmtp } from "./smtp-fixture.ts";

describe("what the listener offers", () => {
  test("the EHLO answer without a certificate is exactly this", async () => {
    const { port } = await startSmtp();
    const client = await RawClient.open(port);
    expect((await client.reply()).lines).toEqual(["220 mx.acme.test ESMTP"]);
    expect((await client.command("EHLO client.test")).lines).toEqual([
      "250-mx.acme.test",
      "250-PIPELINING",
      "250-8BITMIME",
      "250-SMTPUTF8",
      "250-ENHANCEDSTATUSCODES",
      "250 SIZE 1048576",
    ]);
    client.close();
  });
  test("a mail to one of our recipients is taken, exactly as it came", async () => {
    const { port, intake } = await startSmtp({ tls: certificate("localhost") });
    const client = await RawClient.greeted(port);
    await client.startTls();
    await client.command("EHLO client.test");
    const reply = await client.deliver("Subject: x\r\n\r\n..dot\r\nend", inbox);
    expect(reply).toMatchObject({ code: 250, status: "2.0.0" });
    expect(intake.taken[0]?.bytes.toString()).toBe("Subject: x\r\n\r\n.dot\r\nend\r\n");
    client.close();
  });
});
