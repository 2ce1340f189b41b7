/** Forms of forgery, each as the bytes that the attacker sends and the way they come. Unless a form says otherwise, its server and its signature are in order. */
import { signingKey } from "../../../support/signer.ts";
import { accented, evil, evils, lists, mail, type Parts, type Peer, sealedBy, signedBy, type Way } from "./world.ts";

export interface Form extends Way {
  readonly name: string;
  /** The reason that must be among those given. */
  readonly code: string;
  readonly raw: () => Uint8Array;
}

const ada = "Ada Lovelace <ada@acme.test>";
/** Of the attacker's server and with its signature. */
const sent = (name: string, code: string, from: string | undefined, more: Omit<Parts, "from"> = {}): Form => ({
  name,
  code,
  raw: () => evils(mail({ ...more, ...(from === undefined ? {} : { from }) })),
});
/** A look-alike domain that is in order itself: SPF, signature and DMARC pass. */
const lookalike = (domain: string, code: string, local = "jane"): Form => ({
  name: `a look-alike: ${domain}`,
  code,
  peer: { ...evil, mailFrom: `${local}@${domain}` },
  raw: () => signedBy(domain, mail({ from: `Accounts <${local}@${domain}>` })),
});
const bare = (from: string, parts: Omit<Parts, "from"> = {}): Uint8Array => mail({ from, ...parts });
const asAda: Peer = { ...evil, mailFrom: "ada@acme.test" };

export const displayNames: readonly Form[] = [
  sent("a name that holds a colleague's address", "name_contains_address", '"jane@globex.test" <x@evil.example>'),
  sent("a name that holds a customer's address", "name_contains_address", '"ada@acme.test" <x@evil.example>'),
  sent("an address in a name without quotes", "name_contains_address", "ada@acme.test <x@evil.example>"),
  sent("an escaped @ in a name", "name_contains_address", '"ada\\@acme.test" <x@evil.example>'),
  sent("a full-width @ in a name", "name_contains_address", '"ada＠acme．test" <x@evil.example>'),
  sent(
    "zero-width characters in a name's address",
    "name_contains_address",
    '"ada@ac\u200bme.te\u200bst" <x@evil.example>',
  ),
  sent(
    "an encoded name that holds brackets and a comma",
    "name_contains_address",
    "=?utf-8?Q?Ada_=3Cada=40acme.test=3E=2C?= <x@evil.example>",
  ),
  sent(
    "a name in base64 that holds an address",
    "name_contains_address",
    `=?utf-8?B?${Buffer.from("ada@acme.test").toString("base64")}?= <x@evil.example>`,
  ),
  sent("a comment that holds an address", "name_contains_address", "x@evil.example (ada@acme.test)"),
  sent("a folded line that ends in an address", "name_contains_address", "ada@acme.test\r\n <x@evil.example>"),
  sent(
    "an encoded name that imitates a whole From",
    "name_contains_address",
    "=?utf-8?Q?=22Ada=22_=3Cada=40acme.test=3E?= <x@evil.example>",
  ),
  sent(
    "a name encoded in two words",
    "name_contains_address",
    "=?utf-8?Q?ada=40ac?= =?utf-8?Q?me.test?= <x@evil.example>",
  ),
  sent(
    "a name written backwards, and turned around",
    "name_contains_address",
    '"\u202etset.emca@ada\u202c" <x@evil.example>',
  ),
  sent("a colleague's name", "colleague_name", "Jane Roe <x@evil.example>"),
  sent("a colleague's name, family name first", "colleague_name", '"ROE, Jane" <x@evil.example>'),
  sent("a colleague's name in Cyrillic letters", "colleague_name", "J\u0430n\u0435 R\u043e\u0435 <x@evil.example>"),
  sent("a colleague's name in full-width letters", "colleague_name", "Ｊａｎｅ Ｒｏｅ <x@evil.example>"),
  sent("a colleague's name with a zero", "colleague_name", "Jane R0e <x@evil.example>"),
  sent("a colleague's name and title", "colleague_name", "Hank Scorpio, CEO <x@evil.example>"),
  {
    name: "a colleague's name on freemail",
    code: "colleague_name",
    peer: { ip: "192.0.2.40", helo: "mail.gmail.com", mailFrom: "janeroe77@gmail.com" },
    raw: () => signedBy("gmail.com", bare("Jane Roe <janeroe77@gmail.com>")),
  },
  sent("our own name", "own_brand_name", "Globex <x@evil.example>"),
  sent("our own name with a department", "own_brand_name", "Globex Billing <x@evil.example>"),
  sent("our own name with a zero", "own_brand_name", "Gl0bex Support <x@evil.example>"),
  sent("our own domain as a name", "own_brand_name", "IT at globex.test <x@evil.example>"),
];

