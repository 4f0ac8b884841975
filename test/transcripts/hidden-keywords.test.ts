/** Srv_Features and the list after EHLO, whatever else is on it. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ALL_FEATURES } from '../../src/core/policy/session-terms.ts'
import { ServerSession } from '../../src/core/smtp/server-session.ts'
import { siteSettings } from './site.ts'

test('a keyword that the access map takes away is not listed', () => {
  assert.match(listed([]), / PIPELINING .*SMTPUTF8/)
  assert.doesNotMatch(listed(['PIPELINING', 'SMTPUTF8']), /PIPELINING|SMTPUTF8/)
  assert.match(listed(['PIPELINING']), / SIZE .*8BITMIME/)
})

function listed(hidden: readonly string[]): string {
  const session = new ServerSession(siteSettings)
  const features = { ...ALL_FEATURES, hiddenKeywords: new Set(hidden) }
  session.handle({ kind: 'connected', address: '192.0.2.7', identity: { kind: 'plaintext' }, features })
  const decision = { id: 'D1', verdict: 'accept', reply: null, holdReason: null, relay: false, because: [] } as const
  session.handle({ kind: 'decided', decision, host: { address: '192.0.2.7', name: null } })
  const [output] = session.handle({ kind: 'bytes', bytes: Buffer.from('EHLO mail.example.com\r\n') })
  return output?.kind === 'reply' ? output.reply.lines.join(' ') : ''
}
