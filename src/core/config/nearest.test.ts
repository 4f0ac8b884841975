import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nearest } from './nearest.ts'

const WORDS = ['retry', 'lifetime', 'delay-warning', 'workers', 'tls']

test('a slip of the keyboard finds its word', () => {
  const slips = { retyr: 'retry', rety: 'retry', retrry: 'retry', liftime: 'lifetime', 'delay-waring': 'delay-warning', WORKERS: 'workers', tsl: 'tls' }
  for (const [typed, meant] of Object.entries(slips)) assert.equal(nearest(typed, WORDS), meant, typed)
})

test('a word that is like no other finds nothing', () => {
  for (const typed of ['smarthost', 'xyz', '', 'delay', 'w']) assert.equal(nearest(typed, WORDS), null, typed)
})
