/**
 * Holds our request bodies against the types of Pipedrive's own SDK, which nobody here wrote. Checked by `tsc --noEmit` alone: nothing of the
 * SDK is loaded. Taking an activity off its deal or organization (null) is not among them: the SDK knows no such value (docs/crm/pipedrive.md).
 */
import type { AddLeadRequest } from "pipedrive/v1";
import type {
  AddActivityRequest,
  AddDealFieldRequest,
  AddDealRequest,
  AddOrganizationFieldRequest,
  AddOrganizationRequest,
  AddPersonFieldRequest,
  AddPersonRequest,
} from "pipedrive/v2";
import type {
  activityBody,
  dealBody,
  fieldBody,
  leadBody,
  noteBody,
  organizationBody,
  personBody,
} from "../../src/destinations/pipedrive/bodies.ts";
import type { participantsBody } from "../../src/destinations/pipedrive/links.ts";

/** True only when the body fits and names no field that theirs does not have. */
type Fits<Body, Theirs> = [Body] extends [Theirs]
  ? Exclude<keyof Body, keyof Theirs> extends never
    ? true
    : "an extra field"
  : "a field of another type";
type Item<T> = T extends readonly (infer U)[] ? U : never;
type Participant = Item<NonNullable<AddActivityRequest["participants"]>>;
type Email = Item<NonNullable<AddPersonRequest["emails"]>>;

export const bodies: readonly true[] = [
  true satisfies Fits<ReturnType<typeof personBody>, AddPersonRequest>,
  true satisfies Fits<Item<ReturnType<typeof personBody>["emails"]>, Email>,
  true satisfies Fits<ReturnType<typeof organizationBody>, AddOrganizationRequest>,
  true satisfies Fits<ReturnType<typeof dealBody>, AddDealRequest>,
  true satisfies Fits<ReturnType<typeof activityBody>, AddActivityRequest>,
  true satisfies Fits<Item<ReturnType<typeof activityBody>["participants"]>, Participant>,
  true satisfies Fits<Item<ReturnType<typeof participantsBody>>, Participant>,
  // An update of an activity takes what a create takes: so says the SDK.
  true satisfies Fits<ReturnType<typeof noteBody>, AddActivityRequest>,
  true satisfies Fits<ReturnType<typeof leadBody>, AddLeadRequest>,
  true satisfies Fits<ReturnType<typeof fieldBody>, AddPersonFieldRequest>,
  true satisfies Fits<ReturnType<typeof fieldBody>, AddOrganizationFieldRequest>,
  true satisfies Fits<ReturnType<typeof fieldBody>, AddDealFieldRequest>,
];

/** The check itself can fail: each of these is a mistake that it has to see. */
export const mistakes = [
  "an extra field" satisfies Fits<{ name: string; email: string }, AddPersonRequest>,
  "an extra field" satisfies Fits<{ subject: string; custom_fields: object }, AddActivityRequest>,
  "a field of another type" satisfies Fits<{ owner_id: string }, AddActivityRequest>,
  "a field of another type" satisfies Fits<{ field_name: string; field_type: "string" }, AddPersonFieldRequest>,
];
