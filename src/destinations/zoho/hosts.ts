/** Zoho's data centres: where accounts, API and pages of each are, and to which hosts a token may be sent at all. */

export const dataCenters = ["com", "eu", "in", "com.au", "jp", "ca", "sa", "uk", "com.cn"] as const;
export type DataCenter = (typeof dataCenters)[number];

export interface Hosts {
  readonly accounts: string;
  readonly api: string;
  /** Where people look at records. */
  readonly pages: string;
}

/** Canada's are named otherwise; all others follow one pattern. https://www.zoho.com/crm/developer/docs/api/v8/multi-dc.html */
export function hostsOf(center: DataCenter): Hosts {
  const zoho = center === "ca" ? "zohocloud.ca" : `zoho.${center}`;
  return { accounts: `https://accounts.${zoho}`, api: `https://www.zohoapis.${center}`, pages: `https://crm.${zoho}` };
}

const own: ReadonlySet<string> = new Set([
  ...dataCenters.map((center) => hostsOf(center).api),
  "https://www.zohocloud.ca",
]);

/** The origin, where it is one of Zoho's own for the API: the answer that names it is not to be trusted with more than that. */
export function ownApi(domain: string | undefined): string | undefined {
  const url = domain === undefined ? null : URL.parse(domain);
  const isBare = url !== null && url.username === "" && url.password === "" && url.port === "";
  return isBare && own.has(url.origin) ? url.origin : undefined;
}