export const severalSenders: readonly Form[] = [
  sent("two From headers, the victim's first", "duplicate_from", ada, { more: ["From: x@evil.example"] }),
  sent("two From headers, the victim's second", "duplicate_from", "x@evil.example", { more: [`From: ${ada}`] }),
  sent("two From headers, one with a blank before its colon", "duplicate_from", "x@evil.example", {
    top: [`From : ${ada}`],
  }),
  sent("two From headers, one in capitals", "duplicate_from", "x@evil.example", { top: [`FROM: ${ada}`] }),
  {
    name: "a From put before an honest, signed mail",
    code: "duplicate_from",
    raw: () =>
      Buffer.concat([
        Buffer.from("From: Eve <x@evil.example>\r\n"),
        signedBy("acme.test", bare(ada, { subject: "From before" })),
      ]),
  },
  {
    name: "a From put behind the headers of an honest, signed mail",
    code: "duplicate_from",
    raw: () =>
      Buffer.from(
        signedBy("acme.test", bare(ada, { subject: "From behind" }))
          .toString("latin1")
          .replace("\r\n\r\n", "\r\nFrom: Eve <x@evil.example>\r\n\r\n"),
        "latin1",
      ),
  },
  sent("two mailboxes, the victim's first", "multiple_from", `${ada}, x@evil.example`),
  sent("two mailboxes, the victim's second", "multiple_from", `x@evil.example, ${ada}`),
  sent("two mailboxes, and a Sender that is the attacker's", "multiple_from", `${ada}, Eve <x@evil.example>`, {
    more: ["Sender: x@evil.example"],
  }),
  sent("a group", "from_group", "Friends: ada@acme.test;"),
  sent("a group with two mailboxes", "from_group", "Friends: ada@acme.test, x@evil.example;"),
  sent("an empty group, and a Reply-To", "from_elsewhere", "undisclosed:;", { more: [`Reply-To: ${ada}`] }),
  sent("an empty From, and a Sender", "from_elsewhere", "", { more: [`Sender: ${ada}`] }),
  sent("an empty From, and a Reply-To", "from_elsewhere", "", { more: [`Reply-To: ${ada}`] }),
  sent("no From at all, and a Sender", "from_elsewhere", undefined, { more: [`Sender: ${ada}`] }),
  sent("a name alone, and a Return-Path", "from_elsewhere", "Ada Lovelace", { top: ["Return-Path: <ada@acme.test>"] }),
];

export const addresses: readonly Form[] = [
  sent("an address, and behind its bracket a scheme", "judged_elsewhere", "<ada@acme.test>mailto:=40"),
  sent("two brackets", "from_ambiguous", "<ada@acme.test><x@evil.example>"),
  sent("an address behind its bracket", "from_ambiguous", "<ada@acme.test> x@evil.example"),
  sent("a comment before a dot, in brackets", "from_ambiguous", "Ada <ada@acme.test(x).evil.example>"),
  sent("a comment before a dot", "from_ambiguous", "ada@acme.test(x).evil.example"),
  sent("a blank before a dot", "from_ambiguous", "ada@acme.test .evil.example"),
  sent("a nested comment before a dot", "from_ambiguous", "Ada <ada@acme.test((a)b).evil.example>"),
  sent("a route to the victim", "dmarc_fail", "<@evil.example:ada@acme.test>"),
  sent("capitals", "dmarc_fail", "ADA@ACME.TEST"),
  sent("a dot at the end of the domain", "dmarc_fail", "ada@acme.test."),
  sent("an address before the @", "local_part_address", '"ada@acme.test"@evil.example'),
  sent("an encoded address", "no_sender", "=?utf-8?Q?ada=40acme.test?="),
  sent("an encoded address in brackets", "no_sender", "Ada <=?utf-8?Q?ada=40acme.test?=>"),
  sent("a NUL in the address", "no_sender", "ada@acme.test\u0000.evil.example"),
  sent("a control character in the address", "no_sender", "Ada <ada@acme.test\u0007.evil.example>"),
  sent("a mark that turns the text around, in the address", "no_sender", "Ada <ada@\u202eacme.test>"),
  sent("a soft hyphen in the domain", "hidden_characters", "ada@ac\u00adme.test"),
  sent("a zero-width blank before the @", "hidden_characters", "ada\u200b@evil.example"),
  sent("a full-width domain", "judged_elsewhere", "ada@ａｃｍｅ.test"),
  sent("an ideographic full stop", "dmarc_fail", "ada@acme。test"),
  sent("an IP address as domain", "no_organisation", "ada@[192.0.2.10]"),
  sent("a public suffix as domain", "no_organisation", "ada@co.uk"),
  sent("a bare host name", "no_organisation", "root@localhost"),
];

