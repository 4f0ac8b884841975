/** `postern sendmail` and `mailq`, called as programs call them, against a running Postern. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { startPostern, type Postern } from '../support/postern.ts'
import { run, waitFor, type Finished } from '../support/processes.ts'
import { startSink, type Sink, type SinkMessage } from '../support/sink.ts'

const PROGRAM = join(import.meta.dirname, '..', '..', 'bin', 'postern')

let sink: Sink
let postern: Postern
/** A link to the program, by the name that programs know. */
let sendmail: string
let settings: string

before(async () => {
  sink = await startSink()
  postern = await startPostern({ smarthost: sink.port, access: ['To:gone@example.test\tERROR:5.1.1:550 No such user', 'To:barred@example.test\tREJECT'] })
  await postern.issue('web7', '--machine')
  await postern.issue('scanner', '--machine', '--email', 'scan@example.test')
  const folder = dirname(postern.folder)
  sendmail = join(folder, 'sendmail')
  symlinkSync(PROGRAM, sendmail)
  symlinkSync(PROGRAM, join(folder, 'mailq'))
  settings = writeSettings('sendmail.toml', {})
})

after(async () => {
  await postern?.dispose()
  await sink?.stop()
})

function writeSettings(name: string, changes: { readonly port?: number; readonly holder?: string; readonly more?: string }): string {
  const { port = postern.ports.submission, holder = 'web7', more = '' } = changes
  const file = join(dirname(postern.folder), name)
  const lines = [`relay = "localhost:${port}"`, `certificate = "${holder}.pem"`, `key = "${holder}.key"`, 'ca = "data/ca/ca.pem"', 'domain = "example.test"']
  writeFileSync(file, `${lines.join('\n')}\n${more}`)
  return file
}

function call(args: readonly string[], input: string, file = settings): Promise<Finished> {
  return run(sendmail, args, { input, env: { POSTERN_SENDMAIL: file } })
}

/** Sends, and answers with what arrived at the next hop for it. */
async function sent(args: readonly string[], input: string, file = settings): Promise<SinkMessage> {
  const before = sink.messages.length
  const finished = await call(args, input, file)
  assert.deepEqual(finished, { code: 0, stdout: '', stderr: '' })
  await arrived(before + 1)
  const message = sink.messages[before]
  assert.ok(message !== undefined)
  return message
}

async function arrived(count: number): Promise<void> {
  await waitFor('the message to arrive at the next hop', () => sink.messages.length >= count)
}

/** The message without our Received field. */
function content(message: SinkMessage): string {
  return message.text.replace(/^Received:.*\r\n(?:\t.*\r\n)*/, '')
}

test('recipients and sender of the command line; what the header lacks is added', async () => {
  const message = await sent(['-i', '-f', 'cron@example.org', '-F', 'Nightly "job"', 'ann@example.net', 'Bob <bob@example.net>, carol'], 'Subject: Hello\n\nIt works.\n')
  assert.equal(message.reversePath, 'cron@example.org')
  assert.deepEqual(message.forwardPaths, ['ann@example.net', 'bob@example.net', 'carol@example.test'])
  assert.match(content(message), /^From: "Nightly \\"job\\"" <cron@example\.org>\r\nDate: .+\r\nMessage-ID: <.+>\r\nSubject: Hello\r\n\r\nIt works\.\r\n$/)
})

test('-t takes recipients from the header, and blind copies out of it', async () => {
  const header = 'From joe Mon Nov 23 19:26:00 2026\nTo: Ann <ann@example.net>,\n bob@example.net\ncc: root\nBCC: Secret <secret@example.net>\nFrom: me@example.org\nDate: x\nMessage-ID: <1@x>\n'
  const message = await sent(['-ti', '-oem', 'also@example.net'], `${header}\nBcc: is text\n`)
  assert.deepEqual(message.forwardPaths, ['also@example.net', 'ann@example.net', 'bob@example.net', 'root@example.test', 'secret@example.net'])
  assert.equal(message.reversePath, `${os.userInfo().username}@example.test`)
  assert.equal(content(message), 'To: Ann <ann@example.net>,\r\n bob@example.net\r\ncc: root\r\nFrom: me@example.org\r\nDate: x\r\nMessage-ID: <1@x>\r\n\r\nBcc: is text\r\n')
})

test('a message that is sent on goes to its Resent fields only', async () => {
  const message = await sent(['-t'], 'To: ann@example.net\nBcc: x@example.net\nResent-To: bob@example.net\nResent-Bcc: carol@example.net\nSubject: again\n\n')
  assert.deepEqual(message.forwardPaths, ['bob@example.net', 'carol@example.net'])
  assert.match(content(message), /To: ann@example\.net\r\nResent-To: bob@example\.net\r\nSubject: again\r\n\r\n$/)
  assert.doesNotMatch(content(message), /bcc/i)
})

