import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { MainCf, listed } from './main-cf.ts'
import { readServices } from './master-cf.ts'

function check(text: string, name: string, expected: string): void {
  assert.equal(new MainCf({ name: 'main.cf', text }).value(name), expected)
}

test('lines continue, comments do not end them, and the last one counts', () => {
  check('a = 1\n  2\n# comment\n\t3\n', 'a', '1 2 3')
  check('a = 1\na = 2', 'a', '2')
  const main = new MainCf({ name: 'main.cf', text: '\na = 1\nb = x\na = 2\n' })
  assert.deepEqual(main.parameters.map(({ name, line }) => [name, line]), [['b', 3], ['a', 4]])
  assert.deepEqual(main.overridden.map(({ line }) => line), [2])
})

test('values stand for one another', () => {
  check('d = example.org\nh = mx.$d', 'h', 'mx.example.org')
  check('d = example.org\nh = ${d}x $(d)', 'h', 'example.orgx example.org')
  check('d = x\nh = ${d?{yes}}${d:{no}}${e?{yes}}${e:{no}}', 'h', 'yesno')
  check('myhostname = mx.example.org\nmydomain = example.org', 'mydestination', 'mx.example.org, localhost.example.org, localhost')
  check('a = $$x', 'a', '$x')
})

test('a value that stands for itself comes to an end', () => {
  check('a = $b\nb = $a', 'a', '')
  const many = Array.from({ length: 12 }, (_, at) => `p${at} = ${`$p${at + 1} `.repeat(9)}`).join('\n')
  assert.ok(new MainCf({ name: 'main.cf', text: many }).value('p0').length < 1_000_000)
  fc.assert(fc.property(fc.array(fc.constantFrom('a', 'b', '=', '$', '{', '}', '?', ':', ' ', '\n'), { maxLength: 40 }), parts => {
    assert.equal(typeof new MainCf({ name: 'main.cf', text: parts.join('') }).value('a'), 'string')
  }))
})

test('a password is in no report', () => {
  const main = new MainCf({ name: 'main.cf', text: 'smtp_sasl_password_maps =\n  inline:{\n  { h = joe:secret } }\n' })
  assert.deepEqual(main.parameters.map(({ text }) => text), ['smtp_sasl_password_maps = …'])
})

test('lists are parted by blanks and commas', () => assert.deepEqual(listed(' a,b  c,\n d '), ['a', 'b', 'c', 'd']))

test('services have their overrides, in braces or not', () => {
  const [service] = readServices({ name: 'master.cf', text: 'smtps inet n - y - - smtpd\n  -o smtpd_tls_wrappermode=yes -o { smtpd_client_restrictions = permit_mynetworks, reject }\n' })
  assert.deepEqual([...(service?.overrides ?? [])], [['smtpd_tls_wrappermode', 'yes'], ['smtpd_client_restrictions', 'permit_mynetworks, reject']])
})
