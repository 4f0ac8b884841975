import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { serviceHint } from './directory.ts'

test('who finds nothing in the default folder hears of the service, if it has data', () => {
  const byDefault = path.resolve('postern-data')
  assert.match(serviceHint(byDefault, '/'), /; the service has its data in \/: as root, .* say --dir \//)
  assert.equal(serviceHint(byDefault, '/there/is/no/such/folder'), '')
  assert.equal(serviceHint('/srv/named', '/'), '')
})
