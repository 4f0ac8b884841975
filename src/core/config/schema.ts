/**
 * postern.toml: every key with its check, its default and its words.
 *
 * The manual page (reference.ts) is printed from this file, so a description is written for the
 * person who edits the configuration. Every default is the safe choice. Each table ends by giving its
 * values the names the code uses, with their units.
 */

import { z } from 'zod'
import { count, domain, duration, flag, hostname, ipAddress, listenAddress, listOf, nextHop } from './forms.ts'
import { domainOrBelow, oneOf, path, resolver, routeDomain, size } from './forms.ts'
import { PASSWORD_MECHANISMS } from '../sasl/mechanisms.ts'
import { IGNORABLE_KEYWORDS } from '../smtp/extensions.ts'
import { checks } from './checks-table.ts'
import { limits } from './limits-table.ts'
import { oauth } from './oauth-table.ts'
import { listeners } from './listeners-table.ts'
import { table } from './table.ts'

const fileList = listOf(path, 'write a list of files: ["partner-ca.pem"]')

const passwords = table({
  mechanisms: listOf(oneOf(PASSWORD_MECHANISMS), 'write a list of mechanisms: ["SCRAM-SHA-256", "PLAIN", "LOGIN"]')
    .prefault(['SCRAM-SHA-256', 'PLAIN', 'LOGIN'])
    .describe(
      'How a password may be used. `SCRAM-SHA-256` brings `SCRAM-SHA-256-PLUS` with it where the connection has TLS 1.3. `SCRAM-SHA-1` is for old ' +
        'programs that know no other SCRAM; it counts for passwords that are set while it is listed.',
    ),
})

const web = table({
  address: listenAddress
    .optional()
    .describe('Where enrolment and administration pages will listen. Accepted and not used yet: the pages come in a later version.'),
}).transform(web => ({ address: web.address ?? null }))

const tls = table({
  certificate: path.prefault('tls/server.pem').describe('Our server certificate and the chain it needs, as PEM.'),
  key: path.prefault('tls/server.key').describe('Its private key, as PEM; readable by its owner only.'),
  'min-version': oneOf(['1.2', '1.3']).prefault('1.2').describe('The oldest TLS version to speak with clients.'),
}).transform(tls => ({ certificateFile: tls.certificate, keyFile: tls.key, minVersion: tls['min-version'] }))

const relay = table({
  domains: listOf(domain, 'write a list of domains: ["example.org"]')
    .prefault([])
    .describe('Our own domains, and every domain below them: mail to them is accepted from anyone, within limits.'),
  subdomains: flag()
    .prefault(true)
    .describe(
      '`false`: the domains of `relay.domains`, and those of `To:` and `Connect:` lines with `RELAY`, stand for themselves only and not for what is ' +
        'below them (sendmail\'s `relay_hosts_only`). To leave out a single one, refuse it with a line `To:test.example.org REJECT` in the access map.',
    ),
  'sender-binding': oneOf(['enforce', 'warn', 'off'])
    .prefault('enforce')
    .describe(
      'Whether a certificate may only send from its own addresses: `enforce` refuses other senders, `warn` logs them, ' +
        '`off` lets everyone with a certificate write as anyone else.',
    ),
  'header-from-binding': oneOf(['enforce', 'warn', 'off'])
    .prefault('warn')
    .describe(
      'The same for From and Sender in the header, which is what recipients see, of all mail that passes because of a certificate. ' +
        'The default only logs, because programs rightly write other names there: a message that is sent on (Resent-From) keeps its ' +
        'author, and so may mail of lists and shared mailboxes. See what `warn` logs, then set `enforce`.',
    ),
  access: path.prefault('access').describe('The access map: who may relay, in sendmail\'s syntax and more ([the access map](access-map.md)).'),
  compatibility: oneOf(['postern', 'sendmail'])
    .prefault('postern')
    .describe(
      'How the access map is read. `postern` refuses to load a file with a line that sendmail would take for something else ' +
        'than it says, and knows keys that sendmail does not have. `sendmail` loads it, turns what is wrong into warnings, ' +
        'and gives sendmail\'s answers: lines that makemap leaves out are left out; a TLS requirement that cannot be read ' +
        'accepts everybody; keys are cut at 256 bytes, so that a long name can match a line written for another; FRIEND and ' +
        'HATER are no mistake in `To:` lines; `CERTFP:`, `CERTSAN:`, `USER:`, patterns and networks with a `/` are never found. ' +
        'It changes what lines mean and nothing else: loopback addresses, and hosts by their DNS name, may not relay because of it.',
    ),
}).transform(relay => ({
  domains: relay.domains,
  subdomains: relay.subdomains,
  senderBinding: relay['sender-binding'],
  headerFromBinding: relay['header-from-binding'],
  accessFile: relay.access,
  compatibility: relay.compatibility,
}))

