/** The page about the access map: its examples are lines that load, and it leaves out no key. */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { formatAccessProblem, parseAccessMap } from '../src/core/policy/access-map.ts'
import { TAGS, lintAccessMap } from '../src/core/policy/access-lint.ts'
import { root } from './source-files.ts'

const page = readFileSync(path.join(root, 'docs/reference/access-map.md'), 'utf8')
const examples = [...page.matchAll(/^```access\n(.*?)^```/gms)].map(([, text = '']) => text)

test('there are examples', () => assert.ok(examples.length >= 8))

for (const [at, example] of examples.entries()) {
  test(`the lines of example ${at + 1} load without a word`, () => {
    const { map, problems } = parseAccessMap(example, 'access')
    assert.deepEqual([...problems, ...lintAccessMap(map, 'postern')].map(formatAccessProblem), [])
  })
}

test('every tag has its place on the page', () => {
  assert.deepEqual(TAGS.filter(tag => !page.includes(`\`${tag}:`)), [])
})

test('every link on the page leads somewhere', () => {
  const headings = new Set([...page.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) => title.toLowerCase().replaceAll(/[^\w -]/g, '').replaceAll(' ', '-')))
  const anchors = [...page.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor = '']) => anchor)
  assert.ok(anchors.length > 10)
  assert.deepEqual(anchors.filter(anchor => !headings.has(anchor)), [])
})
