/** What a reload changes in processes that run: each key is in force in all of them, and in sessions that are open. */

import assert from 'node:assert/strict'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { parse, stringify, type TomlTable } from 'smol-toml'
import { certificateAuthority, makeCertificate, purposes, simpleName } from '../support/certificate-maker.ts'
import { startDnsServer, type DnsServer } from '../support/dns-server.ts'
import { CLIENT_AUTH } from '../support/handshakes.ts'
import { showing, startPostern } from '../support/postern.ts'
import type { LogLine, Postern } from '../support/postern.ts'
import { waitFor } from '../support/processes.ts'
import { startSink, type Sink } from '../support/sink.ts'
import { SmtpClient } from '../support/smtp-client.ts'

/** Enough for each of two workers to get some of them. */
const CONNECTIONS = 16
const WORKERS = ['worker 0', 'worker 1']

let blind: DnsServer
let seeing: DnsServer
let sink: Sink
let postern: Postern
let file: string
/** As the tests find them. */
let usual: string
let usualAccess: string
let usualCertificate: string

const access = (): string => path.join(postern.folder, 'access')
const clientCertificate = (): string => path.join(postern.folder, 'tls', 'client.pem')

before(async () => {
  sink = await startSink()
  blind = await startDnsServer(new Map([['A hop.example.net', 'SERVFAIL']]))
  seeing = await startDnsServer(
    new Map([
      ['MX example.com', ['mx.example.com']],
      ['A hop.example.net', ['127.0.0.1']],
    ]),
  )
  const settings = {
    queue: { workers: 2, retry: '1s' },
    checks: { 'sender-domain': true },
    limits: { 'handshake-timeout': '5m' },
    delivery: { smarthost: `hop.example.net:${sink.port}`, resolvers: [`127.0.0.1:${blind.port}`] },
  }
  postern = await startPostern({ settings })
  file = path.join(postern.folder, 'postern.toml')
  ;[usual, usualAccess, usualCertificate] = [file, access(), clientCertificate()].map(name => readFileSync(name, 'utf8')) as [string, string, string]
})

afterEach(async () => {
  writeFileSync(file, usual)
  writeFileSync(access(), usualAccess)
  chmodSync(access(), 0o644)
  writeFileSync(clientCertificate(), usualCertificate)
  await reload()
})

after(async () => {
  await postern?.dispose()
  await sink?.stop()
  blind?.stop()
  seeing?.stop()
})

test('delivery.resolvers: strangers are judged, and mail goes out, by what the new ones say', async () => {
  const open = await stranger('127.0.40.1')
  assert.equal((await open.command('MAIL FROM:<ann@example.com>')).code, 553)
  const waiting = await stranger('127.0.40.1')
  const subject = 'Subject: waits for a resolver\r\n\r\nHello\r\n'
  assert.equal((await waiting.deliver({ from: '', to: 'joe@example.test', text: subject })).code, 250)
  await waitFor('the first attempt to fail', () => blind.asked.includes('A hop.example.net'))
  await changeTo({ delivery: { resolvers: [`127.0.0.1:${seeing.port}`] } })

  const asked = blind.asked.length
  assert.equal((await open.command('MAIL FROM:<ann@example.com>')).code, 250, 'in a session that was open')
  for (let count = 0; count < CONNECTIONS; count += 1) {
    const next = await stranger('127.0.40.1')
    assert.equal((await next.command('MAIL FROM:<ann@example.com>')).code, 250)
    next.destroy()
  }
  await waitFor('the message that waited', () => sink.messages.some(({ text }) => text.includes('waits for a resolver')))
  assert.deepEqual(blind.asked.slice(asked), [])
  open.destroy()
  waiting.destroy()
})

test('log.level: what is less important is not written any more, by no process, until it is wanted again', async () => {
  await changeTo({ log: { level: 'error' }, queue: { workers: 3 } }, ['queue.workers'])
  await connectOften('127.0.41.1')
  await changeTo({ log: { level: 'info' } })
  await connectOften('127.0.41.2')
  // What a worker has written later comes later.
  const heard = (): unknown[] => WORKERS.filter(worker => lines('127.0.41.2').some(line => line['process'] === worker))
  await waitFor('both workers to tell of the later connections', () => heard().length === WORKERS.length)
  assert.deepEqual(lines('127.0.41.1'), [])
  assert.deepEqual(postern.log().filter(({ afterRestart }) => Array.isArray(afterRestart) && afterRestart.length > 0), [])
})

