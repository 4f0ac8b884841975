import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { writeNewFile, writeWholeFile } from './whole-file.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'postern-files-'))
test.after(() => rmSync(folder, { recursive: true }))

test('a file is made, and replaced whole, with exactly its mode', async () => {
  const file = path.join(folder, 'x')
  await writeWholeFile(file, 'one', 0o600)
  await writeWholeFile(file, Buffer.from('another'), 0o444)
  assert.equal(readFileSync(file, 'utf8'), 'another')
  assert.equal(statSync(file).mode & 0o777, 0o444)
})

test('a symbolic link is replaced, and what it points to stays', async () => {
  const target = path.join(folder, 'target')
  const link = path.join(folder, 'link')
  writeFileSync(target, 'untouched')
  symlinkSync(target, link)
  await writeWholeFile(link, 'new', 0o600)
  assert.equal(readFileSync(target, 'utf8'), 'untouched')
  assert.equal(readFileSync(link, 'utf8'), 'new')
})

test('when a file cannot take its place, nothing is left behind', async () => {
  const inside = path.join(folder, 'inside')
  mkdirSync(path.join(inside, 'x', 'y'), { recursive: true })
  await assert.rejects(writeWholeFile(path.join(inside, 'x'), 'text', 0o600))
  assert.deepEqual(readdirSync(inside), ['x'])
})

test('a new file is never written over another, nor through a link', async () => {
  const file = path.join(folder, 'new')
  await writeNewFile(file, 'one', 0o400)
  await assert.rejects(writeNewFile(file, 'two', 0o400), { code: 'EEXIST' })
  symlinkSync(path.join(folder, 'elsewhere'), path.join(folder, 'dangling'))
  await assert.rejects(writeNewFile(path.join(folder, 'dangling'), 'two', 0o400), { code: 'EEXIST' })
  assert.equal(readFileSync(file, 'utf8'), 'one')
  assert.equal(statSync(file).mode & 0o777, 0o400)
  chmodSync(file, 0o600)
})