const submission = table({
  'complete-header': flag()
    .prefault(true)
    .describe(
      'Add Date, Message-ID and From to submitted messages that lack them, and take out Return-Path (RFC 6409 §8). What is there is ' +
        'never changed, and mail from other servers is never completed.',
    ),
}).transform(submission => ({ completesHeader: submission['complete-header'] }))

const nextHopTls = oneOf(['none', 'opportunistic', 'encrypt', 'verify'])

const ignoredKeywords = listOf(oneOf(IGNORABLE_KEYWORDS), 'write a list of keywords: ["CHUNKING"]')

const delivery = table({
  smarthost: nextHop
    .optional()
    .describe('Every message without a route goes to this server, by its address records. Left out: to each domain\'s MX hosts.'),
  'implicit-tls': flag().prefault(false).describe('Speak TLS to the smarthost from the first byte, as on port 465.'),
  tls: nextHopTls
    .prefault('opportunistic')
    .describe(
      'What a next hop must prove: `none` sends in clear, `opportunistic` encrypts where offered, `encrypt` insists on ' +
        'encryption, `verify` also on a certificate of a trusted CA for the host\'s name. What fails is tried again later, never sent in clear.',
    ),
  'tls-required-no': oneOf(['never', 'mx', 'everywhere'])
    .prefault('mx')
    .describe(
      'For which next hops a message may waive the level of TLS by the header field `TLS-Required: No` (RFC 8689): `mx` for those that only DNS names, ' +
        '`everywhere` for the smarthost and routes too. It is `opportunistic` then. Lines of the access map hold for such a message as for any other.',
    ),
  'trusted-ca': fileList.optional().describe('PEM files of the CAs that `verify` trusts. Left out: the public CAs.'),
  certificate: path.prefault('tls/client.pem').describe('Our certificate as a client, shown to the smarthost and to routes with `show-certificate`.'),
  key: path.prefault('tls/client.key').describe('Its private key.'),
  concurrency: count(1000).prefault(20).describe('Connections at one time to one next hop.'),
  'connection-messages': count(100_000).prefault(100).describe('Messages sent over one connection before it is closed.'),
  'recipients-per-message': count(10_000).prefault(100).describe('Recipients named in one transaction (RFC 5321 §4.5.3.1.8: 100 are always taken).'),
  'ignore-keywords': ignoredKeywords
    .prefault([])
    .describe('Keywords of EHLO that next hops offer and that are not used, for servers, or firewalls before them, that handle them badly: `["CHUNKING", "PIPELINING"]`.'),
  'connect-timeout': duration('10m').prefault('30s').describe('How long one address of a next hop may take to answer a connection.'),
  helo: hostname.optional().describe('The name we give after EHLO. Left out: `hostname`.'),
  resolvers: listOf(resolver, 'write a list of addresses: ["127.0.0.1"]')
    .optional()
    .describe('DNS servers to ask. Left out: those of the system.'),
}).transform(delivery => ({
  smarthost: delivery.smarthost ?? null,
  implicitTls: delivery['implicit-tls'],
  tls: delivery.tls,
  waivableTls: WAIVABLE[delivery['tls-required-no']],
  trustedCaFiles: delivery['trusted-ca'] ?? null,
  certificateFile: delivery.certificate,
  keyFile: delivery.key,
  concurrency: delivery.concurrency,
  connectionMessages: delivery['connection-messages'],
  recipientsPerMessage: delivery['recipients-per-message'],
  ignoredKeywords: delivery['ignore-keywords'],
  connectTimeoutSeconds: delivery['connect-timeout'],
  helloName: delivery.helo ?? null,
  resolvers: delivery.resolvers ?? null,
}))

