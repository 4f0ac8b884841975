/** What is counted, as a dashboard would read it from a running Postern. */

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { CertificateFiles } from '../support/certificates.ts'
import { showing, startPostern } from '../support/postern.ts'
import type { Postern } from '../support/postern.ts'
import { waitFor } from '../support/processes.ts'
import { startSink } from '../support/sink.ts'
import type { Sink } from '../support/sink.ts'
import { SmtpClient } from '../support/smtp-client.ts'

let sink: Sink
let postern: Postern
let joe: CertificateFiles

before(async () => {
  sink = await startSink()
  postern = await startPostern({ smarthost: sink.port, settings: { queue: { workers: 2 }, limits: { connections: 3 } } })
  joe = await postern.issue('joe', '--email', 'joe@example.test')
})

after(async () => {
  await postern?.dispose()
  await sink?.stop()
})

test('sessions, refusals, messages, deliveries and the event loop are counted over all workers', async () => {
  for (let message = 0; message < 4; message++) {
    const client = await SmtpClient.connect(postern.ports.submissions, showing(postern, joe))
    await client.greet()
    const sent = { from: 'joe@example.test', to: 'ann@example.net', text: 'Subject: counted\r\n\r\nHello.\r\n' }
    assert.equal((await client.deliver(sent)).code, 250)
    await client.quit()
  }
  const stranger = await SmtpClient.connect(postern.ports.mx)
  await stranger.greet()
  await stranger.command('MAIL FROM:<eve@example.com>')
  assert.equal((await stranger.command('RCPT TO:<ann@example.net>')).code, 550)
  const text = await waitFor('all deliveries to be counted', async () => {
    const { stdout } = await postern.command(['status', '--metrics'])
    return stdout.includes('postern_attempts_total{outcome="delivered"} 4') && stdout
  })
  for (const line of [
    'postern_connections_total{listener="submissions"} 4',
    'postern_connections_total{listener="mx"} 1',
    'postern_handshakes_total{result="verified"} 4',
    'postern_accepted_messages_total{listener="submissions"} 4',
    'postern_accepted_recipients_total 4',
    'postern_refusals_total{asked="recipient",rule="relayingDenied"} 1',
    'postern_queued_messages 0',
    'postern_failures_total 0',
  ]) {
    assert.ok(text.includes(`\n${line}\n`), `${line} in\n${text}`)
  }
  assert.match(text, /\npostern_event_loop_lag_seconds\{worker="1",quantile="0\.99"\} [0-9.e-]+\n/)
  assert.match(text, /\npostern_resident_memory_bytes\{worker="0"\} \d+\n/)
  stranger.destroy()
})

test('whoever is turned away is counted with the limit, and --json has the same figures', async () => {
  const held = await Promise.all([1, 2, 3].map(() => SmtpClient.connect(postern.ports.mx)))
  for (const client of held) await client.reply()
  await waitFor('a connection to be turned away and counted', async () => {
    const client = await SmtpClient.connect(postern.ports.mx)
    await client.reply()
    client.destroy()
    const { metrics } = (await postern.json(['status'])) as { readonly metrics: readonly { readonly name: string; readonly labels: unknown; readonly value: number }[] }
    return metrics.some(({ name, labels }) => name === 'postern_turned_away_total' && JSON.stringify(labels) === '{"listener":"mx","reason":"openConnections all"}')
  })
  for (const client of held) client.destroy()
})
