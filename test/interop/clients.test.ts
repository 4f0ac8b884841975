/**
 * Real mail clients send a message through a running Postern by certificate, and it arrives at the
 * next hop: each client, over STARTTLS and over implicit TLS, in each way it can log in.
 */

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { CertificateFiles } from '../support/certificates.ts'
import { startPostern, type Postern } from '../support/postern.ts'
import type { Finished } from '../support/processes.ts'
import { startSink, type Sink } from '../support/sink.ts'
import { curl, curlWithPkcs12 } from './clients/curl.ts'
import { javaMail } from './clients/java-mail.ts'
import { msmtp } from './clients/msmtp.ts'
import { mutt } from './clients/mutt.ts'
import { openssl } from './clients/openssl.ts'
import { pythonSmtplib } from './clients/python-smtplib.ts'
import { sNail } from './clients/s-nail.ts'
import { swaks } from './clients/swaks.ts'
import { tstclnt } from './clients/tstclnt.ts'
import type { Login, Mail, Route } from './mail-client.ts'
import { missing } from './programs.ts'

/** What `user add --json` prints for a PKCS#12 file. */
type Added = { readonly password: string }

const TRANSPORTS = ['starttls', 'implicit'] as const
const CLIENTS = [swaks, msmtp, curl, mutt, sNail, pythonSmtplib, openssl, javaMail, tstclnt]

let sink: Sink
let postern: Postern
let joe: CertificateFiles

before(async () => {
  sink = await startSink()
  postern = await startPostern({ smarthost: sink.port })
  joe = await postern.issue('joe', '--email', 'joe@example.test')
  // From then on passwords are offered to all, and each client must still choose the certificate.
  await postern.json(['user', 'passwd', 'joe', '--device', 'phone'])
})

after(async () => {
  await postern?.dispose()
  await sink?.stop()
})

for (const client of CLIENTS) {
  for (const tls of client.transports ?? TRANSPORTS) {
    for (const login of client.logins) {
      test(`${client.name} relays by ${login} over ${tls}`, { skip: missing(client.program) }, async () => {
        const mail = letter(`${client.name}, ${login}, ${tls}`)
        const finished = await client.send(routeFor(tls, login), mail)
        await arrived(mail, login, finished)
      })
    }
  }
}

for (const kind of ['p12', 'p12-modern']) {
  test(`curl relays with a PKCS#12 file as ${kind}`, { skip: missing(curl.program) }, async () => {
    const folder = join(postern.folder, '..')
    const name = `joe-${kind}`
    const added = (await postern.json(['user', 'add', name, '--email', 'joe@example.test', '--format', kind, '--out', folder])) as Added
    const mail = letter(`curl with ${kind}`)
    const finished = await curlWithPkcs12(join(folder, `${name}.p12`), added.password, routeFor('starttls', 'certificate'), mail)
    await arrived(mail, 'certificate', finished)
  })
}

/** The message reached the next hop whole, and its Received field tells who sent it and how that was known. */
async function arrived(mail: Mail, login: Login, finished: Finished): Promise<void> {
  const said = `${finished.stdout}${finished.stderr}`
  assert.equal(finished.code, 0, said)
  const message = await sink.messageWith(`Subject: ${mail.subject}\r\n`)
  assert.equal(message.reversePath, mail.from)
  assert.deepEqual(message.forwardPaths, [mail.to])
  assert.ok(message.text.trimEnd().endsWith(mail.text.replaceAll('\n', '\r\n')), message.text)

  const received = receivedFields(message.text)[0] ?? ''
  assert.match(received, /by relay\.example\.test \(Postern\) with \S+ id \S+/)
  assert.match(received, /version=TLSv1\.[23] cipher=\S+ bits=\d+ verify=OK/)
  assert.match(received, /subject=\S*\/CN=joe/)
  assert.equal(/\(authenticated: EXTERNAL/.test(received), login !== 'certificate', received)
}

/** Unfolded, the newest first. */
function receivedFields(text: string): string[] {
  const header = text.slice(0, text.indexOf('\r\n\r\n')).replaceAll(/\r\n[ \t]+/g, ' ')
  return header.split('\r\n').filter(line => line.startsWith('Received: '))
}

function letter(subject: string): Mail {
  return { from: 'joe@example.test', to: 'ann@example.net', subject, text: 'Dear Ann,\n.this line begins with a dot' }
}

function routeFor(tls: Route['tls'], login: Login): Route {
  const port = tls === 'starttls' ? postern.ports.submission : postern.ports.submissions
  return { port, tls, login, authority: postern.authority, certificate: joe, folder: join(postern.folder, '..') }
}
