/** Whoever reads of S3 in a comment finds it in docs/internals/attacks.md, and there what is true. */

import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { root, sourceFiles } from './source-files.ts'

const page = readFileSync(path.join(root, 'docs/internals/attacks.md'), 'utf8')
const rows = new Map([...page.matchAll(/^\| (S\d+) \|.*\|$/gm)].map(([row, id = '']) => [id, row]))

test('each class of attack that a comment or a test cites is on the page, and none is there for nothing', () => {
  const cited = new Set(sourceFiles(/^(src|test)\/.*\.ts$/).flatMap(({ text }) => [...text.matchAll(/(?:[ (,']|and )(S\d{1,2})(?=[ ,:).]|$)/gm)].map(([, id = '']) => id)))
  assert.ok(cited.size > 20)
  assert.deepEqual([...cited].filter(id => !rows.has(id)), [])
  assert.deepEqual([...rows.keys()].filter(id => !cited.has(id)), [])
})

test('each file of test/attacks is in the row of its id', () => {
  for (const file of readdirSync(path.join(root, 'test/attacks'))) {
    const name = file.replace(/\.test\.ts$/, '')
    const row = rows.get(name.split('-')[0] ?? '') ?? ''
    assert.ok(row.includes(`\`${name}\``), file)
  }
})

test('what the page names is there', () => {
  for (const [, name = ''] of page.matchAll(/`([\w./-]+)`/g)) {
    const places = [name, `src/${name}`, `test/attacks/${name}.test.ts`]
    if (/[/]|^S\d/.test(name)) assert.ok(places.some(place => existsSync(path.join(root, place))), name)
  }
})
