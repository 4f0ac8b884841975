/** `[checks]`: what strangers at `mx` are asked for. All off: each refuses mail that somebody may want. */

import { domain, flag, ipAddress, listOf, oneOf, path } from './forms.ts'
import { table } from './table.ts'

const blocklist = table({
  zone: domain.describe('The zone to ask, such as `list.example.net`.'),
  answers: listOf(ipAddress, 'write a list of addresses: ["127.0.0.2"]')
    .prefault([])
    .describe('The answers that count. Empty: every answer in 127.0.0.0/8 but 127.255.255.0/24, by which lists say that they refuse the question.'),
})

export const checks = table({
  helo: flag()
    .prefault(false)
    .describe(
      'The name after EHLO or HELO must have the form of a host name or of an address literal. It is not looked up: RFC 5321 §4.1.4 forbids to refuse a client for that.',
    ),
  'reverse-name': flag()
    .prefault(false)
    .describe('The address must have a host name in DNS that leads back to it. While that cannot be found out, or the name leads elsewhere, the client is told 451.'),
  'sender-domain': flag()
    .prefault(false)
    .describe('The domain of the sender must have an MX record or an address, and no null MX (RFC 7505), which says that it takes no mail. While that cannot be found out, the client is told 451.'),
  'dns-blocklists': listOf(blocklist, 'write a list of tables: [{ zone = "list.example.net" }]')
    .prefault([])
    .describe('Lists in DNS (RFC 5782) that refuse the addresses they hold: 550, with the zone. A list that does not answer refuses nobody.'),
  recipients: path
    .optional()
    .describe(
      'A file with the recipients that exist, one on a line, or `@example.org` for all of a domain. Others of the domains it names are told 550 5.1.1 at RCPT, whoever sends and on every listener: our own people hear of a mistyped address at once, and get no bounce for it. ' +
        'Domains that it does not name are not looked for in it.',
    ),
  'recipient-callout': flag()
    .prefault(false)
    .describe(
      'Ask the next hop at RCPT whether it takes the recipient, by MAIL with the null sender and RCPT. If it says that there is none, the client is told 550 5.1.1. ' +
        'For recipients in `relay.domains` and in domains that a `To:` line lets in; postmaster is not asked about. Answers are remembered: a yes for 6 hours, a no for 10 minutes.',
    ),
  'recipient-callout-unknown': oneOf(['defer', 'accept'])
    .prefault('defer')
    .describe(
      'What becomes of a recipient while the next hop cannot be reached, or does not say within 10 seconds: `defer` tells the client 450, `accept` takes it. ' +
        'A recipient that it had in the last 7 days is taken in any case.',
    ),
}).transform(checks => ({
  recipientsFile: checks.recipients ?? null,
  recipientCallout: checks['recipient-callout'] ? checks['recipient-callout-unknown'] : ('off' as const),
  hello: checks.helo,
  reverseName: checks['reverse-name'],
  senderDomain: checks['sender-domain'],
  blocklists: checks['dns-blocklists'],
}))
