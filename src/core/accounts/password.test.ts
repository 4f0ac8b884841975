import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deviceProblem, foldedLogin, loginNames, passwordProblem, preparedPassword } from './password.ts'

test('a password is what every keyboard and mail program writes in one way', () => {
  for (const good of ['correct horse battery', 'abcd-efgh-jkmn', 'Größenwahn!12', '£20 und mehr Geld', 'パスワードはとても長いです']) assert.equal(passwordProblem(good), null, good)
  for (const bad of [
    'short',
    'x'.repeat(257),
    'line\nend of a password',
    'nul\0 in a password',
    ' blank at the beginning',
    // SASLprep would change these (RFC 4013 §2.1, §2.2), or does not know them.
    'no-break\u00a0space in it',
    'soft\u00adhyphen within',
    'full width \uff21\uff22\uff23',
    'Gro\u0308ße, decomposed',
    'private use \ue000 here',
    'lone surrogate \ud800 here',
    'unassigned \u{e0fff} here',
  ]) {
    assert.notEqual(passwordProblem(bad), null, JSON.stringify(bad))
  }
})

test('a password that was typed on a keyboard that decomposes is the same', () => {
  assert.equal(preparedPassword('Gro\u0308ßenwahn!12'), 'Größenwahn!12')
})

test('names to log in with are the own name and the addresses, without regard to case', () => {
  assert.deepEqual(loginNames({ name: 'Joe', senders: ['Joe@Example.org', '@joe.example', 'j@example.org'] }), ['joe', 'joe@example.org', 'j@example.org'])
  assert.equal(foldedLogin('JOE@EXAMPLE.ORG'), 'joe@example.org')
})

test('a device has a name that can be typed and read', () => {
  for (const good of ['phone', 'Copier 2nd floor', 'web7.example.org', 'x']) assert.equal(deviceProblem(good), null)
  for (const bad of ['', ' phone', 'a/b', 'tab\t', 'x'.repeat(65), 'ü']) assert.notEqual(deviceProblem(bad), null)
})
