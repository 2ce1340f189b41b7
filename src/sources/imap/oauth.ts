/** How a mailbox is signed in to without a password: the settings of each way, and the grant that they come to. */
import { z } from "zod";
import type { Grant } from "../../model/tokens.ts";
import { signAssertion } from "../../wire/oauth/assertion.ts";
import { googleWorkspace, microsoft365 } from "./oauth-presets.ts";

const way = <T extends string>(type: T) => z.literal(type).describe("Which way of signing in it is.");
const secret = z.string().min(1).meta({ secret: true });
const directory = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9.-]{0,252}$/, { error: "the directory's id or a domain of it (acme.onmicrosoft.com)" })
  .describe("The organisation's directory: its id, or a domain of it.");
const clientId = z.string().min(1).max(500).describe("The application's client id.");
const url = z.url({ protocol: /^https?$/, error: "an https: URL" });

/** What of a service account's key file is needed. */
const keyFile = z.object({
  client_email: z.string().min(1),
  private_key: z.string().min(1),
  private_key_id: z.string().optional(),
  token_uri: url.optional(),
});

const microsoftApp = z
  .strictObject({
    type: way("microsoft_app"),
    directory,
    client_id: clientId,
    client_secret: secret.describe(
      "A client secret of the application; it runs out on the day that was chosen for it.",
    ),
    endpoint: url.optional().describe("Another token endpoint than Microsoft's public one: a national cloud."),
  })
  .describe("Microsoft 365, as an application that an administrator has let into the mailbox: nobody signs in.");

const microsoftPerson = z
  .strictObject({
    type: way("microsoft_person"),
    directory,
    client_id: clientId,
    endpoint: url.optional().describe("Another token endpoint than Microsoft's public one: a national cloud."),
    device_endpoint: url.optional().describe("The device endpoint that belongs to it."),
  })
  .describe("Microsoft 365, as a person who signs in once: `mailwright init --sign-in ACCOUNT` shows a code for that.");

const googleService = z
  .strictObject({
    type: way("google_service_account"),
    key: secret
      .refine(isKeyFile, { error: "the whole JSON key file of the service account, best as a reference to that file" })
      .describe(
        "The service account's key file, whole: best as a reference to that file. The account needs domain-wide delegation.",
      ),
    scope: z
      .string()
      .min(1)
      .default(googleWorkspace.delegatedScope)
      .describe("What the service account was let do in the admin console."),
  })
  .describe("Google Workspace, as a service account with domain-wide delegation: nobody signs in.");

const refreshToken = z
  .strictObject({
    type: way("refresh_token"),
    endpoint: url.default(googleWorkspace.tokenUrl).describe("The token endpoint; Google's unless another is named."),
    client_id: clientId,
    client_secret: secret.optional().describe("The application's client secret, where it has one."),
    refresh_token: secret.describe("A refresh token that somebody got by signing in."),
    scope: z.string().min(1).optional().describe("Only where the endpoint wants it named again."),
  })
  .describe("A refresh token from elsewhere: Google, or any provider.");

const clientCredentials = z
  .strictObject({
    type: way("client_credentials"),
    endpoint: url.describe("The token endpoint."),
    client_id: clientId,
    client_secret: secret.describe("The application's client secret."),
    scope: z.string().min(1).optional().describe("What the token is for."),
  })
  .describe("An application's own credentials at any provider.");

export const mailboxOauth = z
  .discriminatedUnion("type", [microsoftApp, microsoftPerson, googleService, refreshToken, clientCredentials])
  .describe("Signing in by OAuth2 (SASL OAUTHBEARER or XOAUTH2) in the place of a password.");
export type MailboxOauth = z.output<typeof mailboxOauth>;

function isKeyFile(text: string): boolean {
  return readKeyFile(text) !== undefined;
}

function readKeyFile(text: string): z.output<typeof keyFile> | undefined {
  try {
    return keyFile.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

const inDirectory = (url: string, name: string): string => url.replace("{tenant}", encodeURIComponent(name));

/** `user`: whose mailbox it is. */
export function grantOf(oauth: MailboxOauth, user: string): Grant {
  switch (oauth.type) {
    case "microsoft_app":
      return {
        kind: "client_credentials",
        tokenUrl: oauth.endpoint ?? inDirectory(microsoft365.tokenUrl, oauth.directory),
        clientId: oauth.client_id,
        clientSecret: oauth.client_secret,
        scope: microsoft365.appScope,
      };
    case "microsoft_person":
      return {
        kind: "refresh_token",
        tokenUrl: oauth.endpoint ?? inDirectory(microsoft365.tokenUrl, oauth.directory),
        clientId: oauth.client_id,
        scope: microsoft365.personScope,
      };
    case "google_service_account":
      return serviceGrant(oauth, user);
    case "refresh_token":
      return {
        kind: "refresh_token",
        tokenUrl: oauth.endpoint,
        clientId: oauth.client_id,
        refreshToken: oauth.refresh_token,
        ...(oauth.client_secret === undefined ? {} : { clientSecret: oauth.client_secret }),
        ...(oauth.scope === undefined ? {} : { scope: oauth.scope }),
      };
    case "client_credentials":
      return {
        kind: "client_credentials",
        tokenUrl: oauth.endpoint,
        clientId: oauth.client_id,
        clientSecret: oauth.client_secret,
        ...(oauth.scope === undefined ? {} : { scope: oauth.scope }),
      };
    default:
      return oauth satisfies never;
  }
}

function serviceGrant({ key, scope }: Extract<MailboxOauth, { type: "google_service_account" }>, user: string): Grant {
  const file = readKeyFile(key);
  if (file === undefined) throw new TypeError("the settings were checked, and yet the key file cannot be read");
  const tokenUrl = file.token_uri ?? googleWorkspace.tokenUrl;
  const claims = {
    iss: file.client_email,
    sub: user,
    aud: tokenUrl,
    lifeSeconds: googleWorkspace.assertionSeconds,
    more: { scope },
  };
  return {
    kind: "jwt_bearer",
    tokenUrl,
    assertion: (now) => signAssertion(claims, file.private_key, now, file.private_key_id),
  };
}

/** Where a person gets the code that she enters; undefined for ways in which nobody signs in here. */
export function deviceOf(
  oauth: MailboxOauth,
): { readonly deviceUrl: string; readonly clientId: string; readonly scope: string } | undefined {
  if (oauth.type !== "microsoft_person") return undefined;
  const deviceUrl = oauth.device_endpoint ?? inDirectory(microsoft365.deviceUrl, oauth.directory);
  return { deviceUrl, clientId: oauth.client_id, scope: microsoft365.personScope };
}
