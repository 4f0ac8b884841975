/**
 * The way over from sendmail, held against sendmail itself: its m4 says what a .mc means, and its log
 * what it decided.
 */

import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { MigrationFiles } from '../../src/cli/migration-files.ts'
import { readCf } from '../../src/core/migrate/sendmail/cf.ts'
import { readMc } from '../../src/core/migrate/sendmail/mc.ts'
import type { Statement } from '../../src/core/migrate/sendmail/statement.ts'
import { makeAuthority, type CertificateFiles, type OpensslAuthority } from '../support/certificates.ts'
import { freePorts, mustRun, run, waitFor } from '../support/processes.ts'
import { SmtpClient } from '../support/smtp-client.ts'
import { startSink, type Sink } from '../support/sink.ts'
import { missing, missingAsRoot, program } from './programs.ts'
import { startLoggedSendmail, type LoggedSendmail } from './servers/logged-sendmail.ts'
import { CONFIGURATION, MAKEMAP, SENDMAIL } from './servers/sendmail.ts'

const POSTERN = path.join(import.meta.dirname, '..', '..', 'bin', 'postern')
const SITES = path.join(import.meta.dirname, '..', 'migrate', 'sendmail')

describe('a .mc means to us what it means to m4', { skip: missing('m4', MAKEMAP) }, () => {
  const ours = readdirSync(SITES).map(site => path.join(SITES, site, 'mail', 'sendmail.mc'))
  const distributed = existsSync(CONFIGURATION) ? readdirSync(path.join(CONFIGURATION, 'cf')).map(name => path.join(CONFIGURATION, 'cf', name)) : []
  for (const file of [...ours, ...distributed].filter(file => file.endsWith('.mc') && existsSync(file))) {
    test(path.relative(file.startsWith(SITES) ? SITES : CONFIGURATION, file), async () => {
      const folder = mkdtempSync(path.join(tmpdir(), 'postern-m4-'))
      try {
        await compareWithM4(file, folder)
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    })
  }
})

/** What is not there for m4, or is not sendmail's: files of other packages, features that nobody has. */
const NOT_FOR_M4 = /^(?:include\(`?(?:\/usr|\/etc|\.\.).*|OSTYPE\(`debian'\).*|DOMAIN\(.*|FEATURE\(`qmail_magic'\)|HACK\(`checks'\)|SITECONFIG\(.*)$/gm

async function compareWithM4(file: string, folder: string): Promise<void> {
  const text = readFileSync(file, 'utf8').replaceAll(NOT_FOR_M4, line => (line.startsWith('OSTYPE') ? 'OSTYPE(`linux\')dnl' : 'dnl'))
  writeFileSync(path.join(folder, 'sendmail.mc'), text)
  const read = readMc({ name: 'sendmail.mc', text }, new MigrationFiles(path.dirname(file)))
  assert.ok(read.ok, JSON.stringify(read))
  const args = [`-D_CF_DIR_=${CONFIGURATION}/`, '-I', path.dirname(file), path.join(CONFIGURATION, 'm4/cf.m4'), path.join(folder, 'sendmail.mc')]
  const theirs = readCf({ name: 'sendmail.cf', text: await mustRun(program('m4'), args) })
  // m4 writes every option; a site's own file only those that it sets.
  const options = [...optionsOf(theirs)].filter(([name]) => optionsOf(read.value).has(name))
  assert.deepEqual(new Map(options), optionsOf(read.value))
  for (const name of ['w', 'R', 'M', 'E', 'G', 'VirtHost', 'TrustAuthMech']) assert.deepEqual(membersOf(read.value, name), membersOf(theirs, name), `class ${name}`)
  for (const name of ['SMART_HOST', 'MAIL_HUB', 'LOCAL_RELAY', 'LUSER_RELAY', 'confDOMAIN_NAME']) {
    // What a null client's hub becomes is written in the feature.
    if (!read.value.some(statement => statement.kind === 'feature' && statement.name === 'nullclient')) assert.equal(variableOf(read.value, name), variableOf(theirs, name), name)
  }
}

