/**
 * S18: header fields as long as a header may be, made to be slow to read. The time that a field takes grows with its
 * length and with nothing else: all sessions of a worker wait meanwhile. A reader that looks at each octet as often
 * as there are octets would not come to the end of these.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HeaderSection } from '../../src/core/message/header-section.ts'

const MANY = 256 * 1024

// prettier-ignore
const REPEATED = ['1', '1 ', 'a ', 'a.', '. ', '(', ')', '\\', '"', '"a\\', '<', '>', ',', ';', ':', '@', '@a,', '[', '=', '/', 'no ', ' ', '\t', '\r\n ', '\xfc.']
const ENDS = ['', 'x;', '@b', ')']

for (const name of ['From', 'Sender', 'Authentication-Results', 'TLS-Required']) {
  test(`S18: a ${name} field as long as a header is read in one pass, whatever is in it`, { timeout: 120_000 }, () => {
    for (const unit of REPEATED) for (const end of ENDS) {
      const text = `${name}: ${unit.repeat(MANY / unit.length)}${end}\r\n\r\n`
      const section = new HeaderSection({ hostname: 'mx.example.org', submission: { author: null }, readsAuthors: true })
      assert.notDeepEqual(section.take(Buffer.from(text, 'latin1')), [])
    }
  })
}

test('S18: of a From field with endless addresses no more than fifty are read', () => {
  const section = new HeaderSection({ hostname: 'mx.example.org', submission: null, readsAuthors: true })
  section.take(Buffer.from(`From: ${'a@b, '.repeat(MANY)}\r\n\r\n`))
  assert.deepEqual(section.authors, { from: [], sender: [], fault: 'its From field names more than 50 addresses' })
})
