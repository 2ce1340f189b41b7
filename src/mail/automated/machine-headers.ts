/** The header fields by which services sign the mail that their machines send. */

/**
 * Set by the service on every notification, and by nothing else. Names in lower case, the service beside them. A person's comment that a
 * tracker relays is a notification too: the person cannot be answered by it alone.
 */
export const notificationHeaders: ReadonlyMap<string, string> = new Map([
  ["x-github-reason", "GitHub"],
  ["x-github-recipient", "GitHub"],
  ["x-github-sender", "GitHub"],
  ["x-gitlab-project", "GitLab"],
  ["x-gitlab-project-id", "GitLab"],
  ["x-gitlab-group-id", "GitLab"],
  ["x-gitlab-issue-id", "GitLab"],
  ["x-gitlab-mergerequest-id", "GitLab"],
  ["x-gitlab-notificationreason", "GitLab"],
  ["x-gitlab-pipeline-id", "GitLab"],
  ["x-jira-fingerprint", "Jira"],
  ["x-bugzilla-reason", "Bugzilla"],
  ["x-bugzilla-type", "Bugzilla"],
  ["x-redmine-host", "Redmine"],
  ["x-redmine-project", "Redmine"],
  ["x-trac-project", "Trac"],
  ["x-trac-ticket-id", "Trac"],
  ["x-gerrit-messagetype", "Gerrit"],
  ["x-phabricator-sent-this-message", "Phabricator"],
  ["x-launchpad-notification-type", "Launchpad"],
  ["x-debian-pr-message", "Debian's bug tracker"],
  ["x-discourse-post-id", "Discourse"],
  ["x-discourse-topic-id", "Discourse"],
  ["x-sentry-project", "Sentry"],
  ["x-jenkins-job", "Jenkins"],
  ["x-linkedin-class", "LinkedIn"],
  ["x-linkedin-template", "LinkedIn"],
  ["x-facebook-notify", "Facebook"],
  ["x-amazon-mail-relay-type", "Amazon"],
  ["x-pp-email-transmission-id", "PayPal"],
  ["x-stripe-eid", "Stripe"],
]);

/** Of services that sign with their address only. They send nothing else from it. */
export const notificationSenders: ReadonlyMap<string, string> = new Map([
  ["notifications@github.com", "GitHub"],
  ["noreply@github.com", "GitHub"],
  ["do-not-reply@trello.com", "Trello"],
  ["calendar-notification@google.com", "Google Calendar"],
]);

/**
 * Ticket systems through which people answer, with `Auto-Submitted` or `Precedence` on everything that leaves them. `says` limits a field that
 * others use too.
 */
export const helpDesks: readonly { readonly header: string; readonly says?: RegExp }[] = [
  { header: "x-zendesk-from-account-id" },
  { header: "rt-ticket" },
  { header: "x-freescout-mail-type", says: /^customer\.message/i },
  { header: "managed-by", says: /request tracker/i },
  { header: "x-mailer", says: /zendesk|\botrs\b|\bznuny\b|\bzammad\b|osticket/i },
  { header: "x-powered-by", says: /\botrs\b|\bznuny\b|\bzammad\b/i },
];

/** Fields of programs for automatic answers, and the values that say that this is none. */
export const autoReplyHeaders: readonly string[] = [
  "x-autoreply",
  "x-autorespond",
  "x-autoresponse",
  "x-auto-reply",
  "x-auto-reply-from",
  "x-autoreply-from",
  "x-mail-autoreply",
];

/** Of programs for campaigns; some of them send single mails too. */
export const campaignHeaders: readonly string[] = [
  "x-campaignid",
  "x-campaign-id",
  "x-campaign",
  "x-mailchimp-campaign-id",
  "x-mc-user",
  "x-mailgun-tag",
  "x-csa-complaints",
];

/**
 * All fields of this page and of the rules that make a mail a machine's: what differs in one of them is another mail (identity.ts), so that a
 * copy that was made to look automatic does not take the place of the real one.
 */
export const decidingHeaders: readonly string[] = [
  ...["auto-submitted", "precedence", "list-id", "list-post", "list-unsubscribe", "feedback-id"],
  ...["x-auto-response-suppress", "x-failed-recipients", "x-ms-exchange-inbox-rules-loop"],
  ...autoReplyHeaders,
  ...notificationHeaders.keys(),
  ...helpDesks.map(({ header }) => header),
  ...campaignHeaders,
];
