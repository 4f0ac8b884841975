import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { AppendFile } from './append-file.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'postern-append-'))
test.after(() => rmSync(folder, { recursive: true }))

let made = 0
function fileWith(text: string): string {
  const file = path.join(folder, `file-${(made += 1)}`)
  writeFileSync(file, text)
  return file
}

test('lines come behind one another', async () => {
  const file = fileWith('one\n')
  const appender = await AppendFile.open(file, 4)
  assert.deepEqual(await appender.append('two\n'), { ok: true, value: null })
  assert.deepEqual(await appender.append('drei ö\n'), { ok: true, value: null })
  assert.deepEqual(await appender.append('four\n'), { ok: true, value: null })
  await appender.close()
  assert.equal(readFileSync(file, 'utf8'), 'one\ntwo\ndrei ö\nfour\n')
})

test('what a crash left behind the last line is cut off', async () => {
  const file = fileWith('one\n{"half":')
  const appender = await AppendFile.open(file, 4)
  assert.equal(readFileSync(file, 'utf8'), 'one\n')
  await appender.append('x\n')
  await appender.close()
  assert.equal(readFileSync(file, 'utf8'), 'one\nx\n')
})

test('a file that is missing, or a symbolic link, is not opened', async () => {
  await assert.rejects(AppendFile.open(path.join(folder, 'none'), 0), { code: 'ENOENT' })
  const link = path.join(folder, 'link')
  symlinkSync(fileWith('one\n'), link)
  await assert.rejects(AppendFile.open(link, 4), { code: 'ELOOP' })
})

test('a line that cannot be written is a problem, and what is in doubt takes no more lines', async () => {
  // Every write to this device fails with ENOSPC, and it cannot be cut back.
  const appender = await AppendFile.open('/dev/full', 0)
  const first = await appender.append('one\n')
  assert.match(first.ok ? '' : first.problem, /\/dev\/full: cannot be written: ENOSPC.*in doubt, so restart Postern/)
  const second = await appender.append('two\n')
  assert.deepEqual(second, first)
  await appender.close()
})
