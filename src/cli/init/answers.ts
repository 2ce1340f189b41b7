/** What `init` has to know, from its options and from a person: who, by which way mail comes, and which CRM gets it. */
import { destinationForms, type Form, type FormField, signInForms } from "../../settings/index.ts";
import { usage } from "../exit.ts";
import type { Asker, Choice } from "./asking.ts";

/** A text of the configuration, or where it is read from. `typed` goes into a file of its own. */
export type Given =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "env"; readonly name: string }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "typed"; readonly text: string; readonly name: string };

export type Entries = readonly (readonly [key: string, value: Given])[];

export interface Mailbox {
  readonly id: string;
  readonly host: string;
  readonly port: number | undefined;
  readonly tls: string;
  readonly user: string;
  readonly password: Given | undefined;
  readonly oauth: { readonly type: string; readonly entries: Entries } | undefined;
}

export interface Answers {
  readonly tenant: string;
  readonly dataDir: string;
  readonly mailbox: Mailbox | undefined;
  readonly recipients: readonly string[];
  readonly ownDomains: readonly string[];
  readonly crm: { readonly type: string; readonly entries: Entries };
  readonly preset: string;
}

export interface InitOptions {
  readonly tenant?: string;
  readonly dataDir?: string;
  readonly mail?: string;
  readonly recipient?: readonly string[];
  readonly ownDomain?: readonly string[];
  readonly account?: string;
  readonly provider?: string;
  readonly host?: string;
  readonly port?: number;
  readonly tls?: string;
  readonly user?: string;
  readonly password?: string;
  readonly oauth?: string;
  readonly oauthSet?: readonly string[];
  readonly crm?: string;
  readonly crmSet?: readonly string[];
  readonly preset?: string;
}

const identifier = (text: string) =>
  /^[a-z0-9][a-z0-9-]{0,62}$/.test(text)
    ? undefined
    : "lower-case letters, digits and hyphens, beginning with a letter or digit";
const hostName = (text: string) => (/^[A-Za-z0-9._:-]{1,255}$/.test(text) ? undefined : "a host name or an address");
const oneLine = (text: string) => (/^[^\p{Cc}]{1,500}$/u.test(text) ? undefined : "one line of text");

export async function askAll(options: InitOptions, asker: Asker): Promise<Answers> {
  const mail = await choose(asker, "--mail", options.mail, "How does mail come in?", mails, "mailbox");
  const mailbox = mail === "mailbox" ? await askMailbox(options, asker) : undefined;
  const recipients = mail === "smtp" ? await askRecipients(options, asker) : (options.recipient ?? []);
  const ownDomains = options.ownDomain ?? (await askDomains(asker, mailbox?.user ?? recipients[0]));
  const type = await choose(asker, "--crm", options.crm, "Which CRM gets the mail?", crms(), "local");
  const entries = await askForm(asker, formOf(destinationForms(), type), options.crmSet ?? [], "--crm-set", type);
  const preset = await choose(
    asker,
    "--preset",
    options.preset,
    "Which mail becomes what at the CRM?",
    presets,
    "none",
  );
  const tenant = await text(asker, "--tenant", options.tenant, "A name for your company here", "acme", identifier);
  return {
    tenant,
    dataDir: options.dataDir ?? "./data",
    mailbox,
    recipients,
    ownDomains,
    crm: { type, entries },
    preset,
  };
}

const mails: readonly Choice[] = [
  { value: "mailbox", about: "an existing mailbox is read by IMAP" },
  { value: "smtp", about: "other servers send it here: an MX record or a forwarding rule" },
];
const crms = (): Choice[] =>
  destinationForms().map(({ type }) => ({
    value: type,
    about: type === "local" ? "built in: to try things out, no account anywhere" : "",
  }));
const presets: readonly Choice[] = [
  { value: "none", about: "the built-in rules: people become contacts, their mail activities; no deals" },
  { value: "sales-inbox", about: "each new request becomes a deal" },
  { value: "support-inbox", about: "known customers write to help@: no deals, no new companies" },
  { value: "team-mailboxes", about: "personal mailboxes: only people whom the CRM or a colleague knows" },
];

export interface Provider {
  readonly host: string;
  readonly ways: readonly Choice[];
}