/** Daemons are words in a .mc; the list of filters grows with each filter. */
function optionsOf(statements: readonly Statement[]): ReadonlyMap<string, string> {
  const options = statements.filter(statement => statement.kind === 'option' && statement.value !== '')
  return new Map(options.flatMap(option => (option.kind === 'option' && !['DaemonPortOptions', 'InputMailFilters'].includes(option.name) ? [[option.name, option.value]] : [])))
}

/** What sendmail's features add to every site that has them: the host itself, by names and loopback addresses. */
const ADDED = /^(?:localhost|\$=.*|ucb.*|\[?127\.0\.0\.1\]?|\[?IPv6:(?:(?:0:){7}|::)1\]?)$/

function membersOf(statements: readonly Statement[], name: string): readonly string[] {
  const members = statements.flatMap(statement => (statement.kind === 'class' && statement.name === name ? statement.members : []))
  return [...new Set(members)].filter(member => !ADDED.test(member)).sort()
}

function variableOf(statements: readonly Statement[], name: string): string {
  const variable = statements.findLast(statement => statement.kind === 'variable' && statement.name === name)
  return variable?.kind === 'variable' ? variable.value : ''
}

const needs = missingAsRoot('m4', MAKEMAP, SENDMAIL, 'python3', 'unshare', 'openssl')

describe('a real log, put to the migrated policy', { skip: needs }, () => {
  let folder: string
  let sink: Sink
  let authority: OpensslAuthority
  let joe: CertificateFiles
  let stranger: CertificateFiles
  let port: number
  let sendmail: LoggedSendmail

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'postern-migration-'))
    sink = await startSink()
    authority = await makeAuthority(path.join(folder, 'ours'), 'Ours')
    joe = await authority.issue({ name: 'joe', alternativeNames: 'email:joe@example.org', usage: 'clientAuth' })
    stranger = await (await makeAuthority(path.join(folder, 'theirs'), 'Theirs')).issue({ name: 'joe', alternativeNames: 'email:joe@example.org', usage: 'clientAuth' })
    const server = await authority.issue({ name: 'hub', alternativeNames: 'DNS:hub.example.test', usage: 'serverAuth' })
    ;[port = 0] = await freePorts(1)
    const files = {
      'ca.pem': readFileSync(authority.certificate, 'utf8'),
      'server.pem': readFileSync(server.certificate, 'utf8'),
      'server.key': readFileSync(server.key, 'utf8'),
      access: ACCESS,
      'relay-domains': 'relay.example\n',
      'service.switch': 'hosts files\n',
    }
    sendmail = await startLoggedSendmail(port, files, (site, state) => macros(site, state, port, sink.port))
  })

  after(async () => {
    await sendmail?.stop()
    await sink?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  /** One message from an address of this machine, as the whole world's clients would send it. */
  async function send(from: string, reversePath: string, forwardPath: string, certificate?: CertificateFiles | 'none'): Promise<number> {
    const client = await SmtpClient.connect(port, undefined, from)
    await client.greet()
    if (certificate !== undefined) {
      const shown = certificate === 'none' ? {} : { cert: readFileSync(certificate.certificate), key: readFileSync(certificate.key) }
      await client.startTls({ rejectUnauthorized: false, ...shown })
      await client.command('EHLO laptop.example.test')
    }
    const reply = await client.deliver({ from: reversePath, to: forwardPath, text: 'Subject: x\r\n\r\nx\r\n' })
    await client.quit()
    return reply.code
  }

  test('every decision that sendmail has logged is made again', async () => {
    const codes = [
      await send('127.0.0.2', 'joe@example.org', 'ann@dest.example', joe),
      await send('127.0.0.2', 'joe@example.org', 'ann@dest.example', stranger),
      await send('127.0.0.2', 'eve@example.org', 'ann@dest.example', 'none'),
      await send('127.0.0.2', 'eve@example.org', 'ann@dest.example'),
      await send('127.0.0.2', 'eve@example.org', 'ann@relay.example'),
      await send('127.0.0.2', 'eve@example.org', 'ann@own.example'),
      await send('127.0.0.2', 'offers@spam.example', 'ann@own.example'),
      await send('127.0.0.2', 'eve@example.org', 'gone@own.example'),
      await send('127.0.0.5', 'printer@example.org', 'ann@dest.example'),
      await send('127.0.0.9', 'eve@example.org', 'ann@own.example'),
      await send('127.0.0.1', 'root@example.org', 'ann@dest.example'),
      await send('127.0.0.2', 'eve@example.org', 'victim%dest.example@relay.example'),
      await send('127.0.0.2', 'eve@example.org', 'postmaster@hub.example.test'),
    ]
    assert.deepEqual(codes, [250, 550, 550, 550, 250, 250, 550, 550, 250, 550, 250, 550, 250])
    const accepted = codes.filter(code => code === 250).length
    await waitFor('all mail to be delivered', () => sendmail.log().split('stat=Sent').length - 1 >= accepted, { told: () => sendmail.log() })

    const migrated = await run(POSTERN, ['migrate', 'sendmail', sendmail.folder, '--report-only', '--json', '--log', sendmail.logFile])
    assert.equal(migrated.code, 0, migrated.stderr)
    const { log } = JSON.parse(migrated.stdout) as { readonly log: { readonly replayed: number; readonly differences: readonly object[] } }
    assert.deepEqual(log.differences, [])
    assert.equal(log.replayed, codes.length, sendmail.log())
  })
})

