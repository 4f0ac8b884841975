/** sendmail's own answers are ours: every vector, in every file, by the runner that people use. */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import path from 'node:path'
import { test } from 'node:test'

test('every vector passes', () => {
  const runner = path.join(import.meta.dirname, '../vectors/run.ts')
  const output = execFileSync(process.execPath, [runner], { encoding: 'utf8' })
  assert.match(output, /^[1-9]\d* passed, 0 failed\n$/m)
  for (const kind of ['access-map-file', 'access-relay', 'dn-encoding', 'tls-policy']) assert.ok(output.includes(kind), `${kind} was run`)
})
