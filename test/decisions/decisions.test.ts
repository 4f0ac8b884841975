/**
 * Decisions and their explanations, compared with files that an administrator can read.
 *
 * UPDATE=1 writes the answers of today into the files; read the difference before committing it.
 */

import assert from 'node:assert/strict'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { renderFile } from './decision-file.ts'

const folder = import.meta.dirname

for (const file of readdirSync(folder).filter(name => name.endsWith('.txt'))) {
  test(`decisions: ${file}`, () => {
    const place = path.join(folder, file)
    const written = readFileSync(place, 'utf8')
    const rendered = renderFile(written)
    if (process.env['UPDATE'] === '1') writeFileSync(place, rendered)
    else assert.equal(rendered, written)
  })
}
