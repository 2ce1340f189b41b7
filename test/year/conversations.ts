/** The kinds of conversation that a year is made of: each tells one from its beginning, with everybody who takes part. */
import type { Chance } from "../simulation/chance.ts";
import type { Cast, Person } from "./cast.ts";
import { handedOn } from "./letters.ts";
import { day, hour, minute, type Scene, sendsOf } from "./scene.ts";
import { answering, asking, complaining, goingOn } from "./words.ts";

/** A customer to talk to: somebody of a company, a private person, or one of those who change their address. */
export interface Customer {
  readonly person: Person;
  /** What From shows where it is not the name. */
  readonly shown?: string;
  /** Others of the same company. */
  readonly beside: readonly Person[];
}

export type Teller = (scene: Scene, customer: Customer) => void;

const colleagueOf = ({ cast, chance }: Scene): Person => chance.pick(cast.colleagues);

/** Our people and theirs, in turn, for as long as it goes. */
function goOn(scene: Scene, { person, shown, beside }: Customer, colleague: Person, longest = 4): void {
  const { chance, cast } = scene;
  const said = shown === undefined ? {} : { shown };
  const turns = Math.floor(chance.unit() ** 2 * (longest + 1));
  let joined: Person | undefined;
  for (let turn = 0; turn < turns; turn++) {
    scene.wait(20 * minute, 3 * day);
    const by = chance.flip(0.85) ? colleague : chance.pick(cast.colleagues);
    const to = [person, ...(joined === undefined ? [] : [joined])];
    scene.say({
      what: "answer", from: by, to, copy: chance.flip(0.3) ? "bcc" : "cc", text: chance.pick(answering), answers: sendsOf(chance),
      direction: "outbound", under: to,
    }); // biome-ignore format: one mail
    if (chance.flip(0.25)) continue;
    scene.wait(10 * minute, 6 * day);
    // Somebody else of theirs takes over, or is let in.
    const other = beside.length > 0 && chance.flip(0.2) ? chance.pick(beside) : undefined;
    const from = joined !== undefined && chance.flip(0.4) ? joined : (other ?? person);
    if (joined === undefined && from === person && beside.length > 0 && chance.flip(0.2)) joined = chance.pick(beside);
    const cc = joined === undefined || joined === from ? [] : [joined];
    const direct = chance.flip(0.2);
    scene.say({
      what: "reply", from, ...(from === person ? said : {}), to: direct ? [] : [by], cc, copy: direct ? "to" : "cc", text: chance.pick(goingOn),
      // Without ids only somebody who took part is known again.
      answers: from === person ? sendsOf(chance) : "both", direction: "inbound", under: [from],
    }); // biome-ignore format: one mail
  }
}

const shownOf = ({ shown }: Customer) => (shown === undefined ? {} : { shown });

/** A request, which is one deal, and what follows. */
export const request: Teller = (scene, customer) => {
  const { chance, cast } = scene;
  const { person } = customer;
  const again = chance.flip(0.06)
    ? { route: `${chance.pick(["sales", "deals", "office"])}@${cast.inbound}`, after: chance.between(20, 90) * 1_000 }
    : undefined;
  const first = scene.say({
    what: "request", ...shownOf(customer), from: person, to: [], copy: "to", text: `Hello,\n${chance.pick(asking)}`,
    direction: "inbound", under: [person], ...(again === undefined ? {} : { again }),
  }); // biome-ignore format: one mail
  if (again === undefined && chance.flip(0.04)) return overtaken(scene, customer, first.arrives);
  goOn(scene, customer, colleagueOf(scene));
};

/** The request is held up somewhere, and what follows it comes before. */
function overtaken(scene: Scene, { person }: Customer, _: number): void {
  const { chance } = scene;
  const colleague = colleagueOf(scene);
  const [first] = scene.drafts as [(typeof scene.drafts)[number]];
  Object.assign(first, { arrives: first.letter.at + 9 * hour });
  scene.wait(hour, 2 * hour);
  scene.say({
    what: "answer", note: "before its request", from: colleague, to: [person], copy: "cc", text: chance.pick(answering), answers: "both",
    direction: "outbound", under: [person],
  }); // biome-ignore format: one mail
  if (chance.flip(0.5)) return;
  scene.wait(hour, 2 * hour);
  scene.say({
    what: "reply", note: "before the request", from: person, to: [colleague], copy: "cc", text: chance.pick(goingOn), answers: "both",
    direction: "inbound", under: [person],
  }); // biome-ignore format: one mail
}

