/** Whose word for a sender counts once a person trusts him: who vouches for strangers' mail in the same way proves nothing of this one. */
import type { Message } from "../../model/event.ts";
import type { People } from "../../model/people.ts";
import { customersBelow } from "../domains.ts";
import { type Case, type Sender, sameOrganisation } from "./case.ts";

/**
 * Registrable domains by which mail services and web hosts sign for, or send in the name of, every customer of theirs: whoever opens an account there
 * has the same signature under any From. The large ones; freemail, which anybody can join too, is told by its own list.
 */
const shared = new Set([
  "1e100.net",
  "acems1.com",
  "acems2.com",
  "amazonses.com",
  "bluehost.com",
  "brevo.com",
  "brevosend.com",
  "ccsend.com",
  "cmail19.com",
  "cmail20.com",
  "constantcontact.com",
  "createsend.com",
  "customeriomail.com",
  "dreamhost.com",
  "elasticemail.com",
  "emailsignatures365.com",
  "emailsrvr.com",
  "exacttarget.com",
  "exclaimer.com",
  "exclaimer.net",
  "freelists.org",
  "freshdesk.com",
  "freshemail.io",
  "gandi.net",
  "gappssmtp.com",
  "getresponse-mail.com",
  "google.com",
  "groups.io",
  "hostedemail.com",
  "hosteurope.de",
  "hostgator.com",
  "hostinger.com",
  "hubspotemail.net",
  "infomaniak.ch",
  "intercom-mail.com",
  "ionos.com",
  "ispgateway.de",
  "kasserver.com",
  "klaviyomail.com",
  "kundenserver.de",
  "mailanyone.net",
  "mailchannels.net",
  "mailchimpapp.net",
  "mailersend.net",
  "mailgun.net",
  "mailgun.org",
  "mailjet.com",
  "mailtrap.live",
  "mandrillapp.com",
  "mcdlv.net",
  "mcsv.net",
  "messagelabs.com",
  "messagingengine.com",
  "mimecast.com",
  "mktomail.com",
  "mlsend.com",
  "mtasv.net",
  "one.com",
  "onmicrosoft.com",
  "ovh.net",
  "pardot.com",
  "postmarkapp.com",
  "ppe-hosted.com",
  "pphosted.com",
  "privateemail.com",
  "registrar-servers.com",
  "resend.com",
  "resend.dev",
  "rsgsv.net",
  "salesforce.com",
  "secureserver.net",
  "sendgrid.info",
  "sendgrid.net",
  "sendinblue.com",
  "shopifyemail.com",
  "smtp.com",
  "smtp2go.com",
  "smtpcorp.com",
  "smtpservice.net",
  "sourceforge.net",
  "sparkpostmail.com",
  "sparkpostmail1.com",
  "squarespace-mail.com",
  "stackmail.com",
  "strato.de",
  "unifiedlayer.com",
  "web-hosting.com",
  "websitewelcome.com",
  "your-server.de",
  "zcsend.net",
  "zendesk.com",
  "zoho.eu",
  "zohomail.com",
  "zohomail.eu",
  "zohomail.in",
]);

/** Each customer of Microsoft's signs by his own name alone. SPF says less, since all of them send from the same servers. */
const signsForOne = `.${customersBelow}`;

/**
 * The names that a person's trust is bound to, the same for the mail that it was given for and for those that come later. An organisation's own word
 * counts where DMARC lets it: under a record that asks for the same domain, another one of the organisation stands for itself alone. A stranger's counts
 * where not everybody can get it, never for what came through a mailing list, which signs again whatever From says, and never for an address at a
 * freemail host, which signs or sends what is its own.
 */
export function vouchersFor(
  { domain: from }: Sender,
  { message, evidence: { spf, dkim }, people }: Pick<Case, "message" | "evidence" | "people">,
): string[] {
  const signed = dkim.filter(({ result, short_body }) => result === "pass" && !short_body);
  const passed = [
    ...signed.map(({ domain, aligned }) => ({ domain, aligned, signs: true })),
    ...(spf?.result === "pass" ? [{ domain: spf.domain, aligned: spf.aligned, signs: false }] : []),
  ];
  const strangersCount = !isFromList(message) && !isAnybodys(from, people);
  const names = passed.flatMap(({ domain, aligned, signs }) => {
    if (domain === null) return [];
    const host = people.registrable(domain) ?? domain;
    const same = sameOrganisation(domain, from, people);
    if (aligned !== null && same) return [host];
    const isOnes = signs && host.endsWith(signsForOne);
    if (!strangersCount || (isAnybodys(host, people) && !isOnes)) return [];
    return same ? [domain] : [host];
  });
  return [...new Set(names)];
}

const isAnybodys = (domain: string, people: People): boolean =>
  shared.has(domain) || people.isFreemail(domain) || people.isDisposable(domain);

/** By the names of the fields too: a value that cannot be read is a list's all the same. */
const isFromList = ({ list, headers }: Message): boolean =>
  list !== null &&
  (list.id !== null || list.post !== null || headers.some(([name]) => /^list-(?:id|post)$/i.test(name)));
