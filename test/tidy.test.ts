/** House rules that a reader would otherwise have to check: sizes, openings, leftovers. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sourceFiles } from './source-files.ts'

const LONGEST_FILE = 400
/** Written so that this line does not find itself. */
const LEFTOVERS = /TO[D]O|FIX[M]E|XX[X]|@ts-[i]gnore|\bas an[y]\b|lint-[d]isable/
const VAGUE_NAMES = /(^|\/)(utils?|helpers?|common|manager|handler|index|misc)\.ts$/

const sources = sourceFiles(/^(src|bench|bin|test)\/.*\.(ts|js)$/)

test('no source file is longer than a reader can hold', () => {
  const long = sources.filter(({ name, text }) => name.startsWith('src/') && text.split('\n').length > LONGEST_FILE)
  assert.deepEqual(long.map(({ name }) => name), [], `split files of more than ${LONGEST_FILE} lines`)
})

test('every source file opens by saying what it is for', () => {
  const silent = sources.filter(({ name, text }) => name.startsWith('src/') && !name.endsWith('.test.ts') && !text.startsWith('/**'))
  assert.deepEqual(silent.map(({ name }) => name), [])
})

test('nothing is left for later', () => {
  const left = sources.filter(({ text }) => LEFTOVERS.test(text))
  assert.deepEqual(left.map(({ name }) => name), [])
})

test('names say what a file is', () => {
  assert.deepEqual(sources.filter(({ name }) => VAGUE_NAMES.test(name)).map(({ name }) => name), [])
})

test('text files end with one line end and have no tabs or trailing blanks', () => {
  const untidy = sources.filter(({ text }) => !text.endsWith('\n') || text.endsWith('\n\n') || /[ \t]+$/m.test(text) || /^\t/m.test(text))
  assert.deepEqual(untidy.map(({ name }) => name), [])
})
