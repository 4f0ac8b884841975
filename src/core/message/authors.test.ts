import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authorsOf } from './authors.ts'
import { splitFields } from './fields.ts'

// prettier-ignore
const FAULTS: readonly (readonly [header: readonly string[], from: readonly string[], sender: readonly string[], fault: string | null])[] = [
  [['From: Joe <joe@example.org>'],                                  ['joe@example.org'], [], null],
  [['From: joe@example.org', 'From: jane@example.org'],              ['joe@example.org', 'jane@example.org'], [], 'it has more than one From field'],
  [['From: joe@example.org', 'from: joe@example.org'],               ['joe@example.org', 'joe@example.org'], [], 'it has more than one From field'],
  [['From: joe@example.org', 'Sender: a@example.org', 'Sender: b@example.org'], ['joe@example.org'], ['a@example.org', 'b@example.org'], 'it has more than one Sender field'],
  [['From: joe@example.org, jane@example.org'],                      ['joe@example.org', 'jane@example.org'], [], 'it is from several addresses, and has no Sender field that says whose message it is'],
  [['From: joe@example.org, jane@example.org', 'Sender: joe@example.org'], ['joe@example.org', 'jane@example.org'], ['joe@example.org'], null],
  [['From: joe@example.org', 'Sender: a@example.org, b@example.org'], ['joe@example.org'], ['a@example.org', 'b@example.org'], 'its Sender field does not name one address'],
  [['From: friends:;'],                                              [], [], 'its From field names nobody'],
  [['Resent-From: eve@example.com', 'From: joe@example.org'],        ['joe@example.org'], [], null],
]

for (const [header, from, sender, fault] of FAULTS) {
  test(`S14: ${header.join(' | ')}: ${fault ?? 'one author'}`, () => {
    const section = Buffer.from(header.map(line => `${line}\r\n`).join(''))
    assert.deepEqual(authorsOf(section, splitFields(section), null), { from, sender, fault })
  })
}

test('a message without From is from whom we write into it', () => {
  const section = Buffer.from('Subject: x\r\n')
  assert.deepEqual(authorsOf(section, splitFields(section), 'joe@example.org'), { from: ['joe@example.org'], sender: [], fault: null })
  assert.deepEqual(authorsOf(section, splitFields(section), null), { from: [], sender: [], fault: null })
})
