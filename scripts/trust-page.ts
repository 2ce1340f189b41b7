/** Writes docs/trust.md: what trust in a sender is, what it gates, and every reason with what to do about it. */
import { type TrustReason, trustReasons } from "../src/model/event/trust-reasons.ts";

const opening = `# Trust: who really wrote this mail

Anybody can write any name and address into From. So every event says how sure it is that the sender wrote it: \`auth.trust\`, with every reason in
\`auth.reasons\`, the deciding one first. \`mailwright explain ID\` shows them beside the evidence (SPF, DKIM, DMARC, ARC, and what others claim).

| trust | what it means | what it may do |
|---|---|---|
| \`verified\` | One From header with one address, DMARC passed for exactly its organisation, by SPF or by a signature over the whole body, and nothing speaks against. | contact, activity; company and deal as the mapping says |
| \`aligned-weak\` | Something of the sender's organisation vouches for the mail, but less than DMARC. | contact and activity, flagged; company and deal only where a person trusts the sender, or a rule asks for less ([mapping](mapping.md)) |
| \`unverified\` | No evidence either way: no records, DNS down, nobody looked. | contact and activity, flagged; no company, no deal; nothing that exists is changed |
| \`suspicious\` | Evidence against: DMARC failed under a policy, a forged form of From, impersonation, a look-alike. | nothing: it is held in review |

\`trust.create_contact\` asks for more before a new contact is made. Nothing makes suspicious mail pass by itself.

A reason allows at most the trust that stands beside it; the lowest counts. Exactly one reason says what speaks for the sender (or that
nothing does), and beside a weak one \`sender_trusted\` that a person trusts him; all others can only lower it. So more evidence
against a mail never makes it more trusted, and a code that you see explains itself.

## What is remembered of senders

Look-alikes of your customers can only be told by knowing your customers. Each mail that was at least \`aligned-weak\` teaches: its address, the
registrable domain and how that looks, the display name, and when. All of it as hashes under a key of this installation: the ledger's file alone tells
nobody with whom you deal. Freemail and throw-away domains are nobody's, and are never a known company. A mail that is reprocessed or comes twice teaches
nothing new. Some 50,000 senders are kept for each tenant; the longest unseen go first.

## Trusting a sender

\`mailwright review resolve\` can trust a sender. That is bound to the evidence: this address, as long as the domain that vouched for the mail (by DKIM or SPF)
vouches for the next one too. A mail that nothing vouches for can be let through itself, and its address stays as it is: anybody could write it again. So
it is with the signature or the SPF of a mail service or a freemail host (sendgrid.net, amazonses.com, gappssmtp.com, gmail.com) for an address that
is not its own, since every customer of it gets the same, and with what came through a mailing list (List-Id, List-Post), which signs again whatever From
says. Microsoft 365 signs by a name for each customer (contoso.onmicrosoft.com), and that signature counts. For an address at a freemail host only that
host's own word counts. Under a DMARC record that asks for exactly its domain, another one of that organisation stands for itself alone. A sender at one of your own domains cannot be trusted this way:
mend its DKIM or SPF. A trusted sender lifts the reasons that are marked; forms of From that no honest program writes stay.
Of such a mail under \`message_id_conflict\` or \`reply_to_elsewhere\` no company and no deal is made, as of one that would be \`verified\` without it.

## The same Message-ID twice

Programs that store mail by its Message-ID can be made to lose mail: whoever sends the id first wins. Here both are kept. When both come from the same
sender and both are proven, with the same date, subject and text but for a list's tag and footer, they are one mail that came by two ways: the one is filed, the
other is skipped as \`duplicate.variant\`, which names it. So it is too when a list's copy came first under a seal that you believe (\`trust.arc_sealers\`).
Otherwise the later one is flagged \`message_id_conflict\` and is never \`verified\`.
The very same words may come twice too, first by somebody who is not believed: that copy is held, and the one that comes later from another server, or
with other headers, is judged by itself and filed. The held one stays in the review, and \`explain\` names the other.

## Reasons

| code | most trust | what it says | what to do |
|---|---|---|---|
`;

const closing = `
Marked with *lifted*: what a person who trusts the sender takes away.
`;

export function trustPage(): string {
  const rows = Object.entries<TrustReason>(trustReasons).map(
    ([code, { most, says, todo, lifted }]) =>
      `| \`${code}\` | ${most} | ${says} | ${todo}${lifted === true ? " *lifted*" : ""} |\n`,
  );
  return opening + rows.join("") + closing;
}
