/** What the protocol refuses, and not the policy, is in the log: an administrator who is asked where a message is can tell. */

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startPostern, type Postern } from '../support/postern.ts'
import { waitFor } from '../support/processes.ts'
import { SmtpClient } from '../support/smtp-client.ts'

let postern: Postern

before(async () => {
  postern = await startPostern({ settings: { limits: { 'message-size': '10KiB', 'received-fields': 3, errors: 6 } } })
})

after(async () => {
  await postern?.dispose()
})

const MAIL = 'MAIL FROM:<ann@example.com>'
const RCPT = 'RCPT TO:<joe@example.test>'
const RECEIVED = 'Received: by somebody\r\n'.repeat(4)

let clients = 0

/** Says all of it at once or a command at a time, and waits for what the log has of that client then. */
async function logged(said: string | readonly string[], count: number): Promise<readonly string[]> {
  const address = `127.0.0.${100 + clients++}`
  const client = await SmtpClient.connect(postern.ports.mx, undefined, address)
  await client.greet()
  if (typeof said === 'string') client.send(said)
  else for (const command of said) await client.command(command)
  if (count > 0) await waitFor('the lines', () => linesOf(address).length >= count)
  client.destroy()
  await postern.command(['status'])
  return linesOf(address)
}

function linesOf(address: string): readonly string[] {
  const sessions = new Set(postern.log().filter(line => line['event'] === 'connected' && line['client'] === address).map(line => line['session']))
  const lines = postern.log().filter(line => sessions.has(line['session']) && ['rejected', 'refused', 'broken-off'].includes(String(line['event'])))
  return lines.map(line => [line['event'], line['from'], line['reply']].filter(field => field !== undefined).join(' '))
}

test('a message that is refused for what it is', async () => {
  const messages = {
    'Subject: x\r\n\r\na\nb\r\n.': 'rejected ann@example.com 550 5.6.0 The message has a CR or LF that is not part of a CRLF',
    [`${RECEIVED}\r\nx\r\n.`]: 'rejected ann@example.com 554 5.4.6 Too many Received fields: the message is going in circles',
    [`Subject: x\r\n\r\n${`${'x'.repeat(70)}\r\n`.repeat(200)}.`]: 'rejected ann@example.com 552 5.3.4 Messages are limited to 10240 octets',
  }
  for (const [message, line] of Object.entries(messages)) {
    assert.deepEqual(await logged([MAIL, RCPT, 'DATA', message], 1), [line])
    // A chunk behind the decision that it waited for, in one packet.
    if (message.includes('\nb')) assert.deepEqual(await logged(`${MAIL}\r\n${RCPT}\r\nBDAT ${message.length} LAST\r\n${message}`, 1), [line])
  }
})

test('a command that is refused, once for each reply of a session', async () => {
  assert.deepEqual(await logged([`${MAIL} SIZE=99999`, `${MAIL} SIZE=99999`, 'FROB'], 2), ['rejected 552 5.3.4 Messages are limited to 10240 octets', 'rejected 500 5.5.1 Command not recognized'])
  assert.deepEqual(await logged('NOOP\nNOOP\r\n', 1), ['rejected 500 5.5.2 Lines end with CRLF; a CR or LF alone is not allowed'])
  assert.deepEqual(await logged(Array<string>(6).fill('FROB'), 2), ['rejected 500 5.5.1 Command not recognized', 'rejected 421 4.7.0 relay.example.test Too many errors'])
})

test('what the policy refuses has the one line, whatever the client had sent behind it', async () => {
  const refused = 'refused ann@example.com 550 5.7.1 Relaying denied: the connection is not encrypted and no certificate was presented'
  assert.deepEqual(await logged(`${MAIL}\r\nRCPT TO:<ann@example.net>\r\nDATA\r\n`, 1), [refused])
  assert.deepEqual(await logged([MAIL, 'RCPT TO:<ann@example.net>', 'DATA'], 1), [refused])
})

test('a client that goes away in the midst of a message still has it; one that drops it or sends it whole is nobody\'s concern', async () => {
  const address = `127.0.0.${100 + clients++}`
  const client = await SmtpClient.connect(postern.ports.mx, undefined, address)
  await client.greet()
  for (const command of [MAIL, RCPT, 'DATA']) await client.command(command)
  client.send('Subject: half of it\r\n')
  client.destroy()
  await waitFor('the line', () => linesOf(address).length > 0)
  assert.deepEqual(linesOf(address), ['broken-off ann@example.com'])

  assert.deepEqual(await logged([MAIL, RCPT, 'BDAT 4\r\nab', 'RSET', MAIL, RCPT, 'DATA', 'Subject: whole\r\n\r\nx\r\n.'], 0), [])
})
