/** docs/standards.md: which RFCs the sources cite, how far each is followed, and in which rooms. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface Standard {
  readonly number: number;
  readonly title: string;
  /** yes: what concerns a receiver of mail is followed. partial: the note says what is. no: known, and deliberately not offered. */
  readonly followed: "yes" | "partial" | "no";
  readonly note: string;
}

const row = (number: number, title: string, followed: Standard["followed"], note: string): Standard => ({
  number,
  title,
  followed,
  note,
});

/** Sorted by number. */
export const standards: readonly Standard[] = [
  row(
    1035,
    "Domain Names: Implementation and Specification",
    "partial",
    "The lengths and letters of host names in recipient patterns, and of names that DNS is asked for.",
  ),
  row(
    1468,
    "Japanese Character Encoding for Internet Messages",
    "yes",
    "Read, also where no label says so; never written.",
  ),
  row(1557, "Korean Character Encoding for Internet Messages", "yes", "Read; never written."),
  row(
    1843,
    "HZ - A Data Format for Exchanging Files of Arbitrarily Mixed Chinese and ASCII characters",
    "yes",
    "Read.",
  ),
  row(
    1847,
    "Security Multiparts for MIME: Multipart/Signed and Multipart/Encrypted",
    "partial",
    "Recognised: nothing is decrypted, no signature is verified.",
  ),
  row(
    1870,
    "SMTP Service Extension for Message Size Declaration",
    "yes",
    "Announced and enforced, on the declared size and on the real bytes.",
  ),
  row(1896, "The text/enriched MIME Content-type", "partial", "Its words are read without its commands."),
  row(
    1951,
    "DEFLATE Compressed Data Format",
    "yes",
    "What archives and documents hold is unpacked, up to limits (Node's zlib).",
  ),
  row(
    1952,
    "GZIP File Format",
    "partial",
    "Attached gzip files are unpacked to be looked into; comments are not read.",
  ),
  row(
    2034,
    "SMTP Service Extension for Returning Enhanced Error Codes",
    "yes",
    "Announced; every reply of 2xx, 4xx and 5xx has a code but those to the greeting, HELO and EHLO.",
  ),
  row(
    2045,
    "MIME Part One: Format of Message Bodies",
    "partial",
    "Content-Type with its parameters; decoding is the MIME library's.",
  ),
  row(2046, "MIME Part Two: Media Types", "partial", "The choice among multipart/alternative parts."),
  row(
    2047,
    "MIME Part Three: Message Header Extensions for Non-ASCII Text",
    "yes",
    "Reading only, with the usual violations tolerated.",
  ),
  row(
    2183,
    "Communicating Presentation Information in Internet Messages: The Content-Disposition Header Field",
    "partial",
    "What is shown and what is a file; names are labels, dates and sizes are not used.",
  ),
  row(
    2231,
    "MIME Parameter Value and Encoded Word Extensions",
    "partial",
    "Names, boundaries and language tags are read in its form; none is written.",
  ),
  row(
    2369,
    "The Use of URLs as Meta-Syntax for Core Mail List Commands and their Transport through Message Header Fields",
    "partial",
    "List-Unsubscribe and List-Post are read.",
  ),
  row(2387, "The MIME Multipart/Related Content-type", "partial", "Members of the body are told from files."),
  row(
    2392,
    "Content-ID and Message-ID Uniform Resource Locators",
    "partial",
    "Links from html to its parts are known, and left as they are.",
  ),
  row(
    2606,
    "Reserved Top Level DNS Names",
    "partial",
    "doctor says when the inbound domain is a name that no mail comes by.",
  ),
  row(
    2919,
    "List-Id: A Structured Field and Namespace for the Identification of Mailing Lists",
    "yes",
    "Read without its phrase.",
  ),
  row(
    3030,
    "SMTP Service Extensions for Transmission of Large and Binary MIME Messages",
    "no",
    "CHUNKING and BINARYMIME are not offered; BODY=BINARYMIME is refused.",
  ),
  row(3156, "MIME Security with OpenPGP", "partial", "Encrypted parts are told by their place, and kept closed."),
  row(3339, "Date and Time on the Internet: Timestamps", "yes", "Every time in the canonical event, in UTC."),
  row(
    3461,
    "SMTP Service Extension for Delivery Status Notifications (DSNs)",
    "no",
    "DSN is not offered; ORCPT is read out of reports.",
  ),
  row(3463, "Enhanced Mail System Status Codes", "yes", "Every SMTP reply where RFC 2034 calls for one."),
  row(
    3464,
    "An Extensible Message Format for Delivery Status Notifications",
    "partial",
    "Recognised and read; none is ever sent.",
  ),
  row(3629, "UTF-8, a transformation format of ISO 10646", "yes", "Also with stray bytes of another charset in it."),
  row(
    3676,
    "The Text/Plain Format and DelSp Parameters",
    "yes",
    "Flowed lines are joined, its signature line is known; none is ever written.",
  ),
  row(
    3834,
    "Recommendations for Automatic Responses to Electronic Mail",
    "partial",
    "Auto-Submitted is read; nothing is ever answered.",
  ),
  row(
    4648,
    "The Base16, Base32, and Base64 Data Encodings",
    "partial",
    "The alphabet of thread tokens: base 32 in lower case, without padding.",
  ),
  row(
    5256,
    "Internet Message Access Protocol - SORT and THREAD Extensions",
    "partial",
    "The base subject, with the prefixes of more languages.",
  ),
  row(
    5321,
    "Simple Mail Transfer Protocol",
    "partial",
    "The receiving side, as final destination. Nothing is relayed, and no notification is sent: mail is refused in the session or kept.",
  ),
  row(
    5322,
    "Internet Message Format",
    "partial",
    "Header fields, addresses, dates and identifiers, obsolete forms included; the message itself is kept as it came.",
  ),
  row(5530, "IMAP Response Codes", "partial", "Tell a refused login from a server that is busy."),
  row(
    5545,
    "Internet Calendaring and Scheduling Core Object Specification (iCalendar)",
    "partial",
    "Events with their times, zones and people; repetitions are not expanded, other components are left alone.",
  ),
  row(
    5546,
    "iCalendar Transport-Independent Interoperability Protocol (iTIP)",
    "partial",
    "METHOD tells invitations and answers from mail written by a person; no answer is ever sent.",
  ),
  row(
    5652,
    "Cryptographic Message Syntax (CMS)",
    "no",
    "Told by its first bytes to be encrypted or signed, and kept closed.",
  ),
  row(
    5869,
    "HMAC-based Extract-and-Expand Key Derivation Function (HKDF)",
    "yes",
    "Keys of single purposes come from the master key by it.",
  ),
  row(5952, "A Recommendation for IPv6 Address Text Representation", "yes", "Addresses of Received fields."),
  row(5965, "An Extensible Format for Email Feedback Reports", "partial", "Recognised and read; none is ever sent."),
  row(6177, "IPv6 Address Assignment to End Sites", "partial", "Limits per client count an IPv6 /64 as one."),
  row(
    6265,
    "HTTP State Management Mechanism",
    "partial",
    "Cookies of operators, HttpOnly and SameSite=Strict; no others.",
  ),
  row(
    6266,
    "Use of the Content-Disposition Header Field in HTTP",
    "yes",
    "Files are handed out as attachments, with a plain and an extended name.",
  ),
  row(
    6376,
    "DomainKeys Identified Mail (DKIM) Signatures",
    "partial",
    "Signatures are verified, ten a message; a body that l= leaves unsigned counts for nothing. Nothing is signed.",
  ),
  row(6522, "The Multipart/Report Media Type", "yes", "Reports are read; the returned message gives its identifier."),
  row(
    6531,
    "SMTP Extension for Internationalized Email",
    "yes",
    "SMTPUTF8 offered; addresses outside ASCII only with it.",
  ),
  row(6532, "Internationalized Email Headers", "yes", "Header text in UTF-8."),
  row(
    6533,
    "Internationalized Delivery Status and Disposition Notifications",
    "partial",
    "Read like their ASCII forms; none is ever sent.",
  ),
  row(
    6591,
    "Authentication Failure Reporting Using the Abuse Reporting Format",
    "partial",
    "Told from complaints; the report itself is not judged.",
  ),
  row(
    6749,
    "The OAuth 2.0 Authorization Framework",
    "partial",
    "As a client: refresh tokens and client credentials, towards CRMs and for mailboxes. No browser is ever sent anywhere.",
  ),
  row(
    6761,
    "Special-Use Domain Names",
    "partial",
    "doctor says when the inbound domain is one of them; DNS is not asked for localhost.",
  ),
  row(6762, "Multicast DNS", "no", "Names in .local are not asked for."),
  row(
    6851,
    "Internet Message Access Protocol (IMAP) - MOVE Extension",
    "yes",
    "The one way in which messages are moved.",
  ),
  row(
    6854,
    "Update to Internet Message Format to Allow Group Syntax in the From: and Sender: Header Fields",
    "yes",
    "Groups are read everywhere; in From they are noted as odd.",
  ),
  row(
    7208,
    "Sender Policy Framework (SPF) for Authorizing Use of Domains in Email",
    "yes",
    "Checked for the peer that hands a mail to us; for mail that others received, theirs counts where they are named.",
  ),
  row(
    7435,
    "Opportunistic Security: Some Protection Most of the Time",
    "partial",
    "STARTTLS is offered where there is a certificate, and never demanded.",
  ),
  row(7505, "A Null MX No Service Resource Record for Domains That Accept No Mail", "yes", "doctor understands it."),
  row(
    7523,
    "JSON Web Token (JWT) Profile for OAuth 2.0 Client Authentication and Authorization Grants",
    "partial",
    "Assertions as a grant (§2.1), signed with RS256.",
  ),
  row(
    7628,
    "A Set of SASL Mechanisms for OAuth",
    "partial",
    "OAUTHBEARER, else XOAUTH2, which no RFC has, at IMAP servers (imapflow).",
  ),
  row(7686, 'The ".onion" Special-Use Domain Name', "yes", "Names in .onion are not asked for."),
  row(7986, "New Properties for iCalendar", "partial", "CONFERENCE, and the EMAIL parameter of attendees."),
  row(
    8058,
    "Signaling One-Click Functionality for List Email Headers",
    "partial",
    "Recognised; nothing is ever unsubscribed.",
  ),
  row(8098, "Message Disposition Notification", "partial", "Read receipts are read; none is ever sent."),
  row(
    8187,
    "Indicating Character Encoding and Language for HTTP Header Field Parameters",
    "yes",
    "Written in names of files.",
  ),
  row(
    8457,
    'IMAP "$Important" Keyword and "\\Important" Special-Use Attribute',
    "partial",
    "A folder with that mark is taken by no pattern.",
  ),
  row(
    8474,
    "IMAP Extension for Object Identifiers",
    "partial",
    "MAILBOXID, by which a folder is known under another name.",
  ),
  row(
    8601,
    "Message Header Field for Indicating Message Authentication Status",
    "partial",
    "Read; counted from the topmost field alone, of hosts that the configuration names. None is ever written.",
  ),
  row(
    8617,
    "The Authenticated Received Chain (ARC) Protocol",
    "partial",
    "Chains are verified and shown; none is ever sealed, and none makes up for a failed DMARC.",
  ),
  row(8628, "OAuth 2.0 Device Authorization Grant", "yes", "For mailboxes: `mailwright init` shows the code."),
  row(8996, "Deprecating TLS 1.0 and TLS 1.1", "yes", "TLS 1.2 is the oldest taken."),
  row(
    9051,
    "Internet Message Access Protocol (IMAP) - Version 4rev2",
    "partial",
    "As a client that reads: UIDs and UIDVALIDITY, FETCH with PEEK, SEARCH, IDLE, flags. Numbers of MIME parts.",
  ),
  row(
    9057,
    "Email Author Header Field",
    "partial",
    "Read where a mailing list put itself into From; it never raises trust.",
  ),
  row(
    9110,
    "HTTP Semantics",
    "partial",
    "Retry-After, If-Unmodified-Since and the characters of field values, towards vendors; single byte ranges and If-Range of downloads. No other condition, no range of several parts.",
  ),
  row(9562, "Universally Unique IDentifiers (UUIDs)", "partial", "Version 7, for event ids."),
  row(9580, "OpenPGP", "no", "Told by armour or first packet to be encrypted, and kept closed."),
  row(
    9989,
    "Domain-Based Message Authentication, Reporting, and Conformance (DMARC)",
    "partial",
    "Judged for mail with one author domain, by the tree walk; reports are never sent.",
  ),
];

