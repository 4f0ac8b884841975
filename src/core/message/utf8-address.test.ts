import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assert as check, property, string } from 'fast-check'
import { decodeUtf8Address, toAsciiForm } from './utf8-address.ts'
import { encodeXtext } from './xtext.ts'

test('an internationalized address has one form in ASCII (RFC 6533 §3)', () => {
  for (const form of ['jürgen@exämple.org', 'j\\x{FC}rgen@ex\\x{E4}mple.org', 'jürgen@ex\\x{E4}mple.org', 'j+C3+BCrgen@ex+C3+A4mple.org']) {
    assert.equal(toAsciiForm(form), 'j\\x{FC}rgen@ex\\x{E4}mple.org', form)
    assert.equal(decodeUtf8Address(form), 'jürgen@exämple.org', form)
  }
  assert.equal(toAsciiForm('joe+2Btag\\x{3D}\\x{5C}\\x{20}\\x{1F4EC}@b'), 'joe\\x{2B}tag\\x{3D}\\x{5C}\\x{20}\\x{1F4EC}@b')
})

test('what is no character, or ends a line, is no address', () => {
  for (const bad of ['a\\b', 'a\\x{}', 'a\\x{fc}', 'a\\x{A}', 'a\\x{0A}', 'a\\x{0D}b', 'a\\x{2028}', 'a\\x{85}', 'a\\x{D800}', 'a\\x{110000}', 'a\\x{FFFFFF}', 'a+0D', '+C3']) {
    assert.equal(toAsciiForm(bad), null, bad)
  }
})

test('every address reads back as it was, from each form', () => {
  check(property(string({ unit: 'binary' }), text => {
    if (/[\p{Cc}\u2028\u2029]/u.test(text)) return
    const ascii = toAsciiForm(encodeXtext(text).replaceAll('\\', '\\x{5C}'))
    assert.match(ascii ?? '', /^[!-*,-<>-[\]-~\\]*$/)
    assert.equal(decodeUtf8Address(ascii ?? ''), text)
    assert.equal(toAsciiForm(ascii ?? ''), ascii)
  }))
})
