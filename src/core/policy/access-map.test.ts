import assert from 'node:assert/strict'
import { test } from 'node:test'
import { foldCase, parseAccessMap } from './access-map.ts'

test('an entry keeps its key as written, its value and its line', () => {
  const { map, problems } = parseAccessMap('# who may relay\n\nCERTISSUER:/O=Example  RELAY\n', 'etc/access')
  assert.deepEqual(map.find('certissuer:/o=example'), { key: 'CERTISSUER:/O=Example', value: 'RELAY', file: 'etc/access', line: 3 })
  assert.equal(map.find('CERTISSUER:/O=Example'), null)
  assert.deepEqual(problems, [])
})

test('a faulty line is left out and named; the others stay', () => {
  const { map, problems } = parseAccessMap('10.1\tRELAY\n10.2\n  10.3 RELAY\n10.1 REJECT\n10.4 OK', 'access')
  assert.deepEqual([...map.entries()].map(({ key, line }) => `${line} ${key}`), ['1 10.1', '5 10.4'])
  assert.deepEqual(problems.map(({ line, rule }) => `${line} ${rule}`), ['2 noValue', '3 leadingSpace', '4 duplicateKey'])
  assert.equal(map.find('10.1')?.value, 'RELAY')
})

test('a blank of web pages ends no key, and is named, since nobody can see it', () => {
  for (const blank of ['\u00a0', '\u2003', '\u200b']) {
    const [problem] = parseAccessMap(`Connect:10.1${blank}RELAY\n`, 'access').problems
    assert.match(problem?.advice ?? '', /blank in it/)
  }
  assert.equal(parseAccessMap('Connect:10.1\n', 'access').problems[0]?.advice, 'write the key, a tab and a value')
})

test('a line of 1022 bytes is read, a longer one loses its first 1023', () => {
  const fits = `${'k'.repeat(1015)}\tREJECT`
  assert.equal(parseAccessMap(`${fits}\n`, 'access').map.size, 1)
  const { map, problems } = parseAccessMap(`x${fits}\n10.1 OK\n`, 'access')
  assert.deepEqual([...map.keys()], ['10.1'])
  assert.deepEqual(problems.map(({ line, rule }) => `${line} ${rule}`), ['1 lineTooLong'])
})

test('the last line needs no newline, and is held to the same length', () => {
  const rules = (text: string): readonly string[] => parseAccessMap(text, 'access').problems.map(({ rule }) => rule)
  assert.deepEqual(rules(`${'k'.repeat(1021)}\tv`), ['lineTooLong'])
  assert.deepEqual(rules(`${'k'.repeat(1020)}\tv`), [])
})

test('a zero byte spoils its line', () => {
  const { map, problems } = parseAccessMap('10.1\tOK\0x\n10.2\0 OK\n10.3 OK\n10.4 OK\0', 'access')
  assert.deepEqual([...map.entries()].map(({ key, value }) => `${key} ${value}`), ['10.3 OK', '10.4 OK'])
  assert.deepEqual(problems.map(({ line, rule }) => `${line} ${rule}`), ['1 zeroByte', '2 zeroByte'])
})

test('bytes are counted, not characters', () => {
  const line = `${'é'.repeat(520)}\tREJECT`
  assert.deepEqual(parseAccessMap(`${line}\n`, 'access').problems.map(({ rule }) => rule), ['lineTooLong'])
})

test('only ASCII letters are folded', () => {
  assert.equal(foldCase('ÀB.İ'), 'Àb.İ')
  assert.equal(parseAccessMap('É.Example OK\n', 'access').map.find('É.example')?.value, 'OK')
})

test('a large map is found by key, first and last line alike', () => {
  const count = 100_000
  const { map } = parseAccessMap(Array.from({ length: count }, (_, at) => `Host${at}.example REJECT\n`).join(''), 'access')
  assert.equal(map.size, count)
  assert.equal(map.find('host0.example')?.line, 1)
  assert.equal(map.find(`host${count - 1}.example`)?.line, count)
})