export const domains: readonly Form[] = [
  lookalike("gl0bex.test", "lookalike_of_own"),
  lookalike("glo-bex.test", "lookalike_of_own"),
  lookalike(accented.own, "lookalike_of_own"),
  lookalike("golbex.test", "lookalike_of_own"),
  lookalike("globx.test", "lookalike_of_own"),
  lookalike("globexs.test", "lookalike_of_own"),
  lookalike("globex.example", "lookalike_of_own"),
  lookalike("globex-billing.test", "lookalike_of_own"),
  lookalike("globex.test.evil.example", "lookalike_of_own"),
  lookalike("initr0de.test", "lookalike_of_known", "bill"),
  lookalike("initrdoe.test", "lookalike_of_known", "bill"),
  lookalike(accented.known, "lookalike_of_known", "bill"),
  lookalike("initrode.test.evil.example", "lookalike_of_known", "bill"),
  lookalike("modem.com", "lookalike_of_known", "di"),
  lookalike("modern.co", "lookalike_of_known", "di"),
  lookalike("modern.com.evil.example", "lookalike_of_known", "di"),
  lookalike("xn--80ak6aa92e.example", "lookalike_domain", "tim"),
  {
    name: "a domain of mixed scripts",
    code: "mixed_script_domain",
    raw: () => evils(bare("Pay <x@\u0440aypal.example>")),
  },
  sent("answers that go to a look-alike of ours", "reply_to_lookalike", "Eve <x@evil.example>", {
    more: ["Reply-To: jane@gl0bex.test"],
  }),
  sent("answers that go to a look-alike of a customer", "reply_to_lookalike", "Eve <x@evil.example>", {
    more: ["Reply-To: bill@initr0de.test"],
  }),
];

export const ownDomains: readonly Form[] = [
  sent("a colleague, from outside", "own_domain_unproven", "Jane Roe <jane@globex.test>"),
  sent("a colleague at a subdomain of ours", "own_domain_unproven", "jane@mail.globex.test"),
  sent("our inbound address", "own_domain_unproven", "deals@in.globex.test"),
  {
    name: "a colleague, who writes to a customer",
    code: "own_domain_unproven",
    raw: () =>
      evils(
        bare("Jane Roe <jane@globex.test>", { to: "Bill <bill@initrode.test>", more: ["Cc: deals@in.globex.test"] }),
      ),
  },
  {
    name: "a colleague, who forwards a customer's mail",
    code: "own_domain_unproven",
    raw: () =>
      evils(
        bare("Jane Roe <jane@globex.test>", {
          subject: "Fwd: Offer",
          body: "---------- Forwarded message ---------\r\nFrom: Bill <bill@initrode.test>\r\nDate: Mon, 13 Jul 2026 10:00:00 +0200\r\nSubject: Offer\r\nTo: Jane <jane@globex.test>\r\n\r\nPay us here.",
        }),
      ),
  },
  {
    name: "a colleague, by MAIL FROM of ours",
    code: "own_domain_unproven",
    peer: { ...evil, mailFrom: "jane@globex.test" },
    raw: () => bare("jane@globex.test", { subject: "MAIL FROM" }),
  },
];

