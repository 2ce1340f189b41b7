/** Models and fields that the sandbox knows, as Tryton 6.0 has them, with the words that its refusals use. */

export interface Field {
  readonly label: string;
  readonly type:
    | "char"
    | "text"
    | "boolean"
    | "integer"
    | "float"
    | "numeric"
    | "date"
    | "selection"
    | "many2one"
    | "one2many"
    | "reference"
    | "timestamp";
  /** Of a many2one or a one2many. */
  readonly model?: string;
  /** The field of the other model that leads back, of a one2many. */
  readonly by?: string;
  readonly options?: readonly string[];
  readonly readonly?: boolean;
}

export interface ModelSchema {
  readonly label: string;
  /** Route of its faults. */
  readonly route: string;
  readonly module: string;
  readonly fields: Readonly<Record<string, Field>>;
  /** Records are deactivated, and searches leave such out that do not ask for them. */
  readonly deactivable?: boolean;
  /** Its records belong to companies: one that is not there is refused by that rule's words. */
  readonly ruled?: boolean;
}

const char = (label: string): Field => ({ label, type: "char" });
const text = (label: string): Field => ({ label, type: "text" });
const one = (label: string, model: string): Field => ({ label, type: "many2one", model });
const many = (label: string, model: string, by: string): Field => ({ label, type: "one2many", model, by });
const active: Field = { label: "Active", type: "boolean" };
const computed = (label: string): Field => ({ label, type: "char", readonly: true });

export const states = ["lead", "opportunity", "converted", "won", "cancelled", "lost"] as const;

export const schema: Readonly<Record<string, ModelSchema>> = {
  "party.party": {
    label: "Party",
    route: "party",
    module: "party",
    deactivable: true,
    fields: {
      name: char("Name"),
      code: char("Code"),
      active,
      replaced_by: { ...one("Replaced By", "party.party"), readonly: true },
      contact_mechanisms: many("Contact Mechanisms", "party.contact_mechanism", "party"),
      email: computed("E-Mail"),
      phone: computed("Phone"),
      mobile: computed("Mobile"),
      website: computed("Website"),
    },
  },
  "party.contact_mechanism": {
    label: "Contact Mechanism",
    route: "contact_mechanism",
    module: "party",
    deactivable: true,
    fields: {
      type: { label: "Type", type: "selection", options: ["phone", "mobile", "fax", "email", "website", "other"] },
      value: char("Value"),
      name: char("Name"),
      comment: text("Comment"),
      party: one("Party", "party.party"),
      active,
    },
  },
  "party.relation.type": {
    label: "Relation Type",
    route: "relation_type",
    module: "party_relationship",
    fields: { name: char("Name"), reverse: one("Reverse Relation", "party.relation.type") },
  },
  "party.relation.all": {
    label: "Party Relation",
    route: "relation",
    module: "party_relationship",
    fields: {
      from_: one("From", "party.party"),
      to: one("To", "party.party"),
      type: one("Type", "party.relation.type"),
    },
  },
  "sale.opportunity": {
    label: "Sale Opportunity",
    route: "opportunity",
    module: "sale_opportunity",
    ruled: true,
    fields: {
      number: { ...char("Number"), readonly: true },
      reference: char("Reference"),
      description: char("Description"),
      comment: text("Comment"),
      party: one("Party", "party.party"),
      contact: one("Contact", "party.contact_mechanism"),
      company: one("Company", "company.company"),
      employee: one("Employee", "company.employee"),
      state: { label: "State", type: "selection", options: states, readonly: true },
      amount: { label: "Amount", type: "numeric" },
      start_date: { label: "Start Date", type: "date" },
      end_date: { label: "End Date", type: "date" },
      conversion_probability: { label: "Conversion Probability", type: "float" },
    },
  },
  "ir.note": {
    label: "Note",
    route: "note",
    module: "ir",
    fields: { resource: { label: "Resource", type: "reference" }, message: text("Message") },
  },
  "ir.module": {
    label: "Module",
    route: "module",
    module: "ir",
    fields: {
      name: char("Name"),
      state: { label: "State", type: "selection", options: ["activated", "not activated"] },
    },
  },
  "company.company": {
    label: "Company",
    route: "company",
    module: "company",
    ruled: true,
    fields: { party: one("Party", "party.party") },
  },
  "company.employee": {
    label: "Employee",
    route: "employee",
    module: "company",
    fields: { party: one("Party", "party.party"), company: one("Company", "company.company") },
  },
};