const password: Choice = { value: "password", about: "a password (of the mailbox, or an app password)" };
const providers: ReadonlyMap<string, Provider> = new Map([
  [
    "microsoft",
    {
      host: "outlook.office365.com",
      ways: [
        { value: "microsoft_person", about: "whoever owns the mailbox signs in once, with a code" },
        { value: "microsoft_app", about: "an application that an administrator lets into the mailbox" },
      ],
    },
  ],
  [
    "google",
    {
      host: "imap.gmail.com",
      ways: [
        { value: "google_service_account", about: "Workspace: a service account with domain-wide delegation" },
        { value: "refresh_token", about: "a refresh token that you have" },
        { ...password, about: "an app password" },
      ],
    },
  ],
]);

async function askMailbox(options: InitOptions, asker: Asker): Promise<Mailbox> {
  const where: readonly Choice[] = [
    { value: "microsoft", about: "Microsoft 365" },
    { value: "google", about: "Google Workspace, Gmail" },
    { value: "other", about: "any IMAP server" },
  ];
  const initial = options.host === undefined ? undefined : "other";
  const provider = await choose(
    asker,
    "--provider",
    options.provider ?? initial,
    "Where is the mailbox?",
    where,
    "other",
  );
  const known = providers.get(provider);
  const user = await text(
    asker,
    "--user",
    options.user,
    "Whose mailbox is it, as the server calls it (mostly an address)",
    undefined,
    oneLine,
  );
  const host = await text(asker, "--host", options.host ?? known?.host, "The IMAP server", undefined, hostName);
  const { port, tls } = known === undefined ? await askConnection(options, asker) : options;
  const ways = known?.ways ?? [
    password,
    ...signInForms()
      .filter(({ type }) => type.endsWith("s") || type === "refresh_token")
      .map(({ type, about }) => ({ value: type, about })),
  ];
  const wanted = options.oauth ?? (options.password === undefined ? undefined : "password");
  const way = await choose(
    asker,
    "--oauth",
    wanted,
    "How does one sign in to it?",
    ways,
    ways[0]?.value ?? "password",
    [...signInForms().map(({ type }) => type), "password"],
  );
  const id = await text(asker, "--account", options.account, "A name for this mailbox here", idFrom(user), identifier);
  const secret =
    way === "password"
      ? await askSecret(asker, "--password", options.password, "Its password", `${id}-password`)
      : undefined;
  const entries =
    way === "password"
      ? undefined
      : await askForm(asker, formOf(signInForms(), way), options.oauthSet ?? [], "--oauth-set", id);
  return {
    id,
    host,
    port,
    tls: tls ?? "implicit",
    user,
    password: secret,
    oauth: entries === undefined ? undefined : { type: way, entries },
  };
}

const encryptions: readonly Choice[] = [
  { value: "implicit", about: "from the first byte (mostly port 993)" },
  { value: "starttls", about: "before the login (mostly port 143)" },
  { value: "none", about: "not at all: a server on the same machine" },
];

/** The large providers have one way each; elsewhere ports are what somebody once chose. */
async function askConnection(options: InitOptions, asker: Asker): Promise<Pick<InitOptions, "port" | "tls">> {
  const words = "How is the connection to it encrypted?";
  const tls = await choose(asker, "--tls", options.tls, words, encryptions, "implicit");
  const usual = tls === "implicit" ? "993" : "143";
  const port = options.port ?? Number(await text(asker, "--port", undefined, "Its port", usual, portNumber));
  return options.port === undefined && String(port) === usual ? { tls } : { tls, port };
}

const portNumber = (answer: string) =>
  /^\d{1,5}$/.test(answer) && Number(answer) >= 1 && Number(answer) <= 65_535 ? undefined : "a number from 1 to 65535";

