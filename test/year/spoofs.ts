/** What those send who pass themselves off as somebody: forgeries of people that the year knows by then, and strangers who claim to answer. */
import type { Chance } from "../simulation/chance.ts";
import { type Cast, type Host, lookalikeOf, type Person } from "./cast.ts";
import { type Draft, hour, openScene, type Saying, type Scene } from "./scene.ts";

type Forger = (scene: Scene, before: Draft, colleague: Person) => Saying;

const common = {
  to: [],
  copy: "to",
  direction: "inbound",
  forged: true,
  text: "please pay this to our new account today.",
} as const;
const withHost = (person: Person, host: Host): Person => ({
  ...person,
  host,
  address: `${person.address.split("@")[0]}@${host.domain}`,
});

/** `before`: a request of a proven customer that has come by then. */
const forgers: readonly (readonly [string, Forger])[] = [
  ["customer from elsewhere", ({ cast }, { told }) => ({ ...common, what: "spoof", from: told.from, under: [told.from], server: cast.evil, signer: null, mailFrom: `x@${cast.evil.domain}` })],
  ["customer signed by another", ({ cast }, { told }) => ({ ...common, what: "spoof", from: told.from, under: [told.from], server: cast.evil, signer: cast.evil, mailFrom: `x@${cast.evil.domain}` })],
  ["colleague", ({ cast }, { told }, colleague) => ({ ...common, what: "spoof", from: colleague, to: [told.from], copy: "cc", direction: "outbound", under: [told.from], server: cast.evil, signer: null, mailFrom: `x@${cast.evil.domain}` })],
  ["look-alike of a customer", ({ cast }, { told }) => {
    const like = lookalikeOf({ host: told.from.host, people: [] }, cast.evil);
    const from = withHost(told.from, like);
    return { ...common, what: "spoof", from, shown: "", under: [from], touches: [told.from.host.domain] };
  }],
  ["name of a colleague", ({ cast }, _, colleague) => ({ ...common, what: "spoof", from: cast.stranger, shown: colleague.name, under: [cast.stranger] })],
  ["forged answer", ({ cast }, { told, letter }) => ({ ...common, what: "spoof", from: told.from, under: [told.from], server: cast.evil, signer: null, mailFrom: `x@${cast.evil.domain}`, subject: letter.subject, answersUnseen: letter.id, touches: [told.conversation] })],
  // Nothing about him is forged but that he was asked: he is let in as what he is, and into nobody's conversation.
  ["stranger who claims to answer", ({ cast }, { told, letter }) => ({ ...common, what: "intruder", forged: false, from: cast.stranger, under: [cast.stranger], subject: letter.subject, answersUnseen: letter.id, touches: [told.conversation] })],
]; // biome-ignore format: one line for each

export function forgeries(chance: Chance, cast: Cast, drafts: readonly Draft[], count: number): Draft[] {
  // Only whoever has shown who he is can be told from somebody else.
  const known = drafts.filter(
    ({ told }) =>
      told.what === "request" &&
      told.from.host.shows === "dmarc" &&
      told.from.company !== null &&
      told.shown === told.from.name,
  );
  if (known.length === 0) return [];
  return Array.from({ length: count }, (_, at): Draft => {
    const before = chance.pick(known);
    const scene = openScene(
      `f${at}`,
      before.arrives + chance.between(3, 400) * hour,
      "deals",
      chance.split(String(at)),
      cast,
    );
    const [name, forger] = forgers[at % forgers.length] as (typeof forgers)[number];
    return scene.say({ ...forger(scene, before, chance.pick(cast.colleagues)), note: name });
  });
}
