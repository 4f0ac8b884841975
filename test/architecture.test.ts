/**
 * The shape of the code, as a test: which way imports point, and what the core may not touch.
 *
 * A path says what a file can do. When one of these fails, the message says what to do instead.
 */

import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { sourceFiles } from './source-files.ts'

/** Imports go to the same folder or to one further left. */
const LAYERS = ['core', 'relay', 'io', 'process', 'cli']

/** Packages that `core` may import: those that parse, and do nothing else. */
const CORE_PACKAGES = new Set(['zod', 'smol-toml'])

/** Things that make a function's answer depend on when or where it runs. */
const IMPURE = /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bsetTimeout\b|\bsetInterval\b|\bsetImmediate\b|\bprocess\.\w|\bawait\b|\basync\b|\bPromise\b|\bconsole\./

const files = sourceFiles(/^src\/.*\.ts$/).filter(({ name }) => !name.endsWith('.test.ts'))
const parts = files.map(file => ({ ...file, layer: file.name.split('/')[1] ?? '', imports: importsOf(file.text) }))

test('there is source to look at', () => assert.ok(parts.length > 20))

for (const { name, layer, imports } of parts.filter(({ layer }) => LAYERS.includes(layer))) {
  test(`${name} imports nothing to its right`, () => {
    for (const target of imports.filter(target => target.startsWith('.'))) {
      const resolved = path.posix.join(path.posix.dirname(name), target)
      const there = resolved.split('/')[1] ?? ''
      if (!LAYERS.includes(there)) continue
      const message = `${name} imports ${target}: ${layer} may import only ${LAYERS.slice(0, LAYERS.indexOf(layer) + 1).join(', ')}`
      assert.ok(LAYERS.indexOf(there) <= LAYERS.indexOf(layer), message)
    }
  })
}

for (const { name, text, imports } of parts.filter(({ layer }) => layer === 'core')) {
  test(`${name} is pure`, () => {
    const packages = imports.filter(target => !target.startsWith('.'))
    assert.deepEqual(packages.filter(target => !CORE_PACKAGES.has(target)), [], 'core imports nothing of Node and no library but its parsers')
    assert.equal(IMPURE.exec(withoutComments(text))?.[0], undefined, 'pass it in: facts, times and chance are arguments in core')
  })
}

for (const { name, imports } of parts.filter(({ layer }) => layer === 'relay')) {
  test(`${name} knows nothing of Node`, () => {
    const outside = imports.filter(target => !target.startsWith('.'))
    assert.deepEqual(outside, [], 'what relay needs from outside is a port (relay/ports.ts)')
  })
}

function importsOf(text: string): readonly string[] {
  return [...text.matchAll(/^\s*(?:import|export)\b[^'"\n]*(?:\n[^'"]*)?\bfrom\s+'([^']+)'|^import\s+'([^']+)'|\bimport\('([^']+)'\)/gm)].map(
    ([, from, bare, dynamic]) => from ?? bare ?? dynamic ?? '',
  )
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/\/\/.*$/gm, '')
}
