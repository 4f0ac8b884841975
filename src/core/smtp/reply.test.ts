import assert from 'node:assert/strict'
import { test } from 'node:test'
import { array, assert as check, integer, property, string } from 'fast-check'
import { commandRefusal, formatReply, policyRefusal, replies, type Reply } from './reply.ts'

test('a reply is code, status and text', () => {
  assert.equal(formatReply(replies.senderOk), '250 2.1.0 Sender OK\r\n')
  assert.equal(formatReply(replies.startInput), '354 Start mail input; end with <CRLF>.<CRLF>\r\n')
  assert.equal(formatReply(replies.authContinue('')), '334 \r\n')
})

test('a reply of several lines has the status in each (RFC 2034 §4)', () => {
  assert.equal(formatReply({ code: 550, enhanced: '5.7.1', lines: ['No', 'and no'] }), '550-5.7.1 No\r\n550 5.7.1 and no\r\n')
  assert.equal(formatReply(replies.hello(['mx.example.org', 'PIPELINING'])), '250-mx.example.org\r\n250 PIPELINING\r\n')
})

test('words from elsewhere cannot become a line of their own', () => {
  const text = 'no\r\n250 2.0.0 Queued as q1\0\u2028ü'
  assert.equal(formatReply({ code: 550, enhanced: '5.7.1', lines: [text] }), '550 5.7.1 no??250 2.0.0 Queued as q1???\r\n')
})

test('a long text goes on in a further line, between words where there are any (RFC 5321 §4.5.3.1.5)', () => {
  const words = formatReply({ code: 550, enhanced: '5.7.1', lines: ['word '.repeat(150).trimEnd()] })
  assert.deepEqual(words.split('\r\n').map(line => line.slice(0, 15)), ['550-5.7.1 word ', '550 5.7.1 word ', ''])
  const noWords = formatReply({ code: 550, enhanced: '5.7.1', lines: ['x'.repeat(1000)] })
  assert.equal(noWords.replaceAll(/550[ -]5\.7\.1 |\r\n/g, ''), 'x'.repeat(1000))
})

test('whatever a reply says, it is lines of printable ASCII of at most 512 octets', () => {
  const replied = array(string({ unit: 'binary', maxLength: 2000 }), { minLength: 1, maxLength: 4 })
  check(
    property(integer({ min: 200, max: 599 }), replied, (code, lines) => {
      const text = formatReply({ code, enhanced: '5.7.1', lines } satisfies Reply)
      assert.match(text, new RegExp(`^(?:${code}-5\\.7\\.1 [\\t -~]*\\r\\n)*${code} 5\\.7\\.1 [\\t -~]*\\r\\n$`))
      assert.ok(text.split('\r\n').every(line => line.length <= 510))
    }),
  )
})

test('the policy speaks for itself, and the reply says by which id to ask why', () => {
  const decision = { id: 'k3f9.2', reply: { code: 550, enhanced: '5.7.1', text: 'Relaying denied' }, holdReason: null, relay: false, because: [] } as const
  assert.equal(formatReply(policyRefusal({ ...decision, verdict: 'refuse' }) ?? replies.senderOk), '550 5.7.1 Relaying denied (id k3f9.2)\r\n')
  assert.equal(policyRefusal({ ...decision, verdict: 'accept', reply: null }), null)
  assert.throws(() => policyRefusal({ ...decision, verdict: 'refuse', reply: null }), /a refusal has a reply/)
})

test('each thing that can be wrong with a command has a reply', () => {
  const refused = (problem: Parameters<typeof commandRefusal>[0]) => formatReply(commandRefusal(problem)).slice(0, 9)
  assert.equal(refused({ kind: 'notSmtp' }), '554 5.5.1')
  assert.equal(refused({ kind: 'badPath', verb: 'MAIL', problem: { detail: 'it is empty' } }), '501 5.1.7')
  assert.equal(refused({ kind: 'badPath', verb: 'RCPT', problem: { detail: 'it is empty' } }), '501 5.1.3')
})
