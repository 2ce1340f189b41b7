/** Every code that `auth.reasons` can hold: the most trust that a mail with it can have, what it says, and what to do. Codes are part of the interface. */
import type { TrustLevel } from "./auth.ts";

export interface TrustReason {
  /** The trust of a mail is the lowest that one of its reasons allows. */
  readonly most: TrustLevel;
  readonly says: string;
  readonly todo: string;
  /** A person who trusts this sender, with the domain that vouches for it, lifts it. */
  readonly lifted?: true;
}

const none = "Nothing.";
const asksSender =
  "Ask the sender's administrator for DKIM and a DMARC record; until then the contact is flagged, and no company or deal is made.";
const shape =
  "Look at the raw mail. No mail program of a person writes such a header: reject it unless you know better.";
const resembling =
  "Compare the domain letter by letter with the one you know. If it is honest, trust the sender; if it is your own, add it to people.own_domains.";

export const trustReasons = {
  // What speaks for the sender. A mail has exactly one of these, the best that applies; beside a weak one, sender_trusted may stand too.
  dmarc_pass: { most: "verified", says: "DMARC passed for the domain of From.", todo: none },
  among_sent: {
    most: "verified",
    says: "It lies among the sent mail of an account of yours: whoever owns the account wrote it.",
    todo: none,
  },
  dkim_aligned: {
    most: "aligned-weak",
    says: "A signature of the From domain's organisation holds; DMARC says nothing of it.",
    todo: asksSender,
  },
  spf_aligned: {
    most: "aligned-weak",
    says: "The From domain's organisation lets this server send its mail (SPF); DMARC says nothing of it.",
    todo: asksSender,
  },
  claimed_aligned: {
    most: "aligned-weak",
    says: "A host that trust.authserv_ids names saw an aligned signature or SPF pass, and says nothing of DMARC.",
    todo: none,
  },
  arc_pass: {
    most: "aligned-weak",
    says: "It was changed on its way, and a forwarder that trust.arc_sealers names vouches that the sender had passed before.",
    todo: none,
  },
  sender_trusted: {
    most: "aligned-weak",
    says: "A person trusts this sender, and the domain that vouched for it then vouches for this mail too.",
    todo: "Nothing, or take the decision back.",
  },
  dmarc_fail_unenforced: {
    most: "unverified",
    says: "DMARC did not pass, and the domain asks for nothing in that case (p=none).",
    todo: asksSender,
  },
  no_proof: {
    most: "unverified",
    says: "Nothing speaks for the domain of From, and no policy of it speaks against.",
    todo: asksSender,
  },
  dns_failed: {
    most: "unverified",
    says: "DNS was down, slow or lying, so that nothing is known.",
    todo: "Look at `mailwright doctor`; then `mailwright reprocess` the mail.",
  },
  not_verified: {
    most: "unverified",
    says: "Nobody looked: dns.verify is off, or the mail came by a source without a word of the host that received it.",
    todo: "Set dns.verify, or name that host in trust.authserv_ids.",
  },
  no_sender: {
    most: "unverified",
    says: "The mail names no sender.",
    todo: "Nothing; it is held, since no contact can be found by it.",
  },
  dmarc_fail: {
    most: "suspicious",
    says: "DMARC failed, and the domain of From asks that such mail be quarantined or rejected.",
    todo: "Treat it as forged. If it is honest, it was changed on its way: name the forwarder in trust.arc_sealers, or trust the sender.",
    lifted: true,
  },
  spf_fail: {
    most: "suspicious",
    says: "The domain of From says that this server may not send its mail (SPF), and no signature says otherwise.",
    todo: "Treat it as forged. If it was forwarded without a signature, ask the sender for DKIM.",
    lifted: true,
  },
  too_costly: {
    most: "suspicious",
    says: "The mail is made so that verifying it would cost more than a mail may: a line over 1 MiB, headers over 256 KiB, or worse.",
    todo: "Look at the raw mail. If it is honest (some programs write html in one line), let it through.",
  },
  short_body: {
    most: "suspicious",
    says: "The only thing that speaks for the sender is a signature that leaves some of the body out (l=): anybody can have added that.",
    todo: "Look at what stands at the end. Ask the sender to sign without l=.",
  },
  loosely_signed: {
    most: "suspicious",
    says: "The only thing that speaks for the sender is a signature under which the Subject, the Date, a Reply-To, or the recipients of a colleague's mail can have been written by anybody.",
    todo: "Look whether the text fits its subject. Ask the sender to sign these headers.",
  },
  // Shapes of From that no honest program writes.
  duplicate_from: {
    most: "suspicious",
    says: "There are two From headers: programs show one or the other.",
    todo: shape,
  },
  multiple_from: {
    most: "suspicious",
    says: "From names several mailboxes, of which DMARC can judge none.",
    todo: shape,
  },
  from_ambiguous: {
    most: "suspicious",
    says: "Programs take different addresses out of From: comments, blanks or several brackets stand in it.",
    todo: shape,
  },
  from_group: { most: "suspicious", says: "From holds a group, which hides its mailbox.", todo: shape },
  from_elsewhere: {
    most: "suspicious",
    says: "From names no address that mail can be sent to; another header's was taken.",
    todo: shape,
  },
  encoded_address: { most: "suspicious", says: "The address of From is encoded, as none may be.", todo: shape },
  hidden_characters: {
    most: "suspicious",
    says: "The address of From holds characters that nobody sees.",
    todo: shape,
  },
  mixed_script_domain: {
    most: "suspicious",
    says: "The domain of From mixes scripts, as look-alikes of known names do.",
    todo: resembling,
    lifted: true,
  },
  lookalike_domain: {
    most: "suspicious",
    says: "The domain of From is a word of another script that looks like one in Latin letters.",
    todo: resembling,
    lifted: true,
  },
  no_organisation: {
    most: "suspicious",
    says: "The domain of From can be nobody's: a public suffix (co.uk), a bare host name or an IP address.",
    todo: "If it is a machine of yours, give it a full domain name, or add it to people.excluded.",
  },
  judged_elsewhere: {
    most: "suspicious",
    says: "DMARC judged another domain than the one that is shown as the sender's, or found none: From is written for two readers.",
    todo: shape,
  },
  // Somebody passes himself off as somebody else.
  own_domain_unproven: {
    most: "suspicious",
    says: "The sender is at one of your own domains, and nothing proves it.",
    todo: "Treat it as impersonation. If it is yours, let that system sign with DKIM, or name its servers in your SPF record.",
  },
  own_domain_unseen: {
    most: "unverified",
    says: "The sender is at one of your own domains, and nobody looked whether that is so.",
    todo: "Name the host that receives mail for this mailbox in trust.authserv_ids.",
  },
  name_contains_address: {
    most: "suspicious",
    says: "The display name holds an address of somebody else's organisation.",
    todo: "Treat it as impersonation. If it is a service that writes so, trust the sender.",
    lifted: true,
  },
  local_part_address: {
    most: "suspicious",
    says: "What stands before the @ of From is an address by itself, which programs show as the sender's.",
    todo: shape,
  },
  colleague_name: {
    most: "suspicious",
    says: "The display name is that of a colleague, the address is not yours.",
    todo: "Ask the colleague by another way. A namesake, or a private address: trust the sender.",
    lifted: true,
  },
  own_brand_name: {
    most: "suspicious",
    says: "The display name is that of your own company, the address is not yours.",
    todo: "Treat it as impersonation. If it is a service that writes in your name, trust the sender.",
    lifted: true,
  },
  known_name_elsewhere: {
    most: "unverified",
    says: "The display name is that of somebody you know at another address.",
    todo: "Ask them by the address you know. If it is theirs too, list both under `same_person` of the mapping, or trust the sender.",
    lifted: true,
  },
  lookalike_of_own: {
    most: "suspicious",
    says: "The domain of From looks like one of your own.",
    todo: resembling,
    lifted: true,
  },
  lookalike_of_known: {
    most: "suspicious",
    says: "The domain of From looks like that of a company you have dealt with.",
    todo: resembling,
    lifted: true,
  },
  known_domain_elsewhere: {
    most: "unverified",
    says: "A company you have dealt with has this domain under another ending (.com, .de).",
    todo: "Often that company's own: then trust the sender.",
    lifted: true,
  },
  reply_to_elsewhere: {
    most: "aligned-weak",
    says: "Answers go to another organisation than the sender's.",
    todo: "Look where an answer would go before you write one.",
  },
  reply_to_freemail: {
    most: "unverified",
    says: "The sender is at a company, and answers go to a freemail or throw-away address.",
    todo: "Ask the sender by an address you know before you answer.",
  },
  reply_to_lookalike: {
    most: "suspicious",
    says: "Answers go to a domain that looks like the sender's, one of your own, or that of a company you have dealt with.",
    todo: "Treat it as fraud, and tell the company that is imitated.",
  },
  message_id_conflict: {
    most: "aligned-weak",
    says: "Another mail with this Message-ID and other content is known: one of the two may be forged.",
    todo: "Compare the two; both are kept.",
  },
} as const satisfies Readonly<Record<string, TrustReason>>;
export type TrustReasonCode = keyof typeof trustReasons;
