/** Forms of From that exist to be read as something else. */
import type { Case, Finding, Sender } from "./case.ts";
import { sameOrganisation } from "./case.ts";

/** What the parse notes of the whole message. */
const ofMessage = ["duplicate_from", "multiple_from", "from_ambiguous", "from_group"] as const;
/** What it notes of the address that From names. */
const ofAddress = ["encoded_address", "hidden_characters", "mixed_script_domain", "lookalike_domain"] as const;

/** `sender` is null where the mail names nobody that could be judged. */
export function shapesOf({ message, anomalies, people }: Case, sender: Sender | null): Finding[] {
  const noted = new Set(anomalies.map(({ code }) => code));
  const found: Finding[] = ofMessage.filter((code) => noted.has(code)).map((code) => ({ code, detail: null }));
  const odd = new Set(message.from_all.flatMap((address) => address.anomalies));
  for (const code of ofAddress)
    if (odd.has(code)) found.push({ code, detail: sender === null ? null : (sender.email_unicode ?? sender.email) });
  if (sender === null) return found;
  if (message.from_source !== "from") found.push({ code: "from_elsewhere", detail: message.from_source });
  if (people.registrable(sender.domain) === null) found.push({ code: "no_organisation", detail: sender.domain });
  if (sender.local?.includes("@") === true) found.push({ code: "local_part_address", detail: sender.email });
  // A mark that turns text around was taken out: what is shown reads backwards.
  const shown = namedAddress(sender.name) ?? (noted.has("bidi_removed") ? namedAddress(reversed(sender.name)) : null);
  if (shown !== null && isSomebodyElse(shown, sender)) found.push({ code: "name_contains_address", detail: shown });
  return found;

  /** Many services write the address that they write for: its organisation is that of From then. On freemail that says nothing. */
  function isSomebodyElse(address: string, { email, domain }: Sender): boolean {
    if (address.toLowerCase() === email.toLowerCase()) return false;
    return people.isFreemail(domain) || !sameOrganisation(address.slice(address.lastIndexOf("@") + 1), domain, people);
  }
}

const addressLike = /[^\s<>"'(),:;@[\]]{1,64}@[^\s<>"'(),:;@[\]]{1,255}/;

/** An address in the display name, of whichever width its letters are. */
function namedAddress(name: string): string | null {
  const plain = name.normalize("NFKC").replace(/\p{Default_Ignorable_Code_Point}/gu, "");
  const found = addressLike.exec(plain)?.[0] ?? null;
  return found?.includes(".", found.indexOf("@")) === true ? found.replace(/\.+$/, "") : null;
}

const reversed = (text: string): string => [...text].reverse().join("");
