/** Whose word for a sender counts once a person trusts him: who vouches for strangers' mail in the same way proves nothing of this one. */
import type { Evidence } from "../../model/event.ts";
import type { People } from "../../model/people.ts";
import { type Sender, sameOrganisation } from "./case.ts";

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
  "exacttarget.com",
  "exclaimer.com",
  "exclaimer.net",
  "freshdesk.com",
  "freshemail.io",
  "gandi.net",
  "gappssmtp.com",
  "getresponse-mail.com",
  "google.com",
  "hostedemail.com",
  "hostgator.com",
  "hostinger.com",
  "hubspotemail.net",
  "infomaniak.ch",
  "intercom-mail.com",
  "ionos.com",
  "klaviyomail.com",
  "kundenserver.de",
  "mailanyone.net",
  "mailchannels.net",
  "mailchimpapp.net",
  "mailersend.net",
  "mailgun.net",
  "mailgun.org",
  "mailjet.com",
  "mandrillapp.com",
  "mcdlv.net",
  "mcsv.net",
  "messagelabs.com",
  "messagingengine.com",
  "mimecast.com",
  "mktomail.com",
  "mlsend.com",
  "mtasv.net",
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
  "smtpservice.net",
  "sparkpostmail.com",
  "sparkpostmail1.com",
  "squarespace-mail.com",
  "stackmail.com",
  "strato.de",
  "unifiedlayer.com",
  "websitewelcome.com",
  "zcsend.net",
  "zendesk.com",
  "zohomail.com",
  "zohomail.eu",
]);

/**
 * The names that a person's trust is bound to, the same for the mail that it was given for and for those that come later. An organisation's own word
 * counts where DMARC lets it: under a record that asks for the same domain, another one of the organisation stands for itself alone. A stranger's counts
 * where not everybody can get it, and never for an address at a freemail host, which signs or sends what is its own.
 */
export function vouchersFor({ domain: from }: Sender, { spf, dkim }: Evidence, people: People): string[] {
  const passed = [
    ...dkim.filter(({ result, short_body }) => result === "pass" && !short_body),
    ...(spf?.result === "pass" ? [spf] : []),
  ];
  const names = passed.flatMap(({ domain, aligned }) => {
    if (domain === null) return [];
    const host = people.registrable(domain) ?? domain;
    if (aligned !== null && sameOrganisation(domain, from, people)) return [host];
    if (isAnybodys(from, people) || isAnybodys(host, people)) return [];
    return sameOrganisation(domain, from, people) ? [domain] : [host];
  });
  return [...new Set(names)];
}

const isAnybodys = (domain: string, people: People): boolean =>
  shared.has(domain) || people.isFreemail(domain) || people.isDisposable(domain);
