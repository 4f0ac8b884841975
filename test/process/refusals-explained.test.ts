/**
 * Each refusal that is decided about names an id, whoever decided: the policy, a limit, the keeper of passwords. What
 * `explain` says of it has the line that it goes by, what would change it, and the words that the client was told.
 */

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { showing, startPostern, type Postern } from '../support/postern.ts'
import { authPlain, base64, connectToLogIn } from '../support/sasl-client.ts'
import { idIn, SmtpClient, withoutId, type SmtpReply } from '../support/smtp-client.ts'

type Explained = {
  readonly verdict: string
  readonly reply: { readonly code: number; readonly enhanced: string; readonly text: string }
  readonly because: readonly { readonly kind: string; readonly rule?: string; readonly file: string | null; readonly line: number | null }[]
  readonly advice: string | null
}

const ACCESS = ['Srv_Features:127.0.71.1\ttemp', 'TLS_Srv_Features:127.0.72.1\tCipherList=a;nonsense=1', 'ClientConn:127.0.73.1\t1']

let postern: Postern

before(async () => {
  postern = await startPostern({
    access: ACCESS,
    settings: {
      queue: { workers: 1 },
      relay: { compatibility: 'sendmail' },
      limits: { exempt: [], address: { 'message-rate': '1/1d', 'error-rate': '3/1d' } },
      etrn: [{ domain: 'branch.example.test', for: ['branch1'] }],
    },
  })
})

after(() => postern?.dispose())

async function says(from: string, ...commands: readonly string[]): Promise<SmtpReply> {
  const client = await SmtpClient.connect(postern.ports.mx, undefined, from)
  let reply = await client.greet()
  for (const command of commands) reply = await client.command(command)
  client.destroy()
  return reply
}

/** Explains the id, and compares the words; answers with the rule and where it is written. */
async function explained(reply: SmtpReply): Promise<{ readonly rule: string | undefined; readonly where: readonly string[]; readonly advice: string }> {
  const { verdict, reply: told, because, advice } = (await postern.json(['explain', idIn(reply)])) as Explained
  assert.equal(verdict, 'refuse')
  assert.deepEqual(withoutId(reply), { code: told.code, text: `${told.enhanced} ${told.text}` })
  const where = because.flatMap(({ file, line }) => (file === null || line === null ? [] : [`${file}:${line}`]))
  return { rule: because.findLast(({ kind }) => kind === 'rule')?.rule, where: [...new Set(where)], advice: advice ?? '' }
}

test('lines of the access map: no service, no TLS, too many connections', async () => {
  const held = await SmtpClient.connect(postern.ports.mx, undefined, '127.0.73.1')
  await held.greet()
  const cases = [
    [await says('127.0.71.1'), 'serviceRefused', 'access:1'],
    [await says('127.0.72.1', 'STARTTLS'), 'tlsSettingsUnreadable', 'access:2'],
    [await says('127.0.73.1'), 'overLimit', 'access:3'],
  ] as const
  for (const [reply, rule, where] of cases) {
    const found = await explained(reply)
    assert.deepEqual([found.rule, found.where], [rule, [where]])
    assert.match(found.advice, new RegExp(`change (?:or remove )?${where} `))
  }
  held.destroy()
})

test('limits: of messages, and of errors over all connections', async () => {
  await says('127.0.74.1', 'MAIL FROM:<ann@example.com>')
  const messages = await explained(await says('127.0.74.1', 'MAIL FROM:<ann@example.com>'))
  assert.equal(messages.rule, 'overLimit')
  assert.match(messages.advice, /raise limits\.address\.message-rate in postern\.toml/)
  assert.match(messages.where.join(' '), /^postern\.toml:\d+$/)

  const errors = await says('127.0.75.1', 'FROB', 'FROB', 'FROB', 'FROB', 'NOOP')
  assert.equal(errors.code, 421, errors.text)
  assert.match((await explained(errors)).advice, /raise limits\.address\.error-rate/)
})

test('what is not about mail: XCLIENT and ETRN', async () => {
  assert.equal((await explained(await says('127.0.76.1', 'XCLIENT ADDR=192.0.2.7'))).rule, 'xclientNotAllowed')
  assert.equal((await explained(await says('127.0.76.1', 'ETRN branch.example.test'))).rule, 'etrnNotAllowed')
})

test('logins: a wrong password, a name that nobody has, a certificate that is somebody else\'s', async () => {
  await postern.issue('joe', '--email', 'joe@example.test')
  await postern.json(['user', 'passwd', 'joe', '--device', 'phone'])
  const client = await connectToLogIn(postern)
  for (const [user, rule, advice] of [['joe', 'wrongPassword', /makes another password/], ['nobody', 'unknownUser', /a name or an address of "postern user list"/]] as const) {
    const reply = await authPlain(client, user, 'wrong')
    const found = await explained(reply)
    assert.deepEqual([found.rule, withoutId(reply).text], [rule, '5.7.8 User name or password not accepted'])
    assert.match(found.advice, advice)
    assert.ok(postern.log().some(line => line['event'] === 'login-failed' && line['id'] === idIn(reply) && line['why'] === rule))
  }
  client.destroy()
  const ann = await postern.issue('ann', '--email', 'ann@example.test')
  const other = await SmtpClient.connect(postern.ports.submissions, showing(postern, ann))
  await other.greet()
  const mismatch = await other.command(`AUTH EXTERNAL ${base64('joe@example.test')}`)
  assert.deepEqual([withoutId(mismatch), (await explained(mismatch)).rule], [{ code: 535, text: '5.7.8 Your certificate does not allow this identity' }, 'wrongIdentity'])
  other.destroy()
})

test('a certificate that is revoked within a transaction: the rest of it is refused for that reason', async () => {
  const leaver = await postern.issue('leaver', '--email', 'leaver@example.test')
  const client = await SmtpClient.connect(postern.ports.submissions, showing(postern, leaver), '127.0.77.1')
  await client.greet()
  assert.equal((await client.command('MAIL FROM:<leaver@example.test>')).code, 250)
  await postern.command(['user', 'revoke', 'leaver'])
  const refused = await client.command('RCPT TO:<ann@example.net>')
  const { rule, advice } = await explained(refused)
  assert.match((await postern.command(['explain', idIn(refused)])).stdout, /^the certificate or password of leaver has been revoked/m)
  assert.deepEqual([rule, withoutId(refused)], ['identityLost', { code: 550, text: '5.7.1 Your certificate or password no longer counts' }])
  assert.match(advice, /the certificate was revoked: issue a new one with `postern user add leaver`/)
  client.destroy()
})
