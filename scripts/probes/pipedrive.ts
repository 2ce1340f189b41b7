/** What Pipedrive's documentation leaves open (facts of 2026-11), in order of value. */
import { markerOf } from "../../src/destinations/shared/text.ts";
import { at, idAt, type Lab, type ProbedVendor, seconds, wordsOf } from "./lab.ts";

const root = "/api/v2";
const person = (lab: Lab, name: string) => ({
  name: lab.mark,
  emails: [{ value: `${lab.key(name)}@mailwright-probe.example`, primary: true, label: "work" }],
});
const makePerson = (lab: Lab, name: string) =>
  lab.make(`${root}/persons`, person(lab, name), (made) => pathOf("persons", idAt(made, "data.id")));
const pathOf = (object: string, id: string | undefined) => (id === undefined ? undefined : `${root}/${object}/${id}`);

export const pipedriveProbes: ProbedVendor = {
  name: "pipedrive",
  tokenFrom: "MAILWRIGHT_PROBE_PIPEDRIVE_TOKEN",
  // https://COMPANY.pipedrive.com
  url: undefined,
  headers: (token) => ({ "x-api-token": token }),
  probes: [
    {
      question: "Does a list show at once what was made, and when does the search?",
      changes: "searchLagMs of the Pipedrive sandbox and of the facts; the row 'Lists show a write at once'",
      async ask(lab) {
        const id = idAt(await makePerson(lab, "lag"), "data.id") ?? "";
        const list = await lab.call("GET", `${root}/persons?ids=${id}`);
        const atOnce = (at(list, "data") as unknown[] | undefined)?.length === 1;
        const term = encodeURIComponent(`${lab.key("lag")}@mailwright-probe.example`);
        const search = `${root}/persons/search?term=${term}&fields=email&exact_match=true`;
        const ms = await lab.until(
          async () => ((at(await lab.call("GET", search), "data.items") as unknown[] | undefined) ?? []).length > 0,
          120_000,
        );
        return {
          found: `in the list ${atOnce ? "at once" : "not at once"}, in the search ${seconds(ms)}`,
          asGuessed: atOnce && ms !== null && ms <= 60_000,
        };
      },
    },
    {
      question: "Does our marker survive in the note of an activity?",
      changes: "respellsNotes of the Pipedrive sandbox",
      async ask(lab) {
        const id = idAt(await makePerson(lab, "note"), "data.id") ?? "";
        const marker = markerOf("0123456789abcdef");
        const body = {
          subject: lab.mark,
          type: "email",
          done: true,
          note: `<p>one &amp; two</p><p>${marker}</p>`,
          participants: [{ person_id: Number(id), primary: true }],
        };
        const made = await lab.make(`${root}/activities`, body, (answer) =>
          pathOf("activities", idAt(answer, "data.id")),
        );
        const note = String(at(await lab.call("GET", `${root}/activities/${idAt(made, "data.id")}`), "data.note"));
        return { found: `the note came back as ${note.slice(0, 200)}`, asGuessed: note.includes(marker) };
      },
    },
    {
      question: "With which status is a create answered, and which headers speak of limits?",
      changes: "the status of creates and dailyHeaders of the Pipedrive sandbox",
      async ask(lab) {
        const made = await makePerson(lab, "status");
        const limits = Object.entries(made.headers)
          .filter(([name]) => /rate|daily|limit/i.test(name))
          .map(([name, value]) => `${name}: ${value}`);
        return {
          found: `${made.status}; ${limits.join(", ") || "no header"}`,
          asGuessed: made.status === 200 && limits.length > 0,
        };
      },
    },
    {
      question: "How long may the note of an activity be?",
      changes: "the row 'Texts of 255, notes of 65,535 characters at most'",
      async ask(lab) {
        const id = Number(idAt(await makePerson(lab, "long"), "data.id"));
        const statuses: string[] = [];
        for (const length of [65_535, 65_536]) {
          const body = {
            subject: lab.mark,
            type: "email",
            done: true,
            note: "x".repeat(length),
            participants: [{ person_id: id, primary: true }],
          };
          const answer = await lab.attempt(`${root}/activities`, body, (made) =>
            pathOf("activities", idAt(made, "data.id")),
          );
          statuses.push(`${length}: ${answer.status < 300 ? answer.status : wordsOf(answer)}`);
        }
        return {
          found: statuses.join(", "),
          asGuessed: statuses[0]?.startsWith("65535: 2") === true && statuses[1]?.startsWith("65536: 4") === true,
        };
      },
    },
  ],
};