/** A colleague writes first, to one or to several. */
export const outreach: Teller = (scene, customer) => {
  const { chance, cast } = scene;
  const colleague = colleagueOf(scene);
  const others = chance.flip(0.2)
    ? [chance.pick(cast.companies), chance.pick(cast.companies)].map(({ people }) => people[0])
    : [];
  const to = [
    ...new Map(
      [customer.person, ...others].flatMap((one) => (one === undefined ? [] : [[one.address, one] as const])),
    ).values(),
  ];
  scene.say({
    what: "outreach", from: colleague, to, copy: chance.flip(0.4) ? "bcc" : "cc", text: `Hello,\n${chance.pick(answering)}`,
    direction: "outbound", under: to,
  }); // biome-ignore format: one mail
  if (to.length === 1) goOn(scene, customer, colleague, 4);
};

export const help: Teller = (scene, customer) => {
  const { chance } = scene;
  scene.say({
    what: "help", ...shownOf(customer), from: customer.person, to: [], copy: "to", text: `Hello,\n${chance.pick(complaining)}`,
    direction: "inbound", under: [customer.person],
  }); // biome-ignore format: one mail
  goOn(scene, customer, colleagueOf(scene), 3);
};

/** A colleague hands on to us what a customer wrote to him. */
export const forward: Teller = (scene, { person }) => {
  const { chance, fill } = scene;
  const colleague = colleagueOf(scene);
  const text = `Hello ${colleague.name},\n${fill(chance.pick(asking))}\n\n${person.name}`;
  const original = { who: person, to: colleague, at: scene.now() - 2 * hour, subject: scene.subject, text };
  const prefix = chance.pick(["Fwd: ", "FW: ", "WG: "]);
  const how = chance.pick(["gmail", "outlook", "apple"] as const);
  // Many programs name the mail that they hand on.
  const named = chance.flip(0.5) ? [`References: <${chance.hex(20)}@${person.host.domain}>`] : [];
  scene.say({
    what: "forward", note: how, from: colleague, to: [], copy: "to", subject: `${prefix}${scene.subject}`, style: "plain", headers: named,
    text: handedOn("Please take this one.", original, how), direction: "inbound", under: [person], hearsay: "forwarded",
  }); // biome-ignore format: one mail
};

/** Our own web site tells of somebody who filled in a form. */
export const form: Teller = (scene, { person }) => {
  const { chance, cast } = scene;
  const site: Person = {
    id: "site",
    name: "Acme Website",
    address: `website@${cast.own.domain}`,
    host: cast.own,
    company: cast.own.domain,
  };
  scene.say({
    what: "form", from: site, to: [], copy: "to", replyTo: person, style: "plain", text: `Name: ${person.name}\nMessage: ${chance.pick(asking)}`,
    direction: "inbound", under: [person], hearsay: "form",
  }); // biome-ignore format: one mail
};

/** It answers what a colleague wrote without us: it is no request, whatever it says. */
export const unseen: Teller = (scene, customer) => {
  const { chance, cast } = scene;
  const colleague = colleagueOf(scene);
  scene.say({
    what: "unseen", ...shownOf(customer), from: customer.person, to: [colleague], copy: "cc", text: chance.pick(goingOn),
    answersUnseen: `${chance.hex(20)}@${cast.own.domain}`, direction: "inbound", under: [customer.person],
  }); // biome-ignore format: one mail
  goOn(scene, customer, colleague, 2);
};

export const invoice: Teller = (scene, customer) => {
  scene.say({
    what: "invoice", ...shownOf(customer), from: customer.person, to: [], copy: "to", subject: `Invoice for ${scene.goods} ${scene.chance.between(10_000, 99_999)}`,
    text: "please find our invoice below. Payable within 30 days.", direction: "inbound", under: [customer.person],
  }); // biome-ignore format: one mail
};

export const application: Teller = (scene, customer) => {
  scene.say({
    what: "application", ...shownOf(customer), from: customer.person, to: [], copy: "to", subject: `Application for a place in your workshop ${scene.chance.between(10_000, 99_999)}`,
    text: "I would like to work for you.", direction: "inbound", under: [customer.person],
  }); // biome-ignore format: one mail
};

