/** The people that a message asks for at a CRM, each with why, and why one may not be made: pure. */
import type { CanonicalEvent, Participant, TrustLevel } from "../model/event.ts";
import type { PersonStep } from "../model/step.ts";
import { atLeast, mayMakeContact, vouches } from "./gate.ts";
import { personKey } from "./keys.ts";
import type { Mapping } from "./plan.ts";
import type { ContactRule } from "./rules/compile.ts";
import type { Ruled } from "./rules/decide.ts";
import type { Facts } from "./rules/facts.ts";
import { wantedOf } from "./rules/wanted.ts";

/** One step for each of `filed_under`, the main one first. */
export function peopleOf(facts: Facts, mapping: Mapping, said: Ruled): PersonStep[] {
  return facts.event.participants.filed_under.map((one) => personOf(one, facts, mapping, said));
}

function personOf(one: Participant, facts: Facts, mapping: Mapping, said: Ruled): PersonStep {
  const { event } = facts;
  const { trust } = event.auth;
  const asked = said.spoken.contact;
  const says = asked === undefined || asked.says === false ? undefined : asked.says;
  const bar = ruledOut(says, trust, asked?.rule) ?? barOf(one, event, withLevel(mapping, says));
  const also = mapping.rules?.samePerson.get(one.email.toLowerCase());
  const flags = [
    ...(trust === "verified" ? [] : [trust]),
    ...hearsayFlag(event),
    ...one.kinds.filter((kind) => kind === "role" || kind === "disposable"),
  ];
  return {
    kind: "person",
    key: personKey(event.tenant, one.email),
    why:
      bar === undefined
        ? `${roleOf(one, event)}; trust ${trust} may create a contact (${barNamed(mapping, says, asked?.rule)})`
        : `${roleOf(one, event)}; only looked up, ${bar.because}`,
    email: one.email,
    ...(also === undefined ? {} : { also: [...also] }),
    ...(says?.as === undefined ? {} : { as: says.as }),
    ...wantedOf(says, facts, said.owner),
    name: one.name,
    source: "email",
    create: bar === undefined,
    gate: bar?.rule ?? null,
    flags,
  };
}

/** A rule may ask for more trust or less; never for none. */
const withLevel = (mapping: Mapping, says: ContactRule | undefined): Mapping =>
  says?.create === undefined || says.create === false ? mapping : { ...mapping, createContact: says.create };

const barNamed = ({ createContact }: Mapping, says: ContactRule | undefined, rule: string | undefined): string =>
  says?.create === undefined || says.create === false
    ? `trust.create_contact: ${createContact}`
    : `mapping.${rule}: ${says.create}`;

function ruledOut(says: ContactRule | undefined, trust: TrustLevel, rule: string | undefined): Bar | undefined {
  if (says?.create === undefined) return undefined;
  if (says.create === false) return { rule: `mapping.${rule}`, because: `the rule ${rule} makes no contact` };
  if (atLeast(trust, says.create)) return undefined;
  return { rule: `mapping.${rule}`, because: `trust ${trust} is below what the rule ${rule} asks for: ${says.create}` };
}

interface Bar {
  readonly rule: string;
  readonly because: string;
}

/** What keeps a contact from being made; undefined where nothing does. */
function barOf({ kinds }: Participant, event: CanonicalEvent, mapping: Mapping): Bar | undefined {
  const { auth, participants } = event;
  const { trust } = auth;
  if (kinds.includes("no_reply")) {
    return { rule: "people.no_reply", because: "nobody reads what is sent to a no-reply address" };
  }
  // Whom a colleague writes to, a colleague wants to know.
  const isStranger = participants.direction === "inbound";
  if (isStranger && kinds.includes("disposable") && mapping.disposableContacts === "hold") {
    return { rule: "people.disposable", because: "the address is disposable (people.disposable_contacts: hold)" };
  }
  if (!mayMakeContact(trust, mapping)) {
    return {
      rule: "trust.create_contact",
      because: `trust ${trust} is below trust.create_contact: ${mapping.createContact}`,
    };
  }
  if (hearsayFlag(event).length === 0) return undefined;
  if (!vouches(trust)) {
    return { rule: "trust.forwarded", because: `trust ${trust} does not show that a colleague handed it on` };
  }
  if (participants.basis === "list_author" && participants.list?.own !== true) {
    return { rule: "trust.forwarded", because: "only somebody else's mailing list says who wrote" };
  }
  return undefined;
}

/** Who it was is not what From says, but what somebody wrote into the mail: it is as good as whoever sent that. One word for how, or none. */
export function hearsayFlag({ participants: { basis } }: CanonicalEvent): string[] {
  switch (basis) {
    case "original":
      return ["forwarded"];
    case "form":
      return ["form"];
    case "list_author":
      return ["list"];
    case "sender":
    case "recipients":
    case "broadcast":
    case "nobody":
      return [];
    default:
      return basis satisfies never;
  }
}

/** Without addresses: this stands in the ledger in clear. */
function roleOf({ part }: Participant, { participants: { basis } }: CanonicalEvent): string {
  switch (part) {
    case "sender":
      return basis === "list_author" ? "author of the mail, as the mailing list says" : "sender of the mail";
    case "recipient":
      return "recipient of a colleague's mail";
    case "original_sender":
      return "sender of the mail that a colleague forwarded";
    case "original_recipient":
      return "recipient of the mail that a colleague forwarded";
    case "reply_to":
      return "whom our own web form names in Reply-To";
    default:
      return part satisfies never;
  }
}
