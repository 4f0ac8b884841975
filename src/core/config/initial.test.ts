import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderInitialAccess, renderInitialConfig, type InitialSettings } from './initial.ts'
import { parseConfig } from './parse.ts'

const PLAIN: InitialSettings = {
  hostname: 'mx.example.org',
  domains: ['example.org', 'example.net'],
  smarthost: null,
  smarthostIsTrial: false,
  addresses: {},
  passphraseFile: null,
}

function parse(settings: InitialSettings) {
  const parsed = parseConfig(renderInitialConfig(settings), 'postern.toml')
  assert.ok(parsed.ok, JSON.stringify(parsed))
  return parsed.value
}

test('what init writes is a configuration that says what init was told', () => {
  const plain = parse(PLAIN)
  assert.deepEqual([plain.hostname, plain.relay.domains, plain.delivery.smarthost], ['mx.example.org', ['example.org', 'example.net'], null])

  const full = parse({ ...PLAIN, smarthost: '127.0.0.1:2526', smarthostIsTrial: true, addresses: { mx: '[::]:2525' }, passphraseFile: '/etc/"odd" name' })
  assert.deepEqual(full.listeners.mx.address, { host: '::', port: 2525 })
  assert.deepEqual(full.delivery.smarthost, { host: '127.0.0.1', port: 2526 })
  assert.equal(full.ca.passphraseFile, '/etc/"odd" name')
})

test('each commented setting is one that the schema knows', () => {
  const uncommented = renderInitialConfig(PLAIN).replace(/^# (?=\[|[a-z-]+ = )/gm, '')
  const parsed = parseConfig(uncommented, 'postern.toml')
  assert.ok(parsed.ok, JSON.stringify(parsed))
})

test('the access map has one line that counts', () => {
  const lines = renderInitialAccess('/O=Example/CN=Example+20Issuing+20CA').split('\n')
  const counting = lines.filter(line => line !== '' && !line.startsWith('#'))
  assert.deepEqual(counting, ['CERTISSUER:/O=Example/CN=Example+20Issuing+20CA\tRELAY'])
})
