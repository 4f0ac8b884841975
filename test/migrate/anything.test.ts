/**
 * Whatever an old configuration says, a migration ends, and what it writes is what Postern takes.
 */

import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { MigrationFiles } from '../../src/cli/migration-files.ts'
import { parseConfig } from '../../src/core/config/parse.ts'
import type { Migration } from '../../src/core/migrate/migration.ts'
import { migratePostfix } from '../../src/core/migrate/postfix/migrate.ts'
import type { SiteFiles } from '../../src/core/migrate/site-files.ts'
import { migrateSendmail } from '../../src/core/migrate/sendmail/migrate.ts'
import { accessProblems } from '../../src/relay/policy-holder.ts'

/** Values of the right kind, of the wrong one, and too much of either. */
const VALUES = ['mx.example.org', 'a.b', 'localhost', '[192.0.2.1]', '[IPv6:2001:db8::1]', '::1', '10.1', '10.1.2.0/22', '0', '-1', '99999999999999', '5d', '4h30m', 'never', 'a b,c', '', '"', '$j', '`x\'', '.', '*', '@x', 'esmtp:[h.example]:99', 'error:nouser 550 no', '/etc/mail/x', 'ä.example', 'x'.repeat(300), '\\', '#', 'relay:h', 'smtp:[h]:587', 'RELAY', 'OK', 'REJECT', 'VERIFY:128+CN', '550 no']

// prettier-ignore
const VARIABLES = [
  'confDOMAIN_NAME', 'confMAX_MESSAGE_SIZE', 'confMAX_RCPTS_PER_MESSAGE', 'confMAX_DAEMON_CHILDREN', 'confMAX_HOP', 'confTO_QUEUERETURN', 'confTO_QUEUEWARN',
  'confTO_COMMAND', 'confTO_CONNECT', 'confHELO_NAME', 'confRUN_AS_USER', 'confSERVER_CERT', 'confSERVER_KEY', 'confCACERT', 'confSERVER_SSL_OPTIONS',
  'SMART_HOST', 'MAIL_HUB', 'RELAY_MAILER_ARGS', 'confCR_FILE', 'ALIAS_FILE', 'confNONSENSE',
]

const value = fc.constantFrom(...VALUES)
const mcLine = fc.oneof(
  fc.tuple(fc.constantFrom(...VARIABLES), value).map(([name, value]) => `define(\`${name}', \`${value}')dnl`),
  fc.tuple(fc.constantFrom('FEATURE', 'LOCAL_DOMAIN', 'RELAY_DOMAIN', 'DAEMON_OPTIONS', 'MASQUERADE_AS', 'INPUT_MAIL_FILTER', 'include', 'VIRTUSER_DOMAIN', 'MAILER'), value).map(([word, value]) => `${word}(\`${value}')dnl`),
  value.map(value => `DAEMON_OPTIONS(\`Name=x, Port=${value}, Addr=${value}, M=sa')dnl`),
  fc.constantFrom('FEATURE(`access_db\')dnl', 'FEATURE(`mailertable\')dnl', 'FEATURE(`virtusertable\')dnl', 'FEATURE(`use_cw_file\')dnl', 'FEATURE(`nullclient\', `h.example\')dnl', 'LOCAL_CONFIG', 'Cwa.example b', 'O MaxMessageSize=1', 'garbage', '\'', 'divert(0)dnl'),
)
const table = fc.array(fc.tuple(value, value).map(([key, value]) => `${key}\t${value}`), { maxLength: 8 }).map(lines => lines.join('\n'))

test('any sendmail site', () => {
  fc.assert(
    fc.property(fc.array(mcLine, { maxLength: 15 }), table, table, (lines, access, routes) => {
      const files = holding({ access, mailertable: routes, virtusertable: routes, 'relay-domains': routes, 'local-host-names': access, aliases: routes })
      const migrated = migrateSendmail({ main: { name: 'sendmail.mc', text: lines.join('\n') }, files, hostname: null, machineName: 'host.example.org', mailboxes: null, organisation: null })
      if (migrated.ok) loads(migrated.value)
      else assert.match(migrated.problem, /^sendmail\.mc:\d+: /)
    }),
    { numRuns: 300 },
  )
})

const parameter = fc
  .tuple(fc.constantFrom('myhostname', 'mynetworks', 'relay_domains', 'mydestination', 'relayhost', 'transport_maps', 'smtpd_relay_restrictions', 'smtpd_recipient_restrictions', 'message_size_limit', 'maximal_queue_lifetime', 'delay_warning_time', 'smtp_tls_security_level', 'smtp_helo_name', 'inet_interfaces', 'nonsense'), value)
  .map(([name, value]) => `${name} = ${value}`)
