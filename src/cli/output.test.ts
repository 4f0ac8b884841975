import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fields, PLAIN, relativeTime, table, visible, visibleJson, visibleLines } from './output.ts'

test('S27: what peers say cannot steer a terminal', () => {
  assert.equal(visible('a\u001b[2Jb\r\nc\u009b\u202e'), 'a\\x1b[2Jb\\x0d\\x0ac\\x9b\\u{202e}')
  assert.equal(visible('Żółć ✓'), 'Żółć ✓')
  assert.equal(visibleLines('a\n\tb\u001b\r\u202e'), 'a\n\tb\\x1b\\x0d\\u{202e}')
})

test('S27: nor can JSON, which says the same', () => {
  const data = { a: 'x\u007f\u009b\u202e\u{e0041}\n', b: ['Żółć'] }
  assert.equal(visibleJson(data), '{\n  "a": "x\\u007f\\u009b\\u202e\\udb40\\udc41\\n",\n  "b": [\n    "Żółć"\n  ]\n}')
  assert.deepEqual(JSON.parse(visibleJson(data)), data)
})

test('columns stand under one another', () => {
  const rows = [
    ['1', 'long value', 'x'],
    ['22', '', 'y'],
  ]
  assert.equal(table(['ID', 'NAME', ''], rows, PLAIN), 'ID  NAME\n1   long value  x\n22              y')
  assert.equal(fields([['a', '1\n2'], ['bc', '3']], PLAIN), 'a   1\n    2\nbc  3')
})

test('times are said as from now', () => {
  const now = 1_000_000_000
  assert.equal(relativeTime(now + 90_000, now), 'in 2 min')
  assert.equal(relativeTime(now - 3 * 86_400_000, now), '3 d ago')
  assert.equal(relativeTime(now, now), 'in 0 s')
})
