/** Srv_Features, TLS_Srv_Features, GreetPause, ClientRate and ClientConn, as a client meets them. */

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { CertificateFiles } from '../support/certificates.ts'
import { showing, startPostern } from '../support/postern.ts'
import type { Postern } from '../support/postern.ts'
import { waitFor } from '../support/processes.ts'
import { SmtpClient, withoutId, type SmtpReply } from '../support/smtp-client.ts'

let postern: Postern
let joe: CertificateFiles

before(async () => {
  postern = await startPostern({
    smarthost: 1,
    settings: { queue: { workers: 2 } },
    access: [
      'Srv_Features:127.0.20\tS',
      'Srv_Features:127.0.21\tV',
      'TLS_Srv_Features:127.0.22\tOptions=SSL_OP_NO_TLSv1_3; CipherList=ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256',
      'GreetPause:127.0.23\t240000',
      'GreetPause:127.0.24\t1',
      'ClientConn:127.0.25\t1',
      'ClientRate:127.0.26\t1',
      'TLS_Clt:127.0.27\tENCR:256',
    ],
  })
  joe = await postern.issue('joe', '--email', 'joe@example.test')
})

after(() => postern?.dispose())

test('Srv_Features S: no STARTTLS for this client, and for the next one there is', async () => {
  assert.doesNotMatch((await hello('127.0.20.1')).text, /STARTTLS/)
  assert.match((await hello('127.0.30.1')).text, /STARTTLS/)
  await logged('terms', 'entries', 'access:1 Srv_Features:127.0.20 S')
})

test('Srv_Features V: no certificate is asked for, by STARTTLS or from the first byte', async () => {
  const asked = async (from: string): Promise<readonly number[]> => {
    const upgraded = await SmtpClient.connect(postern.ports.submission, undefined, from)
    await upgraded.greet()
    await upgraded.startTls(showing(postern, joe))
    const implicit = await SmtpClient.connect(postern.ports.submissions, showing(postern, joe), from)
    await implicit.reply()
    const codes: number[] = []
    for (const client of [upgraded, implicit]) {
      await client.command('EHLO laptop.example.test')
      codes.push((await client.command('MAIL FROM:<joe@example.test>')).code)
      client.destroy()
    }
    return codes
  }
  assert.deepEqual(await asked('127.0.30.1'), [250, 250])
  assert.deepEqual(await asked('127.0.21.1'), [530, 530])
})

test('TLS_Clt: the bits are those of the cipher, and the hash behind it adds none', async () => {
  const mail = async (ciphers: string): Promise<string> => {
    const client = await SmtpClient.connect(postern.ports.mx, undefined, '127.0.27.1')
    await client.greet()
    await client.startTls({ ...showing(postern, joe), ciphers })
    await client.command('EHLO laptop.example.test')
    const { code, text } = await client.command('MAIL FROM:<joe@example.test>')
    client.destroy()
    return `${code} ${text}`
  }
  assert.match(await mail('TLS_AES_256_GCM_SHA384'), /^250 /)
  assert.match(await mail('TLS_AES_128_GCM_SHA256'), /^454 .*4\.7\.0 encryption too weak 128 less than 256/)
})

test('TLS_Srv_Features: versions and ciphers of one client', async () => {
  const spoken = async (from: string): Promise<string> => {
    const client = await SmtpClient.connect(postern.ports.mx, undefined, from)
    await client.greet()
    await client.startTls(showing(postern, joe))
    const { secure } = client
    const words = `${secure.getProtocol()} ${secure.getCipher().name}`
    client.destroy()
    return words
  }
  assert.match(await spoken('127.0.22.1'), /^TLSv1\.2 ECDHE-(ECDSA|RSA)-AES128-GCM-SHA256$/)
  assert.match(await spoken('127.0.30.1'), /^TLSv1\.3 /)
})

test('GreetPause: who speaks before the greeting is refused; who waits is greeted', async () => {
  const hasty = await SmtpClient.connect(postern.ports.mx, undefined, '127.0.23.1')
  hasty.send('EHLO bot.example.net\r\n')
  assert.deepEqual(await hasty.reply(), { code: 554, text: '5.5.0 Wait for the greeting before you speak' })
  assert.equal((await hello('127.0.24.1')).code, 250)
})

test('ClientConn and ClientRate: sendmail\'s words, and the connection is over', async () => {
  const held = await SmtpClient.connect(postern.ports.mx, undefined, '127.0.25.1')
  assert.equal((await held.reply()).code, 220)
  const tooMany = await refusalOf('127.0.25.1')
  assert.deepEqual(withoutId(tooMany), { code: 421, text: '4.3.2 Too many open connections.' })
  held.destroy()
  await hello('127.0.26.1')
  assert.deepEqual(withoutId(await refusalOf('127.0.26.1')), { code: 421, text: '4.3.2 Connection rate limit exceeded.' })
  await logged('turned-away', 'why', 'access:7 ClientRate:127.0.26 1')
})

test('postern explain names the lines that count for a client', async () => {
  const dryRun = ['explain', '--from', 'a@example.net', '--to', 'b@example.test', '--client']
  const { stdout } = await postern.command([...dryRun, '127.0.25.1'])
  assert.match(stdout, /\n\nTerms of its connections:\n {2}access:6 ClientConn:127\.0\.25 1\n$/)
  const { terms } = (await postern.json([...dryRun, '127.0.20.1'])) as { readonly terms: unknown }
  assert.deepEqual(terms, ['access:1 Srv_Features:127.0.20 S'])
})

/** The log is written when there is time. */
function logged(event: string, field: string, text: string): Promise<unknown> {
  return waitFor(`a line of the log with ${text}`, () => postern.log().some(line => line['event'] === event && String(line[field]) === text))
}

async function hello(from: string): Promise<SmtpReply> {
  const client = await SmtpClient.connect(postern.ports.mx, undefined, from)
  const reply = await client.greet()
  client.destroy()
  return reply
}

/** The refusal of a connection, as soon as every worker knows of the others' clients. */
function refusalOf(from: string): Promise<SmtpReply> {
  return waitFor('a connection to be refused', async () => {
    const client = await SmtpClient.connect(postern.ports.mx, undefined, from)
    const reply = await client.reply()
    client.destroy()
    return reply.code === 220 ? false : reply
  })
}