test('lines end with CRLF however they came; a dot ends the text unless dots are ignored', async () => {
  const text = 'Subject: lines\r\n\nCR\rprogress\r100%\n.\r\r\n.leading\n.\nafter\0wards'
  assert.match(content(await sent(['ann@example.net'], text)), /\r\n\r\nCR progress 100%\r\n\. \r\n\.leading\r\n$/)
  for (const option of ['-i', '-oi', '-O IgnoreDots=true']) {
    const args = [...option.split(' '), 'ann@example.net']
    assert.match(content(await sent(args, text)), /\.leading\r\n\.\r\nafterwards\r\n$/)
  }
})

test('text without a header, and nothing at all, are messages', async () => {
  assert.match(content(await sent(['ann@example.net'], 'just text\n')), /^From: .+\r\nDate: .+\r\nMessage-ID: .+\r\n\r\njust text\r\n$/)
  assert.match(content(await sent(['-f', '<>', 'ann@example.net'], '')), /^From: .+\r\nDate: .+\r\nMessage-ID: .+\r\n\r\n$/)
})

test('what no memory should hold goes through a file that has no name', async () => {
  const before = readdirSync(os.tmpdir()).filter(name => name.startsWith('postern-') && !name.startsWith('postern-test-'))
  const text = 'x'.repeat(70) + '\n'
  const message = await sent(['-i', 'ann@example.net'], `Subject: large\n\n${text.repeat(60_000)}`)
  assert.ok(message.text.endsWith(`\r\n\r\n${text.replace('\n', '\r\n').repeat(60_000)}`))
  const left = readdirSync(os.tmpdir()).filter(name => name.startsWith('postern-') && !name.startsWith('postern-test-'))
  assert.deepEqual(left.filter(name => !before.includes(name) && existsSync(join(os.tmpdir(), name, 'text'))), [])
})

test('names and text that are not ASCII', async () => {
  const plain = await sent(['-F', 'Jürgen Größe', '-f', 'me@example.org', 'ann@example.net'], 'Subject: x\n\nGrüße\n')
  assert.match(content(plain), /^From: =\?utf-8\?b\?SsO8cmdlbiBHcsO2w59l\?= <me@example\.org>\r\n/)
  assert.ok(Buffer.from(content(plain), 'latin1').toString().endsWith('\r\n\r\nGrüße\r\n'))
})

test('exit codes say what became of the message', async () => {
  const message = 'Subject: x\n\n'
  // prettier-ignore
  const cases: readonly (readonly [code: number, args: readonly string[], told: RegExp, input?: string])[] = [
    [64, [], /no recipients are given/],
    [64, ['-t'], /names no recipients/],
    [64, ['--nonsense'], /unknown option --/],
    [64, ['-f'], /-f needs a value/],
    [64, ['-bd'], /-bd is for another program/],
    [64, ['-f', 'a@b.example, c@d.example', 'ann@example.net'], /write one address/],
    [65, ['ann@'], /cannot be read as a list of addresses/],
    [65, ['ann@exa_mple!.net'], /is not one/],
    [65, ['-t'], /the to field of the message has a quoted string without an end/, 'To: "ann@example.net\n\n'],
    [65, ['-t'], /the header of the message holds a CR that no LF follows/, 'To: ann@example.net\nSubject: x\rBcc: evil@example.net\n\nb\n'],
    [65, ['ann@example.net'], /holds a CR that no LF follows/, 'Subject: x\n\rBcc: evil@example.net\n\nb\n'],
    [64, ['-i', 'ann@example.net', '--help'], /unknown option --/], [64, ['--help'], /unknown option --/],
    [67, ['gone@example.test'], /not sent to gone@example\.test: 550 5\.1\.1 No such user/],
    [69, ['barred@example.test'], /not sent to barred@example\.test: 550 5\.2\.1/],
    [0, ['-q'], /^$/], [0, ['-q30m'], /^$/],
  ]
  for (const [code, args, told, input = message] of cases) {
    const finished = await call(args, input)
    assert.equal(finished.code, code, `${args.join(' ')}\n${finished.stderr}`)
    assert.match(finished.stderr, told)
  }
  const bound = await call(['-f', 'boss@example.test', 'ann@example.net'], message, writeSettings('scanner.toml', { holder: 'scanner' }))
  assert.equal(bound.code, 77)
  assert.match(bound.stderr, /550 5\.7\.1 Sender address not allowed for this certificate \(id \S+\)/)
  const id = /\(id (\S+)\)/.exec(bound.stderr)?.[1] ?? ''
  assert.match((await postern.command(['explain', id])).stdout, /machine scanner may use scan@example\.test/)
})