/** Mail by machines after a colleague's mail. */
export const machines: Teller = (scene, { person }) => {
  const { chance, cast } = scene;
  const colleague = colleagueOf(scene);
  scene.say({
    what: "outreach", from: colleague, to: [person], copy: "cc", text: chance.pick(answering), direction: "outbound", under: [person],
  }); // biome-ignore format: one mail
  scene.wait(minute, 3 * minute);
  if (chance.flip(0.5)) {
    scene.say({
      what: "auto_reply", from: person, to: [colleague], copy: "cc", text: "I am out of the office until Monday.", answers: "both", mailFrom: null,
      headers: ["Auto-Submitted: auto-replied"], direction: "inbound", under: [person], machine: "auto_reply", style: "plain",
    }); // biome-ignore format: one mail
    return;
  }
  const daemon: Person = {
    ...person,
    id: "daemon",
    name: "Mail Delivery System",
    address: `MAILER-DAEMON@${person.host.domain}`,
  };
  scene.say({
    what: "bounce", from: daemon, to: [colleague], copy: "cc", subject: "Undelivered Mail Returned to Sender", text: "I could not deliver your message.",
    mailFrom: null, direction: "inbound", under: [person], machine: "bounce", style: "plain", whole: "multipart/report; report-type=delivery-status",
    parts: [
      {
        type: "message/delivery-status",
        body: `Reporting-MTA: dns; mail.${person.host.domain}\n\nFinal-Recipient: rfc822; ${person.address}\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no such user`,
      },
      { type: "text/rfc822-headers", body: `From: ${colleague.address}\nTo: ${person.address}\nMessage-ID: <${scene.drafts[0]?.letter.id}>\nSubject: ${scene.subject}` },
    ],
  }); // biome-ignore format: one mail
  void cast;
};

export const newsletter: Teller = (scene) => {
  const { chance, cast } = scene;
  const [weekly, tracker, fair] = cast.machines as [Person, Person, Person];
  const drawn = chance.between(0, 2);
  const list = {
    headers: [
      "List-Id: <weekly.depot-weekly.example>",
      "List-Unsubscribe: <mailto:leave@depot-weekly.example>",
      "Precedence: bulk",
    ],
    from: weekly,
    machine: "list",
  } as const;
  const bulk = {
    headers: ["List-Unsubscribe: <https://fair-organisers.example/leave>"],
    from: fair,
    machine: "bulk",
  } as const;
  const notice = { headers: ["Auto-Submitted: auto-generated"], from: tracker, machine: "auto_generated" } as const;
  const one = [list, bulk, notice][drawn] ?? list;
  scene.say({
    what: one === notice ? "notification" : "newsletter", from: one.from, to: [], copy: "to", text: "News for everybody who trades.", headers: one.headers,
    direction: "inbound", under: [one.from], machine: one.machine, subject: `${scene.subject} of this week`,
  }); // biome-ignore format: one mail
};

export const internal: Teller = (scene) => {
  const { chance, cast } = scene;
  const [from, to] = [chance.pick(cast.colleagues), chance.pick(cast.colleagues)];
  scene.say({
    what: "internal",
    from,
    to: [to],
    copy: "cc",
    text: "who takes this one?",
    direction: "internal",
    under: [],
  });
};

export const excluded: Teller = (scene) => {
  const from = scene.cast.excluded[0];
  if (from === undefined) return;
  scene.say({
    what: "excluded",
    from,
    to: [],
    copy: "to",
    text: "the papers for March are still missing.",
    direction: "inbound",
    under: [from],
  });
};

export const broadcast: Teller = (scene) => {
  const { cast } = scene;
  const people = cast.companies.slice(0, 24).flatMap(({ people: [first] }) => first ?? []);
  scene.say({
    what: "broadcast", from: colleagueOf(scene), to: people, copy: "cc", text: "our prices from next month on.", direction: "outbound", under: people,
  }); // biome-ignore format: one mail
};

export const noReply: Teller = (scene) => {
  const tracker = scene.cast.machines[1];
  if (tracker === undefined) return;
  scene.say({
    what: "no_reply",
    from: colleagueOf(scene),
    to: [tracker],
    copy: "cc",
    text: "please answer me.",
    direction: "outbound",
    under: [tracker],
  });
};

export const disposable: Teller = (scene) => {
  const from = scene.chance.pick(scene.cast.disposable);
  scene.say({
    what: "disposable",
    from,
    to: [],
    copy: "to",
    text: scene.chance.pick(asking),
    direction: "inbound",
    under: [from],
  });
};

/** Which address a person writes from at this time. */
export function changed(cast: Cast, chance: Chance, at: number): Customer {
  const { before, after, from } = chance.pick(cast.changes);
  const isAfter = from === 0 ? chance.flip(0.5) : at > from;
  // Some programs show no name: then nobody is imitated.
  const bare = isAfter && chance.flip(0.25) ? { shown: "" } : {};
  return { person: isAfter ? after : before, beside: [], ...bare };
}
