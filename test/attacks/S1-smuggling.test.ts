/**
 * S1: SMTP smuggling inbound. Another server let octets through that it took for text; no server of
 * ours may take them for the end of a message, and what was dressed as further commands is not heard.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { play, whole, type Cut } from '../transcripts/play.ts'

/** What some server somewhere took for the end of a message, or dropped and so made into one. */
const ENDS = [
  '\n.\n', '\n.\r\n', '\r\n.\n', '\r.\r\n', '\r\n.\r', '\r.\r', '\r.\n', '\n.\r',
  '\r\n\n.\r\n', '\r\n\n.\n', '\r\r\n.\r\r\n', '\r\n\r.\r\n', '\r\n.\r\r\n', '\n\r\n.\r\n',
  '\r\n\0.\r\n', '\r\n.\0\r\n', '\r\0\n.\r\0\n', '\n\0.\n', '\0\r\n.\0\n',
]
const SMUGGLED = 'MAIL FROM:<eve@example.com>\r\nRCPT TO:<joe@example.org>\r\nDATA\r\nSubject: smuggled\r\n'

const beforeMessage = `* connected 192.0.2.7
C: HELO mail.example.com
S: -
C: MAIL FROM:<ann@example.com>
S: -
C: RCPT TO:<joe@example.org>
S: -
C: DATA
S: -
`

/** What the session did with a message, from its 354 on. */
function send(octets: string, cut: Cut): readonly string[] {
  const written = play(`${beforeMessage}C~ ${JSON.stringify(octets)}\n`, cut).split('\n')
  return written.slice(written.findIndex(line => line.startsWith('C~')) + 1).filter(line => line !== '')
}

const cutAt = (at: number): Cut => octets => [octets.subarray(0, at), octets.subarray(at)]

for (const end of ENDS) {
  const fault = JSON.stringify(end)
  const message = `Subject: carrier\r\n\r\ntext${end}${SMUGGLED}`

  test(`S1: ${fault} does not end a message, and the message is refused at its real end`, () => {
    const refused = send(`${message}.\r\n`, whole)
    assert.equal(refused.length, 3, 'dropped, refused, closed, and nothing else')
    assert.deepEqual([refused[0], refused[2]], ['* dropped', '* closed'])
    assert.match(refused[1] ?? '', /^S: 550 5\.6\.0 /)
  })

  test(`S1: ${fault} is no end wherever a packet is cut`, () => {
    const expected = send(`${message}.\r\n`, whole)
    for (let at = 0; at <= message.length + 3; at++) assert.deepEqual(send(`${message}.\r\n`, cutAt(at)), expected, `cut at ${at}`)
  })

  test(`S1: ${fault} gets no answer while the real end has not come`, () => {
    const isRealEnd = end.includes('\r\n.\r\n')
    if (!isRealEnd) assert.deepEqual(send(message, whole), [])
  })
}

/** The same message by BDAT, in chunks that end where `ends` say. */
function sendInChunks(octets: string, ends: readonly number[], cut: Cut): readonly string[] {
  const bounds = [0, ...ends, octets.length]
  const chunks = ends.concat(octets.length).map((end, at) => {
    const chunk = octets.slice(bounds[at], end)
    return `C: BDAT ${chunk.length}${end === octets.length ? ' LAST' : ''}\nC~ ${JSON.stringify(chunk)}\n`
  })
  const written = play(`${beforeMessage.slice(0, beforeMessage.indexOf('C: DATA'))}${chunks.join('')}C: ${SMUGGLED.split('\r\n')[0]}\n`, cut).split('\n')
  return written.filter(line => !/^(?:C[:~] .*|S: 2[25]0 .*|\* connected .*|)$/.test(line))
}

for (const end of ENDS) {
  test(`S1: ${JSON.stringify(end)} in a chunk is refused as in DATA, wherever chunk and packet end`, () => {
    const octets = `Subject: carrier\r\n\r\ntext${end}${SMUGGLED}`
    for (let at = 0; at < octets.length; at++) {
      for (const cut of [whole, cutAt(at + 120)]) {
        const heard = sendInChunks(octets, [at], cut)
        assert.deepEqual([heard[0], heard[2], heard.length], ['* dropped', '* closed', 3], `chunk of ${at}`)
        assert.match(heard[1] ?? '', /^S: 550 5\.6\.0 /)
      }
    }
  })
}

test('S1: commands behind a refused message are not heard', () => {
  const heard = send(`text\n.\n\r\n.\r\nRSET\r\n${SMUGGLED}.\r\nQUIT\r\n`, whole)
  assert.deepEqual(heard.map(line => line.slice(0, 9)), ['* dropped', 'S: 550 5.', '* closed'])
})

test('S1: a bare line end among commands ends the session', () => {
  for (const command of ['NOOP\nMAIL FROM:<eve@example.com>\r\n', 'NOOP\rRSET\r\n', '\nQUIT\r\n']) {
    for (let at = 0; at <= command.length; at++) {
      const written = play(`* connected 192.0.2.7\nC~ ${JSON.stringify(command)}\n`, cutAt(at))
      assert.match(written, /\nS: 500 5\.5\.2 .*\n\* closed\n$/)
      assert.equal(written.match(/^S: /gm)?.length, 2, 'the greeting and one refusal')
    }
  }
})
