import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EightBitFinder } from './eight-bit.ts'

/** The same answer wherever the message is cut. */
function check(message: string, header: boolean, body: boolean, isBinary = false): void {
  const bytes = Buffer.from(message, 'latin1')
  for (let cut = 0; cut <= bytes.length; cut++) {
    const finder = new EightBitFinder()
    finder.feed(bytes.subarray(0, cut))
    finder.feed(bytes.subarray(cut))
    assert.deepEqual(finder.found(), { header, body, isBinary }, `${JSON.stringify(message)} cut at ${cut}`)
  }
}

test('bytes above 127 are found in the header section and in the body, and told apart', () => {
  check('Subject: a\r\n\r\nb\r\n', false, false)
  check('Subject: \xe4\r\n\r\nb\r\n', true, false)
  check('Subject: a\r\n\r\n\xe4\r\n', false, true)
  check('A: \xe4\r\r\n\n\r\n\xe4', true, false, true)
  check('\r\n\xe4\r\n', false, true)
  check('\xe4\r\n', true, false)
  check('', false, false)
})

test('what is not lines of text is binary', () => {
  for (const body of ['\0\r\n', 'a\nb\r\n', 'a\rb\r\n', '\r\r\n', '\r', 'no end', '\n']) check(`A: b\r\n\r\n${body}`, false, false, true)
})