test('limits.handshake-timeout: for handshakes to come', { timeout: 60_000 }, async () => {
  await changeTo({ limits: { 'handshake-timeout': '1s' } })
  const silent = await SmtpClient.connect(postern.ports.submissions)
  await silent.closed()
})

test('[[etrn]]: a grant that was taken away is none in a session that is open, and a new one is', async () => {
  const grants = (...domains: readonly string[]): TomlTable => ({ etrn: domains.map(domain => ({ domain, for: ['branch'] })) })
  const holder = await postern.issue('branch', '--machine')
  const changeGrants = async (...domains: readonly string[]): Promise<void> => {
    writeFileSync(file, stringify({ ...parse(usual), ...grants(...domains) }))
    await reload()
  }
  await changeGrants('example.test')
  const open = await SmtpClient.connect(postern.ports.submissions, showing(postern, holder))
  await open.greet()
  const etrn = async (domain: string): Promise<number> => (await open.command(`ETRN ${domain}`)).code
  assert.deepEqual([await etrn('example.test'), await etrn('other.example.test')], [251, 459])
  await changeGrants('other.example.test')
  assert.deepEqual([await etrn('example.test'), await etrn('other.example.test')], [459, 251])
  open.destroy()
})

test('listeners.submissions.authentication: a password opens nothing any more in a session that is open', async () => {
  await postern.issue('ann', '--email', 'ann@example.test')
  const password = ((await postern.json(['user', 'passwd', 'ann', '--device', 'phone'])) as { readonly password: string }).password
  await changeTo({ listeners: { ...(parse(usual)['listeners'] as TomlTable), submissions: { address: `127.0.0.1:${postern.ports.submissions}`, authentication: 'any' } } })
  const open = await SmtpClient.connect(postern.ports.submissions, showing(postern, null))
  assert.match((await open.greet()).text, /AUTH .*PLAIN/)
  await changeTo({ listeners: { ...(parse(usual)['listeners'] as TomlTable), submissions: { address: `127.0.0.1:${postern.ports.submissions}`, authentication: 'certificate' } } })
  assert.notEqual((await open.command(`AUTH PLAIN ${Buffer.from(`\0ann\0${password}`).toString('base64')}`)).code, 235)
  open.destroy()
})

test('S6: listeners.mx.client-ca: a CA that was taken off the list vouches for nobody in a session that is open', async () => {
  const partner = makeCertificate({ subject: simpleName(['2.5.4.3', 'Partner CA']), extensions: certificateAuthority() })
  const gateway = makeCertificate({ subject: simpleName(['2.5.4.3', 'gateway']), issuer: partner, extensions: [purposes(CLIENT_AUTH)] })
  writeFileSync(path.join(postern.folder, 'partner.pem'), partner.pem)
  writeFileSync(access(), `CERTISSUER:/CN=Partner+20CA\tRELAY\n${usualAccess}`)
  const listed = (...files: readonly string[]): { readonly listeners: TomlTable } => ({ listeners: { ...(parse(usual)['listeners'] as TomlTable), mx: { address: `127.0.0.1:${postern.ports.mx}`, 'client-ca': [...files] } } })
  await changeTo(listed('partner.pem'))
  const open = await stranger('127.0.44.1')
  await open.startTls({ ...showing(postern, null), cert: gateway.pem, key: gateway.keyPem })
  await open.command('EHLO gateway.example.net')
  const relays = async (): Promise<number> => {
    await open.command('RSET')
    await open.command('MAIL FROM:<>')
    return (await open.command('RCPT TO:<bob@example.com>')).code
  }
  assert.equal(await relays(), 250)
  await changeTo(listed('partner.pem'))
  assert.equal(await relays(), 250, 'a reload that leaves it there takes nothing')
  await changeTo(listed())
  assert.equal(await relays(), 550)
  open.destroy()
})

test('listeners.mx.xclient-from: a peer that was taken off the list speaks for nobody in a session that is open', async () => {
  const listed = (...peers: readonly string[]): { readonly listeners: TomlTable } => ({ listeners: { ...(parse(usual)['listeners'] as TomlTable), mx: { address: `127.0.0.1:${postern.ports.mx}`, 'xclient-from': [...peers] } } })
  await changeTo(listed('127.0.43.1'))
  const [spoken, silent] = [await stranger('127.0.43.1'), await stranger('127.0.43.1')]
  assert.equal((await spoken.command('XCLIENT ADDR=192.0.2.1')).code, 220)
  await changeTo(listed())
  assert.equal((await silent.command('XCLIENT ADDR=192.0.2.1')).code, 550)
  assert.equal((await spoken.command('EHLO mail.example.com')).code, 421)
  silent.destroy()
})

