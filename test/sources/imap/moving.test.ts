/** Where a message is moved to, at servers that put something else than `/` between levels, or a prefix before all of them. */
import { describe, expect, it } from "vitest";
import { mail, rig } from "./rig.ts";
import type { Hook } from "./server.ts";

/** A server that writes a dot between levels, and may have all folders below INBOX. */
const dotted =
  (prefix: string): Hook =>
  ({ server, name, rest, tag, connection }) => {
    if (name === "NAMESPACE") {
      connection.say(`* NAMESPACE (("${prefix}" ".")) NIL NIL`);
      connection.say(`${tag} OK done`);
      return true;
    }
    if (name !== "LIST") return undefined;
    if (rest === '"" ""') connection.say('* LIST (\\Noselect) "." ""');
    else for (const { path } of server.folders) connection.say(`* LIST () "." "${path}"`);
    connection.say(`${tag} OK done`);
    return true;
  };

describe("a message is moved", () => {
  it.each([
    ["", "Done.Mail"],
    ["INBOX.", "INBOX.Done.Mail"],
  ])("to a folder by the name that we write it with, where all begin with %j", async (prefix, path) => {
    const r = await rig();
    r.server.folder(path);
    r.server.hook = dotted(prefix);
    r.server.capability += " NAMESPACE";
    r.start({ after: "move", move_to: "Done/Mail" });
    await r.until("it is open", () => r.server.commands.includes("IDLE"));
    r.server.put("INBOX", mail("new"));
    await r.until("it is moved", () => r.server.folder("INBOX").messages.length === 0);
    expect(r.server.folder(path).messages).toHaveLength(1);
  });

  it("once, where the server puts a prefix before the name and the folder is read too", async () => {
    const r = await rig();
    r.server.folder("INBOX.Done");
    r.server.hook = dotted("INBOX.");
    r.server.capability += " NAMESPACE";
    r.start({ folders: ["INBOX", "INBOX/*"], after: "move", move_to: "Done", connections: 1, poll_seconds: 30 });
    await r.until("it waits", () => r.server.commands.at(-1) === "IDLE");
    r.server.put("INBOX", mail("new"));
    await r.until("it came", () => r.bytes.size === 1);
    await r.until("an hour", () => false, 3600_000).catch(() => undefined);
    expect(r.server.folder("INBOX.Done").messages).toHaveLength(1);
    expect(r.server.commands.filter((line) => line.startsWith("UID MOVE"))).toHaveLength(1);
  });
});
