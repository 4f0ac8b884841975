import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { formatAccessMap } from './access-format.ts'
import { parseAccessMap } from './access-map.ts'

test('values of lines that belong together stand under one another', () => {
  const text = '# who\nConnect:10.1   RELAY\nCERTISSUER:/O=Example/CN=Example+20CA \t SUBJECT  \nUSER:joe REJECT\r\n\nTo:a@b.example ERROR:5.1.1:550 Two  blanks\n'
  const formatted = [
    '# who',
    'Connect:10.1\t\t\t\tRELAY',
    'CERTISSUER:/O=Example/CN=Example+20CA\tSUBJECT',
    'USER:joe\t\t\t\tREJECT',
    '',
    'To:a@b.example\tERROR:5.1.1:550 Two  blanks',
    '',
  ].join('\n')
  assert.equal(formatAccessMap(text), formatted)
  assert.equal(formatAccessMap(formatted), formatted)
})

test('what makemap refuses stays as it is, and so does a name with blanks', () => {
  const text = '  indented RELAY\nnovalue\n#\nCERTISSUER:/O=My Company/CN=Example  CA RELAY\n'
  assert.equal(formatAccessMap(text), text)
})

test('formatting changes no entry, no line number and no problem', () => {
  const line = fc.string({ unit: fc.constantFrom('a', 'B', ':', '.', '#', ' ', '\t', '"', '/', '@', '\0'), maxLength: 30 })
  fc.assert(
    fc.property(fc.array(line, { maxLength: 6 }), lines => {
      const [before, after] = [lines.join('\n'), formatAccessMap(lines.join('\n'))].map(text => parseAccessMap(text, 'access'))
      const entries = (map = before?.map): unknown => [...(map?.entries() ?? [])].map(entry => ({ ...entry, value: entry.value.trimEnd() }))
      assert.deepEqual(entries(after?.map), entries())
      assert.deepEqual(after?.problems, before?.problems)
    }),
    { numRuns: 2000 },
  )
})

test('a line is never made too long to be read', () => {
  const long = `${'k'.repeat(60)} ${'v'.repeat(950)}`
  assert.equal(formatAccessMap(`${long}\nk v\n`), `${long}\nk\tv\n`)
})
