/** A clock that is set back while a mailbox is read: nothing waits for the time that it was set back. */
import { it } from "vitest";
import { mail, type Rig, rig } from "./rig.ts";
import type { Hook } from "./server.ts";

const minute = 60_000;
const day = 24 * 60 * minute;

async function watched(settings: Parameters<Rig["start"]>[0] = {}): Promise<Rig> {
  const r = await rig();
  r.server.folder("Sales");
  r.server.capability = "IMAP4rev1";
  r.start({ poll_seconds: 30, folders: ["INBOX", "Sales"], connections: 1, ...settings });
  await r.until("both are known", async () => (await r.ledger.folders("acme/sales")).length === 2);
  await r.until("a minute", () => false, minute).catch(() => undefined);
  return r;
}
const no =
  (is: (line: string) => boolean): Hook =>
  ({ name, rest, tag, connection }) => {
    if (!is(`${name} ${rest}`)) return undefined;
    connection.say(`${tag} NO not now`);
    return true;
  };

it("is polled as ever where the server tells of nothing", async () => {
  const r = await watched();
  r.clock.step(-day);
  for (const path of ["INBOX", "Sales"])
    r.server.put(path, mail(path), { internalDate: new Date(r.clock.now() + day) });
  await r.until("they came", () => r.bytes.size === 2, 2 * minute);
});

it("tries a message again that failed, and a folder that was refused", async () => {
  const r = await watched({ poll_seconds: 1_500 });
  r.server.hook = no((line) => line.includes("BODY") || /^EXAMINE "?Sales/.test(line));
  r.server.put("INBOX", mail("one"));
  r.server.put("Sales", mail("two"));
  await r.until("both are refused", () => r.metrics.counts.has("imap_folder_refused_total acme sales"), 60 * minute);
  r.clock.step(-day);
  r.server.hook = () => undefined;
  await r.until("they came", () => r.bytes.size === 2, 12 * minute);
});

it("sweeps each hour as ever", async () => {
  const r = await watched({ poll_seconds: 600, folders: ["INBOX", "Sales"] });
  r.server.put("INBOX", mail("first"));
  r.server.put("INBOX", mail("second"));
  const inbox = r.server.folder("INBOX");
  const [hidden] = inbox.messages.splice(0, 1);
  await r.until("the second came", () => r.bytes.size === 1, 12 * minute);
  if (hidden !== undefined) inbox.messages.unshift(hidden);
  r.clock.step(-day);
  await r.until("the first came", () => r.bytes.size === 2, 80 * minute);
});

it("leaves a server that does not answer", async () => {
  const r = await watched({ command_seconds: 20 });
  r.server.hook = ({ name }) => name === "UID SEARCH";
  const asked = r.server.commands.length;
  await r.until("it is silent", () => r.server.commands.slice(asked).some((one) => one.startsWith("UID SEARCH")));
  r.clock.step(-day);
  r.server.hook = () => undefined;
  r.server.put("INBOX", mail("one"));
  await r.until("it came", () => r.bytes.size === 1, 3 * minute);
});

it("gives up a message that breaks the connection, beside others that come", async () => {
  const r = await watched();
  const poison = r.server.put("INBOX", mail("poison"));
  r.server.hook = ({ name, rest, connection }) => {
    if (name !== "UID FETCH" || !rest.includes("BODY")) return undefined;
    if (!connection.in(rest).some(({ uid }) => uid === poison.uid)) return undefined;
    connection.socket.destroy();
    return true;
  };
  await r.until("it waits", async () => {
    const inbox = (await r.ledger.folders("acme/sales")).find(({ path }) => path === "INBOX");
    return (await r.ledger.waitingUids(inbox?.id ?? 0)).length > 0;
  });
  r.clock.step(-day);
  let next = 0;
  const until = r.clock.now() + 20 * minute;
  await r.until(
    "it is given up",
    async () => {
      if (r.clock.now() > until - 20 * minute + (next + 1) * minute) r.server.put("INBOX", mail(`later-${next++}`));
      return r.metrics.counts.has("imap_quarantined_total acme sales");
    },
    20 * minute,
  );
});