test('what the processes have begun with is named until they begin again', async () => {
  const changed = { listeners: { lmtp: { enabled: true, address: `unix:${path.join(postern.folder, 'lmtp.sock')}` } }, queue: { workers: 1, 'inline-size': '1KiB' } }
  const waiting = ['listeners: addresses', 'queue.workers', 'queue.inline-size']
  await changeTo(changed, waiting)
  const { code, stdout } = await postern.command(['check'])
  assert.deepEqual([code, stdout.match(/(?<=postern\.toml: ).*(?=: what was changed here is used after a restart)/g)], [0, waiting])
  assert.match((await postern.command(['status'])).stdout, /after a restart +listeners: addresses, queue\.workers, queue\.inline-size\n/)
  writeFileSync(file, stringify({ ...parse(usual), user: 'nobody' }))
  await reload(['user'])
})

test('a passphrase file that cannot be read is found out at the reload, not when the authority must be started again', async () => {
  writeFileSync(file, stringify({ ...parse(usual), ca: { 'passphrase-file': 'none' } }))
  const { code, stdout } = await postern.command(['reload'])
  assert.equal(code, 1)
  assert.match(stdout, /Not reloaded[^]*ca\.passphrase-file: \S+none: no such file/)
})

for (const { what, changes, holdsBack, says } of [
  { what: 'a host name that our certificate is not for', changes: () => writeFileSync(file, stringify({ ...parse(usual), hostname: 'new.example.test' })), holdsBack: false, says: /server\.pem: is not for new\.example\.test/ },
  { what: 'an access map that others can write', changes: () => chmodSync(access(), 0o666), holdsBack: false, says: /access: other accounts can change who may relay/ },
  {
    what: 'an open relay where no [[test]] speaks against it',
    changes: () => {
      writeFileSync(file, stringify({ ...parse(usual), test: [] }))
      writeFileSync(access(), `Connect:192.0.2\tRELAY\n${usualAccess}`)
    },
    holdsBack: false,
    says: /access: open relay: a stranger at 192\.0\.2\.44/,
  },
  { what: 'a client certificate that is none', changes: () => writeFileSync(clientCertificate(), 'none'), holdsBack: true, says: /delivery\.certificate or delivery\.key cannot be read as PEM/ },
]) {
  test(`check and reload say the same of ${what}`, async () => {
    changes()
    const checked = JSON.parse((await postern.command(['check', '--json'])).stdout) as readonly { readonly severity: string; readonly text: string }[]
    const reloaded = await postern.command(['reload', '--json'])
    const { inForce, problems, warnings } = JSON.parse(reloaded.stdout) as { readonly inForce: boolean; readonly problems: readonly string[]; readonly warnings: readonly string[] }
    const named = (severity: string): readonly string[] => checked.filter(finding => finding.severity === severity && says.test(finding.text)).map(({ text }) => text)
    assert.deepEqual([problems, warnings], [named('error'), named('warning')])
    assert.deepEqual([problems.length + warnings.length, inForce, reloaded.code], [1, !holdsBack, problems.length])
  })
}

async function stranger(from: string): Promise<SmtpClient> {
  const client = await SmtpClient.connect(postern.ports.mx, undefined, from)
  await client.greet()
  return client
}

async function connectOften(from: string): Promise<void> {
  for (let count = 0; count < CONNECTIONS; count += 1) {
    const client = await stranger(from)
    await client.quit()
  }
}

function lines(address: string): readonly LogLine[] {
  return postern.log().filter(line => Object.values(line).includes(address))
}

/** The usual settings with these tables changed. */
async function changeTo(tables: Readonly<Record<string, TomlTable>>, afterRestart: readonly string[] = []): Promise<void> {
  const settings = parse(usual)
  for (const [name, keys] of Object.entries(tables)) settings[name] = { ...(settings[name] as TomlTable | undefined), ...keys }
  writeFileSync(file, stringify(settings))
  await reload(afterRestart)
}

async function reload(afterRestart: readonly string[] = []): Promise<void> {
  assert.deepEqual(await postern.json(['reload']), { inForce: true, problems: [], warnings: [], afterRestart })
}
