/**
 * S11: what strangers send never reaches a command line.
 *
 * Programs are started in four places only, with the arguments as a list and nothing of a message among
 * them; no text becomes code. Read off the source: that something is not done cannot be tried out.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sourceFiles } from '../source-files.ts'

/** Who starts what: itself, with another role; `openssl` for `postern probe`, which an administrator calls. */
const STARTERS = ['src/cli/commands/up.ts', 'src/io/certificate-request.ts', 'src/process/authority-process.ts', 'src/process/worker-pool.ts']

const sources = sourceFiles(/^(src|bin)\/.*(?<!\.test)\.ts$|^bin\/[^.]*$/)

test('S11: programs are started in the places that are known, and by spawn', () => {
  const importing = sources.filter(({ text }) => /['"](node:)?child_process['"]/.test(text))
  assert.deepEqual(importing.map(({ name }) => name).filter(name => name.startsWith('src/')), STARTERS)
  for (const { name, text } of importing) {
    const imported = [...text.matchAll(/^import (.*) from ['"](?:node:)?child_process['"]/gm)].map(([, names = '']) => names)
    for (const names of imported) assert.match(names, /^(?:type )?\{ (?:spawn|ChildProcess|spawn, type ChildProcess) \}$/, name)
    assert.doesNotMatch(text, /\bshell\s*:/, name)
  }
})

test('S11: no text becomes code', () => {
  for (const { name, text } of sources) assert.doesNotMatch(text, /\beval\s*\(|\bnew Function\b|['"](node:)?vm['"]|\bsetTimeout\(\s*['"`]/, name)
})