export const mechanisms: readonly Form[] = [
  {
    name: "a colleague's signed mail sent again to another customer",
    code: "loosely_signed",
    raw: () =>
      changed(
        signedBy(
          "globex.test",
          bare("Jane Roe <jane@globex.test>", { to: "Bill <bill@initrode.test>", subject: "replayed to another" }),
          {
            headers: ["from", "subject", "date"],
          },
        ),
        "Bill <bill@initrode.test>",
        "Eve <x@evil.example>",
      ),
  },
  {
    name: "a Cc added to a colleague's signed mail",
    code: "loosely_signed",
    raw: () =>
      Buffer.concat([
        Buffer.from("Cc: Eve <x@evil.example>\r\n"),
        signedBy(
          "globex.test",
          bare("Jane Roe <jane@globex.test>", { to: "Bill <bill@initrode.test>", subject: "Cc added" }),
        ),
      ]),
  },
  sent("SPF and a signature that pass for the attacker, From of the victim", "dmarc_fail", ada, {
    subject: "aligned with nothing",
  }),
  {
    name: "nothing signed, MAIL FROM of the attacker",
    code: "dmarc_fail",
    raw: () => bare(ada, { subject: "unsigned" }),
  },
  {
    name: "MAIL FROM of the victim from another server",
    code: "dmarc_fail",
    peer: asAda,
    raw: () => bare(ada, { subject: "spf fail" }),
  },
  {
    name: "the null sender, HELO of the attacker passes",
    code: "dmarc_fail",
    peer: { ...evil, mailFrom: null },
    raw: () => bare(ada, { subject: "null sender" }),
  },
  {
    name: "the null sender, HELO of the victim",
    code: "dmarc_fail",
    peer: { ...evil, helo: "acme.test", mailFrom: null },
    raw: () => bare(ada, { subject: "helo" }),
  },
  { name: "a quarantine policy", code: "dmarc_fail", raw: () => evils(bare("x@quarantine.test")) },
  {
    name: "the victim's domain signed with another key",
    code: "dmarc_fail",
    raw: () =>
      signedBy("acme.test", bare(ada, { subject: "wrong key" }), { key: signingKey("ed25519", "evil.example") }),
  },
  {
    name: "a selector that does not exist",
    code: "dmarc_fail",
    raw: () => signedBy("acme.test", bare(ada, { subject: "selector" }), { selector: "none" }),
  },
  {
    name: "a selector that no name server can be asked for",
    code: "dmarc_fail",
    raw: () => signedBy("acme.test", bare(ada, { subject: "long selector" }), { selector: "a".repeat(80) }),
  },
  {
    name: "a selector that is no name",
    code: "dmarc_fail",
    raw: () => signedBy("acme.test", bare(ada, { subject: "odd selector" }), { selector: "a..b" }),
  },
  {
    name: "a revoked key",
    code: "dmarc_fail",
    raw: () => signedBy("acme.test", bare(ada, { subject: "revoked" }), { selector: "old" }),
  },
  {
    name: "a key that is too weak",
    code: "dmarc_fail",
    raw: () =>
      signedBy("acme.test", bare(ada, { subject: "weak" }), { selector: "weak", key: signingKey("rsa", "weak", 512) }),
  },
  {
    name: "a signature that has expired",
    code: "dmarc_fail",
    raw: () => signedBy("acme.test", bare(ada, { subject: "expired" }), { tags: ["t=1700000000", "x=1700600000"] }),
  },
  {
    name: "an identity of the victim in the attacker's signature",
    code: "dmarc_fail",
    raw: () => signedBy("evil.example", bare(ada, { subject: "i=" }), { tags: ["i=@acme.test"] }),
  },
  {
    name: "a signature that does not cover From",
    code: "dmarc_fail",
    raw: () =>
      signedBy("acme.test", bare("x@other.test", { subject: "no From signed" }), { headers: ["subject", "date"] })
        .toString("latin1")
        .replace("From: x@other.test", `From: ${ada}`) as unknown as Uint8Array,
  },
  {
    name: "a body that was changed",
    code: "dmarc_fail",
    raw: () => changed(signedBy("acme.test", bare(ada, { subject: "body" })), "Ten, please.", "Pay here: evil.example"),
  },
  {
    name: "a subject that was changed",
    code: "dmarc_fail",
    raw: () => changed(signedBy("acme.test", bare(ada, { subject: "first" })), "Subject: first", "Subject: Pay now"),
  },
  {
    name: "text behind the part that l= signs",
    code: "short_body",
    raw: () =>
      Buffer.concat([
        signedBy("acme.test", bare(ada, { subject: "l=" }), { bodyLength: 14 }),
        Buffer.from("Pay to this account.\r\n"),
      ]),
  },
  {
    name: "l=0: nothing of the body is signed",
    code: "short_body",
    raw: () =>
      changed(
        signedBy("acme.test", bare(ada, { subject: "l=0" }), { bodyLength: 0 }),
        "Ten, please.",
        "Pay to this account.",
      ),
  },
  {
    name: "an honest mail sent again under another subject, which is not signed",
    code: "loosely_signed",
    raw: () =>
      changed(
        signedBy("acme.test", bare(ada, { subject: "replayed" }), { headers: ["from", "to", "date", "message-id"] }),
        "Subject: replayed",
        "Subject: New account number",
      ),
  },
  {
    name: "a second Subject before the one that is signed",
    code: "loosely_signed",
    raw: () =>
      Buffer.concat([
        Buffer.from("Subject: New account number\r\n"),
        signedBy("acme.test", bare(ada, { subject: "signed once" })),
      ]),
  },
  {
    name: "a second Date before the one that is signed",
    code: "loosely_signed",
    raw: () =>
      Buffer.concat([
        Buffer.from("Date: Wed, 15 Jul 2026 09:15:00 +0200\r\n"),
        signedBy("acme.test", bare(ada, { subject: "dated once" })),
      ]),
  },
  {
    name: "a Reply-To put before an honest, signed mail",
    code: "loosely_signed",
    raw: () =>
      Buffer.concat([
        Buffer.from("Reply-To: ada@evil.example\r\n"),
        signedBy("acme.test", bare(ada, { subject: "answers" })),
      ]),
  },
  { name: "a subdomain under sp=reject", code: "dmarc_fail", raw: () => evils(bare("x@mail.subs.test")) },
  {
    name: "a subdomain that does not exist, under np=reject",
    code: "dmarc_fail",
    raw: () => evils(bare("x@nowhere.np.test")),
  },
  {
    name: "a subdomain's signature under strict alignment",
    code: "dmarc_fail",
    raw: () => signedBy("user.strict.test", bare("ceo@strict.test")),
  },
  {
    name: "a neighbour under a private suffix",
    code: "dmarc_fail",
    peer: { ...evil, mailFrom: "x@evil.github.io" },
    raw: () => signedBy("evil.github.io", bare("x@victim.github.io")),
  },
  {
    name: "an SPF policy of the attacker that never ends",
    code: "dmarc_fail",
    peer: { ...evil, mailFrom: "x@many.test" },
    raw: () => bare(ada, { subject: "many includes" }),
  },
  {
    name: "an SPF policy of the victim that includes itself",
    code: "dmarc_fail",
    peer: { ...evil, mailFrom: "x@loop.test" },
    raw: () => bare("x@loop.test"),
  },
  {
    name: "a domain without DMARC whose SPF says no",
    code: "spf_fail",
    peer: { ...evil, mailFrom: "x@nodmarc.test" },
    raw: () => bare("x@nodmarc.test"),
  },
  {
    name: "a domain with two DMARC records whose SPF says no",
    code: "spf_fail",
    peer: { ...evil, mailFrom: "x@twice.test" },
    raw: () => bare("x@twice.test"),
  },
  {
    name: "a monitored domain whose SPF says no",
    code: "spf_fail",
    peer: { ...evil, mailFrom: "x@monitor.test" },
    raw: () => bare("x@monitor.test"),
  },
  {
    name: "thirty signatures of the attacker",
    code: "dmarc_fail",
    raw: () =>
      Array.from({ length: 30 }).reduce<Buffer>((raw) => evils(raw), bare(ada, { subject: "thirty" }) as Buffer),
  },
  {
    name: "a line that costs too much to verify",
    code: "too_costly",
    raw: () => bare(ada, { subject: "long line", body: "x".repeat(1_200_000) }),
  },
  {
    name: "headers that cost too much to verify",
    code: "too_costly",
    raw: () =>
      bare(ada, { subject: "long header", more: Array.from({ length: 4_000 }, (_, n) => `X-${n}: ${"x".repeat(80)}`) }),
  },
];

