/** Folders that the server does not let us look at from the start: what comes meanwhile is new mail, and what was there before is not. */
import { expect, it } from "vitest";
import { mail, rig } from "./rig.ts";

const minute = 60_000;

it.each([
  ["one of them, and opened in the same session", /Sales/, false],
  ["one of them, and opened in the next session", /Sales/, true],
  ["all of them, session after session", /Sales|INBOX/, true],
] as const)("%s", async (_, closed, isCut) => {
  const r = await rig();
  const at = (minutes: number) => ({ internalDate: new Date(r.clock.now() + minutes * minute) });
  r.server.put("Sales", mail("before"), at(-120));
  r.server.hook = ({ name, rest, tag, connection }) => {
    if (name !== "EXAMINE" || !closed.test(rest)) return undefined;
    connection.say(`${tag} NO [NOPERM] not yours`);
    return true;
  };
  r.start({ folders: ["INBOX", "Sales"], connections: 1, poll_seconds: 30 });
  await r.until("five minutes", () => false, 5 * minute).catch(() => undefined);
  r.server.put("Sales", mail("meanwhile"), at(0));
  if (isCut) r.server.cut();
  r.server.hook = () => undefined;
  await r.until("it came", () => r.bytes.size > 0, 5 * minute);
  r.server.put("Sales", mail("after"), at(0));
  await r.until("the next came, too", () => r.bytes.size > 1, 5 * minute);
  expect(r.subjects()).toEqual(["after", "meanwhile"]);
  const sales = (await r.ledger.folders("acme/sales")).find(({ path }) => path === "Sales");
  expect(await r.ledger.fates(sales?.id ?? 0, [1])).toMatchObject([{ state: "before" }]);
});

it("a connection that breaks at the first look makes no old mail new", async () => {
  const r = await rig();
  r.server.put("INBOX", mail("before"), { internalDate: new Date(r.clock.now() - minute) });
  r.server.hook = ({ name, connection }) => {
    if (name !== "EXAMINE") return undefined;
    r.server.hook = () => undefined;
    connection.socket.destroy();
    return true;
  };
  r.start();
  await r.until("it waits", () => r.server.commands.at(-1) === "IDLE");
  r.server.put("INBOX", mail("after"), { internalDate: new Date(r.clock.now()) });
  await r.until("it came", () => r.bytes.size > 0);
  expect(r.subjects()).toEqual(["after"]);
});
