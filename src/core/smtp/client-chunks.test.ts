/** BDAT as the client uses it (RFC 3030); the notation is in test/support/client-scripts.ts. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkDelivery, modern } from '../../../test/support/client-scripts.ts'
import { NO_EXTENSIONS, type Extensions } from './extensions.ts'

const chunking: Extensions = { ...modern, chunking: true }
const binary: Extensions = { ...chunking, binaryMime: true }

test('a large message goes by BDAT where it can, behind the replies to the envelope (RFC 3030 §2)', () => {
  const { next } = checkDelivery({ sizeBytes: 65_536, bodyType: '8BITMIME' }, { extensions: chunking }, `
    C: MAIL FROM:<joe@a> SIZE=65536 BODY=8BITMIME
    C: RCPT TO:<ann@b>
    S: 250 ok
    S: 250 ok
    C: BDAT 65536 LAST
    C: (text chunk)
    S: 250 taken
    => delivered: 250 taken (mx)`)
  assert.equal(next, 'reuse')
  checkDelivery({ sizeBytes: 65_535 }, { extensions: chunking }, `
    C: MAIL FROM:<joe@a> SIZE=65535
    C: RCPT TO:<ann@b>
    C: DATA
    S: 250 ok
    S: 250 ok
    S: 354 go
    C: (message)
    S: 250 taken
    => delivered: 250 taken (mx)`)
})

test('a binary message goes by BDAT, however small', () => {
  checkDelivery({ bodyType: 'BINARYMIME' }, { extensions: { ...binary, pipelining: false } }, `
    C: MAIL FROM:<joe@a> SIZE=99 BODY=BINARYMIME
    S: 250 ok
    C: RCPT TO:<ann@b>
    S: 250 ok
    C: BDAT 99 LAST
    C: (binary chunk)
    S: 250 taken
    => delivered: 250 taken (mx)`)
})

test('S2: without a recipient no chunk is sent, so that its octets can never be taken for commands', () => {
  const { next } = checkDelivery({ bodyType: 'BINARYMIME', forwardPaths: ['ann@b', 'bob@b'] }, { extensions: binary }, `
    C: MAIL FROM:<joe@a> SIZE=99 BODY=BINARYMIME
    C: RCPT TO:<ann@b>
    C: RCPT TO:<bob@b>
    S: 250 ok
    S: 550 no
    S: 450 later
    => refused: 550 no (mx, after RCPT)
    => deferred: 450 later (mx, after RCPT)`)
  assert.equal(next, 'reuse')
  checkDelivery({ bodyType: 'BINARYMIME' }, { extensions: binary }, `
    C: MAIL FROM:<joe@a> SIZE=99 BODY=BINARYMIME
    C: RCPT TO:<ann@b>
    S: 550 not from you
    S: 503 mail first
    => refused: 550 not from you (mx, after MAIL)`)
})

test('a chunk that is refused is the end of the transaction, for the recipients that were left', () => {
  const { next } = checkDelivery({ bodyType: 'BINARYMIME', forwardPaths: ['ann@b', 'bob@b'] }, { extensions: binary }, `
    C: MAIL FROM:<joe@a> SIZE=99 BODY=BINARYMIME
    C: RCPT TO:<ann@b>
    C: RCPT TO:<bob@b>
    S: 250 ok
    S: 250 ok
    S: 550 no
    C: BDAT 99 LAST
    C: (binary chunk)
    S: 452 full
    => deferred: 452 full (mx, after the message)
    => refused: 550 no (mx, after RCPT)`)
  assert.equal(next, 'reuse')
  const { next: after } = checkDelivery({ bodyType: 'BINARYMIME' }, { extensions: binary }, `
    C: MAIL FROM:<joe@a> SIZE=99 BODY=BINARYMIME
    C: RCPT TO:<ann@b>
    S: 250 ok
    S: 250 ok
    C: BDAT 99 LAST
    * unreadable
    => deferred: trouble of our own: gone`)
  assert.equal(after, 'close')
})

test('a message that was declared binary bounces only where it is and the server takes none (RFC 3030 §3)', () => {
  for (const extensions of [modern, chunking, NO_EXTENSIONS]) {
    checkDelivery({ bodyType: 'BINARYMIME' }, { extensions }, `
      * inspected binary
      => refused: mx takes no binary messages (it does not offer BINARYMIME and CHUNKING)`)
  }
  checkDelivery({ bodyType: 'BINARYMIME' }, {}, `
    * inspected body
    C: MAIL FROM:<joe@a> SIZE=99 BODY=8BITMIME
    C: RCPT TO:<ann@b>
    C: DATA
    S: 250 ok
    S: 250 ok
    S: 354 go
    C: (message)
    S: 250 taken
    => delivered: 250 taken (mx)`)
  checkDelivery({ bodyType: 'BINARYMIME' }, { extensions: NO_EXTENSIONS }, `
    * inspected body
    => refused: mx takes no 8-bit messages (it does not offer 8BITMIME)`)
})