export const claims: readonly Form[] = [
  sent("Authentication-Results by our own name", "dmarc_fail", ada, {
    top: ["Authentication-Results: mx.in.globex.test; dmarc=pass header.from=acme.test"],
  }),
  sent("Received-SPF that says pass", "dmarc_fail", ada, {
    top: ["Received-SPF: pass (mx.in.globex.test: domain of ada@acme.test) client-ip=192.0.2.10;"],
  }),
  {
    name: "a mailbox whose host says that DMARC failed, above a forged block that says it passed",
    code: "dmarc_fail",
    imap: ["mx.host.test"],
    raw: () =>
      bare(ada, {
        top: [
          "Authentication-Results: mx.host.test; spf=fail smtp.mailfrom=evil.example; dmarc=fail (p=reject) header.from=acme.test policy.dmarc=reject",
          "Authentication-Results: mx.host.test; dmarc=pass header.from=acme.test",
        ],
      }),
  },
  {
    name: "a chain that the attacker sealed himself",
    code: "dmarc_fail",
    raw: () =>
      sealedBy(
        "evil.example",
        bare(ada, { subject: "own seal" }),
        "dmarc=pass header.from=acme.test; dkim=pass header.d=acme.test",
      ),
  },
  {
    name: "a seal of a list, which saw DMARC fail",
    code: "dmarc_fail",
    peer: lists,
    raw: () =>
      sealedBy(
        "lists.test",
        bare(ada, { subject: "seal of a failure" }),
        "dmarc=fail (p=reject) header.from=acme.test; spf=pass smtp.mailfrom=x@evil.example",
      ),
  },
  {
    name: "a seal of a list, and comments that lie",
    code: "dmarc_fail",
    peer: lists,
    raw: () =>
      sealedBy(
        "lists.test",
        bare(ada, { subject: "seal with a comment" }),
        'dmarc=fail (dmarc=pass header.from=acme.test) header.from=acme.test; spf=pass smtp.mailfrom="a; dmarc=pass header.from=acme.test"@evil.example',
      ),
  },
  {
    name: "a sealed mail that was changed afterwards",
    code: "dmarc_fail",
    raw: () =>
      changed(
        sealedBy("lists.test", bare(ada, { subject: "changed after its seal" }), "dmarc=pass header.from=acme.test"),
        "Ten, please.",
        "Pay here: evil.example",
      ),
  },
  { name: "a forged seal of a list", code: "dmarc_fail", raw: () => forgedSeal(bare(ada, { subject: "forged seal" })) },
  {
    name: "an older seal of a list below one of the attacker",
    code: "dmarc_fail",
    raw: () =>
      sealedBy(
        "evil.example",
        sealedBy("lists.test", bare(ada, { subject: "older seal" }), "dmarc=pass header.from=acme.test"),
        "arc=pass; dmarc=pass header.from=acme.test",
        2,
      ),
  },
  sent("a Sender of the attacker beside From of the victim", "dmarc_fail", ada, { more: ["Sender: x@evil.example"] }),
  sent("a Resent-From of the attacker", "dmarc_fail", ada, {
    top: ["Resent-From: x@evil.example", "Resent-Date: Tue, 14 Jul 2026 09:15:00 +0200"],
  }),
  sent("an X-Original-From of the victim", "dmarc_fail", ada, {
    more: [`X-Original-From: ${ada}`, "X-Google-DKIM-Signature: v=1; d=acme.test"],
  }),
];

function changed(raw: Buffer, before: string, after: string): Buffer {
  const text = raw.toString("latin1");
  if (!text.includes(before)) throw new Error(`nothing to change: ${before}`);
  return Buffer.from(text.replace(before, after), "latin1");
}

function forgedSeal(raw: Uint8Array): Buffer {
  const sealed = sealedBy("lists.test", raw, "dmarc=pass header.from=acme.test").toString("latin1");
  return Buffer.from(sealed.replace(/(ARC-Seal:[^;]*;[\s\S]*?b=)[A-Za-z0-9+/]{20}/, `$1${"A".repeat(20)}`), "latin1");
}

export const forms: readonly Form[] = [
  ...displayNames,
  ...severalSenders,
  ...addresses,
  ...domains,
  ...ownDomains,
  ...mechanisms,
  ...claims,
];
