import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultConfig } from '../core/config/parse.ts'
import { PolicyHolder } from './policy-holder.ts'

const ACCESS = 'Connect:10.1 RELAY\nConnect:192.0.2.0/24 REJECT\n'

test('a reload reads an access map again only if it is another one, and takes all other settings', () => {
  const config = defaultConfig('mx.example.org')
  const holder = new PolicyHolder(config, { accessText: ACCESS, accessFile: 'access' })
  const { access, survey } = holder.current
  holder.replace({ ...config, hostname: 'new.example.org' }, { accessText: `${ACCESS}`, accessFile: 'access' })
  assert.equal(holder.current.access, access)
  assert.equal(holder.current.survey, survey)
  assert.equal(holder.current.hostname, 'new.example.org')

  holder.replace(config, { accessText: 'CERTFP:00 REJECT\n', accessFile: 'access' })
  assert.equal(holder.current.access.find('connect:10.1'), null)
  assert.ok(holder.current.survey.namesIdentities)

  holder.replace(config, { accessText: ACCESS, accessFile: 'access' })
  const before = holder.current.access
  holder.replace(config, { accessText: ACCESS, accessFile: 'other' })
  assert.notEqual(holder.current.access, before, 'explanations name the file')
  assert.equal(holder.current.access.find('connect:10.1')?.file, 'other')
})
