/**
 * A few hundred odd commands put to Postern, Postfix and Exim: where they are answered differently, there
 * is a reason, and docs/internals/differences.md tells it. POSTERN_WRITE_DIFFERENCES=1 writes the page.
 */

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { ask } from './odd-inputs/ask.ts'
import { EXPLANATIONS } from './odd-inputs/explained.ts'
import { INPUTS } from './odd-inputs/inputs.ts'
import { differencesPage, type Answered } from './odd-inputs/page.ts'
import { SERVERS, startRig, type Rig } from './odd-inputs/rig.ts'
import { missingAsRoot } from './programs.ts'
import { EXIM } from './servers/exim.ts'

const PAGE = join(import.meta.dirname, '../../docs/internals/differences.md')
const skip = missingAsRoot('postfix', EXIM)

let rig: Rig
const different: Answered[] = []

before(async () => {
  if (skip !== false) return
  rig = await startRig()
  for (const input of INPUTS) {
    const codes: number[] = []
    for (const name of SERVERS) codes.push((await ask(rig.ports[name], input)).code)
    if (new Set(codes).size > 1) different.push({ input, codes })
  }
})

after(async () => {
  await rig?.stop()
})

test('every difference from Postfix and Exim has its reason', { skip }, () => {
  assert.ok(different.length > 50, 'the three differ, as they are known to')
  const unexplained = different.filter(({ input }) => !EXPLANATIONS.some(({ fits }) => fits(input)))
  assert.deepEqual(unexplained, [])
})

test('every reason is there for a difference', { skip }, () => {
  const used = new Set(different.map(({ input }) => EXPLANATIONS.find(({ fits }) => fits(input))?.title))
  assert.deepEqual(EXPLANATIONS.map(({ title }) => title).filter(title => !used.has(title)), [])
})

test('the page of differences tells what is', { skip }, () => {
  const page = differencesPage(different)
  if (process.env['POSTERN_WRITE_DIFFERENCES'] === '1') writeFileSync(PAGE, page)
  assert.equal(readFileSync(PAGE, 'utf8'), page)
})
