/** Honest mail, which must pass beside the forms of forgery; and mail that nothing speaks for or against. */
import type { TrustLevel } from "../../../../src/model/event.ts";
import type { Failure } from "../../../support/dns-zone.ts";
import type { Form } from "./forms.ts";
import { acme, forwarder, globex, lists, mail, type Peer, sealedBy, signedBy } from "./world.ts";

interface Honest extends Form {
  readonly trust: TrustLevel;
  /** Of the decision, where it is not to file the mail under its sender. */
  readonly rule?: string;
}

const ada = "Ada Lovelace <ada@acme.test>";
const signedAda = (subject: string, more: readonly string[] = []): Buffer =>
  signedBy("acme.test", mail({ from: ada, subject, more }));
const esp: Peer = { ip: "192.0.2.60", helo: "mx.esp.test", mailFrom: "bounce@esp.test" };
const gmail: Peer = { ip: "192.0.2.40", helo: "mail.gmail.com", mailFrom: "carl@gmail.com" };
const listed = ["List-Id: <users.lists.test>", "List-Post: <mailto:users@lists.test>"];
const withFooter = (raw: Buffer): Buffer => Buffer.concat([raw, Buffer.from("-- \r\nusers mailing list\r\n")]);

export const honest: readonly Honest[] = [
  {
    name: "signed, from its own server",
    trust: "verified",
    code: "dmarc_pass",
    peer: acme,
    raw: () => signedAda("both"),
  },
  {
    name: "by SPF alone",
    trust: "verified",
    code: "dmarc_pass",
    peer: acme,
    raw: () => mail({ from: ada, subject: "spf" }),
  },
  {
    name: "signed by a subdomain",
    trust: "verified",
    code: "dmarc_pass",
    peer: esp,
    raw: () => signedBy("mail.acme.test", mail({ from: ada, subject: "subdomain" })),
  },
  {
    name: "from a subdomain, signed by the domain",
    trust: "verified",
    code: "dmarc_pass",
    peer: esp,
    raw: () => signedBy("acme.test", mail({ from: "Ada <ada@mail.acme.test>" })),
  },
  {
    name: "through a mail service that signs for itself too",
    trust: "verified",
    code: "dmarc_pass",
    peer: esp,
    raw: () => signedBy("esp.test", signedAda("service")),
  },
  {
    name: "from freemail",
    trust: "verified",
    code: "dmarc_pass",
    peer: gmail,
    raw: () => signedBy("gmail.com", mail({ from: "Carl Cern <carl@gmail.com>" })),
  },
  {
    name: "handed on unchanged by a forwarder, MAIL FROM kept",
    trust: "verified",
    code: "dmarc_pass",
    peer: forwarder,
    raw: () => signedAda("forwarded"),
  },
  {
    name: "handed on unchanged by a forwarder, MAIL FROM rewritten",
    trust: "verified",
    code: "dmarc_pass",
    peer: { ...forwarder, mailFrom: "SRS0=x=acme.test=ada@forward.test" },
    raw: () => signedAda("rewritten"),
  },
  {
    name: "through a list that changes nothing",
    trust: "verified",
    code: "dmarc_pass",
    peer: lists,
    rule: "automated.list",
    raw: () => signedAda("unchanged list", listed),
  },
  {
    name: "through a list that changes it and seals",
    trust: "aligned-weak",
    code: "arc_pass",
    peer: lists,
    raw: () =>
      sealedBy(
        "lists.test",
        withFooter(signedAda("sealed list")),
        "dkim=pass header.d=acme.test; dmarc=pass (p=reject) header.from=acme.test",
      ),
  },
  {
    name: "of a list that writes itself into From",
    trust: "aligned-weak",
    code: "reply_to_elsewhere",
    peer: lists,
    rule: "automated.list",
    raw: () =>
      signedBy(
        "lists.test",
        mail({ from: "Ada Lovelace via Users <users@lists.test>", more: [`Reply-To: ${ada}`, ...listed] }),
        { headers: ["from", "to", "subject", "date", "reply-to"] },
      ),
  },
  {
    name: "signed, without a DMARC record",
    trust: "aligned-weak",
    code: "dkim_aligned",
    peer: esp,
    raw: () => signedBy("nodmarc.test", mail({ from: "x@nodmarc.test", subject: "no record" })),
  },
  {
    name: "by SPF, without a DMARC record",
    trust: "aligned-weak",
    code: "spf_aligned",
    peer: { ip: "192.0.2.70", helo: "mx.nodmarc.test", mailFrom: "x@nodmarc.test" },
    raw: () => mail({ from: "x@nodmarc.test", subject: "spf, no record" }),
  },
  {
    name: "of a colleague who writes to a customer",
    trust: "verified",
    code: "dmarc_pass",
    peer: globex,
    raw: () =>
      signedBy(
        "globex.test",
        mail({
          from: "Jane Roe <jane@globex.test>",
          to: "Bill <bill@initrode.test>",
          subject: "To a customer",
          more: ["Cc: deals@in.globex.test"],
        }),
      ),
  },
  {
    name: "from a mailbox whose host saw DMARC pass",
    trust: "verified",
    code: "dmarc_pass",
    imap: ["mx.host.test"],
    raw: () =>
      mail({
        from: ada,
        subject: "imap",
        top: [
          "Authentication-Results: mx.host.test; spf=pass smtp.mailfrom=ada@acme.test; dmarc=pass header.from=acme.test",
        ],
      }),
  },
  {
    name: "with answers to a subdomain",
    trust: "verified",
    code: "dmarc_pass",
    peer: acme,
    raw: () => signedAda("answers", ["Reply-To: ada@mail.acme.test"]),
  },
  {
    name: "with answers to a help desk",
    trust: "aligned-weak",
    code: "reply_to_elsewhere",
    peer: acme,
    raw: () => signedAda("help desk", ["Reply-To: acme@desk.example"]),
  },
  {
    name: "with its own address as a name",
    trust: "verified",
    code: "dmarc_pass",
    peer: acme,
    raw: () => signedBy("acme.test", mail({ from: '"ada@acme.test" <ada@acme.test>' })),
  },
  {
    name: "from a domain with an umlaut",
    trust: "verified",
    code: "dmarc_pass",
    peer: { ip: "192.0.2.61", helo: "mx.example", mailFrom: "x@xn--mnchen-3ya.example" },
    raw: () => signedBy("xn--mnchen-3ya.example", mail({ from: "Jörg <x@münchen.example>" })),
  },
  {
    name: "with l= over the whole body",
    trust: "verified",
    code: "dmarc_pass",
    peer: esp,
    raw: () => signedBy("acme.test", mail({ from: ada, subject: "whole l=" }), { bodyLength: 14 }),
  },
  {
    name: "from a customer who is known",
    trust: "verified",
    code: "dmarc_pass",
    peer: { ip: "192.0.2.30", helo: "mx.initrode.test", mailFrom: "bill@initrode.test" },
    raw: () => signedBy("initrode.test", mail({ from: "Bill Lumbergh <bill@initrode.test>" })),
  },
  {
    name: "of a secretary, in Sender",
    trust: "verified",
    code: "dmarc_pass",
    peer: acme,
    raw: () => signedAda("secretary", ["Sender: bob@acme.test"]),
  },
  {
    name: "with headers signed twice over",
    trust: "verified",
    code: "dmarc_pass",
    peer: esp,
    raw: () =>
      signedBy("acme.test", mail({ from: ada, subject: "oversigned" }), {
        headers: ["from", "from", "to", "subject", "subject", "date", "date"],
      }),
  },
  {
    name: "of a colleague, forwarded, with its recipients signed",
    trust: "verified",
    code: "dmarc_pass",
    peer: forwarder,
    raw: () =>
      signedBy(
        "globex.test",
        mail({ from: "Jane Roe <jane@globex.test>", to: "Bill <bill@initrode.test>", subject: "Signed To" }),
      ),
  },
  {
    name: "in capitals",
    trust: "verified",
    code: "dmarc_pass",
    peer: acme,
    raw: () => signedBy("acme.test", mail({ from: "ADA@ACME.TEST", subject: "capitals" })),
  },
];

