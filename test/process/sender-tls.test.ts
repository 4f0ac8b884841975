/** What a sender asks of TLS on the way, through the whole program: from MAIL and header to the next hop (RFC 8689). */

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { authority, serverCertificate, sinkTls } from '../delivery/pki.ts'
import { makePostern, showing } from '../support/postern.ts'
import { waitFor } from '../support/processes.ts'
import { startSink } from '../support/sink.ts'
import { SmtpClient } from '../support/smtp-client.ts'

test('REQUIRETLS reaches a next hop that can, and a waived level lets a message out to one that proves nothing', async t => {
  const mails: string[] = []
  const proved = await startSink({ tls: sinkTls(serverCertificate('localhost')), requireTls: true, answer: ({ at, text }) => (at === 'mail' && mails.push(text), null) })
  const unproved = await startSink({ tls: sinkTls(serverCertificate('localhost', { issuer: serverCertificate('x') })) })
  t.after(() => Promise.all([proved.stop(), unproved.stop()]))
  const postern = await makePostern({
    settings: {
      delivery: { smarthost: `localhost:${proved.port}`, tls: 'verify', 'trusted-ca': ['hop-ca.pem'], 'tls-required-no': 'everywhere' },
      route: [{ domain: 'unproved.test', to: `localhost:${unproved.port}` }],
    },
  })
  t.after(() => postern.dispose())
  writeFileSync(path.join(postern.folder, 'hop-ca.pem'), authority.pem)
  await postern.start()
  const joe = await postern.issue('joe', '--email', 'joe@example.test')
  const client = await SmtpClient.connect(postern.ports.submission)
  await client.greet()
  await client.startTls(showing(postern, joe))
  assert.match((await client.command('EHLO laptop.test')).text, /REQUIRETLS/)
  const send = async (parameter: string, to: string, header: string): Promise<void> => {
    for (const command of [`MAIL FROM:<joe@example.test>${parameter}`, `RCPT TO:<${to}>`]) assert.equal((await client.command(command)).code, 250)
    assert.equal((await client.command('DATA')).code, 354)
    assert.equal((await client.command(`${header}\r\n\r\ntext\r\n.`)).code, 250)
  }

  await send(' REQUIRETLS', 'ann@example.net', 'Subject: guarded')
  await proved.messageWith('Subject: guarded')
  assert.match(mails[0] ?? '', / REQUIRETLS$/)

  await send('', 'ann@unproved.test', 'Subject: usual')
  await waitFor('the message to be deferred', () => postern.log().find(({ event }) => event === 'deferred'), { told: postern.output })
  await send('', 'ann@unproved.test', 'TLS-Required: No\r\nSubject: unimportant')
  await unproved.messageWith('Subject: unimportant')
  assert.equal(unproved.messages.length, 1)
})