const postfixLine = fc.oneof(
  parameter,
  fc.constantFrom('transport_maps = hash:/t', 'mynetworks = cidr:/t', 'smtpd_relay_restrictions = permit_mynetworks, check_client_access hash:/t, permit_tls_clientcerts, reject_unauth_destination', 'relay_clientcerts = hash:/t', 'relay_domains = hash:/t', 'smtp_tls_policy_maps = hash:/t'),
)

test('any Postfix site', () => {
  fc.assert(
    fc.property(fc.array(postfixLine, { maxLength: 12 }), table, value, (lines, t, service) => {
      const master = { name: 'master.cf', text: `${service.replaceAll(/\s/g, '')} inet n - y - - smtpd -o x=${service}\n` }
      const request = { main: { name: 'main.cf', text: lines.join('\n') }, master, files: holding({ t }), hostname: null, machineName: 'host.example.org', mailboxes: null, organisation: null }
      loads(migratePostfix(request))
    }),
    { numRuns: 300 },
  )
})

function holding(texts: { readonly [name: string]: string }): SiteFiles {
  const nameOf = (given: string): string => given.slice(given.lastIndexOf('/') + 1)
  return {
    read: given => {
      const text = texts[nameOf(given)]
      return text === undefined ? null : { name: nameOf(given), text }
    },
    locate: given => (given.includes('x') ? `/etc/mail/${nameOf(given)}` : null),
    keyProblem: () => null,
    authorities: () => ({ counting: [], passedOver: [], unreadable: [] }),
  }
}

function loads({ config, access }: Migration): void {
  const parsed = parseConfig(config, 'postern.toml')
  assert.ok(parsed.ok, `${JSON.stringify(parsed)}\n${config}`)
  const problems = accessProblems(parsed.value, { accessText: access('/O=example.org/CN=CA'), accessFile: 'access' })
  assert.deepEqual(problems.filter(({ severity }) => severity === 'error'), [])
}

test('paths lead into the folder that is migrated, and nowhere else', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'postern-site-'))
  try {
    mkdirSync(path.join(folder, 'certs'))
    writeFileSync(path.join(folder, 'certs', 'ca.pem'), 'x')
    writeFileSync(path.join(folder, 'access'), 'x')
    writeFileSync(path.join(folder, 'access.db'), 'x')
    symlinkSync('/nowhere', path.join(folder, 'dangling'))
    const files = new MigrationFiles(folder)
    assert.equal(files.locate('/etc/mail/certs/ca.pem'), path.join(folder, 'certs/ca.pem'))
    assert.equal(files.locate('/some/where/else/ca.pem'), null)
    assert.equal(files.read('access')?.name, 'access')
    for (const given of ['/etc/passwd', '../../../etc/passwd', `${folder}/../x`, '', '/', 'certs/../../x', 'a\0b', 'dangling']) assert.equal(files.read(given), null, given)
    assert.deepEqual(files.unread(), [])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('of a folder of CAs those count that OpenSSL finds there, and a file that is closed to us stops nothing', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'postern-site-'))
  const pem = readFileSync(path.join(import.meta.dirname, 'sendmail/smarthost/mail/certs/cacert.pem'), 'latin1')
  const file = (name: string): string => path.join(folder, 'certs', name)
  try {
    mkdirSync(file(''))
    writeFileSync(file('ca.pem'), pem)
    writeFileSync(file('closed.key'), 'x', { mode: 0o000 })
    chmodSync(folder, 0o755)
    symlinkSync('ca.pem', file('0a1b2c3d.0'))
    const asked = asOrdinaryUser(() => new MigrationFiles(folder).authorities('/etc/mail/certs'))
    const subjects = asked.counting.map(({ subject }) => subject)
    assert.ok(subjects.includes('/C=US/O=Example/CN=Example+20Mail+20CA'))
    assert.deepEqual(asked.passedOver, subjects.map(subject => ({ name: 'ca.pem', subject })))
    assert.deepEqual(asked.unreadable, ['closed.key'])
    assert.deepEqual(new MigrationFiles(folder).authorities('certs/ca.pem').counting.length, subjects.length)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

/** root may read everything. */
function asOrdinaryUser<Value>(read: () => Value): Value {
  if (process.geteuid?.() !== 0) return read()
  process.seteuid?.(65_534)
  try {
    return read()
  } finally {
    process.seteuid?.(0)
  }
}