test("a stranger's words do not choose the relay", async () => {
  const evil = join(dirname(postern.folder), 'evil')
  mkdirSync(evil)
  writeFileSync(join(evil, 'sendmail.toml'), 'relay = "evil.example:465"\n')
  const php = ['-t', '-i', '-fweb@example.test', '--dir', evil]
  for (const args of [['-i', 'ann@example.net', `--dir=${evil}`], [`--dir=${evil}`, 'ann@example.net'], ['--dir', evil, '-t'], php]) {
    const finished = await call(args, 'To: ann@example.net\n\nsecret\n')
    assert.deepEqual(finished, { code: 64, stdout: '', stderr: 'sendmail: --dir counts directly behind "postern sendmail" only (see postern sendmail --help)\n' }, args.join(' '))
  }
  const asked = await run(PROGRAM, ['sendmail', '--dir', evil, 'ann@example.net'], { input: '' })
  assert.match(asked.stderr, /evil\/sendmail\.toml/)
  const help = await run(PROGRAM, ['sendmail', '--help'])
  assert.match(help.stdout, /Send a message from standard input/)
})

test('some recipients may be refused: the others get the message, and the caller hears of it', async () => {
  const before = sink.messages.length
  const finished = await call(['gone@example.test', 'ann@example.net'], 'Subject: some\n\n')
  assert.equal(finished.code, 67)
  assert.match(finished.stderr, /^sendmail: not sent to gone@example\.test: .+\n$/)
  await arrived(before + 1)
  assert.deepEqual(sink.messages[before]?.forwardPaths, ['ann@example.net'])
})

test('a relay that is down, or is another, is worth a second try; nothing is kept', async () => {
  const down = await call(['ann@example.net'], 'Subject: x\n\n', writeSettings('down.toml', { port: 9 }))
  assert.equal(down.code, 75)
  assert.match(down.stderr, /^sendmail: the message was not sent: no connection to localhost:9: .+\n$/)
  const other = await call(['ann@example.net'], 'Subject: x\n\n', writeSettings('other.toml', { more: 'server-name = "other.example.test"\n' }))
  assert.equal(other.code, 75)
  assert.match(other.stderr, /no verified TLS with localhost:\d+: its certificate is for .+, not for other\.example\.test/)
  assert.deepEqual(await postern.json(['queue', 'list']), [])
})

test('settings that are missing, wrong or out of reach are named', async () => {
  const missing = await call(['ann@example.net'], '', join(dirname(postern.folder), 'nowhere.toml'))
  assert.equal(missing.code, 78)
  assert.match(missing.stderr, /cannot read .+nowhere\.toml: no such file/)
  const wrong = await call(['ann@example.net'], '', writeSettings('wrong.toml', { more: 'rely = "x"\n' }))
  assert.equal(wrong.code, 78)
  assert.match(wrong.stderr, /wrong\.toml:6: rely: unknown key; did you mean "relay"\?/)
  if (process.getuid?.() === 0) return
  const key = join(dirname(postern.folder), 'web7.key')
  chmodSync(key, 0)
  const secret = await call(['ann@example.net'], '')
  chmodSync(key, 0o600)
  assert.equal(secret.code, 78)
  assert.match(secret.stderr, /web7\.key: permission denied \(its private key; who may read it may send\)/)
})

test('-bs speaks SMTP on standard input and output', async () => {
  for (const port of [postern.ports.submission, postern.ports.submissions]) {
    const before = sink.messages.length
    const file = writeSettings('bs.toml', { port, more: `implicit-tls = ${port === postern.ports.submissions}\n` })
    const lines = ['EHLO localhost', 'MAIL FROM:<me@example.org>', 'RCPT TO:<ann@example.net>', 'DATA']
    const text = await conversation(['-bs'], file, [...lines, 'Subject: by hand\r\n\r\n..\r\n.', 'QUIT'])
    assert.match(text, /^220 \S+ ESMTP\r\n250-[^]+ENHANCEDSTATUSCODES\r\n250 2\.1\.0 [^]+\r\n354 [^]+\r\n250 2\.0\.0 Queued as \w+\r\n221 2\.0\.0 [^\r]+\r\n$/)
    await arrived(before + 1)
    assert.ok(sink.messages[before]?.text.endsWith('Subject: by hand\r\n\r\n.\r\n'))
  }
})

test('-bs takes a whole session at once, however its lines end', async () => {
  const session = ['EHLO localhost', 'MAIL FROM:<me@example.org>', 'RCPT TO:<ann@example.net>', 'DATA', 'Subject: piped', '', '..', '.', 'QUIT', '']
  for (const lineEnd of ['\r\n', '\n']) {
    const before = sink.messages.length
    const finished = await call(['-bs'], session.join(lineEnd))
    assert.match(finished.stdout, /^220 [^]+\r\n250 2\.1\.0 [^]+\r\n354 [^]+\r\n250 2\.0\.0 Queued as \w+\r\n221 2\.0\.0 [^\r]+\r\n$/)
    assert.deepEqual([finished.code, finished.stderr], [0, ''])
    await arrived(before + 1)
    assert.ok(sink.messages[before]?.text.endsWith('Subject: piped\r\n\r\n.\r\n'))
  }
})

