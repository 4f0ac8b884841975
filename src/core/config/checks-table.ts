/** `[checks]`: what strangers at `mx` are asked for. All off: each refuses mail that somebody may want. */

import { domain, flag, ipAddress, listOf, path } from './forms.ts'
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
    .describe('The address must have a host name in DNS that leads back to it. While that cannot be found out, the client is told 451.'),
  'sender-domain': flag()
    .prefault(false)
    .describe('The domain of the sender must have an MX record or an address. While that cannot be found out, the client is told 451.'),
  'dns-blocklists': listOf(blocklist, 'write a list of tables: [{ zone = "list.example.net" }]')
    .prefault([])
    .describe('Lists in DNS (RFC 5782) that refuse the addresses they hold: 550, with the zone. A list that does not answer refuses nobody.'),
  recipients: path
    .optional()
    .describe(
      'A file with the recipients that exist, one on a line, or `@example.org` for all of a domain. Others of the domains it names are told 550 5.1.1, whoever sends. ' +
        'Domains that it does not name are not looked for in it.',
    ),
}).transform(checks => ({
  recipientsFile: checks.recipients ?? null,
  hello: checks.helo,
  reverseName: checks['reverse-name'],
  senderDomain: checks['sender-domain'],
  blocklists: checks['dns-blocklists'],
}))
