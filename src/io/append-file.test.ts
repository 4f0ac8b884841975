import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
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

test('a line that cannot be written is a problem that says what to do', async () => {
  // Every write to this device fails with ENOSPC, and it cannot be cut back.
  const appender = await AppendFile.open('/dev/full', 0)
  const appended = await appender.append('one\n')
  assert.match(appended.ok ? '' : appended.problem, /\/dev\/full: cannot be written: ENOSPC.*free some space.*in doubt, so restart Postern/)
  await appender.close()
})

test('a part of a line that could be written is cut off again, and the next line takes its place', async t => {
  const file = fileWith('one\n')
  const appender = await AppendFile.open(file, 4)
  failOnce(t, await handlePrototype(file), 'write', async handle => void (await handle.writev([Buffer.from('tw')], 4)))
  assert.equal((await appender.append('two\n')).ok, false)
  assert.equal(readFileSync(file, 'utf8'), 'one\n')
  assert.equal((await appender.append('three\n')).ok, true)
  await appender.close()
  assert.equal(readFileSync(file, 'utf8'), 'one\nthree\n')
})

test('when what is on disk is in doubt, no more lines are taken, though the disk is well again', async t => {
  const file = fileWith('one\n')
  const appender = await AppendFile.open(file, 4)
  const prototype = await handlePrototype(file)
  failOnce(t, prototype, 'write')
  failOnce(t, prototype, 'truncate')
  const first = await appender.append('two\n')
  assert.match(first.ok ? '' : first.problem, /in doubt/)
  assert.deepEqual(await appender.append('three\n'), first)
  await appender.close()
  assert.equal(readFileSync(file, 'utf8'), 'one\n')
})

async function handlePrototype(file: string): Promise<FileHandle> {
  const handle = await open(file)
  await handle.close()
  return Object.getPrototypeOf(handle) as FileHandle
}

/** Makes the next call of a method fail, after `first` was done. */
function failOnce(t: TestContext, prototype: FileHandle, method: 'write' | 'truncate', first: (handle: FileHandle) => Promise<void> = async () => {}): void {
  async function fail(this: FileHandle): Promise<never> {
    await first(this)
    throw Object.assign(new Error('input/output error'), { code: 'EIO' })
  }
  t.mock.method(prototype, method, fail, { times: 1 })
}
