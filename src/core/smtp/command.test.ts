import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assert as check, property, string } from 'fast-check'
import { parseCommand, type Command } from './command.ts'
import { commandRefusal, formatReply } from './reply.ts'
import { NO_MAIL_PARAMETERS, NO_RCPT_PARAMETERS } from './parameters.ts'

/** The command, or what the client is told instead. */
function read(line: string): Command | string {
  const parsed = parseCommand({ kind: 'line', text: Buffer.from(line).toString('latin1') })
  return parsed.ok ? parsed.value : formatReply(commandRefusal(parsed.problem)).trimEnd()
}

test('verbs are read without regard to case', () => {
  assert.deepEqual(read('QUIT'), { verb: 'QUIT' })
  assert.deepEqual(read('quit'), { verb: 'QUIT' })
  assert.deepEqual(read('eHlO mail.example.com'), { verb: 'EHLO', name: 'mail.example.com' })
})

test('MAIL and RCPT give the path and its parameters', () => {
  assert.deepEqual(read('MAIL FROM:<"ann"@example.com> SIZE=12 BODY=8BITMIME SMTPUTF8'), {
    verb: 'MAIL',
    path: { address: 'ann@example.com', isAscii: true },
    parameters: { ...NO_MAIL_PARAMETERS, sizeBytes: 12, bodyType: '8BITMIME', utf8: true },
  })
  assert.deepEqual(read('MAIL FROM:<>'), {
    verb: 'MAIL',
    path: { address: '', isAscii: true },
    parameters: NO_MAIL_PARAMETERS,
  })
  assert.deepEqual(read('rcpt to:<jürgen@example.org>'), { verb: 'RCPT', path: { address: 'jürgen@example.org', isAscii: false }, parameters: NO_RCPT_PARAMETERS })
})

test('a bracket or a blank within quotation marks ends no path', () => {
  assert.deepEqual(read('RCPT TO:<"a> SIZE=1"@example.org>'), { verb: 'RCPT', path: { address: '"a> SIZE=1"@example.org', isAscii: true }, parameters: NO_RCPT_PARAMETERS })
  assert.deepEqual(read('RCPT TO:<"a\\"> "@example.org>'), { verb: 'RCPT', path: { address: '"a\\"> "@example.org', isAscii: true }, parameters: NO_RCPT_PARAMETERS })
})

test('blanks are tolerated at the end of a line, and after the colon', () => {
  assert.deepEqual(read('RSET  '), { verb: 'RSET' })
  assert.deepEqual(read('MAIL FROM:  <ann@example.com>  '), read('MAIL FROM:<ann@example.com>'))
  assert.equal(read('MAIL FROM :<ann@example.com>'), '501 5.5.4 Syntax: MAIL FROM:<address>')
  assert.equal(read(' QUIT'), '500 5.5.1 Command not recognized')
})

test('AUTH gives the mechanism in capitals and the response as it was written', () => {
  assert.deepEqual(read('AUTH external am9l'), { verb: 'AUTH', mechanism: 'EXTERNAL', initialResponse: 'am9l' })
  assert.deepEqual(read('AUTH EXTERNAL'), { verb: 'AUTH', mechanism: 'EXTERNAL', initialResponse: null })
  assert.equal(read(`AUTH ${'X'.repeat(21)}`), '501 5.5.4 Syntax: AUTH mechanism [initial-response]')
})

test('octets that are neither ASCII nor UTF-8, and control characters, are refused', () => {
  const unprintable = '500 5.5.2 Commands are printable ASCII, or UTF-8 in addresses'
  assert.equal(read('NOOP \t'), unprintable)
  assert.equal(read('NOOP \u007f'), unprintable)
  assert.equal(read('NOOP \u0085'), unprintable)
  const parsed = parseCommand({ kind: 'line', text: 'NOOP \xe4' })
  assert.equal(parsed.ok ? '' : parsed.problem.kind, 'unprintable')
})

test('no line makes the parser throw', () => {
  check(property(string({ unit: 'binary' }), text => assert.ok(read(text))))
  check(property(string({ unit: 'binary' }), text => assert.ok(read(`MAIL FROM:<${text}`))))
  check(property(string({ unit: 'binary' }), text => assert.ok(read(`RCPT TO:<a@b> ${text}`))))
})
