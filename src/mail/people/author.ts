/** Finds who wrote a message where a mailing list stands between: lists are no people, and some put themselves into From. */
import type { Address, Message, Participants } from "../../model/event.ts";
import type { People } from "../../model/people.ts";
import { addressList } from "../address.ts";
import { addressKey } from "../people.ts";

export interface Author {
  /** Of From; the person behind it where a list put itself there. Null where the mail names nobody. */
  readonly address: Address | null;
  /** From names a list, and `address` is what the list says of its author. */
  readonly rewritten: boolean;
  /** From names a list, and nothing says who wrote. */
  readonly hidden: boolean;
  readonly list: Participants["list"];
  isList(email: string): boolean;
}

/** Where lists keep the author whom they take out of From: Google Groups and Mailman write the first two, RFC 9057 §3 the third. */
const originals = new Set(["x-original-from", "original-from", "author"]);
const maxHeaders = 3;
const maxHeaderChars = 2_000;

export function authorOf(message: Message, isOurs: (email: string) => boolean, people: People): Author {
  const { from, list } = message;
  const email = from?.email ?? null;
  if (list === null || (list.id === null && list.post === null)) {
    return { address: from, rewritten: false, hidden: false, list: null, isList: () => false };
  }
  const addresses = listAddresses(list);
  const isNamed = (one: string): boolean => addresses.has(addressKey(one)) || isOfList(one, list.id);
  const replaced = email !== null && (isNamed(email) || (saysVia(from?.name ?? "") && isShared(email, message)));
  const replacedKey = replaced ? addressKey(email) : null;
  const isList = (one: string): boolean => isNamed(one) || addressKey(one) === replacedKey;
  const [post] = addresses;
  const address = post ?? (replaced ? email : null);
  const known = {
    list: { address, own: address === null ? isOwnId(list.id, people) : people.isOwn(address) || isOurs(address) },
    isList,
  };
  if (!replaced) return { ...known, address: from, rewritten: false, hidden: false };
  const said = nameBeforeVia(from?.name ?? "");
  // Where answers go to the list, Mailman keeps the author in Cc.
  const copied = message.cc.filter(({ name }) => said !== "" && name.trim() === said);
  const behind = [...originalFrom(message), ...message.reply_to, ...copied].find(
    (candidate) => candidate.email !== null && !isList(candidate.email),
  );
  if (behind === undefined) return { ...known, address: from, rewritten: false, hidden: true };
  const name = behind.name === "" ? said : behind.name;
  // Anybody can name our list in a header: of his own From it says nothing. Of ours, the proof that it is ours is asked for.
  const believed = { ...known.list, own: known.list.own && isOurs(email ?? "") };
  return { ...known, list: believed, address: { ...behind, name }, rewritten: true, hidden: false };
}

function listAddresses({ post }: NonNullable<Message["list"]>): Set<string> {
  const [, written] = /^mailto:([^?]{3,320})/i.exec(post ?? "") ?? [];
  if (written === undefined) return new Set();
  const [found] = addressList([unescaped(written)]).addresses;
  return new Set(found?.email == null ? [] : [addressKey(found.email)]);
}

function unescaped(written: string): string {
  try {
    return decodeURIComponent(written);
  } catch {
    return written;
  }
}

/** RFC 2919 §2: `<sales.acme.example>` is how sales@acme.example names itself, by custom. */
const isOfList = (email: string, id: string | null): boolean =>
  id !== null && addressKey(email).replace("@", ".") === id;

const isOwnId = (id: string | null, people: People): boolean => id !== null && people.isOwn(`list@${id}`);

/** "Ada Lovelace via Sales": Mailman and Google Groups, where DMARC of the author's domain leaves them no other way. */
const via = /^(.{0,300}?)['"]?\s+(?:via|über|par)\s+\S/iu;
const saysVia = (name: string): boolean => via.test(name);
const nameBeforeVia = (name: string): string => (via.exec(name)?.[1] ?? "").replace(/^['"]/, "").trim();

/** Whoever else may call himself "via" something: the list's address stands in To, Cc or Reply-To too. */
function isShared(email: string, { to, cc, reply_to }: Message): boolean {
  const key = addressKey(email);
  return [...to, ...cc, ...reply_to].some((address) => address.email !== null && addressKey(address.email) === key);
}

function originalFrom({ headers }: Message): Address[] {
  const values = headers.filter(([name]) => originals.has(name.toLowerCase())).map(([, value]) => value);
  // Address headers are read as the bytes they are sent in.
  return values
    .slice(0, maxHeaders)
    .flatMap(
      (value) => addressList([Buffer.from(value.slice(0, maxHeaderChars), "utf8").toString("latin1")]).addresses,
    );
}
