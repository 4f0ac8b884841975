/**
 * Names in certificates: read or refused, never guessed at; in access-map form they are printable, and
 * two names share a form only where it is said to be ambiguous (S7).
 */

import assert from 'node:assert/strict'
import { DerReader, TAG } from '../../../src/core/names/der-reader.ts'
import { accessMapCommonName, accessMapName, LONGEST_NAME, olderAccessMapName, readName, type DistinguishedName } from '../../../src/core/names/distinguished-name.ts'
import { makeName, simpleName } from '../../support/certificate-maker.ts'
import type { FuzzTarget } from '../target.ts'

const [CN, O, OU, EMAIL] = ['2.5.4.3', '2.5.4.10', '2.5.4.11', '1.2.840.113549.1.9.1']
const text = (type: string, value: string, tag: number) => ({ type, tag, value: Buffer.from(value) })

/** What was seen under each form, of names that claim to be the only one with it. */
const seen = new Map<string, string>()

export const target: FuzzTarget = {
  name: 'der-names',
  seeds: [
    simpleName([O, 'Example'], [OU, 'Mail'], [CN, 'Joe Doe']),
    simpleName([CN, 'Zoë/CN=admin+x'], [EMAIL, 'joe@example.org']),
    makeName([[text(OU, 'Unit', TAG.printableString), text(CN, 'joe', TAG.utf8String)], [text('1.3.6.1.4.1.99999.1', 'own', TAG.ia5String)]]),
    makeName([[text(CN, '\0j\0o\0e', TAG.bmpString)]]),
    simpleName([CN, 'x'.repeat(250)]),
  ].map(name => Buffer.from(name)),
  words: ['/CN=', '+2F', '\\x00', '\x06\x03\x55\x04\x03', '\x0c\x03joe', '\x13\x03joe', '\x1e\x02\x00j', '\x30\x00', '\x31\x00', '\x30\x80', '\x84\xff\xff\xff\xff'],
  check(input) {
    const reader = DerReader.over(input)
    const name = readName(reader, 'subject')
    reader.finish('subject')
    if (reader.problem !== null) return
    const { text, isAmbiguous } = accessMapName(name)
    assert.match(text, /^[!-~]*$/)
    // Encoded, each octet may have become three.
    assert.ok(text.length <= 3 * LONGEST_NAME)
    assert.match(accessMapCommonName(name), /^[!-~]*$/)
    assert.match(olderAccessMapName(name) ?? '', /^[!-~]*$/)
    if (isAmbiguous) return
    const content = contentOf(name)
    if (seen.size > 100_000) seen.clear()
    assert.equal(seen.get(text) ?? content, content, `two names are ${text}`)
    seen.set(text, content)
  },
}

/** What makes a name another name: types, octets and structure, not the kind of string that holds the octets. */
function contentOf(name: DistinguishedName): string {
  return name.map(({ type, value, startsRdn }) => `${startsRdn ? '/' : '+'}${type}=${Buffer.from(value).toString('hex')}`).join('')
}
