import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isWord, parseAccessValue } from './access-value.ts'

/** `relay`, or the reply: `550 5.7.1 text`. */
function check(value: string, expected: string): void {
  const action = parseAccessValue(value)
  const reply = action.kind === 'reply' || action.kind === 'unknown' ? `${action.reply.code} ${action.reply.enhanced} ${action.reply.text}` : ''
  const reason = action.kind === 'quarantine' ? action.reason : ''
  assert.equal([action.kind, reply, reason].filter(part => part !== '').join(' '), expected)
}

test('keywords, in any case and with blanks behind them', () => {
  for (const word of ['RELAY', 'relay', 'Relay  ', 'RELAY\t', 'RELAY\r', 'RELAY \f\v']) check(word, 'relay')
  check('reject', 'reject')
  check('Discard', 'discard')
  check('skip', 'skip')
})

test('a comment is no part of a value, and neither is a backslash', () => {
  check('REJECT (a spammer (and worse))', 'reject')
  check('(a friend) RELAY', 'relay')
  check('REJECT\\', 'reject')
  check('REJECT\\ ', 'unknown 553 5.3.0 Access denied')
  check('550 (as agreed) go away', 'reply 550 5.0.0 go away')
  check('"550 not (a comment)"', 'reply 550 5.0.0 not (a comment)')
  check('ERROR:5.7.1:550 (nothing else)', 'unknown 553 5.3.0 Access denied')
  assert.ok(isWord('SUBJECT (those below)', 'SUBJECT'))
})

test('a text that is no keyword refuses, and is not sent', () => {
  for (const text of ['FROBNICATE', 'RELAY\u00a0', 'RELAY extra words', 'ERROR:', 'ERROR:no code', '250 fine', 'ERROR:5.7.1:no code', '554', 'ERROR:5.7.1:554', 'ERROR:"5.7.9:550 all in quotes"']) {
    check(text, 'unknown 553 5.3.0 Access denied')
  }
})

test('replies of their own', () => {
  check('ERROR:5.7.25:553 with dsn', 'reply 553 5.7.25 with dsn')
  check('ERROR:550 five fifty', 'reply 550 5.0.0 five fifty')
  check('error:550 5.7.1 status in the text', 'reply 550 5.7.1 status in the text')
  check('450 bare temp', 'reply 450 4.0.0 bare temp')
  check('"550 quoted,  two  spaces"', 'reply 550 5.0.0 quoted,  two  spaces')
  check('ERROR:4.7.1:"450 come back"', 'reply 450 4.7.1 come back')
  check('ERROR:D.S.N:550 bad dsn', 'reply 550 5.0.0 bad dsn')
  check('ERROR: 550 blanks', 'reply 550 5.0.0 blanks')
  check('ERROR:5.7.1 : 550 blanks', 'reply 550 5.7.1 blanks')
  check('ERROR:5.7.1:550 5.7.9 the later status', 'reply 550 5.7.9 the later status')
  check('550 5.7.1', 'reply 550 5.0.0 5.7.1')
})

test('what is sent to a client is printable ASCII', () => {
  check('ERROR:550 Grüße\u0007\r', 'reply 550 5.0.0 Gr??e?')
  check('QUARANTINE:odd\thost', 'quarantine odd host')
})

test('a word is the whole value', () => {
  assert.ok(isWord('subject ', 'SUBJECT'))
  assert.ok(!isWord('SUBJECT RELAY', 'SUBJECT'))
})
