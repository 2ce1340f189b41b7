/**
 * Holds our request bodies against the types of HubSpot's own SDK, which nobody here wrote. Checked by `tsc --noEmit` alone: nothing of the
 * SDK is loaded. It still speaks of v3, whose create shape is that of 2026-03 except that `associations` is optional there.
 */

import type { PublicObjectSearchRequest } from "@hubspot/api-client/lib/codegen/crm/companies/models/PublicObjectSearchRequest.js";
import type { SimplePublicObjectInputForCreate as CompanyCreate } from "@hubspot/api-client/lib/codegen/crm/companies/models/SimplePublicObjectInputForCreate.js";
import type { SimplePublicObjectInputForCreate as ContactCreate } from "@hubspot/api-client/lib/codegen/crm/contacts/models/SimplePublicObjectInputForCreate.js";
import type { SimplePublicObjectInputForCreate as DealCreate } from "@hubspot/api-client/lib/codegen/crm/deals/models/SimplePublicObjectInputForCreate.js";
import type { BatchReadInputSimplePublicObjectId } from "@hubspot/api-client/lib/codegen/crm/objects/emails/models/BatchReadInputSimplePublicObjectId.js";
import type { SimplePublicObjectInput as EmailUpdate } from "@hubspot/api-client/lib/codegen/crm/objects/emails/models/SimplePublicObjectInput.js";
import type { SimplePublicObjectInputForCreate as EmailCreate } from "@hubspot/api-client/lib/codegen/crm/objects/emails/models/SimplePublicObjectInputForCreate.js";
import type { PropertyCreate } from "@hubspot/api-client/lib/codegen/crm/properties/models/PropertyCreate.js";
import type { PropertyGroupCreate } from "@hubspot/api-client/lib/codegen/crm/properties/models/PropertyGroupCreate.js";
import type {
  companyBody,
  contactBody,
  dealBody,
  emailBody,
  filesBody,
} from "../../src/destinations/hubspot/bodies.ts";
import type { domainSearch } from "../../src/destinations/hubspot/companies.ts";
import type { groupBody, propertyBody } from "../../src/destinations/hubspot/properties.ts";
import type { batchReadBody } from "../../src/destinations/hubspot/readback.ts";

/** Their enums are nominal; what goes over the wire is the string. */
type Widen<T> = T extends string
  ? `${T}`
  : T extends readonly (infer U)[]
    ? readonly Widen<U>[]
    : T extends object
      ? { readonly [K in keyof T]: Widen<T[K]> }
      : T;

/** True only when the body fits and names no field that theirs does not have. */
type Fits<Body, Theirs> =
  Body extends Widen<Theirs>
    ? Exclude<keyof Body, keyof Theirs> extends never
      ? true
      : "an extra field"
    : "a field of another type";

export const bodies: readonly true[] = [
  true satisfies Fits<ReturnType<typeof contactBody>, ContactCreate>,
  true satisfies Fits<ReturnType<typeof companyBody>, CompanyCreate>,
  true satisfies Fits<ReturnType<typeof dealBody>, DealCreate>,
  true satisfies Fits<ReturnType<typeof emailBody>, EmailCreate>,
  true satisfies Fits<ReturnType<typeof filesBody>, EmailUpdate>,
  true satisfies Fits<ReturnType<typeof propertyBody>, PropertyCreate>,
  true satisfies Fits<typeof groupBody, PropertyGroupCreate>,
  true satisfies Fits<ReturnType<typeof batchReadBody>, BatchReadInputSimplePublicObjectId>,
  true satisfies Fits<ReturnType<typeof domainSearch>, PublicObjectSearchRequest>,
];

/** The check itself can fail: each of these is a mistake that it has to see. */
export const mistakes = [
  "an extra field" satisfies Fits<{ properties: { email: string }; asociations: [] }, EmailCreate>,
  "an extra field" satisfies Fits<{ properties: { hs_email_text: string }; associations: [] }, EmailUpdate>,
  "a field of another type" satisfies Fits<{ properties: { hs_timestamp: number }; associations: [] }, EmailCreate>,
  "a field of another type" satisfies Fits<
    Omit<ReturnType<typeof propertyBody>, "type"> & { type: "text" },
    PropertyCreate
  >,
];