const ACCESS = `# who may relay
CERTISSUER:/O=Ours/CN=Ours+20Root	RELAY
Connect:127.0.0.5	RELAY
Connect:127.0.0.9	REJECT
From:spam.example	550 5.7.1 No
To:own.example	RELAY
To:gone@own.example	ERROR:5.1.1:550 Gone
`

function macros(folder: string, state: string, port: number, sinkPort: number): string {
  return `divert(0)dnl
OSTYPE(\`linux')dnl
define(\`confDOMAIN_NAME', \`hub.example.test')dnl
define(\`confPID_FILE', \`${state}/pid')dnl
define(\`QUEUE_DIR', \`${state}/queue')dnl
define(\`STATUS_FILE', \`${state}/statistics')dnl
define(\`confSERVICE_SWITCH_FILE', \`${folder}/service.switch')dnl
define(\`confCR_FILE', \`${folder}/relay-domains')dnl
undefine(\`ALIAS_FILE')dnl
define(\`confTO_IDENT', \`0')dnl
define(\`confLOG_LEVEL', \`12')dnl
define(\`confQUEUE_LA', \`1000')dnl
define(\`confREFUSE_LA', \`1000')dnl
define(\`confDONT_PROBE_INTERFACES', \`True')dnl
define(\`CERTS', \`${folder}')dnl
define(\`confCACERT_PATH', \`CERTS')dnl
define(\`confCACERT', \`CERTS/ca.pem')dnl
define(\`confSERVER_CERT', \`CERTS/server.pem')dnl
define(\`confSERVER_KEY', \`CERTS/server.key')dnl
define(\`SMART_HOST', \`relay:[127.0.0.1]')dnl
define(\`MAIL_HUB', \`relay:[127.0.0.1]')dnl
define(\`RELAY_MAILER_ARGS', \`TCP $h ${sinkPort}')dnl
FEATURE(\`nocanonify')dnl
FEATURE(\`accept_unresolvable_domains')dnl
FEATURE(\`no_default_msa')dnl
FEATURE(\`access_db', \`hash -T<TMPF> ${folder}/access')dnl
FEATURE(\`blocklist_recipients')dnl
DAEMON_OPTIONS(\`Port=${port}, Addr=127.0.0.1, Name=MTA')dnl
MAILER(\`smtp')dnl
`
}