test('-bs ends with what became of the session', async () => {
  const envelope = 'EHLO localhost\nMAIL FROM:<me@example.org>\nRCPT TO:<ann@example.net>\n'
  // prettier-ignore
  const cases: readonly (readonly [code: number, session: string, told: RegExp])[] = [
    [0, 'EHLO localhost\nQUIT\n', /^$/],
    [0, `${envelope}DATA\nSubject: unanswered\n\n.\n`, /^$/],
    [65, '', /the session had no message/],
    [65, `${envelope}DATA\nSubject: cut\n`, /ended within a message, which was not sent/],
    [67, 'EHLO localhost\nMAIL FROM:<me@example.org>\nRCPT TO:<gone@example.test>\nQUIT\n', /^$/],
    [69, 'not SMTP\n', /the session had no message/],
  ]
  for (const [code, session, told] of cases) {
    const finished = await call(['-bs'], session)
    assert.equal(finished.code, code, `${session}\n${finished.stdout}${finished.stderr}`)
    assert.match(finished.stderr, told)
  }
  assert.equal((await call(['-bs'], 'QUIT\n', writeSettings('down.toml', { port: 9 }))).code, 75)
})

test('-bs sends what it is given also when nobody reads the replies', async () => {
  const before = sink.messages.length
  const session = 'EHLO localhost\nMAIL FROM:<me@example.org>\nRCPT TO:<ann@example.net>\nDATA\nSubject: unread\n\n.\nQUIT\n'
  const finished = await run('/bin/sh', ['-c', '{ "$0" -bs; echo $? >&2; } | true', sendmail], { input: session, env: { POSTERN_SENDMAIL: settings } })
  assert.equal(finished.stderr, '0\n')
  await arrived(before + 1)
})

test('-bp and mailq list the queue', async () => {
  const listed = await run(PROGRAM, ['sendmail', '--dir', postern.folder, '-bp'])
  assert.deepEqual(listed, { code: 0, stdout: 'The queue is empty.\n', stderr: '' })
  assert.deepEqual(await run(join(dirname(sendmail), 'mailq'), ['--dir', postern.folder]), listed)
})

/** Says each line when the one before has been answered, as the protocol wants it. */
async function conversation(args: readonly string[], file: string, lines: readonly string[]): Promise<string> {
  const child = spawn(sendmail, args, { env: { ...process.env, POSTERN_SENDMAIL: file }, stdio: ['pipe', 'pipe', 'inherit'] })
  const waiting = [...lines]
  let said = ''
  let answered = 0
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
    const replies = said.match(/^\d{3} .*\r\n/gm)?.length ?? 0
    for (; answered < replies; answered++) {
      const line = waiting.shift()
      if (line !== undefined) child.stdin.write(`${line}\r\n`)
    }
  })
  await once(child, 'close')
  return said
}

test('an author who is somebody else is let through, logged and explained', async () => {
  await sent(['-f', 'scan@example.test', 'ann@example.net'], 'From: The boss <boss@example.test>\n\n', writeSettings('scanner.toml', { holder: 'scanner' }))
  const line = postern.log().find(({ event }) => event === 'let-through')
  assert.deepEqual([line?.['because'], line?.['authors'], line?.['holder']], ['authorNotAllowed', 'boss@example.test', 'scanner'])
  const { stdout } = await postern.command(['explain', String(line?.['id'])])
  assert.match(stdout, /May 127\.0\.0\.1 send a message written by <boss@example\.test> on the submission listener\?/)
  assert.match(stdout, /would be refused \(authorNotAllowed\): the header names <boss@example\.test>, and machine scanner may use scan@example\.test/)
})

test('-N, -R and -V ask for reports (RFC 3461)', async () => {
  await sent(['-N', 'success', '-R', 'hdrs', '-V', 'job 7', '-f', 'reports@example.org', 'dora@example.net'], 'Subject: reported\n\nsecret text\n')
  const report = await sink.messageWith('Original-Envelope-Id')
  assert.deepEqual([report.reversePath, report.forwardPaths], ['', ['reports@example.org']])
  assert.match(report.text, /\r\nOriginal-Envelope-Id: job 7\r\n[^]*Final-Recipient: rfc822; dora@example\.net\r\nAction: relayed\r\n[^]*Subject: reported\r\n/)
  assert.doesNotMatch(report.text, /secret text/)
})