const WAIVABLE = { never: 'none', mx: 'mx', everywhere: 'all' } as const

const route = table({
  domain: routeDomain.describe('Recipients this route is for: `example.org`, `.example.org` for every domain below it, `*` for all others. The most exact route wins.'),
  to: nextHop.describe('The next hop, by its address records.'),
  tls: nextHopTls.optional().describe('As `delivery.tls`, which is the default.'),
  'implicit-tls': flag().prefault(false).describe('Speak TLS from the first byte.'),
  'show-certificate': flag().prefault(false).describe('Show our own certificate if this next hop asks for one.'),
  'trusted-ca': fileList.optional().describe('As `delivery.trusted-ca`, which is the default.'),
  'ignore-keywords': ignoredKeywords.optional().describe('As `delivery.ignore-keywords`, which is the default.'),
}).transform(route => ({
  domain: route.domain,
  to: route.to,
  tls: route.tls ?? null,
  implicitTls: route['implicit-tls'],
  showCertificate: route['show-certificate'],
  trustedCaFiles: route['trusted-ca'] ?? null,
  ignoredKeywords: route['ignore-keywords'] ?? null,
}))

const etrn = table({
  domain: domainOrBelow.describe('Recipients that may be asked for: `branch.example.org`, or `.branch.example.org` for every domain below it.'),
  for: listOf(z.string().min(1), 'write a list of names: ["branch1"]')
    .min(1, { error: 'write the names of the certificates that may ask: ["branch1"]' })
    .describe('Who may ask: names given to `postern user add`.'),
}).transform(etrn => ({ domain: etrn.domain, holders: etrn.for }))

const NEVER_HINT = 'write a duration as a number and a unit: 30s, 5m, 4h, 5d; or "never"'

const queue = table({
  retry: z
    .union([duration(), listOf(duration(), '').min(1)], { error: 'write one duration or a list of them: ["5m", "15m", "1h"]' })
    .prefault(['5m', '15m', '30m', '1h', '2h', '4h'])
    .describe('How long to wait after each failed attempt; the last one repeats. A little randomness is added to each.'),
  lifetime: duration().prefault('5d').describe('Age at which an undelivered message bounces (RFC 5321 §4.5.4.1: at least 4-5 days).'),
  'delay-warning': z
    .union([z.literal('never'), duration()], { error: NEVER_HINT })
    .prefault('4h')
    .describe('Age at which the sender is told of a delay, once. `"never"` keeps silent.'),
  workers: count(256).optional().describe('Processes that receive and deliver. Left out: one per processor core.'),
  'inline-size': size('0B', '1MiB').prefault('64KiB').describe('Messages up to this size are kept in the database, larger ones as files beside it.'),
}).transform(queue => ({
  retrySeconds: typeof queue.retry === 'number' ? [queue.retry] : queue.retry,
  lifetimeSeconds: queue.lifetime,
  delayWarningSeconds: queue['delay-warning'] === 'never' ? null : queue['delay-warning'],
  workers: queue.workers ?? null,
  inlineSizeBytes: queue['inline-size'],
}))

const log = table({
  level: oneOf(['info', 'warn', 'error']).prefault('info').describe('The least important lines to write. Refusals and deliveries are `info`.'),
})

const ca = table({
  'passphrase-file': path
    .optional()
    .describe('File that holds the passphrase of the CA key, if it has one; readable by its owner only.'),
}).transform(ca => ({ passphraseFile: ca['passphrase-file'] ?? null }))

