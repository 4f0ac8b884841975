import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_EXTENSIONS, parseExtensions, type Extensions } from './extensions.ts'

function check(lines: readonly string[], expected: Partial<Extensions>): void {
  assert.deepEqual(parseExtensions({ code: 250, enhanced: null, lines }), { ...NO_EXTENSIONS, ...expected })
}

test('extensions are read from every line but the first, in any case', () => {
  check(['STARTTLS.example.net', 'pipelining', '8BITMIME', 'SmtpUtf8', 'STARTTLS', 'AUTH PLAIN', 'X-UNKNOWN a b'],
    { pipelining: true, eightBitMime: true, smtpUtf8: true, startTls: true })
  check(['PIPELINING'], {})
  check([], {})
})

test('BINARYMIME is nothing without CHUNKING (RFC 3030 §3)', () => {
  check(['mx', 'CHUNKING', 'BINARYMIME'], { chunking: true, binaryMime: true })
  check(['mx', 'CHUNKING'], { chunking: true })
  check(['mx', 'BINARYMIME'], {})
})

test('SIZE may name a limit; 0, none and nonsense are none (RFC 1870 §4)', () => {
  check(['mx', 'SIZE 1000'], { size: true, sizeLimitBytes: 1000 })
  check(['mx', 'SIZE=1000'], { size: true, sizeLimitBytes: 1000 })
  for (const line of ['SIZE', 'SIZE 0', 'SIZE -1', 'SIZE 1e9', 'SIZE 99999999999999999999']) check(['mx', line], { size: true })
})
