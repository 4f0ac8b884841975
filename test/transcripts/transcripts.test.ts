/**
 * Conversations as the specification of the server: each is played, and then played again with its
 * octets arriving in pieces. What the server says must not depend on how the network cuts what it
 * hears.
 */

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { array, assert as check, integer, property } from 'fast-check'
import { mustArriveWhole, play, type Cut } from './play.ts'

const folder = import.meta.dirname
const lengths = array(integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 20 })

for (const file of readdirSync(folder).filter(name => name.endsWith('.smtp') && !name.endsWith('.client.smtp'))) {
  const source = readFileSync(`${folder}/${file}`, 'utf8')
  test(file, () => assert.equal(play(source), source))
  if (mustArriveWhole(source)) continue
  test(`${file}, octet by octet`, () => assert.equal(play(source, octetByOctet), source))
  test(`${file}, cut anywhere`, () => {
    check(property(lengths, lengths => assert.equal(play(source, cutTo(lengths)), source)), { numRuns: 25 })
  })
}

const octetByOctet: Cut = octets => Array.from(octets, octet => Buffer.of(octet))

/** Pieces of these lengths, over and over. */
function cutTo(lengths: readonly number[]): Cut {
  return octets => {
    const pieces: Buffer[] = []
    for (let at = 0, next = 0; at < octets.length; next++) {
      const length = lengths[next % lengths.length] ?? 1
      pieces.push(octets.subarray(at, at + length))
      at += length
    }
    return pieces
  }
}
