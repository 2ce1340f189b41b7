/** The SMTP source keeps the promises of every source. */
import type { RunningSource } from "../../src/model/source.ts";
import { smtp } from "../../src/sources/smtp.ts";
import { type PeerOutcome, sourceContract } from "./contract.ts";
import { RawClient, type RawReply } from "./raw-client.ts";
import { inbox } from "./smtp-fixture.ts";

const portOf = (source: RunningSource) => source.address?.port ?? 0;

function outcomeOf({ code }: RawReply): PeerOutcome {
  if (code < 400) return "acknowledged";
  return code < 500 ? "retry" : "refused";
}

sourceContract("smtp", {
  start: (intake, ports) => smtp.start(smtp.settings.parse({ host: "127.0.0.1", port: 0 }), intake, ports),

  async deliver(source, message) {
    const client = await RawClient.greeted(portOf(source));
    try {
      for (const line of ["MAIL FROM:<a@b.test>", `RCPT TO:<${inbox}>`]) {
        const reply = await client.command(line);
        if (reply.code !== 250) return outcomeOf(reply);
      }
      await client.command("DATA");
      await client.send(message); // ends with CRLF and has no line that starts with a dot
      return outcomeOf(await client.command("."));
    } finally {
      client.close();
    }
  },

  async vanish(source, message, begun) {
    const client = await RawClient.greeted(portOf(source));
    await client.begin(inbox);
    await client.send(message.subarray(0, message.length / 2));
    await begun();
    client.reset();
  },
});
