/**
 * Which reply each command may get (RFC 5321 §4.3.2 and the RFCs of the extensions), held against every
 * reply that a transcript shows. A code that no RFC lists for its command stands below with its reason.
 */

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Reply } from '../../src/core/smtp/reply.ts'
import { mustArriveWhole, play, type Cut, type Observer } from './play.ts'

/** RFC 5321 §4.3.2: these may come for any command. */
const ALWAYS = [421, 500, 501]

// prettier-ignore
const LISTED: Readonly<Record<string, { readonly codes: readonly number[]; readonly by: string }>> = {
  connection: { codes: [220, 554],                                          by: 'RFC 5321 §4.3.2' },
  EHLO:       { codes: [250, 502, 504, 550],                                by: 'RFC 5321 §4.3.2' },
  HELO:       { codes: [250, 502, 504, 550],                                by: 'RFC 5321 §4.3.2' },
  LHLO:       { codes: [250, 502, 504, 550],                                by: 'RFC 2033 §4.1, as EHLO' },
  MAIL:       { codes: [250, 451, 452, 455, 503, 550, 552, 553, 555],       by: 'RFC 5321 §4.3.2' },
  RCPT:       { codes: [250, 251, 450, 451, 452, 455, 503, 550, 551, 552, 553, 555], by: 'RFC 5321 §4.3.2' },
  DATA:       { codes: [354, 503, 554],                                     by: 'RFC 5321 §4.3.2, RFC 2033 §4.2' },
  message:    { codes: [250, 450, 451, 452, 550, 552, 554],                 by: 'RFC 5321 §4.3.2' },
  BDAT:       { codes: [250, 450, 451, 452, 503, 550, 552, 554],            by: 'RFC 3030 §2 and §3, with the replies of DATA and its message' },
  RSET:       { codes: [250],                                               by: 'RFC 5321 §4.3.2' },
  VRFY:       { codes: [250, 251, 252, 502, 504, 550, 551, 553],            by: 'RFC 5321 §4.3.2' },
  EXPN:       { codes: [250, 252, 502, 504, 550],                           by: 'RFC 5321 §4.3.2' },
  HELP:       { codes: [211, 214, 502, 504],                                by: 'RFC 5321 §4.3.2' },
  NOOP:       { codes: [250],                                               by: 'RFC 5321 §4.3.2' },
  QUIT:       { codes: [221],                                               by: 'RFC 5321 §4.3.2' },
  STARTTLS:   { codes: [220, 454],                                          by: 'RFC 3207 §4' },
  AUTH:       { codes: [235, 334, 432, 454, 503, 504, 534, 535, 538],       by: 'RFC 4954 §4 and §6' },
  ETRN:       { codes: [250, 251, 252, 253, 458, 459],                      by: 'RFC 1985 §5.2' },
  XCLIENT:    { codes: [220, 503, 550],                                     by: "Postfix's XCLIENT_README" },
  /** RFC 821's, which RFC 5321 Appendix F.6 has taken away, and TURN with them. */
  obsolete:   { codes: [502],                                               by: 'RFC 5321 §4.2.4' },
  unknown:    { codes: [],                                                  by: 'RFC 5321 §4.2.4' },
}

/** Found in transcripts, and right all the same. `*` is any command. */
const EXPLAINED: readonly { readonly command: string; readonly code: number; readonly why: string }[] = [
  { command: '*', code: 503, why: 'RFC 5321 §3.1: after a refusal in place of the greeting, everything but QUIT gets it; §4.1.4: and so does what is out of order' },
  { command: '*', code: 454, why: "the handshake is not what the access map demands of this client; sendmail's code, and a client reads the first digit" },
  { command: 'connection', code: 450, why: 'the access map may refuse a client for now; a client reads the first digit (RFC 5321 §4.2.1)' },
  { command: 'connection', code: 550, why: "the access map's REJECT, as sendmail says it; RFC 5321 §3.1 thinks of 554, and a client reads the first digit" },
  { command: 'MAIL', code: 450, why: 'RFC 5321 §4.2.3 gives it to what is "temporarily blocked for policy reasons": limits, and the access map' },
  { command: 'MAIL', code: 530, why: 'RFC 3207 §4 and RFC 4954 §6: TLS or authentication comes first' },
  { command: 'DATA', code: 550, why: 'RFC 5321 §4.3.2 lists it for the message, "for policy reasons"; said before the message it spares the client to send it' },
  { command: 'STARTTLS', code: 502, why: 'RFC 5321 §4.2.4: known and not offered here' },
  { command: 'BDAT', code: 502, why: 'RFC 5321 §4.2.4: known and not offered here' },
  { command: 'unknown', code: 554, why: 'whoever speaks HTTP to us is told once, and the connection is closed' },
]

const OBSOLETE = new Set(['SEND', 'SOML', 'SAML', 'TURN'])

/** RFC 5321 §4.5.1: no server may lack these. */
const REQUIRED: readonly (readonly [command: string, code: number])[] = [
  ['EHLO', 250], ['HELO', 250], ['MAIL', 250], ['RCPT', 250], ['DATA', 354], ['message', 250], ['RSET', 250], ['NOOP', 250], ['QUIT', 221], ['VRFY', 252],
]

