/** Prints how many of the bench's mails mailparser's simpleParser alone takes per second, on one core, and its CPU microseconds for each. */
import { simpleParser } from "mailparser";
import { benchMails } from "./mail.ts";

const [count = "1000", senders = "100", run = "parse", mix = "ordinary"] = process.argv.slice(2);
const mails = [...benchMails(Number(count), Number(senders), run, mix === "small" ? "small" : "ordinary")].map(
  ({ data }) => data,
);
for (const mail of mails.slice(0, 2_000)) await simpleParser(mail);
const before = process.cpuUsage();
const from = performance.now();
for (const mail of mails) await simpleParser(mail);
const rate = mails.length / ((performance.now() - from) / 1000);
const { user, system } = process.cpuUsage(before);
process.stdout.write(`${rate.toFixed(1)} ${((user + system) / mails.length).toFixed(1)}\n`);