const idFrom = (user: string): string =>
  (user.split("@")[0] ?? "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 40) || "mailbox";

async function askRecipients({ recipient }: InitOptions, asker: Asker): Promise<readonly string[]> {
  if (recipient !== undefined) return recipient;
  const words = "The addresses that mail comes to here, apart by blanks (*@inbound.example.com: a whole domain)";
  return (await asker.text({ option: "--recipient", words })).split(/[\s,]+/);
}

async function askDomains(asker: Asker, address: string | undefined): Promise<readonly string[]> {
  const domain = address?.split("@")[1];
  const words = "Your own domains, apart by blanks: who writes from there is a colleague";
  const answer = await asker.text({ option: "--own-domain", words, initial: domain ?? "none" });
  return answer === "none" ? [] : answer.split(/[\s,]+/);
}

const formOf = (forms: readonly Form[], type: string): Form => {
  const found = forms.find((form) => form.type === type);
  if (found === undefined) throw usage(`${type} is none of ${forms.map((form) => form.type).join(", ")}`);
  return found;
};

/** `key=value` from the command line first; then what is required and was not said. */
async function askForm(
  asker: Asker,
  form: Form,
  set: readonly string[],
  option: string,
  owner: string,
): Promise<Entries> {
  const entries = new Map<string, Given>();
  for (const pair of set) {
    const [, key = "", value = ""] = /^([a-z][a-z0-9_]*)=(.*)$/s.exec(pair) ?? [];
    if (!form.keys.includes(key))
      throw usage(`${option} ${pair.split("=")[0]}: ${form.type} has the keys ${form.keys.join(", ")}`);
    entries.set(key, form.secrets.includes(key) ? secretOf(value, `${option} ${key}`) : referenceOr(value));
  }
  for (const field of form.required) {
    if (!entries.has(field.key)) entries.set(field.key, await askField(asker, field, form.type, option, owner));
  }
  return [...entries];
}

async function askField(asker: Asker, field: FormField, type: string, option: string, owner: string): Promise<Given> {
  const named = `${option} ${field.key}=`;
  if (!field.simple)
    throw usage(`${named}...: ${field.about} Write it into a configuration by hand: docs/configuration.md`);
  if (field.secret) {
    const variable = `${type}_${field.key}`.toUpperCase().replace(/[^A-Z0-9]+/g, "_");
    return await askSecret(
      asker,
      named,
      asker.talks ? undefined : `env:${variable}`,
      field.about,
      `${owner}-${field.key}`,
    );
  }
  if (field.choices !== undefined) {
    const choices = field.choices.map((value) => ({ value, about: "" }));
    return { kind: "text", text: await choose(asker, named, undefined, field.about, choices, undefined) };
  }
  return referenceOr(await text(asker, named, undefined, field.about, undefined, oneLine));
}

/** A person types it; a command line names where it is, since its words can be seen by others and stay in the shell's history. */
async function askSecret(
  asker: Asker,
  option: string,
  given: string | undefined,
  words: string,
  name: string,
): Promise<Given> {
  if (given !== undefined) return secretOf(given, option);
  const about = `${words} (or env:NAME, or file:PATH)`;
  const answer = await asker.hidden({ option, words: about });
  const referred = referenceOr(answer);
  return referred.kind === "text" ? { kind: "typed", text: answer, name } : referred;
}

function secretOf(value: string, option: string): Given {
  const given = referenceOr(value);
  if (given.kind !== "text") return given;
  throw usage(`${option} takes env:NAME or file:PATH: what stands on a command line can be seen by others`);
}

function referenceOr(text: string): Given {
  const [, kind, rest = ""] = /^(env|file):(.+)$/s.exec(text) ?? [];
  if (kind === "file") return { kind, path: rest };
  if (kind === "env" && /^[A-Za-z_][A-Za-z0-9_]*$/.test(rest)) return { kind, name: rest };
  return { kind: "text", text };
}

async function text(
  asker: Asker,
  option: string,
  given: string | undefined,
  words: string,
  initial: string | undefined,
  wrong: (answer: string) => string | undefined,
): Promise<string> {
  const answer = given ?? (await asker.text({ option, words, initial, wrong }));
  const mistake = wrong(answer);
  if (mistake !== undefined) throw usage(`${option} ${answer}: ${mistake}`);
  return answer;
}

async function choose(
  asker: Asker,
  option: string,
  given: string | undefined,
  words: string,
  choices: readonly Choice[],
  initial: string | undefined,
  allowed = choices.map(({ value }) => value),
): Promise<string> {
  const answer = given ?? (await asker.choose({ option, words, initial }, choices));
  if (!allowed.includes(answer)) throw usage(`${option} ${answer}: one of ${allowed.join(", ")}`);
  return answer;
}