const addressHint = { error: 'write a mail address such as "joe@example.org", or "" for the null sender' }

const testCase = table({
  as: z
    .string({ error: 'write the name of a person or machine, or "anonymous"' })
    .min(1, { error: 'write the name of a person or machine, or "anonymous"' })
    .prefault('anonymous')
    .describe('Who asks: a name given to `postern user add`, or `anonymous` for a client without a certificate.'),
  client: ipAddress.prefault('192.0.2.1').describe('The address it connects from.'),
  from: z.string(addressHint).describe('The sender; `""` for the null sender.'),
  to: z.string(addressHint).min(1, { error: 'write a mail address such as "ann@example.net"' }).describe('The recipient.'),
  expect: oneOf(['accept', 'relay', 'refuse', 'discard', 'quarantine']).describe(
    'What must come of it. `relay` is `accept` because the client may relay, and not because the recipient is ours.',
  ),
  listener: oneOf(['mx', 'submission', 'submissions', 'lmtp']).prefault('mx').describe('Which listener it asks at.'),
})

export const configSchema = table({
  hostname: hostname.describe('This machine\'s name as others know it, fully qualified: in the greeting, after EHLO, in Received fields.'),
  user: z
    .string({ error: 'write the name of an account' })
    .min(1, { error: 'write the name of an account' })
    .optional()
    .describe('Account of the processes that receive and deliver mail, when started as root. Left out: `postern` if there is such an account, else `nobody`.'),
  listeners: listeners.prefault({}),
  web: web.prefault({}).describe('Pages for enrolment and administration.'),
  passwords: passwords.prefault({}).describe('Passwords, for programs that cannot present a certificate.'),
  oauth: oauth.optional().describe('Tokens of an identity provider, for programs that log in with OAUTHBEARER or XOAUTH2. Left out: tokens are not taken ([passwords](../passwords.md)).'),
  tls: tls.prefault({}).describe('Our certificate as a server.'),
  relay: relay.prefault({}).describe('What we accept, and from whom.'),
  submission: submission.prefault({}).describe('What becomes of messages that our own people and machines submit.'),
  delivery: delivery.prefault({}).describe('How messages leave.'),
  route: listOf(route, 'write each route under a [[route]] header of its own')
    .prefault([])
    .describe('Next hops for recipients of particular domains. Each stands under its own `[[route]]`.'),
  etrn: listOf(etrn, 'write each of these under an [[etrn]] header of its own')
    .prefault([])
    .describe('Mail that waits for a server which is not always there, and who may have it tried now by ETRN (RFC 1985). Each stands under its own `[[etrn]]`.'),
  queue: queue.prefault({}).describe('How long messages wait, and where.'),
  limits: limits.prefault({}).describe('What one client, or all together, may take up. Nothing is unbounded.'),
  checks: checks.prefault({}).describe(
    'What clients at `mx` are asked for that have proved no identity and that no `Connect:` line with `OK` or `RELAY` welcomes, judged at MAIL; ' +
      'of their recipients, `recipient-callout` asks at RCPT. Only `recipients` is for everybody, on every listener. `postern explain` names the check.',
  ),
  log: log.prefault({}).describe('What is written to standard output.'),
  ca: ca.prefault({}).describe('The certificate authority.'),
  test: listOf(testCase, 'write each test under a [[test]] header of its own')
    .prefault([])
    .describe('Cases that the policy must satisfy. `postern check` runs them; while one of them fails, a reload is refused, and so is a start. A case about somebody whose certificates are revoked, expired or unknown is only reported.'),
}).transform(({ route, test, user, oauth, ...tables }) => ({ ...tables, user: user ?? null, oauth: oauth ?? null, routes: route, tests: test }))

export type Config = Immutable<z.output<typeof configSchema>>
export type ListenerConfig = Config['listeners'][keyof Config['listeners']]
export type RouteConfig = Config['routes'][number]
export type TestCase = Config['tests'][number]

type Immutable<Value> = Value extends object ? { readonly [Key in keyof Value]: Immutable<Value[Key]> } : Value
