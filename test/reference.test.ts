/**
 * The reference pages are printed from the source, and fail here when they are stale.
 *
 * To print them anew: UPDATE=1 node --test test/reference.test.ts
 */

import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { loadGroup } from '../src/cli/catalogue.ts'
import { renderCommandsReference } from '../src/cli/help.ts'
import { renderSettingsReference } from '../src/core/config/reference.ts'

const FOLDER = path.join(import.meta.dirname, '..', 'docs', 'reference')

check('settings.md', renderSettingsReference)
check('commands.md', async () => renderCommandsReference(await loadGroup('')))

function check(name: string, render: () => string | Promise<string>): void {
  test(`docs/reference/${name} is what the source says`, async () => {
    const file = path.join(FOLDER, name)
    const text = await render()
    if (process.env['UPDATE'] === '1') {
      mkdirSync(FOLDER, { recursive: true })
      writeFileSync(file, text)
    }
    const message = `${file} is stale; print it anew: UPDATE=1 node --test test/reference.test.ts`
    assert.equal(existsSync(file) ? readFileSync(file, 'utf8') : '', text, message)
  })
}