/** Puts each reply to the command that it answers. */
class Ledger implements Observer {
  readonly entries: { readonly command: string; readonly reply: Reply }[] = []
  /** What has been sent since the last reply; null at the beginning. */
  #unanswered: string | null = null
  #command = 'connection'
  #inAuth = false

  heard(octets: Buffer, isMessage: boolean): void {
    if (this.#unanswered === null) {
      this.#unanswered = ''
      this.#command = isMessage ? 'message' : this.#inAuth ? 'AUTH' : ''
    }
    this.#unanswered += octets.toString('latin1')
  }

  said(reply: Reply): void {
    if (this.#unanswered !== null && this.#command === '') this.#command = commandIn(this.#unanswered)
    this.entries.push({ command: this.#command, reply })
    this.#unanswered = null
    this.#inAuth = reply.code === 334
  }

  connects(): void {
    this.#command = 'connection'
    this.#unanswered = null
  }
}

function commandIn(line: string): string {
  const verb = (/^[A-Za-z]+(?=[ \r])/.exec(line)?.[0] ?? '').toUpperCase()
  if (OBSOLETE.has(verb)) return 'obsolete'
  return verb in LISTED ? verb : 'unknown'
}

const lineByLine: Cut = octets => {
  const lines: Buffer[] = []
  for (let at = 0; at < octets.length; ) {
    const end = octets.indexOf('\r\n', at)
    const next = end === -1 ? octets.length : end + 2
    lines.push(octets.subarray(at, next))
    at = next
  }
  return lines
}

const folder = import.meta.dirname
const sources = readdirSync(folder)
  .filter(name => name.endsWith('.smtp'))
  .map(name => readFileSync(`${folder}/${name}`, 'utf8'))
  .filter(source => !mustArriveWhole(source))

/** Each connection by itself, with the settings that came before it. */
const ledger = new Ledger()
for (const source of sources) {
  const [settings = '', ...connections] = source.split(/^(?=\* connected )/m)
  let before = settings
  for (const connection of connections) {
    ledger.connects()
    play(before + connection, lineByLine, ledger)
    before += connection.split('\n').filter(line => /^\* (limit|listener|without|listed|\S+ may fetch|passwords)/.test(line)).join('\n')
    before = before.endsWith('\n') ? before : `${before}\n`
  }
}
const seen = new Set(ledger.entries.map(({ command, reply }) => `${command} ${reply.code}`))

test('every reply to a command is one that an RFC lists for it, or is explained', () => {
  const explained = new Set(EXPLAINED.map(({ command, code }) => `${command} ${code}`))
  const odd = [...seen].filter(entry => {
    const [command = '', digits = ''] = entry.split(' ')
    const code = Number(digits)
    const isListed = ALWAYS.includes(code) || (LISTED[command]?.codes.includes(code) ?? false)
    return !isListed && !explained.has(entry) && !explained.has(`* ${code}`)
  })
  assert.deepEqual(odd.sort(), [])
})

test('what is explained occurs', () => {
  const idle = EXPLAINED.filter(({ command, code }) => command !== '*' && !seen.has(`${command} ${code}`))
  assert.deepEqual(idle, [])
})

test('nothing that RFC 5321 §4.5.1 demands is missing', () => {
  const missing = REQUIRED.filter(([command, code]) => !seen.has(`${command} ${code}`))
  assert.deepEqual(missing, [])
})

test('RFC 5321 §4.3.2: no command that a server must know is called unknown, and none that fits in 512 octets too long', () => {
  const required = new Set(REQUIRED.map(([command]) => command))
  const wrong = ledger.entries.filter(({ command, reply }) => required.has(command) && reply.code === 500 && /not recognized/.test(reply.lines.join()))
  // In LMTP these two are not among the required ones (RFC 2033 §4.1).
  assert.deepEqual(wrong.map(({ command }) => command).filter(command => command !== 'EHLO' && command !== 'HELO'), [])
})

test('RFC 2034 §4: an enhanced status has the class of its code', () => {
  const wrong = ledger.entries.filter(({ reply }) => reply.enhanced !== null && reply.enhanced[0] !== String(reply.code)[0])
  assert.deepEqual(wrong, [])
})

test('RFC 2034 §4: every 2yz, 4yz and 5yz reply has one, but for greetings and EHLO', () => {
  const bare = ledger.entries.filter(({ command, reply }) => reply.enhanced === null && reply.code !== 354 && reply.code !== 334 && !['connection', 'EHLO', 'HELO', 'LHLO', 'XCLIENT'].includes(command))
  assert.deepEqual(bare, [])
})

test('RFC 5321 §4.2.3: greetings, EHLO and QUIT begin with our name', () => {
  const nameless = ledger.entries.filter(({ command, reply }) => {
    const isNamed = (command === 'connection' && reply.code === 220) || (/^(?:EHLO|HELO|LHLO)$/.test(command) && reply.code === 250) || reply.code === 221
    return isNamed && !(reply.lines[0] ?? '').startsWith('mx.example.org')
  })
  assert.deepEqual(nameless, [])
})
