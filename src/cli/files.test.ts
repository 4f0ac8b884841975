import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { shortPath } from './files.ts'

test('a path is short below the current folder, and whole elsewhere and in /', t => {
  const here = process.cwd()
  t.after(() => process.chdir(here))
  assert.equal(shortPath(path.join(here, 'clients', 'joe.pem')), 'clients/joe.pem')
  assert.equal(shortPath(path.join(path.dirname(here), 'ca.pem')), path.join(path.dirname(here), 'ca.pem'))
  process.chdir('/')
  assert.equal(shortPath('/var/lib/postern/ca/ca.pem'), '/var/lib/postern/ca/ca.pem')
})