export const nothingKnown: readonly (Form & { readonly dns?: Failure })[] = [
  { name: "a domain without any record", code: "no_proof", raw: () => mail({ from: "x@nobody.test" }) },
  {
    name: "a domain without DMARC, from the attacker's server and signed by it",
    code: "no_proof",
    raw: () => signedBy("evil.example", mail({ from: "x@nodmarc.test", subject: "others sign" })),
  },
  {
    name: "a domain that asks for nothing (p=none)",
    code: "dmarc_fail_unenforced",
    raw: () => signedBy("evil.example", mail({ from: "x@monitor.test", subject: "p=none" })),
  },
  {
    name: "a domain with two DMARC records",
    code: "no_proof",
    raw: () => signedBy("evil.example", mail({ from: "x@twice.test", subject: "two records" })),
  },
  {
    name: "DNS that fails",
    code: "dns_failed",
    dns: "servfail",
    raw: () => signedBy("acme.test", mail({ from: ada, subject: "servfail" })),
    peer: acme,
  },
  {
    name: "DNS that refuses",
    code: "dns_failed",
    dns: "refused",
    raw: () => signedBy("acme.test", mail({ from: ada, subject: "refused" })),
    peer: acme,
  },
  {
    name: "a mailbox without a word of its host",
    code: "no_proof",
    imap: [],
    raw: () => mail({ from: ada, subject: "no word" }),
  },
  {
    name: "a mailbox with a word of somebody else",
    code: "no_proof",
    imap: ["mx.host.test"],
    raw: () =>
      mail({
        from: ada,
        subject: "another's word",
        top: ["Authentication-Results: mx.evil.example; dmarc=pass header.from=acme.test"],
      }),
  },
];
