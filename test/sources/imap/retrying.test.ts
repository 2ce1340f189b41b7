/** A message that was given up comes when a person lets it be tried again: in a folder that is waited in, and in one that is only looked at. */
import { expect, it } from "vitest";
import { mail, rig } from "./rig.ts";

const minute = 60_000;

it.each(["INBOX", "Sales"])("is taken in at the next look at %s", async (path) => {
  const r = await rig();
  r.server.folder("Sales");
  r.start({ folders: ["INBOX", "Sales"], connections: 1, poll_seconds: 30, max_bytes: 5_000 });
  await r.until("both are known", async () => (await r.ledger.folders("acme/sales")).length === 2);
  await r.until("it waits", () => r.server.commands.at(-1) === "IDLE");
  r.server.put(path, mail("said-large"), { size: 6_000, internalDate: new Date(r.clock.now()) });
  r.server.put(path, mail("other"), { internalDate: new Date(r.clock.now()) });
  const folder = async () => (await r.ledger.folders("acme/sales")).find((one) => one.path === path);
  await r.until("the other came", () => r.subjects().includes("other"), 2 * minute);
  const id = (await folder())?.id ?? 0;
  expect(await r.ledger.fates(id, [1])).toMatchObject([{ state: "quarantined" }]);
  // The server has learned to count.
  const [message] = r.server.folder(path).messages;
  if (message !== undefined) delete message.size;
  await r.until("five minutes", () => false, 5 * minute).catch(() => undefined);
  expect(r.subjects()).toEqual(["other"]);
  expect(await r.ledger.retryQuarantined(id, r.clock.now())).toEqual({ live: 1, old: 0 });
  await r.until("it came", () => r.subjects().includes("said-large"), minute);
  expect(await r.ledger.waitingUids(id)).toEqual([]);
});

it("reads on in batches where the server asked for patience: that is said of the session, and of no message", async () => {
  const r = await rig();
  r.start();
  await r.until("it waits", () => r.server.commands.includes("IDLE"));
  const isBody = (line: string): boolean => line.startsWith("UID FETCH") && line.includes("BODY");
  let limited = 0;
  r.server.hook = ({ name, rest, tag, connection }) => {
    if (!isBody(`${name} ${rest}`) || limited > 0) return undefined;
    limited += 1;
    connection.say(`${tag} NO [LIMIT] too many bytes, try again later`);
    return true;
  };
  r.server.tell = () => undefined;
  for (let n = 0; n < 20; n++) r.server.put("INBOX", mail(`m${n}`));
  await r.until("all came", () => r.bytes.size === 20, 20 * minute);
  expect(r.server.commands.filter(isBody)).toHaveLength(2);
});