/** What replaced these: cite the successor. */
export const obsolete: ReadonlyMap<number, number> = new Map([
  [821, 5321],
  [822, 5322],
  [2821, 5321],
  [2822, 5322],
  [2616, 9110],
  [7231, 9110],
  [3501, 9051],
  [3798, 8098],
  [4122, 9562],
  [4409, 6409],
  [7489, 9989],
]);

const root = join(import.meta.dirname, "..");

/** RFC numbers cited in src, with the rooms that cite them. */
export function citations(): ReadonlyMap<number, readonly string[]> {
  const rooms = new Map<number, Set<string>>();
  for (const file of globSync("src/**/*.ts", { cwd: root })) {
    const room = (file.split("/")[1] ?? "").replace(/\.ts$/, "");
    for (const [, number] of readFileSync(join(root, file), "utf8").matchAll(/\bRFC\s?(\d{3,5})\b/g)) {
      const known = rooms.get(Number(number)) ?? new Set<string>();
      rooms.set(Number(number), known.add(room));
    }
  }
  return new Map([...rooms].map(([number, found]) => [number, [...found].sort()]));
}

export function standardsPage(): string {
  const cited = citations();
  const rows = standards.map(({ number, title, followed, note }) => {
    const where = (cited.get(number) ?? []).map((room) => `\`src/${room}\``).join(", ");
    return `| [${number}](https://www.rfc-editor.org/rfc/rfc${number}) | ${title} | ${followed} | ${where} | ${note} |`;
  });
  return [
    "# Standards",
    "",
    "The RFCs that decide something in the sources. They are cited there as `RFC 5321 §4.1.1`, so that a search finds every place.",
    "",
    "| RFC | title | followed | where | what of it |",
    "|---|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}
